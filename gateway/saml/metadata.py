"""Metadata 2: what an identity provider says of itself, read from a verified tree.

Content of other protocols is ignored: AD FS and Entra ID export role descriptors of WS-Federation in the same document.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.saml.endpoints import endpoints
from gateway.saml.key_info import signing_keys
from gateway.saml.metadata_document import MetadataPart
from gateway.saml.names import MDUI, SAMLP, SHIBMD, XML, md
from gateway.saml.parties import IdpMetadata
from gateway.saml.times import duration, moment

# Metadata 2.3.1: groups may hold groups. Real documents have two levels at most.
_DEEPEST = 8
# Metadata 2.2.1
_LONGEST_ENTITY_ID = 1024
_LONGEST_VALUE = 1024
# Of a logo's height, in digits; and the height in pixels that pages have use for.
_LONGEST_NUMBER = 5
_SHARP = 64
# Of a name that people are shown.
_LONGEST_NAME = 120
_MOST_VALUES = 200


@dataclass(frozen=True, slots=True)
class Entity:
    """An EntityDescriptor and the earliest validUntil of the groups that it is in (Unix seconds)."""

    id: str
    element: etree._Element
    valid_until: int | None


def valid_until(part: MetadataPart) -> int | None:
    """The validUntil of the root, in Unix seconds."""
    return _earliest(None, part.root)


def cache_duration(part: MetadataPart) -> int | None:
    """The cacheDuration of the root, in seconds."""
    text = part.root.get("cacheDuration")
    return None if text is None else duration(text, "cacheDuration")


def entities(parts: Iterable[MetadataPart]) -> Iterator[Entity]:
    """The entities, at any depth of groups. Raises GatewayError: saml_codes.METADATA; METADATA_ENTITY for an entity
    that appears twice."""
    seen: set[str] = set()
    for part in parts:
        for entity in _entities(part.root, None, _DEEPEST):
            if entity.id in seen:
                raise GatewayError(saml_codes.METADATA_ENTITY, f"{entity.id} is there twice")
            seen.add(entity.id)
            yield entity


def find_entity(parts: Iterable[MetadataPart], entity_id: str) -> Entity:
    """The entity with this entityID. Raises GatewayError(saml_codes.METADATA_ENTITY) if the entity is missing or
    appears twice, and the errors of reading the parts."""
    found = [entity for entity in entities(parts) if entity.id == entity_id]
    if not found:
        raise GatewayError(saml_codes.METADATA_ENTITY, f"{entity_id} is not in the metadata")
    return found[0]


def is_identity_provider(entity: Entity) -> bool:
    return any(True for _ in _saml_roles(entity.element))


def idp_metadata(entity: Entity, *, development: bool = False) -> IdpMetadata:
    """`development`: accept endpoints with http.

    Raises GatewayError: saml_codes.METADATA_ENTITY (no identity provider, or two in one), saml_codes.METADATA_KEY,
    saml_codes.METADATA_ENDPOINT, saml_codes.TIME. Validity is checked at each use, by `require_valid`.
    """
    role = role_of(entity)
    keys, left_out = signing_keys(role)
    if not keys:
        raise GatewayError(saml_codes.METADATA_KEY, f"{entity.id}: no key that can sign: {'; '.join(left_out)[:500]}")
    sign_on = endpoints(role, md("SingleSignOnService"), "redirect", "post", development=development)
    if not sign_on:
        detail = f"{entity.id}: no SingleSignOnService for Redirect or POST at an https address"
        raise GatewayError(saml_codes.METADATA_ENDPOINT, detail)
    return IdpMetadata(
        entity_id=entity.id,
        signing_keys=keys,
        sign_on=sign_on,
        logout=endpoints(role, md("SingleLogoutService"), "redirect", "post", "soap", development=development),
        artifact_resolution=endpoints(role, md("ArtifactResolutionService"), "soap", development=development),
        wants_signed_requests=role.get("WantAuthnRequestsSigned") in ("true", "1"),
        name_id_formats=tuple(_texts(islice(role.iterchildren(md("NameIDFormat")), _MOST_VALUES))),
        scopes=_scopes(entity.element, role),
        valid_until=_earliest(_earliest(entity.valid_until, entity.element), role),
        display_names=_display_names(role),
        logo=_logo(role, development=development),
    )


def role_of(entity: Entity) -> etree._Element:
    """The IDPSSODescriptor. Raises GatewayError(saml_codes.METADATA_ENTITY) for none, and for two."""
    roles = list(_saml_roles(entity.element))
    if len(roles) != 1:
        found = "no SAML 2.0 identity provider" if not roles else f"{len(roles)} identity providers in one"
        raise GatewayError(saml_codes.METADATA_ENTITY, f"{entity.id}: {found}")
    return roles[0]


def require_valid(metadata: IdpMetadata, now: float) -> None:
    """Raises GatewayError(saml_codes.METADATA_EXPIRED). No skew is tolerated here. `now`: Unix seconds."""
    if metadata.valid_until is not None and now >= metadata.valid_until:
        ago = f"{now - metadata.valid_until:.0f} s ago"
        raise GatewayError(
            saml_codes.METADATA_EXPIRED, f"{metadata.entity_id}: its metadata ran out {ago}, and no newer were had"
        )


def _entities(element: etree._Element, until: int | None, deepest: int) -> Iterator[Entity]:
    if element.tag == md("EntityDescriptor"):
        id = element.get("entityID", "")
        if not id or len(id) > _LONGEST_ENTITY_ID:
            raise GatewayError(saml_codes.METADATA, "an EntityDescriptor without an entityID, or with an endless one")
        yield Entity(id, element, until)
        return
    until = _earliest(until, element)
    if not deepest:
        raise GatewayError(saml_codes.METADATA, f"EntitiesDescriptor over {_DEEPEST} deep")
    for child in element.iterchildren(md("EntityDescriptor"), md("EntitiesDescriptor")):
        yield from _entities(child, until, deepest - 1)


def _saml_roles(entity: etree._Element) -> Iterator[etree._Element]:
    # Metadata 2.4.1: a list of URIs
    for role in entity.iterchildren(md("IDPSSODescriptor")):
        if SAMLP in role.get("protocolSupportEnumeration", "").split():
            yield role


def _earliest(until: int | None, element: etree._Element) -> int | None:
    # Metadata 2.3.1, 2.3.2, 2.4.1: the earliest of all that apply counts.
    text = element.get("validUntil")
    if text is None:
        return until
    own = moment(text, "validUntil")
    return own if until is None else min(own, until)


def _scopes(entity: etree._Element, role: etree._Element) -> tuple[tuple[str, bool], ...]:
    """Shibboleth's scopes: an extension of the role, or of the entity for all its roles."""
    scope = f"{md('Extensions')}/{{{SHIBMD}}}Scope"
    found = [*entity.findall(scope), *role.findall(scope)][:_MOST_VALUES]
    values = ((text, element.get("regexp") in ("true", "1")) for element in found for text in _texts([element]))
    return tuple(dict.fromkeys(values))


