"""Access tokens of programs, checked as a resource server: JWTs (RFC 9068), and opaque tokens by introspection at the
provider (RFC 7662). The provider may sign the introspection response as a JWT (RFC 9701)."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from gateway.model.codes import api_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, OidcProvider
from gateway.model.quoting import quoted
from gateway.oidc.claims import (
    audiences_of,
    check_auth_time,
    check_expiry,
    check_issue_time,
    check_issuer,
    check_not_ahead,
    methods_of,
    required_time,
    subject_of,
    text_of,
)
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, require_success, response_object, told_of
from gateway.oidc.jwe import decrypt
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature

WHAT = "introspection answer"
# RFC 9701 5
INTROSPECTION_JWT = "token-introspection+jwt"
# Kinds of token that a client keeps for itself, and never presents.
_OTHER_KINDS = frozenset(("refresh_token", "refresh", "offline", "id_token", "id"))
_PROVEN = object()


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An accepted access token. Only the functions below make one. Times are Unix seconds.

    `of_client`: the subject is the client itself, not a person.
    """

    provider: str
    claims: Mapping[str, object] = field(repr=False)
    acr: str | None
    amr: tuple[str, ...]
    auth_time: int | None
    expires_at: int
    of_client: bool
    proof: InitVar[object]

    def __post_init__(self, proof: object) -> None:
        if proof is not _PROVEN:
            raise TypeError("an AccessToken comes from its validation alone")


def is_jwt(token: str) -> bool:
    return token.count(".") == 2


def issuer_of(token: str) -> object:
    """The unverified issuer of a JWT, to choose the keys for verifying. Raises what `parse_compact` raises."""
    return parse_compact(token, ("at+jwt",)).payload.get("iss")


def validate_access_token(
    provider: OidcProvider, api: ApiAccess, keys: JsonWebKeySet, raw: str, now: float
) -> AccessToken:
    """`raw`: the JWT as received; `now`: Unix seconds. Raises GatewayError, with its own code for each check.

    oidc_codes.ID_TOKEN_KEY and oidc_codes.ID_TOKEN_SIGNATURE may mean that the provider has changed its keys.
    """
    # RFC 9068 4 (typ), RFC 8725 3.11: an ID token is no access token
    token = parse_compact(raw, ("at+jwt",))
    claims = token.payload
    # RFC 9068 4 (iss)
    check_issuer(provider, claims)
    # RFC 9068 4 (aud): MUST contain the identifier of this resource server
    _check_audience(claims, api.audience)
    # RFC 9068 4 (signature); never `none`
    verify_signature(token, keys, api.algorithms, None)
    # RFC 9068 4 (exp)
    check_expiry(provider, claims, now)
    # RFC 9068 2.2: REQUIRED
    required_time(claims, "iat")
    for name in ("jti", "client_id"):
        if text_of(claims, name) is None:
            raise GatewayError(api_codes.TOKEN, f"no {name}")
    return _accepted(provider, api, claims, now)


def introspection_request(provider: OidcProvider, metadata: ProviderMetadata, token: str, fresh: Fresh) -> Call:
    """The introspection request (RFC 7662 2.1): a form, with client authentication."""
    if metadata.introspection_endpoint is None:
        detail = "the provider file has introspection, but the discovery document has no endpoint for it"
        raise GatewayError(oidc_codes.DISCOVERY_ENDPOINT, detail)
    form = {"token": token, "token_type_hint": "access_token"}
    # RFC 9701 4
    accept = f"application/{INTROSPECTION_JWT}" if _is_signed(provider) else "application/json"
    return authenticated_call(provider, metadata, WHAT, metadata.introspection_endpoint, form, fresh, accept)


def process_introspection_response(
    provider: OidcProvider, api: ApiAccess, response: ProviderResponse, now: float
) -> AccessToken:
    """For a provider that responds with JSON: a JWT is refused. Raises GatewayError."""
    return _introspected(provider, api, response_object(response, api_codes.TOKEN, WHAT, ("application/json",)), now)


def process_introspection_jwt(
    provider: OidcProvider, api: ApiAccess, keys: JsonWebKeySet, response: ProviderResponse, now: float
) -> AccessToken:
    """For a provider that signs introspection responses: JSON is refused. Raises as `validate_access_token`."""
    require_success(response, api_codes.TOKEN, WHAT)
    # RFC 9701 5: the provider file pins the form of the response, and the other form is refused.
    if response.content_type != f"application/{INTROSPECTION_JWT}":
        detail = f"{WHAT}: content type {told_of(response, response.content_type)}, not application/{INTROSPECTION_JWT}"
        raise GatewayError(api_codes.TOKEN, detail)
    raw = response.body.decode("ascii", "replace").strip()
    if provider.encryption is not None and provider.encryption.introspection:
        # RFC 9701 5: signed, then encrypted
        raw = decrypt(raw, provider.encryption)
    # RFC 9701 8.1: the type keeps this JWT apart from all other JWTs of this provider.
    token = parse_compact(raw, (INTROSPECTION_JWT,))
    claims = token.payload
    # RFC 9701 5: iss, aud and iat are REQUIRED; aud is the client that asked.
    check_issuer(provider, claims)
    audiences_of(provider, claims)
    verify_signature(token, keys, api.introspection_algorithms, provider.client_secret)
    check_issue_time(provider, claims, now)
    told = claims.get("token_introspection")
    if not isinstance(told, dict):
        raise GatewayError(api_codes.TOKEN, f"{WHAT}: no token_introspection")
    return _introspected(provider, api, told, now)


