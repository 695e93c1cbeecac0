"""What a person, or an application's own script, may read of the session: no more than the application receives."""

import json
from collections.abc import Iterable

from gateway.config.snapshot import App, Snapshot
from gateway.identity.naming import name_of
from gateway.model.codes import session_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.session import Seat
from gateway.model.theme import ShownText, said_in
from gateway.portal.account_pages import owner_of
from gateway.portal.flow.session_limit import require_within_limit
from gateway.portal.http.lines import AccountLine, SessionLine
from gateway.portal.http.request import PortalRequest, app_here, portal_home
from gateway.portal.http.responses import BARE
from gateway.portal.services import PortalServices
from gateway.stores.records import SessionSummary
from gateway.translation.read_back import read_back
from gateway.wire.cookies import presented_seat


class SessionPages:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def session(self, request: PortalRequest) -> Page:
        """Answers `/_ecluse/session`: JSON with the application's values about the person and their duration, never
        its constants."""
        request.kind = "json"
        app = app_here(request, request.parameter("to"))
        seat = await self._seat(request)
        if seat is None or not app.accepts(seat.identity):
            raise GatewayError(session_codes.REQUIRED, "no session that this application accepts")
        identity = await self._services.accounts.identity_at(app, seat.identity, self._services.now())
        body = json.dumps(self._told(app, seat, identity), ensure_ascii=False, separators=(",", ":"))
        return Page(200, (*BARE, (b"Content-Type", b"application/json; charset=utf-8")), body.encode())

    def _told(self, app: App, seat: Seat, identity: Identity) -> dict[str, object]:
        """`expires_in`: seconds until the end without further requests. Asking does not count as a use of the
        session."""
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
        cookie = presented_seat(request.cookie_line)
        seat = await self._seat(request)
        if seat is None or cookie is None:
            if request.snapshot.gateway.limits.sessions_per_person is not None:
                await require_within_limit(request, self._services)
            raise GatewayError(session_codes.NONE, "no session on the portal")
        request.identity = seat.identity
        summaries = await self._services.sessions.of_browser(request.host, cookie)
        language = self._services.pages.language_of(request.reader)
        snapshot = request.snapshot
        lines = [session_line(self._services, snapshot, one, language, seat) for one in in_use(summaries, seat)]
        accounts = await self._accounts(request, language)
        most = snapshot.gateway.limits.sessions_per_person
        return self._services.pages.sessions(
            request.reader, lines, accounts, portal_home(request), most, owner_of(seat.identity)
        )

    async def _accounts(self, request: PortalRequest, language: str) -> list[AccountLine]:
        """None are shown while the links cannot be read: the sessions are."""
        seat = await self._seat(request)
        if seat is None:
            return []
        try:
            found = await self._services.linking.logins(request.snapshot.apps.values(), seat.identity)
        except GatewayError as error:
            self._services.report.refused(request, error)
            return []
        return [AccountLine(said_in(app.labels, language), app.hosts[0], login) for app, login in found]

    async def _seat(self, request: PortalRequest) -> Seat | None:
        cookie = presented_seat(request.cookie_line)
        return None if cookie is None else await self._services.sessions.load(request.host, cookie)


def in_use(summaries: Iterable[SessionSummary], seat: Seat) -> list[SessionSummary]:
    """Returns the sessions that a seat leads to. A session replaced by a stronger sign-in has no seat and admits
    nobody; it ends with the person's sign-out or by time."""
    return [one for one in summaries if one.apps or one.id == seat.session_id]


def session_line(
    services: PortalServices, snapshot: Snapshot, summary: SessionSummary, language: str, seat: Seat
) -> SessionLine:
    """The line of a session. The strength of a session is known only with its cookie. A provider or application that
    left the configuration is shown by its name in the file. `seat`: the seat of the request."""
    provider, is_here = snapshot.providers.get(summary.provider), summary.id == seat.session_id
    return SessionLine(
        label=provider.label if provider else summary.provider,
        labels=provider.labels if provider else {},
        apps=tuple([_called(snapshot, name, language) for name in summary.apps]),
        created_at=summary.created_at,
        expires_at=summary.expires_at,
        person=name_of(seat.identity) if services.sessions.is_of(summary, seat.identity) else "",
        is_here=is_here,
        level=snapshot.ladder.level_of(seat.identity) if is_here else "",
    )


def _called(snapshot: Snapshot, name: str, language: str) -> ShownText:
    app = snapshot.apps.get(name)
    return ShownText(name) if app is None else said_in(app.labels, language)