def _display_names(role: etree._Element) -> dict[str, str]:
    """The names by language. Names are shown to people: a name with invisible or direction-changing characters is
    dropped."""
    # MDUI 1.0 2.1.2
    found = role.findall(f"{md('Extensions')}/{{{MDUI}}}UIInfo/{{{MDUI}}}DisplayName")[:_MOST_VALUES]
    names = ((element.get(f"{{{XML}}}lang", "").lower(), text) for element in found for text in _texts([element]))
    shown = ((language, " ".join(text.split())) for language, text in names)
    return {language: text for language, text in shown if text.isprintable() and len(text) <= _LONGEST_NAME}


def _logo(role: etree._Element, *, development: bool) -> str:
    """The address of the smallest logo that is tall enough to be sharp, else of the tallest. A logo without a language
    is preferred."""
    # MDUI 1.0 2.1.5
    found = role.findall(f"{md('Extensions')}/{{{MDUI}}}UIInfo/{{{MDUI}}}Logo")[:_MOST_VALUES]
    https = ("https://", "http://") if development else ("https://",)
    logos = [
        (element.get(f"{{{XML}}}lang") is not None, height < _SHARP, abs(height - _SHARP), address)
        for element in found
        for height in (_pixels(element.get("height", "")),)
        for address in _texts([element])
        if address.startswith(https)
    ]
    return min(logos)[-1] if logos else ""


def _pixels(text: str) -> int:
    return int(text) if len(text) <= _LONGEST_NUMBER and text.isascii() and text.isdecimal() else 0


def _texts(elements: Iterator[etree._Element] | list[etree._Element]) -> Iterator[str]:
    for element in elements:
        text = (element.text or "").strip()
        if text and len(text) <= _LONGEST_VALUE and not len(element):
            yield text
