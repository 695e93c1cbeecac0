"""On the portal host: the end of a transaction, once the person is known and the sign-in is strong and late enough."""

from typing import assert_never
from urllib.parse import quote

from gateway.model.codes import login_codes, saml_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.transaction import SeatOnHost
from gateway.portal.flow.establish import give_seat
from gateway.portal.flow.steps import Continue, Pending, SignInSeenAgain
from gateway.portal.http.request import PREFIX, PortalRequest, language_query
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices
from gateway.stores.records import UseOnce, Write
from gateway.stores.tickets.tickets import ROUND_WINDOW
from gateway.wire.cookies import LANGUAGE_COOKIE


class TransactionEnds:
    """The one dispatcher over the ends of transactions (model.transaction.End)."""

    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def finish(self, request: PortalRequest, step: Continue) -> Page | SignInSeenAgain:
        """Spends the transaction and sends the browser to the application. Raises GatewayError."""
        end = step.pending.transaction.end
        match end:
            case SeatOnHost() if end.host == request.host:
                return await self._use_own_seat(request, step, end)
            case SeatOnHost():
                return await self._hand_over(request, step, end)
            case _:
                assert_never(end)

    async def _hand_over(self, request: PortalRequest, step: Continue, end: SeatOnHost) -> Page | SignInSeenAgain:
        """The application has a host of its own: a code, good for 30 seconds, becomes a seat at `/_ecluse/enter`."""
        _, transaction, app = step.pending
        entry = None if step.made is None else step.made.entry
        if entry is None and step.cookie is not None:
            entry = await self._services.sessions.entry(request.host, step.cookie)
        if entry is None:
            raise GatewayError(login_codes.TRANSACTION_GONE, "the session ended during the hand-over")
        counted = self._round(request, step.pending)
        code, handed_over = self._services.sessions.hand_overs.made(entry, transaction, app.seat_limits)
        over = await self._spend(request, step, [handed_over, counted])
        if over is not None:
            return over
        chosen = language_query(request) if LANGUAGE_COOKIE in request.cookie_line else ""
        # A code that comes too late no longer tells its application, and the host may have several.
        late = f"&to={quote(app.home, safe='/')}" if app.path else ""
        return redirect(f"{app.origin(end.host)}{PREFIX}enter?code={code}{late}{chosen}")

    async def _use_own_seat(self, request: PortalRequest, step: Continue, end: SeatOnHost) -> Page | SignInSeenAgain:
        """Ends a sign-in if portal and application share one host: the portal's seat is then the application's, so the
        browser must be the transaction's. A wrong browser uses up the transaction, and gets no session."""
        if not request.holds(end.binding):
            await self._services.transactions.sign_ins.spend(step.pending.id)
            raise GatewayError(login_codes.OTHER_BROWSER, "the transaction belongs to another browser")
        over = await self._spend(request, step, [self._round(request, step.pending)])
        return over or redirect(step.pending.app.origin(end.host) + end.return_target)

    async def _spend(self, request: PortalRequest, step: Continue, writes: list[Write]) -> SignInSeenAgain | None:
        """Spends the sign-in's records, then the transaction, then performs `writes`. Only the request that spends the
        transaction goes on. If the store fails in between, the person starts again without a session."""
        made, first, request.uses_up = step.made, request.uses_up, ()
        all_writes = [*(() if made is None else made.writes), *writes]
        missed = await self._services.transactions.sign_ins.spend_after(first, step.pending.id, all_writes)
        if missed is not None:
            request.uses_up = first
        if isinstance(missed, UseOnce):
            raise GatewayError(saml_codes.REPLAYED, "an assertion used before, or older than the session store")
        if missed in first:
            return SignInSeenAgain("an answer that another request has brought at the same time")
        if missed is not None:
            raise GatewayError(login_codes.TRANSACTION_GONE, "taken by another request at the same time")
        if made is not None:
            made.written()
            await give_seat(request, made, self._services)
        return None

    def _round(self, request: PortalRequest, found: Pending) -> Write:
        """Counts a round of this browser, for as long as the new seat lasts at least."""
        _, transaction, app = found
        known = request.snapshot.providers
        idle = [known[name].session_idle for name in app.listed if name in known]
        within = min(app.seat_limits.shortest or ROUND_WINDOW, *idle, ROUND_WINDOW)
        return self._services.transactions.round_counted(
            transaction.binding, transaction.host, transaction.round, within
        )
