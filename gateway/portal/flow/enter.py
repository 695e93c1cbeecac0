"""On an app host: the hand-over code becomes this host's own seat."""

from gateway.config.snapshot import App
from gateway.model.codes import (
    HANDOVER_CODE_GONE,
    HANDOVER_OTHER_BROWSER,
    HANDOVER_OTHER_HOST,
    LOGIN_LOOP,
    LOGIN_UNKNOWN_PROVIDER,
)
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.transaction import HandOver
from gateway.portal.flow.steps import BeginTransaction, NextStep
from gateway.portal.http import cookies
from gateway.portal.http.request import PortalRequest, app_here
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices


class Enter:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def enter(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/enter?code=`. The code is taken first: whatever is found wrong afterwards, it is used up.

        Its age is the store's to tell: after 30 s it is not there.
        """
        app = app_here(request)
        code = request.parameter("code")
        if not code:
            raise GatewayError(HANDOVER_CODE_GONE, "no code")
        hand_over = await self._services.sessions.take_hand_over(code)
        if hand_over is None:
            return await self._seen_again(request, app)
        self._check(request, app, hand_over)
        return await self._seat(request, app, hand_over)

    def _check(self, request: PortalRequest, app: App, hand_over: HandOver) -> None:
        if hand_over.host != request.host or hand_over.app != app.name:
            raise GatewayError(HANDOVER_OTHER_HOST, f"the code was made for {hand_over.app} on {hand_over.host}")
        request.lead_back(app, hand_over.host, hand_over.return_target)
        if not request.holds(hand_over.binding):
            raise GatewayError(HANDOVER_OTHER_BROWSER, "the code was made for another browser")
        # Invariant 5: what an app's file says now, whatever it said when the code was made.
        if hand_over.provider not in app.providers:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{app.name} does not list {hand_over.provider}")

    async def _seat(self, request: PortalRequest, app: App, hand_over: HandOver) -> Page:
        cookie = await self._services.sessions.take_seat(
            hand_over, replaces=request.seat_cookie(), limits=app.seat_limits
        )
        if cookie is None:
            raise GatewayError(HANDOVER_CODE_GONE, "the session ended during the hand-over")
        request.cookies_to_set.append(cookies.set_seat(cookie))
        return redirect(app.origin(hand_over.host) + hand_over.return_target)

    async def _seen_again(self, request: PortalRequest, app: App) -> NextStep:
        """Back, reload, sent twice, too late: with a live seat on to the app; without, one clean start, no more. And
        none for what is no navigation: a code is as good as made up here, and any site's image could begin sign-ins."""
        self._services.report.refused(request, GatewayError(HANDOVER_CODE_GONE, "unknown, used, or too old"))
        cookie = request.seat_cookie()
        if cookie is not None and await self._services.sessions.load(request.host, cookie) is not None:
            return redirect(app.origin(request.host) + "/")
        request.require_navigation()
        binding = request.binding_made(self._services.token_urlsafe)
        if not await self._services.transactions.start_cleanly(binding, request.host, request.network):
            request.lead_back(app, request.host, "/", again=True)
            raise GatewayError(LOGIN_LOOP, "a second hand-over in a row came too late")
        return BeginTransaction("/")
