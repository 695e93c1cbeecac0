"""Checks of claims: the claims that ID tokens, logout tokens and access tokens share (RFC 7519 4.1), and the claims of
ID tokens alone.

Shared checks raise the error codes of the ID token. The log event names the kind of token.
"""

import base64
import hashlib
import hmac

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.model.transaction import OidcLogin
from gateway.oidc.algorithms import Algorithm
from gateway.oidc.documents import JsonObject

# Seconds. A token comes directly from the token endpoint and was made moments ago. An older one means a wrong clock, or
# a replay.
OLDEST = 600
_LAST_EXACT_INTEGER = 2**53


def check_issuer(provider: OidcProvider, claims: JsonObject) -> None:
    # OIDC Core 3.1.3.7 (2)
    if claims.get("iss") != provider.issuer:
        detail = f"iss {quoted(claims.get('iss'))}, not {quoted(provider.issuer)}"
        raise GatewayError(oidc_codes.ID_TOKEN_ISSUER, detail)


def audiences_of(provider: OidcProvider, claims: JsonObject) -> list[object]:
    # OIDC Core 3.1.3.7 (3), RFC 7519 4.1.3
    aud = claims.get("aud")
    audiences: list[object] = aud if isinstance(aud, list) else [aud]
    if provider.client_id not in audiences:
        shown = ", ".join(quoted(audience, 80) for audience in audiences[:4])
        raise GatewayError(oidc_codes.ID_TOKEN_AUDIENCE, f"aud {shown}, not {quoted(provider.client_id)}")
    if not all(isinstance(audience, str) for audience in audiences):
        raise GatewayError(oidc_codes.ID_TOKEN_AUDIENCE, "aud with a member that is not a string")
    return audiences


def check_authorized_party(provider: OidcProvider, claims: JsonObject, audiences: list[object]) -> None:
    azp = claims.get("azp")
    # OIDC Core 3.1.3.7 (4): among several audiences the provider must say that the token was issued to us
    if len(audiences) > 1 and azp is None:
        raise GatewayError(oidc_codes.ID_TOKEN_AUTHORIZED_PARTY, f"{len(audiences)} audiences and no azp")
    # OIDC Core 3.1.3.7 (5)
    if azp is not None and azp != provider.client_id:
        raise GatewayError(oidc_codes.ID_TOKEN_AUTHORIZED_PARTY, f"azp {quoted(azp)}, not {quoted(provider.client_id)}")


def check_expiry(provider: OidcProvider, claims: JsonObject, now: float) -> int:
    # OIDC Core 3.1.3.7 (9)
    exp = required_time(claims, "exp")
    if now >= exp + provider.skew:
        detail = f"expired {now - exp:.0f} s ago, {provider.skew} s are tolerated"
        # A token is used as soon as it is made: the clocks are as far apart as it is old, which is longer by its life.
        made = time_of(claims, "iat")
        if made is not None:
            detail += f"; issued {now - made:.0f} s ago by our clock"
        raise GatewayError(
            oidc_codes.ID_TOKEN_EXPIRED, detail, shown=seconds(now - min(exp, exp if made is None else made))
        )
    return int(exp)


def check_issue_time(provider: OidcProvider, claims: JsonObject, now: float) -> int:
    """The `iat` of a token that was made for us moments ago, in Unix seconds."""
    # OIDC Core 3.1.3.7 (10)
    iat = required_time(claims, "iat")
    check_not_ahead(provider, claims, now)
    if iat < now - OLDEST - provider.skew:
        detail = f"issued {now - iat:.0f} s ago by our clock, {OLDEST + provider.skew} s are tolerated"
        raise GatewayError(oidc_codes.ID_TOKEN_ISSUED_AT, detail, shown=seconds(now - iat))
    return int(iat)


def check_not_ahead(provider: OidcProvider, claims: JsonObject, now: float) -> None:
    """Check that `iat` and `nbf`, if present, are not in the future."""
    # RFC 7519 4.1.6: with an `iat` in the future, the token would stay fresh for as long as its issuer likes.
    iat = time_of(claims, "iat")
    if iat is not None and iat > now + provider.skew:
        detail = f"issued {iat - now:.0f} s ahead of our clock, {provider.skew} s are tolerated"
        raise GatewayError(oidc_codes.ID_TOKEN_ISSUED_AT, detail, shown=seconds(iat - now))
    # RFC 7519 4.1.5
    nbf = time_of(claims, "nbf")
    if nbf is not None and nbf > now + provider.skew:
        detail = f"valid {nbf - now:.0f} s from now by our clock, {provider.skew} s are tolerated"
        raise GatewayError(oidc_codes.ID_TOKEN_NOT_BEFORE, detail, shown=seconds(nbf - now))


