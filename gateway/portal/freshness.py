"""`then: sign_in`: an authentication older than what the transaction asks for does not serve it."""

from gateway.config.snapshot import Snapshot
from gateway.model.identity import Identity
from gateway.model.transaction import Transaction


def is_fresh(snapshot: Snapshot, identity: Identity, transaction: Transaction) -> bool:
    """`authenticated_at` is the provider's clock, `not_before` ours: its file says how far they may be apart."""
    provider = snapshot.providers.get(identity.provider)
    if transaction.not_before == 0 or provider is None:
        return transaction.not_before == 0
    return identity.authenticated_at + provider.skew >= transaction.not_before
