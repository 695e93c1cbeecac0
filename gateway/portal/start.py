"""On the portal host: what comes next for a transaction. Every step of a sign-in returns here."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from gateway.config.snapshot import App
from gateway.model.codes import LOGIN_LOOP, LOGIN_OTHER_BROWSER, LOGIN_TRANSACTION_GONE, LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.session import Entry
from gateway.model.transaction import Transaction
from gateway.policy.step_up import askable, meets
from gateway.portal.answers import redirect
from gateway.portal.flow.establish import give_seat
from gateway.portal.freshness import is_fresh, may_have_ended, require_enough, shortest_limit
from gateway.portal.outcomes import Ask, GoOn, Outcome
from gateway.portal.pages import Choice, Pages
from gateway.portal.pending import Pending, pending
from gateway.portal.report import Report
from gateway.portal.visit import PREFIX, Visit
from gateway.stores.records import Write
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions

ROUND_WINDOW = 60


class _Known(NamedTuple):
    """Whom a session knows. `just_made`: by what the provider has just answered."""

    session_id: str
    identity: Identity
    just_made: bool


class Start:
    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._pages = pages
        self._report = report
        self._now = now

    async def start(self, visit: Visit) -> Outcome:
        """`/_ecluse/start?t=`: the browser comes from an app host."""
        visit.require_navigation()
        return GoOn(await pending(self._transactions, visit, visit.parameter("t")), visit.seat_cookie())

    async def go_on(self, visit: Visit, step: GoOn) -> Outcome:
        _, transaction, app = step.pending
        if step.made is not None:
            require_enough(visit.call.snapshot, step.made.session.identity, transaction, self._now())
        known = await self._known(visit, step)
        if known is not None and await self._serves(visit, app, transaction, known):
            return await self._finish(visit, step)
        if step.made is not None:
            # The provider has just answered and its answer does not do: asking again would go round for ever.
            raise GatewayError(LOGIN_LOOP, "a sign-in made this instant does not serve its transaction")
        return self._ask(visit, step.pending)

    async def _known(self, visit: Visit, step: GoOn) -> _Known | None:
        if step.made is not None:
            return _Known(step.made.session.id, step.made.session.identity, just_made=True)
        if step.cookie is None:
            return None
        host, cookie = visit.call.host, step.cookie
        seat = self._sessions.cached(host, cookie) or await self._sessions.load(host, cookie)
        return None if seat is None or not seat.live else _Known(seat.session_id, seat.identity, just_made=False)

    async def _serves(self, visit: Visit, app: App, transaction: Transaction, known: _Known) -> bool:
        return (
            app.hears(known.identity)
            and self._is_enough(visit, transaction, known)
            and await self._is_late_enough(visit, app, transaction, known)
        )

    def _is_enough(self, visit: Visit, transaction: Transaction, known: _Known) -> bool:
        """What nobody in particular needed is asked of a new sign-in alone. Who is known here goes on to the page with
        what they have: there policy knows them, and sends nobody to sign in who would be refused all the same."""
        if known.just_made or not transaction.provider:
            return True
        ladder = visit.call.snapshot.ladder
        need = askable(ladder, known.identity.provider, transaction.need)
        return meets(ladder, known.identity, need, self._now())

    async def _is_late_enough(self, visit: Visit, app: App, transaction: Transaction, known: _Known) -> bool:
        """`then: sign_in`: a session's first seat on a host needs no new authentication; what comes when that seat may
        have ended does."""
        if transaction.not_before == 0:
            return True
        identity, just_made = known.identity, known.just_made
        now, provider = self._now(), visit.call.snapshot.providers.get(identity.provider)
        lasts = provider.session_absolute if provider is not None else 0
        ends_at = await self._transactions.first_seat(
            known.session_id,
            transaction.host,
            ends_at=int(now) + (shortest_limit(app) or lasts),
            until=int(now) + lasts,
        )
        if not just_made and now < ends_at:
            return True
        is_late = is_fresh(visit.call.snapshot, identity, transaction)
        return is_late and (just_made or not may_have_ended(app, identity, transaction, now))

    def _ask(self, visit: Visit, found: Pending) -> Outcome:
        id, transaction, app = found
        # The provider that the person is signed in by, where it is to sign them in more strongly.
        own, configured = transaction.provider, visit.call.snapshot.providers
        if own in configured and own in app.providers:
            return Ask(own, found, dict(transaction.hints))
        known = [configured[name] for name in app.providers if name in configured]
        if not known:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{app.name} lists no provider that is configured")
        if len(known) == 1:
            return Ask(known[0].name, found, dict(transaction.hints))
        choices = [Choice(provider.label, provider.labels, _ask_link(provider.name, id)) for provider in known]
        return self._pages.chooser(visit.language, choices)

    async def _finish(self, visit: Visit, step: GoOn) -> Page:
        _, transaction, app = step.pending
        if transaction.host == visit.call.host:
            return await self._finish_here(visit, step)
        entry = await self._entry(visit, step)
        if entry is None:
            raise GatewayError(LOGIN_TRANSACTION_GONE, "the session ended during the hand-over")
        code, handed_over = self._sessions.hand_over(entry, transaction)
        await self._spend(visit, step, [handed_over, self._round(visit, step.pending)])
        return redirect(f"{app.origin(transaction.host)}{PREFIX}enter?code={code}")

    async def _finish_here(self, visit: Visit, step: GoOn) -> Page:
        """One host for portal and app: the portal's seat is the app's, so this browser must be the one that asked.

        A wrong browser has used the transaction up, and gets no session."""
        id, transaction, app = step.pending
        if not visit.holds(transaction.binding):
            await self._transactions.spend(id, [])
            raise GatewayError(LOGIN_OTHER_BROWSER, "the transaction belongs to another browser")
        await self._spend(visit, step, [self._round(visit, step.pending)])
        return redirect(app.origin(transaction.host) + transaction.return_target)

    async def _entry(self, visit: Visit, step: GoOn) -> Entry | None:
        if step.made is not None:
            return step.made.entry
        return None if step.cookie is None else await self._sessions.entry(visit.call.host, step.cookie)

    async def _spend(self, visit: Visit, step: GoOn, writes: list[Write]) -> None:
        """Whoever spends the transaction goes on: with all that the sign-in writes, or nobody with anything."""
        made = step.made
        if not await self._transactions.spend(step.pending.id, writes if made is None else [made.write, *writes]):
            raise GatewayError(LOGIN_TRANSACTION_GONE, "taken by another request at the same time")
        if made is not None:
            made.written()
            give_seat(visit, made, self._report)

    def _round(self, visit: Visit, found: Pending) -> Write:
        _, transaction, app = found
        known = visit.call.snapshot.providers
        idle = [known[name].session_idle for name in app.providers if name in known]
        within = min(shortest_limit(app) or ROUND_WINDOW, *idle, ROUND_WINDOW)
        return self._transactions.round_counted(transaction.binding, transaction.host, transaction.round, within)


def _ask_link(provider: str, transaction: str) -> str:
    return f"{PREFIX}login?t={quote(transaction, safe='')}&provider={quote(provider, safe='')}"
