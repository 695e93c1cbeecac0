"""OIDC Core 5.3: the userinfo endpoint, with further claims about the person of the ID token."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.claims import audiences_of, check_expiry, check_issuer, check_not_ahead
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, parse_object, require_success, told_of
from gateway.oidc.jwe import decrypt
from gateway.oidc.jws import JsonWebKeySet, parse_compact, verify_signature

WHAT = "userinfo answer"
# Claims about the token and the sign-in, which only the ID token may make.
_OF_THE_ID_TOKEN = frozenset(
    ("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "sid", "at_hash", "c_hash")
)


def userinfo_request(provider: OidcProvider, metadata: ProviderMetadata, access_token: str) -> Call:
    if metadata.userinfo_endpoint is None:
        raise GatewayError(
            oidc_codes.USERINFO, "the provider file has userinfo: true, but the discovery document has no endpoint"
        )
    accept = ("Accept", _content_type(provider))
    # RFC 6750 2.2: in the body, for providers that read it nowhere else. It is never in a URL (2.3).
    if provider.userinfo_token == "body":
        form = urlencode({"access_token": access_token}).encode("ascii")
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return Call(WHAT, "POST", metadata.userinfo_endpoint, (accept, kind), form)
    # RFC 6750 2.1
    headers = (("Authorization", f"Bearer {access_token}"), accept)
    return Call(WHAT, "GET", metadata.userinfo_endpoint, headers)


def process_userinfo_response(
    provider: OidcProvider, keys: JsonWebKeySet, subject: str, response: ProviderResponse, now: float
) -> Mapping[str, object]:
    """`subject`: `sub` of the ID token. `keys`: to verify a signed response. `now`: Unix seconds.

    Raises GatewayError: oidc_codes.USERINFO or a code of the ID token. oidc_codes.ID_TOKEN_KEY and
    oidc_codes.ID_TOKEN_SIGNATURE may mean that the provider has changed its keys.
    """
    require_success(response, oidc_codes.USERINFO, WHAT)
    # OIDC Core 5.3.2: the provider file pins the form of the response, and the other form is refused.
    if response.content_type != _content_type(provider):
        detail = f"{WHAT}: content type {told_of(response, response.content_type)}, not {_content_type(provider)}"
        raise GatewayError(oidc_codes.USERINFO_FORM, detail)
    claims = _signed_claims(provider, keys, response, now) if _is_jwt(provider) else _plain_claims(response)
    # OIDC Core 5.3.4: sub MUST be there and MUST be the ID token's
    sub = claims.get("sub")
    if not isinstance(sub, str) or not hmac.compare_digest(sub.encode("utf-8"), subject.encode("utf-8")):
        raise GatewayError(
            oidc_codes.USERINFO_SUBJECT, f"{WHAT}: no sub, or that of another person than the ID token's"
        )
    return claims


def _plain_claims(response: ProviderResponse) -> JsonObject:
    return parse_object(response.body, oidc_codes.USERINFO, WHAT)


def _signed_claims(provider: OidcProvider, keys: JsonWebKeySet, response: ProviderResponse, now: float) -> JsonObject:
    raw = response.body.decode("ascii", "replace").strip()
    if provider.encryption is not None and provider.encryption.userinfo:
        # OIDC Core 16.14: signed, then encrypted
        raw = decrypt(raw, provider.encryption)
    token = parse_compact(raw)
    verify_signature(token, keys, provider.userinfo_algorithms, provider.client_secret)
    # OIDC Core 5.3.2: iss and aud SHOULD be there; if they are, they have to be right.
    if "iss" in token.payload:
        check_issuer(provider, token.payload)
    if "aud" in token.payload:
        audiences_of(provider, token.payload)
    if "exp" in token.payload:
        check_expiry(provider, token.payload, now)
    check_not_ahead(provider, token.payload, now)
    return token.payload


def _is_jwt(provider: OidcProvider) -> bool:
    return bool(provider.userinfo_algorithms)


def _content_type(provider: OidcProvider) -> str:
    return "application/jwt" if _is_jwt(provider) else "application/json"


def merge_claims(signed: Mapping[str, object], userinfo: Mapping[str, object]) -> Mapping[str, object]:
    """The claims of the ID token and of userinfo in one. `signed`: of the ID token, which wins where both differ."""
    merged = {name: value for name, value in userinfo.items() if name not in _OF_THE_ID_TOKEN} | dict(signed)
    said = [document for document in (signed, userinfo) if "email_verified" in document]
    if said:
        # OIDC Core 5.1: email_verified is about the address in the same document, not about the other one's.
        about = [one["email_verified"] for one in said if one.get("email") == merged.get("email")]
        merged["email_verified"] = bool(about) and all(verified is True for verified in about)
    return merged
