"""On the portal host: the next step of a transaction. Every step of a sign-in returns here."""

from typing import NamedTuple

from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import login_codes, session_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need
from gateway.model.ports import Page
from gateway.model.quoting import quoted
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION, Transaction
from gateway.portal.flow.away import ALL_THE_SAME
from gateway.portal.flow.chooser import Chooser, is_silent
from gateway.portal.flow.ends import TransactionEnds
from gateway.portal.flow.source import pending
from gateway.portal.flow.steps import BeginSignIn, Continue, NextStep, Pending
from gateway.portal.http.choices import StepUp
from gateway.portal.http.request import CHOSEN, PortalRequest, keep_language, portal_home
from gateway.portal.http.responses import redirect
from gateway.portal.services import PortalServices
from gateway.wire.cookies import presented_seat


class _Known(NamedTuple):
    """The person of a session. `just_made`: the provider has just answered, and the session is made of that."""

    session_id: str
    identity: Identity
    just_made: bool


class Start:
    def __init__(self, services: PortalServices, chooser: Chooser) -> None:
        self._services = services
        self._chooser = chooser
        self._ends = TransactionEnds(services)

    async def start(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/start?t=`: the browser comes from an app host."""
        in_frame = request.in_iframe and request.is_in_frame()
        if not in_frame:
            request.require_navigation()
        if CHOSEN in request.target:
            keep_language(request)
        try:
            found = await pending(self._services.transactions, request, request.parameter("t"))
        except GatewayError as error:
            if in_frame or error.code is not login_codes.TRANSACTION_GONE:
                raise
            return await self.lead_home(request, error)
        if in_frame:
            if not (found.transaction.embedded and found.app.embedded_by):
                raise GatewayError(session_codes.REQUIRED, "a sign-in that began in the whole window continues there")
            request.framed_at(found.app, found.transaction.host)
        return Continue(found, presented_seat(request.cookie_line), in_frame=in_frame)

    async def lead_home(self, request: PortalRequest, error: GatewayError) -> Page:
        """Answers an old link, or Back after a sign-in: a signed-in person goes home instead of starting again.
        Raises `error` for other people."""
        if await self._signed_in(request.host, presented_seat(request.cookie_line)) is None:
            raise error
        self._services.report.refused(request, error)
        return redirect(f"{request.snapshot.gateway.portal_url}{portal_home(request)}")

    async def chosen(self, request: PortalRequest) -> NextStep:
        """`/_ecluse/login?t=&provider=`: a choice was made. Without `t`: a sign-in to the portal itself."""
        request.require_navigation()
        parameters = request.parameters()
        found = await pending(self._services.transactions, request, parameters["t"]) if "t" in parameters else None
        name = parameters.get("provider", "")
        linked = {} if found is None else dict(found.transaction.hints)
        return BeginSignIn(name, found, linked | parameters, all_the_same=ALL_THE_SAME in parameters)

    async def go_on(self, request: PortalRequest, step: Continue) -> NextStep:
        _, transaction, app = step.pending
        if step.made is not None:
            require_enough(request.snapshot, step.made.session.identity, transaction, self._services.now())
        known = await self._known(request, step)
        if known is not None and await self._serves(request, app, transaction, known):
            return await self._ends.finish(request, step)
        if step.made is not None:
            # The provider has just answered and this does not suffice: asking again would go round for ever.
            raise GatewayError(login_codes.LOOP, "a sign-in made this instant does not serve its transaction")
        if step.in_frame:
            await self._services.transactions.sign_ins.spend(step.pending.id)
            raise GatewayError(session_codes.REQUIRED, "no sufficient session, and a frame begins no sign-in")
        return await self._ask(request, step.pending, known)

    async def _known(self, request: PortalRequest, step: Continue) -> _Known | None:
        if step.made is not None:
            return _Known(step.made.session.id, step.made.session.identity, just_made=True)
        return await self._signed_in(request.host, step.cookie)

    async def _signed_in(self, host: str, cookie: bytes | None) -> _Known | None:
        if cookie is None:
            return None
        seat = self._services.sessions.cached(host, cookie) or await self._services.sessions.load(host, cookie)
        return None if seat is None or not seat.live else _Known(seat.session_id, seat.identity, just_made=False)

    async def _serves(self, request: PortalRequest, app: App, transaction: Transaction, known: _Known) -> bool:
        return (
            app.accepts(known.identity)
            and (known.just_made or OTHER_ACCOUNT not in dict(transaction.hints))
            and self._is_enough(request, transaction, known)
            and (transaction.not_before == 0 or await self._is_late_enough(request, app, transaction, known))
        )

    def _is_enough(self, request: PortalRequest, transaction: Transaction, known: _Known) -> bool:
        """Decides about a need stated before the person was known. It applies only to a new sign-in. A known person
        goes on to the page with their session: policy decides there, with all attributes, and asks for a stronger
        sign-in only if that would admit the person."""
        if known.just_made or not transaction.provider:
            return True
        ladder = request.snapshot.ladder
        need = ladder.askable(known.identity.provider, transaction.need)
        return ladder.meets(known.identity, need, self._services.now())

    async def _is_late_enough(self, request: PortalRequest, app: App, transaction: Transaction, known: _Known) -> bool:
        """`then: sign_in`: a session's first seat on a host needs no new authentication; a seat that is made when the
        first one may have ended does."""
        identity, just_made = known.identity, known.just_made
        now, provider = self._services.now(), request.snapshot.providers.get(identity.provider)
        lasts = provider.session_absolute if provider is not None else 0
        ends_at = await self._services.transactions.first_seat(
            known.session_id,
            transaction.host,
            ends_at=int(now) + (app.seat_limits.shortest or lasts),
            until=int(now) + lasts,
        )
        if not just_made and now < ends_at:
            return True
        is_late = is_fresh(request.snapshot, identity, transaction)
        return is_late and (just_made or not may_have_ended(app, identity, transaction, now))

    async def _ask(self, request: PortalRequest, found: Pending, person: _Known | None) -> NextStep:
        transaction, app = found.transaction, found.app
        own, configured = transaction.provider, request.snapshot.providers
        if OTHER_ACCOUNT in dict(transaction.hints):
            if own := self._of_session(request, found, person):
                return BeginSignIn(own, found, dict(transaction.hints))
        # A stronger sign-in is asked of the provider by which the person is signed in.
        elif own in configured and own in app.listed:
            need = request.snapshot.ladder.askable(own, transaction.need)
            if need != NO_NEED and person is not None and person.identity.provider == own:
                return self._step_up(request, found, person.identity, need)
            return BeginSignIn(own, found, dict(transaction.hints))
        known = [configured[name] for name in app.listed if name in configured]
        if not known:
            raise GatewayError(login_codes.UNKNOWN_PROVIDER, f"{app.name} lists no provider that is configured")
        if len(known) == 1:
            return BeginSignIn(known[0].name, found, dict(transaction.hints))
        if home := await self._chooser.home_realm(request, found, known):
            return BeginSignIn(home, found, dict(transaction.hints))
        not_taken = None
        if person is not None and person.identity.provider not in app.listed:
            # The page explains why signed-in people have to sign in again.
            request.identity, not_taken = person.identity, configured.get(person.identity.provider)
        return await self._chooser.page(request, found, known, not_taken)

    def _of_session(self, request: PortalRequest, found: Pending, person: _Known | None) -> str:
        """Returns the provider for another account: the provider of the application's session, else of the portal's.
        Empty: the person wants to choose, or the provider cannot be asked."""
        transaction, app = found.transaction, found.app
        if dict(transaction.hints)[OTHER_ACCOUNT] == OTHER_ORGANISATION:
            return ""
        own = transaction.provider or ("" if person is None else person.identity.provider)
        provider = request.snapshot.providers.get(own)
        if provider is None or own not in app.listed or is_silent(self._services, provider):
            return ""
        return own

    def _step_up(self, request: PortalRequest, found: Pending, identity: Identity, need: Need) -> Page:
        """Shows signed-in people what their sign-in lacks, before sending them on."""
        request.identity = identity
        transaction, app, ladder, now = found.transaction, found.app, request.snapshot.ladder, self._services.now()
        level = "" if ladder.meets(identity, Need(level=need.level), now) else need.level
        amr = () if ladder.meets(identity, Need(amr=need.amr), now) else need.amr
        way = self._chooser.way(request, found, request.snapshot.providers[identity.provider])
        back = app.origin(transaction.host) + app.home
        return self._services.pages.step_up(request.reader, StepUp(way, level, bool(amr), need.max_age, back))


# --- whether a sign-in is late and strong enough for its transaction


def require_enough(snapshot: Snapshot, identity: Identity, transaction: Transaction, now: float) -> None:
    """What a provider has just answered: asked once, never again for the same request. No session is made of less."""
    if not is_fresh(snapshot, identity, transaction):
        raise GatewayError(login_codes.NOT_FRESH, "the provider did not sign the person in again")
    # An application may list providers with different abilities. Demands that the provider cannot meet are left to
    # policy.
    need = snapshot.ladder.askable(identity.provider, transaction.need)
    if not snapshot.ladder.meets(identity, Need(level=need.level, amr=need.amr), now):
        asked = need.level or f"one of {', '.join(need.amr)}"
        detail = (
            f"{asked} was asked for; the provider says acr {quoted(identity.acr)}, amr {quoted(' '.join(identity.amr))}"
        )
        raise GatewayError(login_codes.TOO_WEAK, detail)
    if not snapshot.ladder.meets(identity, need, now):
        raise GatewayError(login_codes.NOT_FRESH, f"over {need.max_age} s old, although a new one was requested")


def is_fresh(snapshot: Snapshot, identity: Identity, transaction: Transaction) -> bool:
    """`authenticated_at`: by the provider's clock. `not_before`: by ours. The provider's file says how far the clocks
    may differ."""
    provider = snapshot.providers.get(identity.provider)
    if transaction.not_before == 0 or provider is None:
        return transaction.not_before == 0
    return identity.authenticated_at + provider.skew >= transaction.not_before


def may_have_ended(app: App, identity: Identity, transaction: Transaction, now: float) -> bool:
    """Whether a seat of this authentication can be over by `now`. A transaction begun earlier, in a tab left open,
    does not change that."""
    shortest = app.seat_limits.shortest
    return transaction.not_before != 0 and shortest is not None and now >= identity.authenticated_at + shortest
