"""Validated claims, or a validated assertion, to an identity: our attribute names, values as text, what is left out."""

import unicodedata
from collections.abc import Iterator, Mapping

import re2

from gateway.identity.perimeter import is_scoped
from gateway.model.assertion import LONGEST_NAME, Assertion, NameId, SamlAttribute, is_one_spelling
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATE_ORGANISATIONS, MANDATES_IN_FULL
from gateway.model.provider import OidcProvider, SamlProvider

MOST_VALUES = 4096
LONGEST_VALUE = 8192
MOST_BYTES = 1 << 19
_LARGEST_NUMBER = 1 << 64

# Names that a provider file may not give to an attribute: the gateway's own facts about a person, and claims of tokens,
# which a file must not overwrite.
RESERVED_ATTRIBUTES = frozenset({
    "acr", "amr", "aud", "auth_time", "authenticated_at", "azp", "exp", "iat", "iss", "issuer", "jti", "left_out",
    MANDATE_ORGANISATIONS, MANDATES_IN_FULL, "nbf", "nonce", "provider", "session", "sid", "sub", "subject", "tenant",
})  # fmt: skip


def map_claims(
    provider: OidcProvider,
    claims: Mapping[str, object],
    acr: str | None,
    amr: tuple[str, ...],
    auth_time: int | None,
    now: int,
) -> Identity:
    """Maps the claims to an identity. Raises GatewayError(login_codes.MAPPING); the detail names attributes, never
    values.

    `claims`: the claims of the validated ID token and of userinfo.
    `acr`, `amr`, `auth_time`: from the validated ID token.
    `auth_time`: Unix seconds; None: the time of the authentication is unknown, and counts as 0.
    `now`: Unix seconds.
    """
    left_out = _claims_left_out(provider, claims)
    attributes = {
        name: values
        for name, source in provider.attributes.items()
        if name not in left_out and (values := values_of(name, _at(claims, source.claim)))
    }
    check_size(attributes)
    return Identity(
        provider=provider.name,
        issuer=provider.issuer,
        subject=_claimed_subject(claims),
        attributes=attributes,
        left_out=left_out,
        acr=acr,
        amr=amr,
        authenticated_at=min(auth_time or 0, now),
    )


def check_size(attributes: Mapping[str, tuple[str, ...]]) -> None:
    size = sum(len(value.encode()) for values in attributes.values() for value in values)
    if size > MOST_BYTES:
        raise GatewayError(login_codes.MAPPING, f"{size} bytes of attributes, over {MOST_BYTES}")


def _claimed_subject(claims: Mapping[str, object]) -> str:
    # OIDC Core 2: at most 255 ASCII characters, case-sensitive.
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isascii():
        raise GatewayError(login_codes.MAPPING, "`sub` is not a text of 1 to 255 ASCII characters")
    if not subject.isprintable():
        raise GatewayError(login_codes.MAPPING, "`sub` holds a control character")
    return subject


def _claims_left_out(provider: OidcProvider, claims: Mapping[str, object]) -> frozenset[str]:
    """Attributes whose claim the provider declares as not sent in the token, or as not verified."""
    # OIDC Core 5.6.2: the members of _claim_names are claims to be had elsewhere. Entra: groups over its limit.
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, dict):
        raise GatewayError(login_codes.MAPPING, "`_claim_names` is not an object")
    withheld = set(elsewhere)
    # Entra, implicit flow: the same, said in short.
    if claims.get("hasgroups", False) is not False:
        withheld.add("groups")
    # OIDC Core 5.1: true only if the provider verified the address. Providers without the claim verify by contract.
    if claims.get("email_verified", True) is not True:
        withheld.add("email")
    return frozenset(name for name, source in provider.attributes.items() if source.claim[0] in withheld)


def _at(claims: Mapping[str, object], path: tuple[str, ...]) -> object:
    found: object = claims
    for step in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def values_of(name: str, claim: object) -> tuple[str, ...]:
    """The values in the provider's order, without repetition. Omits empty texts and null."""
    members = claim if isinstance(claim, list) else [claim]
    if len(members) > MOST_VALUES:
        raise GatewayError(login_codes.MAPPING, f"`{name}` has {len(members)} values, over {MOST_VALUES}")
    return tuple(dict.fromkeys(_texts(name, members)))


def _texts(name: str, members: list[object]) -> Iterator[str]:
    for member in members:
        text = _text(name, member)
        if text:
            yield text


def _text(name: str, member: object) -> str:
    match member:
        case None:
            return ""
        case bool():
            return "true" if member else "false"
        case int() if abs(member) < _LARGEST_NUMBER:
            return str(member)
        case str():
            return _checked(name, member)
        case _:
            # A fraction can be written in several ways; an object or a list in a list is no value.
            raise GatewayError(login_codes.MAPPING, f"`{name}` has a value that is no text, whole number or boolean")


def _checked(name: str, text: str) -> str:
    """NFC: policy, perimeter and application see the same spelling."""
    normal = unicodedata.normalize("NFC", text)
    if not normal.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in normal):
        raise GatewayError(login_codes.MAPPING, f"`{name}` has a value with a control character")
    if len(normal.encode()) > LONGEST_VALUE:
        raise GatewayError(login_codes.MAPPING, f"`{name}` has a value over {LONGEST_VALUE} bytes")
    return normal


# --- a SAML assertion: attributes by name, scoped attributes within the stated scopes

# How a file of a SAML provider names the subject itself among its attributes.
NAME_ID = "NameID"
# Entra ID sends this attribute instead of a group list over its limit.
_GROUPS_ELSEWHERE = "http://schemas.microsoft.com/claims/groups.link"
_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"