def check_auth_time(provider: OidcProvider, claims: JsonObject, now: float) -> int | None:
    """When the person signed in, in Unix seconds; None if the token does not say."""
    # OIDC Core 2 and 3.1.3.7 (13): a sign-in in the future would count as a fresh one for any length of time.
    auth_time = time_of(claims, "auth_time")
    if auth_time is None:
        return None
    if auth_time > now + provider.skew:
        detail = f"signed in {auth_time - now:.0f} s ahead of our clock, {provider.skew} s are tolerated"
        raise GatewayError(oidc_codes.ID_TOKEN_AUTH_TIME, detail, shown=seconds(auth_time - now))
    return int(auth_time)


def check_acr(provider: OidcProvider, claims: JsonObject) -> None:
    # OIDC Core 3.1.3.7 (12) and 5.5.1.1: a provider may ignore an essential acr, so the value is checked.
    demanded = provider.request.essential_acr
    if demanded and text_of(claims, "acr") not in demanded:
        detail = f"acr {quoted(claims.get('acr'))}, not one of {', '.join(sorted(demanded))}"
        raise GatewayError(oidc_codes.ID_TOKEN_ACR, detail)


def check_age(provider: OidcProvider, login: OidcLogin, auth_time: int | None) -> None:
    # OIDC Core 3.1.2.1 and 3.1.3.7 (13): if max_age was requested, the token has to have auth_time.
    if login.max_age is None:
        return
    if auth_time is None:
        raise GatewayError(login_codes.NOT_FRESH, f"max_age {login.max_age} was requested, but auth_time is missing")
    age = login.created_at - auth_time
    if age > login.max_age + provider.skew:
        raise GatewayError(
            login_codes.NOT_FRESH, f"signed in {age} s before the request, which asked for {login.max_age}"
        )


def check_hash(claims: JsonObject, name: str, value: str, algorithm: Algorithm, wrong: Code) -> None:
    # OIDC Core 3.1.3.8, 3.1.3.6 and 3.3.2.11: the hash is optional in this flow, and checked if present.
    if name not in claims:
        return
    digest = hashlib.new(algorithm.hash, value.encode("ascii")).digest()
    expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    found = claims[name]
    if not isinstance(found, str) or not hmac.compare_digest(found.encode("utf-8"), expected):
        raise GatewayError(wrong, f"{name} does not match the code or token beside it")


def methods_of(claims: JsonObject) -> tuple[str, ...]:
    """The `amr` (RFC 8176 1). A value of the wrong type counts as missing."""
    amr = claims.get("amr")
    return tuple(method for method in amr if isinstance(method, str)) if isinstance(amr, list) else ()


def check_nonce(claims: JsonObject, expected: str | None) -> None:
    """`expected`: the nonce of our request. None: the request had no nonce, and the token must have no nonce."""
    # OIDC Core 3.1.3.7 (11)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or expected is None:
        raise GatewayError(oidc_codes.ID_TOKEN_NONCE, "no nonce, or none was known")
    if not hmac.compare_digest(nonce.encode("utf-8"), expected.encode("utf-8")):
        raise GatewayError(oidc_codes.ID_TOKEN_NONCE, "the nonce of another sign-in")


def seconds(apart: float) -> str:
    """How far two clocks are apart, as text for the page."""
    return f"{apart:.0f} s"


def subject_of(claims: JsonObject) -> str:
    # OIDC Core 2: 1 to 255 characters
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable():
        raise GatewayError(oidc_codes.ID_TOKEN_SUBJECT, "sub is not a string of 1 to 255 characters that print")
    return sub


def time_of(claims: JsonObject, name: str) -> float | None:
    """A NumericDate (RFC 7519 2), None if the claim is missing."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LAST_EXACT_INTEGER:
        raise GatewayError(oidc_codes.ID_TOKEN_CLAIM, f"{name} is not a time in seconds")
    return float(value)


def required_time(claims: JsonObject, name: str) -> float:
    value = time_of(claims, name)
    if value is None:
        raise GatewayError(oidc_codes.ID_TOKEN_CLAIM, f"no {name}")
    return value


def text_of(claims: JsonObject, name: str) -> str | None:
    """A claim that is text. A value of another type counts as missing: the sign-in goes on without the attribute."""
    value = claims.get(name)
    return value if isinstance(value, str) and value else None
