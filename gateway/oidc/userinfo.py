"""OIDC Core 5.3: the userinfo endpoint says more about the person whom the ID token names, and about nobody else."""

import hmac
from collections.abc import Mapping

from gateway.model.codes import OIDC_USERINFO, OIDC_USERINFO_FORM, OIDC_USERINFO_SUBJECT
from gateway.model.errors import GatewayError
from gateway.oidc.call import Answer, Call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import parse_object, quoted, require_success
from gateway.oidc.id_token import IdToken
from gateway.oidc.token import TokenResponse

WHAT = "userinfo answer"
# Claims about the token and the sign-in themselves: only the ID token says them.
_OF_THE_ID_TOKEN = frozenset(
    ("iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "sid", "at_hash", "c_hash")
)


def userinfo_request(metadata: ProviderMetadata, tokens: TokenResponse) -> Call:
    if metadata.userinfo_endpoint is None:
        raise GatewayError(OIDC_USERINFO, "the provider file says userinfo, the discovery document has no endpoint")
    # RFC 6750 2.1: in the header, never in a URL
    headers = (("Authorization", f"Bearer {tokens.access_token}"), ("Accept", "application/json"))
    return Call(WHAT, "GET", metadata.userinfo_endpoint, headers)


def process_userinfo_response(id_token: IdToken, answer: Answer) -> Mapping[str, object]:
    require_success(answer, OIDC_USERINFO, WHAT)
    # OIDC Core 5.3.2: JSON is what the provider file pins
    if answer.content_type != "application/json":
        detail = f"{WHAT}: content type {quoted(answer.content_type)}, not application/json"
        raise GatewayError(OIDC_USERINFO_FORM, detail)
    claims = parse_object(answer.body, OIDC_USERINFO, WHAT)
    # OIDC Core 5.3.4: sub MUST be there and MUST be the ID token's
    sub = claims.get("sub")
    if not isinstance(sub, str) or not hmac.compare_digest(sub.encode("utf-8"), id_token.subject.encode("utf-8")):
        raise GatewayError(OIDC_USERINFO_SUBJECT, f"{WHAT}: no sub, or that of another person than the ID token's")
    return claims


def merge_claims(id_token: IdToken, userinfo: Mapping[str, object]) -> Mapping[str, object]:
    """Both in one; where they differ, what was signed counts."""
    return {name: value for name, value in userinfo.items() if name not in _OF_THE_ID_TOKEN} | dict(id_token.claims)