def map_assertion(provider: SamlProvider, assertion: Assertion, now: int) -> Identity:
    """`now`: Unix seconds. Raises GatewayError: login_codes.MAPPING, or login_codes.OUTSIDE_PERIMETER for a scope not
    its own.

    The detail names attributes, never values.
    """
    left_out = _attributes_left_out(provider, assertion)
    attributes: dict[str, tuple[str, ...]] = {}
    for name, names in provider.attributes.items():
        if name in left_out:
            continue
        found = _attributes_named(provider, assertion, names)
        _check_made_for_us(assertion, name, found)
        values = values_of(name, [value for attribute in found for value in attribute.values])
        for attribute in found:
            if any(map(is_scoped, (attribute.name, attribute.friendly_name or "", *names))):
                _check_scopes(assertion, name, values)
        if values:
            attributes[name] = values
    check_size(attributes)
    return Identity(
        provider=provider.name,
        issuer=provider.issuer,
        subject=_asserted_subject(provider, assertion, attributes),
        attributes=attributes,
        left_out=left_out,
        acr=assertion.authn_context,
        authenticated_at=min(assertion.authn_instant, now),
    )


def _attributes_named(provider: SamlProvider, assertion: Assertion, names: tuple[str, ...]) -> list[SamlAttribute]:
    """The attributes of the first of `names` that the provider sent.

    Core 2.7.3.1: FriendlyName identifies nothing formally. If the provider file accepts FriendlyName, it counts only
    where no Name matches.
    """
    for name in names:
        if name == NAME_ID and assertion.name_id is not None:
            of_another_sp = (assertion.name_id.sp_name_qualifier or assertion.audience) != assertion.audience
            return [SamlAttribute(NAME_ID, None, None, (assertion.name_id.value,), of_another_sp)]
        found = [attribute for attribute in assertion.attributes if attribute.name == name]
        if not found and provider.friendly_names:
            found = [attribute for attribute in assertion.attributes if attribute.friendly_name == name]
        if found:
            return found
    return []


def _check_made_for_us(assertion: Assertion, name: str, found: list[SamlAttribute]) -> None:
    # Core 2.2.2, 8.3.7: in the name space of another service, the same value is another person
    if any(attribute.of_another_sp for attribute in found):
        detail = f"`{name}` is a NameID qualified for another service provider than {assertion.audience}"
        raise GatewayError(login_codes.MAPPING, f"{detail} (SPNameQualifier)")


def _attributes_left_out(provider: SamlProvider, assertion: Assertion) -> frozenset[str]:
    """Attributes that the provider declares as not sent: a condition on such an attribute is unknown, not false."""
    if all(attribute.name != _GROUPS_ELSEWHERE for attribute in assertion.attributes):
        return frozenset()
    return frozenset(name for name, names in provider.attributes.items() if _GROUPS in names)


def _check_scopes(assertion: Assertion, name: str, values: tuple[str, ...]) -> None:
    """The scopes of the metadata only narrow the provider's bounds. The bounds of the provider file hold too
    (perimeter.check): a provider writes its own metadata.
    """
    for value in values:
        scope = value.rpartition("@")[2].lower()
        if value.count("@") != 1 or not scope:
            raise GatewayError(
                login_codes.OUTSIDE_PERIMETER, f"`{name}` has a value that is not of the form value@scope"
            )
        if assertion.scopes and not any(_is_scope(scope, stated, pattern) for stated, pattern in assertion.scopes):
            raise GatewayError(
                login_codes.OUTSIDE_PERIMETER, f"`{name}` has a scope that this provider does not speak for"
            )


def _is_scope(scope: str, stated: str, pattern: bool) -> bool:
    """shibmd:Scope: a domain, or with regexp="true" a pattern over the whole of one."""
    if not pattern:
        return scope == stated.lower()
    try:
        return re2.fullmatch(stated, scope) is not None
    except re2.error:
        return False


def _asserted_subject(provider: SamlProvider, assertion: Assertion, attributes: Mapping[str, tuple[str, ...]]) -> str:
    """By the NameID; of an assertion without one, by the attribute that the provider file names.

    The latter begins with "!!", as no NameID does: a NameID and an attribute that read alike may be two people.
    """
    if assertion.name_id is not None:
        return subject_of(assertion.name_id, issuer=assertion.issuer, audience=assertion.audience)
    name = provider.subject_without_name_id or ""
    values = attributes.get(name, ())
    if len(values) != 1:
        raise GatewayError(login_codes.MAPPING, f"no NameID, and `{name}` in its place has {len(values)} values, not 1")
    if len(values[0]) > LONGEST_NAME or not is_one_spelling(values[0]):
        raise GatewayError(login_codes.MAPPING, f"no NameID, and `{name}` in its place has a value that is no name")
    return f"!!{name}!{values[0]}"


def subject_of(name_id: NameId, *, issuer: str, audience: str) -> str:
    """A name unique at this provider (Core 8.3.7). Names of different name spaces differ.

    A name within the provider's own name space and ours, the usual case, stays as it is and never begins with "!".
    `audience`: our entityID.
    """
    qualifier = name_id.name_qualifier or issuer
    sp_qualifier = name_id.sp_name_qualifier or audience
    if (qualifier, sp_qualifier) == (issuer, audience) and not name_id.value.startswith("!"):
        return name_id.value
    return "!" + "!".join(
        part.replace("%", "%25").replace("!", "%21") for part in (qualifier, sp_qualifier, name_id.value)
    )
