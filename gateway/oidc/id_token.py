"""OIDC Core 3.1.3.7: the checks of an ID token, in the order of that section."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import (
    OIDC_ID_TOKEN_ACCESS_TOKEN_HASH,
    OIDC_ID_TOKEN_AUDIENCE,
    OIDC_ID_TOKEN_AUTH_TIME,
    OIDC_ID_TOKEN_AUTHORIZED_PARTY,
    OIDC_ID_TOKEN_CLAIM,
    OIDC_ID_TOKEN_EXPIRED,
    OIDC_ID_TOKEN_ISSUED_AT,
    OIDC_ID_TOKEN_ISSUER,
    OIDC_ID_TOKEN_NONCE,
    OIDC_ID_TOKEN_NOT_BEFORE,
    OIDC_ID_TOKEN_SUBJECT,
)
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.algorithms import Algorithm
from gateway.oidc.documents import JsonObject, quoted
from gateway.oidc.jwks import JsonWebKeySet
from gateway.oidc.jws import parse_compact, verify_signature
from gateway.oidc.token import TokenResponse

# A token comes straight from the token endpoint, so it was made moments ago; more is a wrong clock or a replay.
OLDEST = 600
_LAST_EXACT_INTEGER = 2**53
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class IdToken:
    """What a provider signed, verified in full. Only `validate_id_token` makes one.

    Times are Unix seconds. `auth_time` is None where the provider did not say when the person signed in.
    `raw` goes back to the provider alone (id_token_hint).
    """

    provider: str
    issuer: str
    subject: str = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    expires_at: int
    issued_at: int
    auth_time: int | None
    acr: str | None
    amr: tuple[str, ...]
    sid: str | None
    raw: str = field(repr=False)
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an IdToken comes from validate_id_token alone")


def validate_id_token(
    provider: OidcProvider, keys: JsonWebKeySet, tokens: TokenResponse, login: OidcLogin, now: float
) -> IdToken:
    """OIDC_ID_TOKEN_KEY and OIDC_ID_TOKEN_SIGNATURE may mean that the provider has changed its keys since."""
    # 3.1.3.7 (1) no encryption was registered: an encrypted token is not one of ours
    token = parse_compact(tokens.id_token)
    claims = token.payload
    # 3.1.3.7 (2) issuer
    if claims.get("iss") != provider.issuer:
        detail = f"iss {quoted(claims.get('iss'))}, not {quoted(provider.issuer)}"
        raise GatewayError(OIDC_ID_TOKEN_ISSUER, detail)
    # 3.1.3.7 (3) audience
    audiences = _audiences(provider, claims)
    # 3.1.3.7 (4), (5) authorised party
    _check_authorized_party(provider, claims, audiences)
    # 3.1.3.7 (6), (7) signature and algorithm; (8) a MAC is never accepted
    algorithm = verify_signature(token, keys, provider.algorithms)
    # 3.1.3.7 (9) expiry
    expires_at = _check_expiry(provider, claims, now)
    # 3.1.3.7 (10) time of issue
    issued_at = _check_issue_time(provider, claims, now)
    # 3.1.3.7 (11) nonce
    _check_nonce(claims, login.nonce)
    # 3.1.3.7 (12) no acr was asked for; (13) time of the sign-in
    auth_time = _auth_time(provider, claims, now)
    # 3.1.3.8 access token hash
    _check_access_token_hash(claims, tokens.access_token, algorithm)
    return IdToken(
        provider=provider.name,
        issuer=provider.issuer,
        subject=_subject(claims),
        claims=claims,
        expires_at=expires_at,
        issued_at=issued_at,
        auth_time=auth_time,
        acr=_text(claims, "acr"),
        amr=_amr(claims),
        sid=_text(claims, "sid"),
        raw=tokens.id_token,
        proof=_PROVEN,
    )


def _audiences(provider: OidcProvider, claims: JsonObject) -> list[object]:
    # OIDC Core 3.1.3.7 (3), RFC 7519 4.1.3
    aud = claims.get("aud")
    audiences: list[object] = aud if isinstance(aud, list) else [aud]
    if provider.client_id not in audiences:
        shown = ", ".join(quoted(audience, 80) for audience in audiences[:4])
        raise GatewayError(OIDC_ID_TOKEN_AUDIENCE, f"aud {shown}, not {quoted(provider.client_id)}")
    if not all(isinstance(audience, str) for audience in audiences):
        raise GatewayError(OIDC_ID_TOKEN_AUDIENCE, "aud with a member that is not a string")
    return audiences


def _check_authorized_party(provider: OidcProvider, claims: JsonObject, audiences: list[object]) -> None:
    azp = claims.get("azp")
    # OIDC Core 3.1.3.7 (4): among several audiences the provider must say that the token was issued to us
    if len(audiences) > 1 and azp is None:
        raise GatewayError(OIDC_ID_TOKEN_AUTHORIZED_PARTY, f"{len(audiences)} audiences and no azp")
    # OIDC Core 3.1.3.7 (5)
    if azp is not None and azp != provider.client_id:
        raise GatewayError(OIDC_ID_TOKEN_AUTHORIZED_PARTY, f"azp {quoted(azp)}, not {quoted(provider.client_id)}")


def _check_expiry(provider: OidcProvider, claims: JsonObject, now: float) -> int:
    # OIDC Core 3.1.3.7 (9)
    exp = _required_time(claims, "exp")
    if now >= exp + provider.skew:
        raise GatewayError(OIDC_ID_TOKEN_EXPIRED, f"expired {now - exp:.0f} s ago, {provider.skew} s are tolerated")
    return int(exp)


def _check_issue_time(provider: OidcProvider, claims: JsonObject, now: float) -> int:
    # OIDC Core 3.1.3.7 (10)
    iat = _required_time(claims, "iat")
    if iat > now + provider.skew:
        detail = f"issued {iat - now:.0f} s ahead of our clock, {provider.skew} s are tolerated"
        raise GatewayError(OIDC_ID_TOKEN_ISSUED_AT, detail)
    if iat < now - OLDEST - provider.skew:
        detail = f"issued {now - iat:.0f} s ago by our clock, {OLDEST + provider.skew} s are tolerated"
        raise GatewayError(OIDC_ID_TOKEN_ISSUED_AT, detail)
    # RFC 7519 4.1.5
    nbf = _time(claims, "nbf")
    if nbf is not None and nbf > now + provider.skew:
        detail = f"valid {nbf - now:.0f} s from now by our clock, {provider.skew} s are tolerated"
        raise GatewayError(OIDC_ID_TOKEN_NOT_BEFORE, detail)
    return int(iat)


def _check_nonce(claims: JsonObject, expected: str) -> None:
    # OIDC Core 3.1.3.7 (11)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str):
        raise GatewayError(OIDC_ID_TOKEN_NONCE, "no nonce")
    if not hmac.compare_digest(nonce.encode("utf-8"), expected.encode("utf-8")):
        raise GatewayError(OIDC_ID_TOKEN_NONCE, "the nonce of another sign-in")


def _auth_time(provider: OidcProvider, claims: JsonObject, now: float) -> int | None:
    # OIDC Core 2 and 3.1.3.7 (13): a sign-in that is yet to come would pass for a fresh one for ever
    auth_time = _time(claims, "auth_time")
    if auth_time is None:
        return None
    if auth_time > now + provider.skew:
        detail = f"signed in {auth_time - now:.0f} s ahead of our clock, {provider.skew} s are tolerated"
        raise GatewayError(OIDC_ID_TOKEN_AUTH_TIME, detail)
    return int(auth_time)


def _check_access_token_hash(claims: JsonObject, access_token: str, algorithm: Algorithm) -> None:
    # OIDC Core 3.1.3.8 and 3.1.3.6: optional in this flow, never ignored
    if "at_hash" not in claims:
        return
    digest = hashlib.new(algorithm.hash, access_token.encode("ascii")).digest()
    expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    at_hash = claims["at_hash"]
    if not isinstance(at_hash, str) or not hmac.compare_digest(at_hash.encode("utf-8"), expected):
        raise GatewayError(OIDC_ID_TOKEN_ACCESS_TOKEN_HASH, "at_hash is not that of the access token")


def _subject(claims: JsonObject) -> str:
    # OIDC Core 2: 1 to 255 characters
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= 255 or not sub.isprintable():
        raise GatewayError(OIDC_ID_TOKEN_SUBJECT, "sub is not a string of 1 to 255 characters that print")
    return sub


def _time(claims: JsonObject, name: str) -> float | None:
    """RFC 7519 2: NumericDate."""
    value = claims.get(name)
    if value is None and name not in claims:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LAST_EXACT_INTEGER:
        raise GatewayError(OIDC_ID_TOKEN_CLAIM, f"{name} is not a time in seconds")
    return float(value)


def _required_time(claims: JsonObject, name: str) -> float:
    value = _time(claims, name)
    if value is None:
        raise GatewayError(OIDC_ID_TOKEN_CLAIM, f"no {name}")
    return value


def _text(claims: JsonObject, name: str) -> str | None:
    """Of a wrong type, it counts as not said: what turns on it is then unknown, and the sign-in goes on."""
    value = claims.get(name)
    return value if isinstance(value, str) and value else None


def _amr(claims: JsonObject) -> tuple[str, ...]:
    amr = claims.get("amr")
    return tuple(method for method in amr if isinstance(method, str)) if isinstance(amr, list) else ()
