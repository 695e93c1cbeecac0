"""On an app host: a navigation that needs a sign-in becomes a transaction and goes to the portal."""

from urllib.parse import quote

from gateway.config.snapshot import App
from gateway.model.codes import LOGIN_LOOP, SESSION_FORM_NOT_SENT
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.transaction import Transaction
from gateway.policy.step_up import meets
from gateway.portal.flow.hints import hints_of
from gateway.portal.flow.pending import shortest_limit
from gateway.portal.flow.steps import BeginTransaction, NextStep
from gateway.portal.http import cookies
from gateway.portal.http.request import PREFIX, PortalRequest, app_here, need_of, return_target
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices

ROUNDS = 3


class SignInRequired:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def arrived(self, request: PortalRequest) -> NextStep:
        """A navigation that the data plane would not let in. A form that was sent with it cannot be kept."""
        app = app_here(request)
        need = request.need
        if request.method == "GET":
            return BeginTransaction(return_target(app, request.target), need)
        request.lead_back(app, request.host, _referring_page(request, app), need=need)
        raise GatewayError(SESSION_FORM_NOT_SENT, f"{request.method} without a session that would do")

    async def login(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/login?to=`: a person or a script asks to sign in. A person who is signed in already goes straight
        back."""
        app = app_here(request)
        target, need = return_target(app, request.parameter("to")), need_of(request)
        identity = await self._signed_in(request, app)
        if identity is not None and meets(request.snapshot.ladder, identity, need, self._services.now()):
            return redirect(app.origin(request.host) + target)
        request.lead_back(app, request.host, target, need=need)
        request.require_navigation()
        if request.parameter("again") and (binding := request.binding()):
            await self._services.transactions.clear_rounds(binding, request.host)
            await self._services.transactions.clear_clean_start(binding, request.host)
        return BeginTransaction(target, need, request.target.partition("?")[2])

    async def _signed_in(self, request: PortalRequest, app: App) -> Identity | None:
        cookie = request.seat_cookie()
        seat = await self._services.sessions.load(request.host, cookie) if cookie else None
        return seat.identity if seat is not None and seat.live and app.hears(seat.identity) else None

    async def begin(self, request: PortalRequest, begin: BeginTransaction) -> Page:
        app = app_here(request)
        host = request.host
        request.lead_back(app, host, begin.target, again=True, need=begin.need)
        await self._clear_what_was_left(request, app)
        binding = request.binding_made(self._services.token_urlsafe)
        rounds = await self._services.transactions.rounds(binding, host)
        if rounds >= ROUNDS:
            raise GatewayError(LOGIN_LOOP, f"{rounds} sign-ins in a minute and no seat came back")
        # A stronger sign-in is asked of the provider by which the person is signed in.
        signed_in = await self._signed_in(request, app) if begin.need else None
        provider = "" if signed_in is None else signed_in.provider
        transaction = self._transaction(app, host, begin, binding, rounds, provider)
        id = await self._services.transactions.sign_ins.put(transaction, request.network)
        self._services.report.transaction_begun(app.name)
        return redirect(f"{request.snapshot.gateway.portal_url}{PREFIX}start?t={quote(id, safe='')}")

    async def _clear_what_was_left(self, request: PortalRequest, app: App) -> None:
        """The session ended on another host, or by itself: the application's own cookies of that person are cleared, so
        that the next person in this browser does not inherit them. This is done once, with the seat. A seat that ended
        by the application's own limit, and that `then: resume` brings back, clears nothing."""
        cookie = request.seat_cookie()
        may_resume = app.seat_then == "resume" and shortest_limit(app) is not None
        if cookie is None or may_resume or not app.logout.cookies:
            return
        if await self._services.sessions.load(request.host, cookie) is None:
            request.cookies_to_set.append(cookies.clear_seat())
            request.cookies_to_set += [cookies.clear(name, path) for name, path in app.logout.cookies]

    def _transaction(
        self, app: App, host: str, begin: BeginTransaction, binding: str, round: int, provider: str
    ) -> Transaction:
        now = int(self._services.now())
        return Transaction(
            app=app.name,
            host=host,
            scheme=app.scheme,
            return_target=begin.target,
            binding=binding,
            round=round,
            created_at=now,
            # `then: sign_in`: a seat that ended before this moment cannot be told from one that the browser threw away,
            # so the moment of asking is the limit.
            not_before=now if app.seat_then == "sign_in" else 0,
            need=begin.need,
            provider=provider,
            hints=hints_of(app, (begin.query, begin.target.partition("?")[2])),
        )


def _referring_page(request: PortalRequest, app: App) -> str:
    """The page that held the form, where the browser says so and it is one of this host."""
    referer = request.header(b"referer") or ""
    return return_target(app, referer.removeprefix(app.origin(request.host)))
