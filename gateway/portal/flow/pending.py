"""The transaction that a sign-in on the portal serves: its app as the configuration has it now, what a provider is
asked for it, and whether a sign-in is late and strong enough for it."""

from dataclasses import replace
from typing import NamedTuple

from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import LOGIN_NOT_FRESH, LOGIN_TOO_WEAK, LOGIN_TRANSACTION_GONE, LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import Need, StepUpRequest
from gateway.model.provider import Provider
from gateway.model.quoting import quoted
from gateway.model.transaction import Served, Transaction
from gateway.portal.http.request import PortalRequest, WayBack
from gateway.stores.transactions import Transactions


class Pending(NamedTuple):
    id: str
    transaction: Transaction
    app: App

    def require(self, provider: str) -> None:
        """Invariant 5: an app listens only to the providers that its file lists."""
        if provider not in self.app.listed:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{self.app.name} does not list {provider}")

    @property
    def served(self) -> Served:
        return Served(self.id, self.transaction)


async def pending(transactions: Transactions, request: PortalRequest, id: str) -> Pending:
    """It stays where it is. From here on a refusal's page leads back to the app, and the log names it."""
    transaction = await transactions.sign_ins.peek(id) if id else None
    if transaction is None:
        raise GatewayError(LOGIN_TRANSACTION_GONE, "no such transaction")
    return _at_its_app(request, id, transaction)


def served_by(request: PortalRequest, serves: Served | None, provider: str) -> Pending | None:
    """What a provider's answer is for, as `pending`; None: a sign-in to the portal itself. Whether it is still there is
    found out when it is spent."""
    if serves is None:
        return None
    found = _at_its_app(request, *serves)
    found.require(provider)
    return found


def _at_its_app(request: PortalRequest, id: str, transaction: Transaction) -> Pending:
    app = lead_back(request, transaction)
    if app is None:
        raise GatewayError(LOGIN_TRANSACTION_GONE, f"{transaction.app} no longer answers on {transaction.host}")
    return Pending(id, transaction, app)


def lead_back(request: PortalRequest, transaction: Transaction) -> App | None:
    """The transaction's application, to which a refusal's page then leads; None where it is no longer on that host."""
    app = request.snapshot.find_named(transaction.host, transaction.app)
    if app is None:
        return None
    request.app_name = app.name
    request.way_back = WayBack(app, transaction.host, transaction.return_target)
    return app


def require_enough(snapshot: Snapshot, identity: Identity, transaction: Transaction, now: float) -> None:
    """What a provider has just answered: asked once, never again for the same request. No session is made of less."""
    if not is_fresh(snapshot, identity, transaction):
        raise GatewayError(LOGIN_NOT_FRESH, "the provider did not ask the person anew")
    # An application may list providers that differ in what they can do: what comes of the rest is policy's to say.
    need = snapshot.ladder.askable(identity.provider, transaction.need)
    if not snapshot.ladder.meets(identity, Need(level=need.level, amr=need.amr), now):
        asked = need.level or f"one of {', '.join(need.amr)}"
        detail = (
            f"{asked} was asked for; the provider says acr {quoted(identity.acr)}, amr {quoted(' '.join(identity.amr))}"
        )
        raise GatewayError(LOGIN_TOO_WEAK, detail)
    if not snapshot.ladder.meets(identity, need, now):
        raise GatewayError(LOGIN_NOT_FRESH, f"over {need.max_age} s old, though the provider was asked for a new one")


def requested_of(snapshot: Snapshot, provider: Provider, found: Pending) -> StepUpRequest:
    """What a provider is asked for, in its own words, so that its sign-in will do.

    Raises GatewayError(LOGIN_UNKNOWN_PROVIDER) where the transaction's app does not list it.
    """
    found.require(provider.name)
    need = snapshot.ladder.askable(provider.name, found.transaction.need)
    asked = snapshot.ladder.asking(provider.name, need)
    # Of one that asks nobody anew because it is told to (ProConnect), nothing is asked that it may refuse: its answer
    # does if the person has just signed in there, and a page says so where they have not.
    anew = found.transaction.not_before and "fresh_login" in provider.levels.can
    return replace(asked, max_age=0) if anew else asked


def is_fresh(snapshot: Snapshot, identity: Identity, transaction: Transaction) -> bool:
    """`authenticated_at` is the provider's clock, `not_before` ours: its file says how far they may be apart."""
    provider = snapshot.providers.get(identity.provider)
    if transaction.not_before == 0 or provider is None:
        return transaction.not_before == 0
    return identity.authenticated_at + provider.skew >= transaction.not_before


def may_have_ended(app: App, identity: Identity, transaction: Transaction, now: float) -> bool:
    """Whether a seat made by this authentication can be over by `now`. A transaction that was begun before it, in a
    tab that was left open, does not make another one of it."""
    shortest = shortest_limit(app)
    return transaction.not_before != 0 and shortest is not None and now >= identity.authenticated_at + shortest


def shortest_limit(app: App) -> int | None:
    """Seconds after which a seat of this app may end; None where only its session's limits count."""
    limits = [limit for limit in (app.seat_limits.idle, app.seat_limits.absolute) if limit is not None]
    return min(limits) if limits else None
