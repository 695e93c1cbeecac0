"""What a person, or an app's own script, may know of their session: no more than the app receives about them."""

import json

from gateway.config.snapshot import App
from gateway.model.codes import SESSION_NONE, SIGN_IN_REQUIRED
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.session import Seat
from gateway.portal.http.pages import AccountLine, SessionLine
from gateway.portal.http.request import PortalRequest, app_here
from gateway.portal.http.responses import BARE
from gateway.portal.services import PortalServices
from gateway.stores.records import SessionSummary
from gateway.translation.read_back import read_back


class SessionPages:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def session(self, request: PortalRequest) -> Page:
        """`/_ecluse/session`: JSON with what this app receives about the person, never its constants, and how long."""
        request.kind = "json"
        app = app_here(request)
        seat = await self._seat(request)
        if seat is None or not app.accepts(seat.identity):
            raise GatewayError(SIGN_IN_REQUIRED, "no session that this application listens to")
        identity = await self._services.accounts.identity_at(app, seat.identity)
        body = json.dumps(self._told(app, seat, identity), ensure_ascii=False, separators=(",", ":"))
        return Page(200, (*BARE, (b"Content-Type", b"application/json; charset=utf-8")), body.encode())

    def _told(self, app: App, seat: Seat, identity: Identity) -> dict[str, object]:
        """`expires_in`: seconds, if there is no other request meanwhile. Asking is no use of the session."""
        translation = app.translation.about_the_person()
        headers, cookies = read_back(translation, translation.render(identity))
        return {
            "provider": seat.identity.provider,
            "expires_in": max(0, int(seat.deadline - self._services.monotonic())),
            "headers": headers,
            "cookies": cookies,
        }

    async def sessions(self, request: PortalRequest) -> Page:
        """`/_ecluse/sessions` on the portal: the sessions of this browser."""
        cookie = request.seat_cookie()
        seat = await self._seat(request)
        if seat is None or cookie is None:
            raise GatewayError(SESSION_NONE, "no session on the portal")
        request.identity = seat.identity
        summaries = await self._services.sessions.of_browser(request.host, cookie)
        lines = [session_line(request.snapshot.providers.get(summary.provider), summary) for summary in summaries]
        return self._services.pages.sessions(request.reader, lines, await self._accounts(request))

    async def _accounts(self, request: PortalRequest) -> list[AccountLine]:
        """None are shown while the links cannot be read: the sessions are."""
        seat = await self._seat(request)
        if seat is None:
            return []
        try:
            found = await self._services.linking.logins(request.snapshot.apps.values(), seat.identity)
        except GatewayError as error:
            self._services.report.refused(request, error)
            return []
        return [AccountLine(app.name, app.hosts[0], login) for app, login in found]

    async def _seat(self, request: PortalRequest) -> Seat | None:
        cookie = request.seat_cookie()
        return None if cookie is None else await self._services.sessions.load(request.host, cookie)


def session_line(provider: Provider | None, summary: SessionSummary) -> SessionLine:
    """`provider` None: it is no longer in the configuration."""
    return SessionLine(
        label=provider.label if provider else summary.provider,
        labels=provider.labels if provider else {},
        apps=summary.apps,
        created_at=summary.created_at,
        expires_at=summary.expires_at,
    )