def _is_signed(provider: OidcProvider) -> bool:
    return provider.api is not None and bool(provider.api.introspection_algorithms)


def _introspected(provider: OidcProvider, api: ApiAccess, claims: JsonObject, now: float) -> AccessToken:
    # RFC 7662 2.2: the boolean true, and nothing similar
    if claims.get("active") is not True:
        raise GatewayError(api_codes.TOKEN, f"{WHAT}: not active")
    if "iss" in claims:
        check_issuer(provider, claims)
    # RFC 7662 2.1: the endpoint may know other tokens too. Hydra and Keycloak say which kind this one is.
    for name in ("token_type", "token_use", "typ"):
        if (text_of(claims, name) or "").lower() in _OTHER_KINDS:
            raise GatewayError(api_codes.TOKEN, f"{WHAT}: {name} {quoted(claims[name], 80)}: no access token")
    # RFC 7662 2.2, 4: the token has to be for us, unless the provider file accepts all tokens of listed clients.
    if api.audience or not api.clients:
        _check_audience(claims, api.audience)
    elif "aud" in claims:
        _check_audience(claims, api.clients | {provider.client_id})
    check_expiry(provider, claims, now)
    named = claims if "sub" in claims else {**claims, "sub": _client_as_subject(claims)}
    return _accepted(provider, api, named, now)


def _client_as_subject(claims: JsonObject) -> str:
    """The subject of a client's own token, which may name only the client (RFC 7662 2.2).

    RFC 9700 4.15: the subject has a distinct form, so a client cannot pass for a person with the same `sub`. Nor does
    the token of a person pass for the client's: `username` names a person who authorized it.
    """
    client_id = text_of(claims, "client_id")
    if client_id is None:
        raise GatewayError(api_codes.TOKEN, f"{WHAT}: neither sub nor client_id")
    if claims.get("username") not in (None, client_id):
        raise GatewayError(api_codes.TOKEN, f"{WHAT}: a username without sub, which identifies no person")
    return _as_subject(client_id)


def _as_subject(client_id: str) -> str:
    return f"client:{client_id}"


def _accepted(provider: OidcProvider, api: ApiAccess, claims: JsonObject, now: float) -> AccessToken:
    """The checks of every token, after its signature or introspection was verified."""
    check_not_ahead(provider, claims, now)
    auth_time = check_auth_time(provider, claims, now)
    _check_bearer(claims)
    subject_of(claims)
    client = text_of(claims, "client_id")
    if api.clients and client not in api.clients:
        raise GatewayError(
            api_codes.TOKEN, f"of the client {quoted(client, 80)}, which the provider file does not list"
        )
    # RFC 9068 2.2.3, RFC 7662 2.2: values separated by spaces
    missing = api.scopes - set((text_of(claims, "scope") or "").split(" "))
    if missing:
        raise GatewayError(api_codes.SCOPE, f"without the scope {', '.join(sorted(missing))}")
    return AccessToken(
        provider=provider.name,
        claims=claims,
        acr=text_of(claims, "acr"),
        amr=methods_of(claims),
        auth_time=auth_time,
        expires_at=int(required_time(claims, "exp")),
        # RFC 9068 2.2 (sub): where no resource owner is involved, an identifier of the client
        of_client=client is not None and claims["sub"] in (client, _as_subject(client)),
        proof=_PROVEN,
    )


def _check_bearer(claims: JsonObject) -> None:
    # RFC 8705 3, RFC 9449 6: the sender of such a token has to prove that it holds a key, and we cannot check that.
    if "cnf" in claims:
        how = claims["cnf"]
        names = ", ".join(sorted(how)) if isinstance(how, dict) else "in an unknown form"
        raise GatewayError(api_codes.BOUND, f"bound to a key (cnf: {quoted(names, 80)}), and sent as a bearer token")
    # RFC 9449 5: the token type says the same.
    kind = claims.get("token_type")
    if isinstance(kind, str) and kind.lower() == "dpop":
        raise GatewayError(api_codes.BOUND, "of the type DPoP, and sent as a bearer token")


def _check_audience(claims: JsonObject, ours: frozenset[str]) -> None:
    aud = claims.get("aud")
    audiences = aud if isinstance(aud, list) else [aud]
    if not any(isinstance(audience, str) and audience in ours for audience in audiences):
        shown = ", ".join(quoted(audience, 80) for audience in audiences[:4])
        raise GatewayError(
            api_codes.TOKEN, f"aud {shown}, not {' or '.join(sorted(ours)) or 'one that the file lists'}"
        )
