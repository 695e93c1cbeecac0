"""Validated claims to an identity: our attribute names, values as text, and what the provider left out."""

import unicodedata
from collections.abc import Iterator, Mapping

from gateway.model.codes import LOGIN_MAPPING
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATE_ORGANISATIONS, MANDATES_IN_FULL
from gateway.model.provider import OidcProvider

MOST_VALUES = 4096
LONGEST_VALUE = 8192
MOST_BYTES = 1 << 19
_LARGEST_NUMBER = 1 << 64

# Names that an attribute of a provider file may not take: what the gateway itself knows of a person, and the
# words of the token, which a file must not overwrite.
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
    """`claims`: of the validated ID token and userinfo together; all else is read from what was validated.

    `auth_time`, `now`: Unix seconds. Without auth_time it is unknown when the person last authenticated: 0, older
    than anything. Raises GatewayError(LOGIN_MAPPING); the detail names attributes, never values.
    """
    left_out = _left_out(provider, claims)
    attributes = {
        name: values
        for name, source in provider.attributes.items()
        if name not in left_out and (values := values_of(name, _at(claims, source.claim)))
    }
    check_size(attributes)
    return Identity(
        provider=provider.name,
        issuer=provider.issuer,
        subject=_subject(claims),
        attributes=attributes,
        left_out=left_out,
        acr=acr,
        amr=amr,
        authenticated_at=min(auth_time or 0, now),
    )


def check_size(attributes: Mapping[str, tuple[str, ...]]) -> None:
    size = sum(len(value.encode()) for values in attributes.values() for value in values)
    if size > MOST_BYTES:
        raise GatewayError(LOGIN_MAPPING, f"{size} bytes of attributes, over {MOST_BYTES}")


def _subject(claims: Mapping[str, object]) -> str:
    # OIDC Core 2: at most 255 ASCII characters, case-sensitive.
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isascii():
        raise GatewayError(LOGIN_MAPPING, "`sub` is not a text of 1 to 255 ASCII characters")
    if not subject.isprintable():
        raise GatewayError(LOGIN_MAPPING, "`sub` holds a control character")
    return subject


def _left_out(provider: OidcProvider, claims: Mapping[str, object]) -> frozenset[str]:
    """Attributes whose claim the provider says it did not send in the token, or does not vouch for."""
    # OIDC Core 5.6.2: the members of _claim_names are claims to be had elsewhere. Entra: groups over its limit.
    elsewhere = claims.get("_claim_names", {})
    if not isinstance(elsewhere, dict):
        raise GatewayError(LOGIN_MAPPING, "`_claim_names` is not an object")
    withheld = set(elsewhere)
    # Entra, implicit flow: the same, said in short.
    if claims.get("hasgroups", False) is not False:
        withheld.add("groups")
    # OIDC Core 5.1: true only where the provider made sure of it. Providers that never say it vouch by contract.
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
    """In the provider's order, each once. An empty text says nothing, and is left away like null."""
    members = claim if isinstance(claim, list) else [claim]
    if len(members) > MOST_VALUES:
        raise GatewayError(LOGIN_MAPPING, f"`{name}` has {len(members)} values, over {MOST_VALUES}")
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
            raise GatewayError(LOGIN_MAPPING, f"`{name}` has a value that is no text, whole number or boolean")


def _checked(name: str, text: str) -> str:
    """NFC: what policy compares, what the perimeter lists and what the application is sent is one spelling."""
    normal = unicodedata.normalize("NFC", text)
    if not normal.isprintable() and any(unicodedata.category(character) in {"Cc", "Cs"} for character in normal):
        raise GatewayError(LOGIN_MAPPING, f"`{name}` has a value with a control character")
    if len(normal.encode()) > LONGEST_VALUE:
        raise GatewayError(LOGIN_MAPPING, f"`{name}` has a value over {LONGEST_VALUE} bytes")
    return normal
