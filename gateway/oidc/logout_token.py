"""OIDC Back-Channel Logout 1.0, 2.4 and 2.6: the token by which a provider ends sessions."""

from dataclasses import InitVar, dataclass, field

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.claims import audiences_of, check_issuer, subject_of, text_of, time_of
from gateway.oidc.documents import JsonObject
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature

EVENT = "http://schemas.openid.net/event/backchannel-logout"
# 2.4 recommends the first. Older providers write JWT, or nothing.
_KINDS = ("logout+jwt", "jwt")
_LONGEST_ID = 512
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """A logout token that passed every check.

    `issued`: Unix seconds by the provider's clock; None if the token has no `iat`. The token ends only sessions whose
    ID token was issued earlier, and may therefore arrive twice.
    `sid`, `subject`: at least one is set. With `sid`, only the session with this `sid` ends.
    """

    provider: str
    issuer: str
    subject: str | None = field(repr=False)
    sid: str | None = field(repr=False)
    issued: int | None
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a LogoutToken comes from validate_logout_token alone")


def validate_logout_token(provider: OidcProvider, keys: JsonWebKeySet, raw: str) -> LogoutToken:
    """`raw`: the logout token as posted. Raises GatewayError, with a code for each check.

    oidc_codes.ID_TOKEN_KEY and oidc_codes.ID_TOKEN_SIGNATURE may mean that the provider has changed its keys.
    """
    # 2.6 (1) no encryption was registered
    token = parse_compact(raw, _KINDS)
    claims = token.payload
    # 2.6 (4) issuer and audience, before any cryptography
    check_issuer(provider, claims)
    audiences_of(provider, claims)
    # 2.6 (2), (3) signature; `none` is never accepted
    verify_signature(token, keys, provider.algorithms, provider.client_secret)
    # 2.6 (4) times. They are read and not compared with our clock, nor with what came before, 2.6 (8): no clock of ours
    # refuses a sign-out, and a token that comes late or twice ends only what began before it.
    issued = _issue_time(claims)
    # 2.6 (5) the sessions that end
    subject, sid = _whose(claims)
    # 2.6 (6) the event
    _check_event(claims)
    # 2.4
    _check_jti(claims)
    # 2.6 (7): an ID token that somebody passes on must not end a session.
    if "nonce" in claims:
        raise GatewayError(oidc_codes.LOGOUT_TOKEN_NONCE, "logout token with a nonce")
    return LogoutToken(
        provider=provider.name,
        issuer=provider.issuer,
        subject=subject,
        sid=sid,
        issued=issued,
        proof=_PROVEN,
    )


def _issue_time(claims: JsonObject) -> int | None:
    """A token without iat was made before its exp. LemonLDAP::NG writes no exp."""
    issued, end = time_of(claims, "iat"), time_of(claims, "exp")
    made = end if issued is None else issued
    return None if made is None else int(made)


def _whose(claims: JsonObject) -> tuple[str | None, str | None]:
    sid = text_of(claims, "sid")
    if sid is None and "sid" in claims:
        # Falling back on the subject would end more sessions than the provider meant.
        raise GatewayError(oidc_codes.LOGOUT_TOKEN, "logout token with a sid that is no text")
    if sid is None and "sub" not in claims:
        raise GatewayError(oidc_codes.LOGOUT_TOKEN, "logout token with neither sub nor sid")
    return subject_of(claims) if "sub" in claims else None, sid


def _check_event(claims: JsonObject) -> None:
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise GatewayError(oidc_codes.LOGOUT_TOKEN_EVENT, f"logout token without the event {EVENT}")


def _check_jti(claims: JsonObject) -> None:
    # 2.4: REQUIRED
    jti = text_of(claims, "jti")
    if jti is None or len(jti) > _LONGEST_ID:
        raise GatewayError(oidc_codes.LOGOUT_TOKEN, f"logout token without a jti of 1 to {_LONGEST_ID} characters")
