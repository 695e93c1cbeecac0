"""An identity provider's own document, for an operator to judge before a provider file exists."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from gateway.model.codes import saml_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted
from gateway.saml.key_info import NamedKey, named_signing_keys, signer_named_in
from gateway.saml.metadata import Entity, entities, idp_metadata, is_identity_provider, role_of
from gateway.saml.metadata_document import MetadataPart, given, verified
from gateway.saml.names import saml
from gateway.saml.parties import IdpMetadata
from gateway.saml.signature import signature_of

_MOST_ATTRIBUTES = 200
_LONGEST_NAME = 500
# Entities that a refusal lists.
_LISTED = 5


@dataclass(frozen=True, slots=True)
class MetadataOffer:
    """The content of the document. Nobody may trust the keys before a comparison of fingerprints.

    `signer`: the key of the document's signature; None: the document is not signed.
    `keys`: the provider's signing keys.
    `attributes`: the names of the offered attributes; most providers list no attributes.
    """

    metadata: IdpMetadata
    signer: NamedKey | None
    keys: tuple[NamedKey, ...]
    attributes: tuple[str, ...]


def read_offer(content: bytes, entity_id: str = "", *, development: bool = False) -> MetadataOffer:
    """Reads a document with one identity provider, or the one with `entity_id`.

    Raises GatewayError: as `metadata_document.verified` and `metadata.idp_metadata`.
    """
    parts = tuple(given((content,)))
    entity = _chosen([one for one in entities(parts) if is_identity_provider(one)], entity_id)
    role = role_of(entity)
    keys, _ = named_signing_keys(role)
    metadata = idp_metadata(entity, development=development)
    return MetadataOffer(metadata, _signer(content, parts[0], keys), keys, _attributes(role))


def _signer(content: bytes, first: MetadataPart, keys: tuple[NamedKey, ...]) -> NamedKey | None:
    """The key of the document's signature: the key in the KeyInfo, or a signing key of the provider."""
    signature = signature_of(first.root)
    if signature is None:
        return None
    named = signer_named_in(signature)
    if named is not None:
        _check(content, named)
        return named
    for key in keys:
        with suppress(GatewayError):
            _check(content, key)
            return key
    detail = "the signature does not hold a key that is accepted, and none of the provider's own keys made it"
    raise GatewayError(saml_codes.METADATA_SIGNATURE, detail)


def _check(content: bytes, key: NamedKey) -> None:
    for _ in verified((content,), (key.spki,)):
        pass


def _chosen(found: list[Entity], entity_id: str) -> Entity:
    named = [entity for entity in found if entity.id == entity_id] if entity_id else found
    if len(named) == 1:
        return named[0]
    if not found:
        raise GatewayError(saml_codes.METADATA_ENTITY, "no SAML 2.0 identity provider")
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    listed = ", ".join(quoted(entity.id) for entity in found[:_LISTED]) + more
    refusal = f"{quoted(entity_id)} is not one of its identity providers" if entity_id else "several identity providers"
    raise GatewayError(saml_codes.METADATA_ENTITY, f"{refusal}: {listed}")


def _attributes(role: etree._Element) -> tuple[str, ...]:
    # Metadata 2.4.3
    names = (element.get("Name", "") for element in islice(role.iterchildren(saml("Attribute")), _MOST_ATTRIBUTES))
    return tuple(dict.fromkeys(name for name in names if 0 < len(name) <= _LONGEST_NAME and name.isprintable()))
