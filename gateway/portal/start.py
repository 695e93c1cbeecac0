"""On the portal host: what comes next for a transaction. Every step of a sign-in returns here."""

import asyncio
from collections.abc import Callable
from urllib.parse import quote

from gateway.config.snapshot import App
from gateway.model.codes import LOGIN_LOOP, LOGIN_OTHER_BROWSER, LOGIN_TRANSACTION_GONE, LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page, Sessions, Transactions
from gateway.model.session import Seat
from gateway.model.transaction import Transaction
from gateway.policy.step_up import askable, meets
from gateway.portal.answers import redirect
from gateway.portal.freshness import is_fresh, may_have_ended, shortest_limit
from gateway.portal.outcomes import Ask, GoOn, Outcome
from gateway.portal.pages import Choice, Pages
from gateway.portal.pending import Pending, pending
from gateway.portal.visit import PREFIX, Visit

ROUND_WINDOW = 60
_TAKEN = "taken by another request at the same time"


class Start:
    def __init__(
        self, *, sessions: Sessions, transactions: Transactions, pages: Pages, now: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._pages = pages
        self._now = now

    async def start(self, visit: Visit) -> Outcome:
        """`/_ecluse/start?t=`: the browser comes from an app host."""
        visit.require_navigation()
        return GoOn(await pending(self._transactions, visit, visit.parameter("t")), visit.seat_cookie())

    async def go_on(self, visit: Visit, step: GoOn) -> Outcome:
        id, transaction, app = step.pending
        if step.cookie is not None and await self._serves(visit, app, transaction, step):
            return await self._finish(visit, step.pending, step.cookie)
        if step.fresh:
            # The provider has just answered and its answer does not do: asking again would go round for ever.
            raise GatewayError(LOGIN_LOOP, "a sign-in made this instant does not serve its transaction")
        return self._ask(visit, app, id, transaction.provider)

    async def _serves(self, visit: Visit, app: App, transaction: Transaction, step: GoOn) -> bool:
        assert step.cookie is not None
        host, cookie = visit.call.host, step.cookie
        seat = self._sessions.cached(host, cookie) or await self._sessions.load(host, cookie)
        return (
            seat is not None
            and seat.live
            and app.hears(seat.identity)
            and self._is_enough(visit, transaction, seat.identity, step.fresh)
            and await self._is_late_enough(visit, app, transaction, seat, step.fresh)
        )

    def _is_enough(self, visit: Visit, transaction: Transaction, identity: Identity, just_made: bool) -> bool:
        """What nobody in particular needed is asked of a new sign-in alone. Who is known here goes on to the page with
        what they have: there policy knows them, and sends nobody to sign in who would be refused all the same."""
        if not (transaction.provider or just_made):
            return True
        ladder = visit.call.snapshot.ladder
        need = askable(ladder, identity.provider, transaction.need)
        return meets(ladder, identity, need, self._now())

    async def _is_late_enough(
        self, visit: Visit, app: App, transaction: Transaction, seat: Seat, just_made: bool
    ) -> bool:
        """`then: sign_in`: a session's first seat on a host needs no new authentication; what comes when that seat may
        have ended does."""
        if transaction.not_before == 0:
            return True
        now, provider = self._now(), visit.call.snapshot.providers.get(seat.identity.provider)
        lasts = provider.session_absolute if provider is not None else 0
        ends_at = await self._transactions.first_seat(
            seat.session_id,
            transaction.host,
            ends_at=int(now) + (shortest_limit(app) or lasts),
            until=int(now) + lasts,
        )
        if not just_made and now < ends_at:
            return True
        is_late = is_fresh(visit.call.snapshot, seat.identity, transaction)
        return is_late and (just_made or not may_have_ended(app, seat.identity, transaction, now))

    def _ask(self, visit: Visit, app: App, id: str, own: str) -> Outcome:
        """`own`: the provider that the person is signed in by, where it is to sign them in more strongly."""
        configured = visit.call.snapshot.providers
        if own in configured and own in app.providers:
            return Ask(own, id)
        known = [configured[name] for name in app.providers if name in configured]
        if not known:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{app.name} lists no provider that is configured")
        if len(known) == 1:
            return Ask(known[0].name, id)
        choices = [Choice(provider.label, provider.labels, _ask_link(provider.name, id)) for provider in known]
        return self._pages.chooser(visit.language, choices)

    async def _finish(self, visit: Visit, found: Pending, cookie: bytes) -> Page:
        """Whoever takes the transaction goes on; a code that was made meanwhile for whoever comes too late is told to
        nobody. Both wait for one write of the store."""
        id, transaction, app = found
        if transaction.host == visit.call.host:
            return await self._finish_here(visit, found)
        taken, code, _ = await asyncio.gather(
            self._transactions.take(id),
            self._sessions.hand_over(visit.call.host, cookie, transaction),
            self._count_round(visit, found),
        )
        if taken is None:
            raise GatewayError(LOGIN_TRANSACTION_GONE, _TAKEN)
        if code is None:
            raise GatewayError(LOGIN_TRANSACTION_GONE, "the session ended during the hand-over")
        return redirect(f"{app.origin(transaction.host)}{PREFIX}enter?code={quote(code, safe='')}")

    async def _finish_here(self, visit: Visit, found: Pending) -> Page:
        """One host for portal and app: the portal's seat is the app's, so this browser must be the one that asked.

        The transaction is taken first and looked at after: a wrong browser has used it up."""
        id, transaction, app = found
        if await self._transactions.take(id) is None:
            raise GatewayError(LOGIN_TRANSACTION_GONE, _TAKEN)
        if not visit.holds(transaction.binding):
            raise GatewayError(LOGIN_OTHER_BROWSER, "the transaction belongs to another browser")
        await self._count_round(visit, found)
        return redirect(app.origin(transaction.host) + transaction.return_target)

    async def _count_round(self, visit: Visit, found: Pending) -> None:
        _, transaction, app = found
        known = visit.call.snapshot.providers
        idle = [known[name].session_idle for name in app.providers if name in known]
        within = min(shortest_limit(app) or ROUND_WINDOW, *idle, ROUND_WINDOW)
        await self._transactions.count_round(transaction.binding, transaction.host, transaction.round, within)


def _ask_link(provider: str, transaction: str) -> str:
    return f"{PREFIX}login?t={quote(transaction, safe='')}&provider={quote(provider, safe='')}"
