"""Access tokens that callers bring to us as a resource server: JWTs of RFC 9068, and opaque ones by RFC 7662."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import API_SCOPE, API_TOKEN, OIDC_DISCOVERY_ENDPOINT
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, OidcProvider
from gateway.model.quoting import quoted
from gateway.oidc.call import Answer, Call
from gateway.oidc.claims import check_expiry, check_issuer, required_time, subject_of, text_of, time_of
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import JsonObject, answer_object
from gateway.oidc.jwks import JsonWebKeySet
from gateway.oidc.jws import parse_compact, verify_signature

WHAT = "introspection answer"
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Accepted for us. Only the two functions below make one. Times are Unix seconds."""

    provider: str
    claims: Mapping[str, object] = field(repr=False)
    acr: str | None
    amr: tuple[str, ...]
    auth_time: int | None
    expires_at: int
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an AccessToken comes from its validation alone")


def is_jwt(token: str) -> bool:
    return token.count(".") == 2


def issuer_of(token: str) -> object:
    """Who a JWT says it is from, believed only as far as to choose whose keys to try."""
    return parse_compact(token, ("at+jwt",)).payload.get("iss")


def validate_access_token(
    provider: OidcProvider, api: ApiAccess, keys: JsonWebKeySet, raw: str, now: float
) -> AccessToken:
    """RFC 9068 4. OIDC_ID_TOKEN_KEY and OIDC_ID_TOKEN_SIGNATURE may mean that the provider has changed its keys."""
    # RFC 9068 4, RFC 8725 3.11: an ID token is no access token
    token = parse_compact(raw, ("at+jwt",))
    claims = token.payload
    check_issuer(provider, claims)
    _check_audience(api, claims)
    verify_signature(token, keys, api.algorithms, None)
    check_expiry(provider, claims, now)
    # RFC 9068 2.2: REQUIRED
    required_time(claims, "iat")
    for name in ("jti", "client_id"):
        if text_of(claims, name) is None:
            raise GatewayError(API_TOKEN, f"no {name}")
    return _accepted(provider, api, claims)


def introspection_request(provider: OidcProvider, metadata: ProviderMetadata, token: str, fresh: Fresh) -> Call:
    """RFC 7662 2.1: in a body, by an authenticated client."""
    if metadata.introspection_endpoint is None:
        detail = "the provider file says introspection, the discovery document has no endpoint for it"
        raise GatewayError(OIDC_DISCOVERY_ENDPOINT, detail)
    form = {"token": token, "token_type_hint": "access_token"}
    return authenticated_call(provider, metadata, WHAT, metadata.introspection_endpoint, form, fresh)


def process_introspection_response(provider: OidcProvider, api: ApiAccess, answer: Answer, now: float) -> AccessToken:
    claims = answer_object(answer, API_TOKEN, WHAT, ("application/json",))
    # RFC 7662 2.2: true and nothing like it
    if claims.get("active") is not True:
        raise GatewayError(API_TOKEN, f"{WHAT}: not active")
    if "iss" in claims:
        check_issuer(provider, claims)
    _check_audience(api, claims)
    check_expiry(provider, claims, now)
    return _accepted(provider, api, claims if "sub" in claims else {**claims, "sub": _client_as_subject(claims)})


def _client_as_subject(claims: JsonObject) -> str:
    """RFC 7662 2.2: a token that no person is behind may name its client alone. RFC 9700 4.15: in words of its own, so
    that no client is taken for a person whose `sub` is the same."""
    client_id = text_of(claims, "client_id")
    if client_id is None:
        raise GatewayError(API_TOKEN, f"{WHAT}: neither sub nor client_id")
    return f"client:{client_id}"


def _accepted(provider: OidcProvider, api: ApiAccess, claims: JsonObject) -> AccessToken:
    subject_of(claims)
    # RFC 9068 2.2.3, RFC 7662 2.2: a list with blanks between
    missing = api.scopes - set((text_of(claims, "scope") or "").split(" "))
    if missing:
        raise GatewayError(API_SCOPE, f"without the scope {', '.join(sorted(missing))}")
    auth_time, amr = time_of(claims, "auth_time"), claims.get("amr")
    return AccessToken(
        provider=provider.name,
        claims=claims,
        acr=text_of(claims, "acr"),
        amr=tuple(method for method in amr if isinstance(method, str)) if isinstance(amr, list) else (),
        auth_time=None if auth_time is None else int(auth_time),
        expires_at=int(required_time(claims, "exp")),
        proof=_PROVEN,
    )


def _check_audience(api: ApiAccess, claims: JsonObject) -> None:
    # RFC 9068 4: MUST contain the identifier of this resource server
    aud = claims.get("aud")
    audiences = aud if isinstance(aud, list) else [aud]
    if not any(isinstance(audience, str) and audience in api.audience for audience in audiences):
        shown = ", ".join(quoted(audience, 80) for audience in audiences[:4])
        raise GatewayError(API_TOKEN, f"aud {shown}, not {' or '.join(sorted(api.audience))}")
