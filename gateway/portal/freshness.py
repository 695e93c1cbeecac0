"""`then: sign_in`: an authentication older than what the transaction asks for does not serve it."""

from gateway.config.snapshot import App, Snapshot
from gateway.model.identity import Identity
from gateway.model.transaction import Transaction


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
