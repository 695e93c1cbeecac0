"""RFC 7009: tell a provider that a refresh token is no longer needed."""

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.oidc.client_authentication import Fresh, authenticated_call
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call, ProviderResponse, error_of, require_success, told_of

WHAT = "revocation answer"


def revocation_request(
    provider: OidcProvider, metadata: ProviderMetadata, refresh_token: str, fresh: Fresh
) -> Call | None:
    """None: the provider has no revocation endpoint."""
    if metadata.revocation_endpoint is None:
        return None
    # 2.1
    form = {"token": refresh_token, "token_type_hint": "refresh_token"}
    return authenticated_call(provider, metadata, WHAT, metadata.revocation_endpoint, form, fresh)


def process_revocation_response(response: ProviderResponse) -> None:
    # 2.2: revoking a token that was invalid already is a success.
    if response.status in (400, 401):
        raise GatewayError(
            oidc_codes.REVOCATION, f"{WHAT}: {told_of(response, error_of(response, oidc_codes.REVOCATION, WHAT))}"
        )
    require_success(response, oidc_codes.REVOCATION, WHAT)
