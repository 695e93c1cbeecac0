"""What the portal needs of a sibling layer beyond model/ports.py; the composition root joins them by hand."""

from collections.abc import Mapping
from typing import Protocol

from gateway.config.snapshot import Upstream
from gateway.model.provider import ApiAccess, OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.access_token import AccessToken
from gateway.oidc.authorization import AuthorizationCode, Parameters
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.id_token import IdToken
from gateway.oidc.logout_token import LogoutToken
from gateway.oidc.refresh import Held, Renewed


class Federation(Protocol):
    """The back channel to providers. Raises GatewayError with the code that the person and the operator see."""

    async def metadata(self, provider: OidcProvider) -> ProviderMetadata: ...

    async def authorization_url(
        self, provider: OidcProvider, login: OidcLogin, state: str, hints: Mapping[str, str], now: float
    ) -> str:
        """Where the browser is sent. `now`: Unix seconds."""

    async def authorization_code(
        self, provider: OidcProvider, login: OidcLogin, parameters: Parameters, now: float
    ) -> AuthorizationCode:
        """What the browser brought back, checked."""

    async def sign_in(
        self, provider: OidcProvider, code: AuthorizationCode, login: OidcLogin, now: float
    ) -> tuple[IdToken, Mapping[str, object]]:
        """The code for the validated ID token, and its claims with those of userinfo. `now`: Unix seconds."""

    async def refresh(self, provider: OidcProvider, refresh_token: str, held: Held, now: float) -> Renewed:
        """Newer tokens for the same person. OIDC_REFRESH_ENDED: the provider no longer knows the session."""

    def revoke(self, provider: OidcProvider, refresh_token: str, now: float) -> None:
        """Nobody waits for it, and nothing fails by it."""

    async def userinfo_again(
        self, provider: OidcProvider, renewed: Renewed, subject: str, now: float
    ) -> Mapping[str, object]:
        """What the provider says now of the same person. OIDC_USERINFO_SUBJECT: it speaks of another."""

    async def access_token(self, provider: OidcProvider, api: ApiAccess, token: str, now: float) -> AccessToken:
        """A caller's, accepted for us. `now`: Unix seconds."""

    async def logout_token(self, provider: OidcProvider, raw: str, now: float) -> LogoutToken:
        """What a provider posted to us, verified but for its single use. `now`: Unix seconds."""


class Applications(Protocol):
    """The way to an application for what is nobody's request."""

    async def call(self, upstream: Upstream, target: str, lines: bytes) -> None:
        """GET `target`. `lines`: ready header lines, each b"\\r\\nName: value", Host among them. Whatever is answered
        will do; GatewayError where nothing is."""
