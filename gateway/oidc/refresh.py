"""RFC 6749 6, OIDC Core 12: a refresh token is exchanged for new tokens. Success proves that the provider's session
still exists."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.oidc.claims import (
    audiences_of,
    check_authorized_party,
    check_expiry,
    check_issue_time,
    check_issuer,
    check_nonce,
    required_time,
    subject_of,
    text_of,
    time_of,
)
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, error_of, response_object, told_of
from gateway.oidc.jwe import decrypt
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature
from gateway.oidc.token import Grant, bearer_of, grant_of

WHAT = "refresh answer"
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class RefreshResponse:
    """The response as sent. `id_token`: not validated yet. `access_token`: empty if absent or not usable."""

    grant: Grant
    id_token: str | None = field(repr=False)
    access_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """The part of the session: the subject, and the raw ID token of the sign-in or of the last refresh.

    A new ID token is compared with the last ID token, claim by claim. A claim absent from the last token is not
    compared, but a nonce that appears only now is refused.
    """

    subject: str = field(repr=False)
    id_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A validated refresh: same person, same provider. Only `validate_refreshed` makes one. `claims`: of `id_token`."""

    grant: Grant
    id_token: str | None = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    access_token: str = field(repr=False)
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("a Renewed comes from validate_refreshed alone")


def refresh_request(provider: OidcProvider, metadata: ProviderMetadata, refresh_token: str, fresh: Fresh) -> Call:
    # RFC 6749 6: without a scope, the granted one stays.
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return authenticated_call(provider, metadata, WHAT, metadata.token_endpoint, form, fresh)


def process_refresh_response(provider: OidcProvider, refresh_token: str, response: ProviderResponse) -> RefreshResponse:
    """Raises GatewayError: oidc_codes.REFRESH_ENDED if the provider has ended the session. Others do not tell."""
    if response.status in (400, 401):
        error = error_of(response, oidc_codes.TOKEN_REFUSED, WHAT)
        # RFC 6749 5.2: invalid, expired, revoked
        over = isinstance(error, str) and error in {"invalid_grant", *provider.refresh_ends_on}
        code = oidc_codes.REFRESH_ENDED if over else oidc_codes.TOKEN_REFUSED
        raise GatewayError(code, f"{WHAT}: {told_of(response, error)}")
    document = response_object(response, oidc_codes.TOKEN, WHAT, ("application/json",))
    # RFC 6749 6: a new refresh token replaces the old one, which stays valid if there is none.
    grant = grant_of(provider, {"refresh_token": refresh_token, **document})
    if grant is None:
        raise GatewayError(oidc_codes.TOKEN, f"{WHAT}: a refresh token of a wrong form")
    id_token = document.get("id_token")
    return RefreshResponse(grant, id_token if isinstance(id_token, str) else None, bearer_of(document))


def validate_refreshed(
    provider: OidcProvider, keys: JsonWebKeySet, response: RefreshResponse, held: Held, now: float
) -> Renewed:
    """The checks of OIDC Core 12.2. `now`: Unix seconds.

    Raises GatewayError: codes of the ID token, or oidc_codes.REFRESH_SUBJECT if it is about another person.
    """
    if response.id_token is None:
        return Renewed(response.grant, None, {}, response.access_token, _PROVEN)
    encryption = provider.encryption if provider.encryption and provider.encryption.id_token else None
    raw = response.id_token if encryption is None else decrypt(response.id_token, encryption)
    token = parse_compact(raw)
    claims = token.payload
    check_issuer(provider, claims)
    audiences = audiences_of(provider, claims)
    check_authorized_party(provider, claims, audiences)
    verify_signature(token, keys, provider.algorithms, provider.client_secret)
    check_expiry(provider, claims, now)
    check_issue_time(provider, claims, now)
    if subject_of(claims) != held.subject:
        raise GatewayError(oidc_codes.REFRESH_SUBJECT, "the refreshed ID token is about another person")
    _check_same_sign_in(provider, claims, audiences, parse_compact(held.id_token).payload)
    return Renewed(response.grant, raw, claims, response.access_token, _PROVEN)


def _check_same_sign_in(
    provider: OidcProvider, claims: JsonObject, audiences: list[object], original: JsonObject
) -> None:
    """`original`: the claims of the last ID token, which was verified then and has been sealed since."""
    # OIDC Core 12.2: the audience includes that of the original
    if missing := [audience for audience in audiences_of(provider, original) if audience not in audiences]:
        raise GatewayError(oidc_codes.ID_TOKEN_AUDIENCE, f"refreshed without the aud {quoted(missing[0], 80)}")
    # the same authorised party, or none if the original had none
    if claims.get("azp") != original.get("azp"):
        raise GatewayError(
            oidc_codes.ID_TOKEN_AUTHORIZED_PARTY, "refreshed with an azp where there was none, or without"
        )
    # no nonce, or that of the original
    if "nonce" in claims:
        check_nonce(claims, text_of(original, "nonce"))
    # the time of the sign-in. If the person has done a step-up since, LemonLDAP::NG tells the time of that. It makes
    # this session neither fresher nor invalid.
    auth_time = time_of(claims, "auth_time")
    earliest, latest = time_of(original, "auth_time") or 0, required_time(claims, "iat") + provider.skew
    if auth_time is not None and not earliest <= auth_time <= latest:
        raise GatewayError(
            oidc_codes.ID_TOKEN_AUTH_TIME, "refreshed with the auth_time of an earlier sign-in, or of none"
        )
