"""What the portal asks of a protocol by which providers say who somebody is, and which protocol is a provider's."""

from dataclasses import dataclass
from typing import Protocol

from gateway.config.snapshot import Snapshot
from gateway.model.ports import Page
from gateway.model.session import Session
from gateway.portal.flow.steps import BeginSignIn, Handlers, NotifyProvider
from gateway.portal.http.request import PortalRequest
from gateway.portal.providers import is_saml


class IdentitySource(Protocol):
    """One protocol, driven by itself. Every coroutine raises GatewayError with the code that the person sees."""

    async def begin(self, request: PortalRequest, step: BeginSignIn) -> Page:
        """The page or redirect that leads the browser to the provider; what has to be known again is stored."""

    def handlers(self, path: str) -> Handlers | None:
        """What serves a path below /_ecluse/ on the portal's host; None: the path is none of this protocol's.

        A handler that completes a sign-in returns an Authentication, or SignInSeenAgain. One that takes a provider's
        own logout ends the sessions (`logout.IdpInitiatedLogout`) and answers as the protocol wants it.
        """

    async def log_out(self, request: PortalRequest, step: NotifyProvider) -> Page | None:
        """RP-initiated logout, after the session's end here. None: the provider cannot be told through the browser."""

    def forget(self, request: PortalRequest, session: Session) -> None:
        """The session has ended: tokens that the provider gave for it are revoked there. No person waits for it."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class IdentitySources:
    openid: IdentitySource
    saml: IdentitySource

    def of(self, snapshot: Snapshot, name: str) -> IdentitySource:
        """By the provider's name. A name that is not configured goes to OpenID, which refuses it."""
        return self.saml if is_saml(snapshot.providers.get(name)) else self.openid

    def of_session(self, session: Session) -> IdentitySource:
        """By what the session keeps for its provider; the provider's file may have changed since."""
        return self.openid if session.name_id is None else self.saml

    def handlers(self, path: str) -> Handlers | None:
        found = self.openid.handlers(path)
        return self.saml.handlers(path) if found is None else found

    def close(self) -> None:
        self.openid.close()
        self.saml.close()
