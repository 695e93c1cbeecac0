"""The token request: exchange a code for tokens at the provider (OIDC Core 3.1.3, RFC 6749 4.1.3)."""

import re
from dataclasses import dataclass, field
from typing import cast

from gateway.model.codes import login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.quoting import quoted
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import AuthorizationCode
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, JsonObject, ProviderResponse, parse_object, response_object, told_of

WHAT = "token answer"
# RFC 6749 A.12: VSCHAR, here without the space, which a header could not carry
_ACCESS_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")


# Seconds: the life of a token if the provider does not say, and at most.
USUAL_LIFE, LONGEST_LIFE = 300, 86400


@dataclass(frozen=True, slots=True)
class Grant:
    """A refresh token, and the lifetime (s) of the access token beside the refresh token."""

    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """The tokens as sent: `id_token` is not validated yet. Tokens are never logged."""

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    grant: Grant | None = None


def grant_of(provider: OidcProvider, document: JsonObject) -> Grant | None:
    """The refresh token. None: the provider file has no `refresh`, even if the provider sent a token."""
    token, life = document.get("refresh_token"), document.get("expires_in", USUAL_LIFE)
    if not provider.refresh or not isinstance(token, str) or not _ACCESS_TOKEN.fullmatch(token):
        return None
    # RFC 6749 5.1: RECOMMENDED, a number
    usual = not isinstance(life, int) or isinstance(life, bool) or life <= 0
    return Grant(token, USUAL_LIFE if usual else min(cast(int, life), LONGEST_LIFE))


def bearer_of(document: JsonObject) -> str:
    """The access token of a refresh, for a new userinfo request; empty if absent or not usable."""
    token, kind = document.get("access_token"), document.get("token_type")
    usable = isinstance(token, str) and _ACCESS_TOKEN.fullmatch(token) and isinstance(kind, str)
    return cast(str, token) if usable and cast(str, kind).lower() == "bearer" else ""


def token_request(
    provider: OidcProvider, metadata: ProviderMetadata, code: AuthorizationCode, login: OidcLogin, fresh: Fresh
) -> Call:
    # A code is sent to the provider that issued it, and to no other.
    if not code.provider == login.provider == provider.name:
        raise GatewayError(login_codes.OTHER_PROVIDER, f"a code of {quoted(code.provider)} at {quoted(provider.name)}")
    form = {
        "grant_type": "authorization_code",
        "code": code.value,
        "redirect_uri": login.redirect_uri,
        "code_verifier": login.code_verifier,
    }
    return authenticated_call(provider, metadata, WHAT, metadata.token_endpoint, form, fresh)


def process_token_response(provider: OidcProvider, response: ProviderResponse) -> TokenResponse:
    if response.status in (400, 401):
        raise GatewayError(oidc_codes.TOKEN_REFUSED, _refusal(provider, response))
    # OIDC Core 3.1.3.3
    document = response_object(response, oidc_codes.TOKEN, WHAT, ("application/json",))
    token_type = document.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise GatewayError(oidc_codes.TOKEN_TYPE, f"{WHAT}: token_type {quoted(token_type)}, not Bearer")
    access_token = _string(document, "access_token")
    if not _ACCESS_TOKEN.fullmatch(access_token):
        raise GatewayError(oidc_codes.TOKEN, f"{WHAT}: access_token of a wrong form ({len(access_token)} characters)")
    return TokenResponse(access_token, _string(document, "id_token"), grant_of(provider, document))


def _string(document: JsonObject, member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str):
        raise GatewayError(oidc_codes.TOKEN, f"{WHAT}: no {member}")
    return value


def _refusal(provider: OidcProvider, response: ProviderResponse) -> str:
    """The provider's reason (RFC 6749 5.2), for the operator. Mostly the secret is wrong, or the way of sending it."""
    try:
        document = parse_object(response.body, oidc_codes.TOKEN_REFUSED, WHAT)
    except GatewayError:
        return f"{WHAT}: status {response.status} without a readable reason"
    error, description = document.get("error"), document.get("error_description", "")
    reason = f"{told_of(response, error)}: {told_of(response, description)}"
    return f"{WHAT}: {reason}; asked as client {quoted(provider.client_id)} by {provider.client_authentication}"
