"""The claims of a token: only those in the application's file."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from gateway.model.codes import translation_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.tokens.spec import TokenClaim

ClaimValue = str | list[str]

_FORBIDDEN: Final = frozenset({"Cc", "Cs"})


def told(claims: Iterable[TokenClaim], identity: Identity) -> dict[str, ClaimValue]:
    """By name; `sub` is the provider's name for the person unless the file says otherwise. A claim without a value is
    left out. Raises GatewayError(translation_codes.UNENCODABLE), with the name of the claim and never its value:
    several values where one is told, a control character, white space at an end, or no value for `sub`."""
    found: dict[str, ClaimValue] = {"sub": _text("sub", identity.subject)}
    for claim in claims:
        if claim.several:
            found[claim.name] = _texts(claim, identity)
        elif value := single_value(claim, identity):
            found[claim.name] = value
        else:
            found.pop(claim.name, None)
    if not found.get("sub"):
        # RFC 7519 4.1.2: an application would take the token for that of somebody without a name.
        raise _refused("sub", "this person has no value for it")
    return found


def single_value(claim: TokenClaim, identity: Identity) -> str:
    """Empty: no value. Raises GatewayError(translation_codes.UNENCODABLE)."""
    values = _texts(claim, identity)
    if len(values) > 1:
        raise _refused(claim.name, f"{len(values)} values, and the file has neither `list` nor a choice")
    return values[0] if values else ""


def account(claim: TokenClaim, identity: Identity, where: str, *, forbidden: str = "") -> str:
    """The name by which the application knows this person. `where`: what carries it, for the message.

    Raises GatewayError(translation_codes.UNENCODABLE), without the name: none or several, a blank at an end, a control
    character, or a character of `forbidden`.
    """
    name = single_value(claim, identity)
    if not name:
        raise _unsent(where, "this person has no account")
    if found := set(forbidden) & set(name):
        named = "a colon" if found == {":"} else f"U+{ord(min(found)):04X}"
        raise _unsent(where, f"{named} in the account")
    return name


def secret_of(attribute: str, identity: Identity, where: str) -> str:
    """The person's secret at the application, from a directory. Raises GatewayError(translation_codes.UNENCODABLE),
    without the secret: missing, or with a control character (RFC 7617 2).
    """
    values = identity.attributes.get(attribute, ())
    if len(values) != 1:
        raise _unsent(where, "no directory gives this person a secret")
    if any(unicodedata.category(letter) in _FORBIDDEN for letter in values[0]):
        raise _unsent(where, "a control character in this person's secret")
    return values[0]


def _unsent(where: str, why: str) -> GatewayError:
    return GatewayError(translation_codes.UNENCODABLE, f"{where}: {why}")


def _texts(claim: TokenClaim, identity: Identity) -> list[str]:
    return [_text(claim.name, value) for value in _values(claim, identity)]


def _values(claim: TokenClaim, identity: Identity) -> tuple[str, ...]:
    match claim.attribute:
        case None:
            return (claim.text,)
        case "subject":
            return (identity.subject,)
        case "provider":
            return (identity.provider,)
        case "issuer":
            return (identity.issuer,)
        case name:
            return identity.attributes.get(name, ())


def _text(name: str, value: str) -> str:
    text = unicodedata.normalize("NFC", value)
    if any(unicodedata.category(character) in _FORBIDDEN for character in text):
        raise _refused(name, "a control character")
    if text != text.strip():
        # Applications trim, and databases compare without the blanks at an end: `admin ` is `admin` to them.
        raise _refused(name, "white space at an end, which applications trim")
    return text


def _refused(name: str, why: str) -> GatewayError:
    return GatewayError(translation_codes.UNENCODABLE, f"claim {name}: {why}")
