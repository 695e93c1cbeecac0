"""OIDC Core 3.1.3.7: the checks of an ID token, in the order of that section."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import oidc_codes
from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import AuthorizationCode
from gateway.oidc.claims import (
    audiences_of,
    check_acr,
    check_age,
    check_auth_time,
    check_authorized_party,
    check_expiry,
    check_hash,
    check_issue_time,
    check_issuer,
    check_nonce,
    methods_of,
    subject_of,
    text_of,
)
from gateway.oidc.jwe import decrypt
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature
from gateway.oidc.token import Grant, TokenResponse

_PROVEN = object()


@dataclass(frozen=True, slots=True)
class IdToken:
    """An ID token that passed every check. Only `validate_id_token` makes one.

    Times are Unix seconds.
    `auth_time`: None if the provider did not state the time of the sign-in.
    `raw`: sent back only to the provider (id_token_hint).
    `grant`: the refresh token of the same response, if the provider file asks for refresh tokens.
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
    grant: Grant | None
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an IdToken comes from validate_id_token alone")


def validate_id_token(
    provider: OidcProvider,
    keys: JsonWebKeySet,
    tokens: TokenResponse,
    login: OidcLogin,
    now: float,
    code: AuthorizationCode | None = None,
) -> IdToken:
    """`code`: the authorization code that was exchanged for the token, if any; `now`: Unix seconds.

    Raises GatewayError, with a code of its own for each check. oidc_codes.ID_TOKEN_KEY and
    oidc_codes.ID_TOKEN_SIGNATURE may mean that the provider has changed its keys.
    """
    # 3.1.3.7 (1) encrypted, if and only if that was registered
    encryption = provider.encryption if provider.encryption and provider.encryption.id_token else None
    raw = tokens.id_token if encryption is None else decrypt(tokens.id_token, encryption)
    token = parse_compact(raw)
    claims = token.payload
    # 3.1.3.7 (2) issuer
    check_issuer(provider, claims)
    # 3.1.3.7 (3) audience
    audiences = audiences_of(provider, claims)
    # 3.1.3.7 (4), (5) authorised party
    check_authorized_party(provider, claims, audiences)
    # 3.1.3.7 (6), (7), (8) signature and algorithm
    algorithm = verify_signature(token, keys, provider.algorithms, provider.client_secret)
    # 3.1.3.7 (9) expiry
    expires_at = check_expiry(provider, claims, now)
    # 3.1.3.7 (10) time of issue
    issued_at = check_issue_time(provider, claims, now)
    # 3.1.3.7 (11) nonce
    check_nonce(claims, login.nonce)
    # 3.1.3.7 (12) how the person signed in, if we demanded an acr
    check_acr(provider, claims)
    # 3.1.3.7 (13) when the person signed in
    auth_time = check_auth_time(provider, claims, now)
    check_age(provider, login, auth_time)
    # 3.1.3.8 hash of the access token, 3.3.2.11 hash of the code
    check_hash(claims, "at_hash", tokens.access_token, algorithm, oidc_codes.ID_TOKEN_ACCESS_TOKEN_HASH)
    if code is not None:
        check_hash(claims, "c_hash", code.value, algorithm, oidc_codes.ID_TOKEN_CODE_HASH)
    return IdToken(
        provider=provider.name,
        issuer=provider.issuer,
        subject=subject_of(claims),
        claims=claims,
        expires_at=expires_at,
        issued_at=issued_at,
        auth_time=auth_time,
        acr=text_of(claims, "acr"),
        amr=methods_of(claims),
        sid=text_of(claims, "sid"),
        raw=raw,
        grant=tokens.grant,
        proof=_PROVEN,
    )
