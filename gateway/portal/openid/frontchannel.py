"""OIDC Front-Channel Logout 1.0: a provider's page loads a frame of ours that ends one session."""

from urllib.parse import urlsplit

from gateway.model.codes import LOGOUT_FRONT_CHANNEL
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker
from gateway.model.provider import OidcProvider
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import security_headers
from gateway.portal.report import Report
from gateway.stores.sessions import Sessions

PATH = f"{PREFIX}oidc/frontchannel/"


class FrontChannel:
    def __init__(self, *, sessions: Sessions, revoker: Revoker, report: Report) -> None:
        self._sessions = sessions
        self._revoker = revoker
        self._report = report

    async def logout(self, request: PortalRequest) -> Page:
        """`/_ecluse/oidc/frontchannel/NAME?iss=&sid=`. No cookie of ours comes in a frame of another site: `sid`,
        which the provider and we alone know, says which session."""
        name = request.path.removeprefix(PATH)
        provider = request.snapshot.providers.get(name)
        if not isinstance(provider, OidcProvider) or not provider.logout.front_channel:
            raise GatewayError(LOGOUT_FRONT_CHANNEL, "no provider of this name may end sessions by a frame")
        request.provider = name
        # 2: iss and sid are both there or neither is; without them any site's image would sign people out
        issuer, sid = request.parameter("iss"), request.parameter("sid")
        if issuer != provider.issuer or not sid:
            raise GatewayError(LOGOUT_FRONT_CHANNEL, "front-channel logout without sid, or with the iss of another")
        ended = await self._sessions.end(await self._sessions.ids_of_sid(provider.issuer, sid))
        # Invariant 12: in force in every worker before this answer is sent.
        await self._revoker.revoked(ended)
        self._report.ended_by_provider(request, len(ended))
        origin = urlsplit(provider.issuer)
        policy = f"default-src 'none'; frame-ancestors {origin.scheme}://{origin.netloc}"
        return Page(200, (*security_headers(policy, framed=True), (b"Content-Type", b"text/html; charset=utf-8")), b"")
