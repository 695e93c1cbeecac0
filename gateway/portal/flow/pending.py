"""The transaction that a sign-in on the portal serves, and its app as the configuration has it now."""

from typing import NamedTuple

from gateway.config.snapshot import App
from gateway.model.codes import LOGIN_TRANSACTION_GONE, LOGIN_UNKNOWN_PROVIDER
from gateway.model.errors import GatewayError
from gateway.model.transaction import Served, Transaction
from gateway.portal.http.request import PortalRequest, login_link
from gateway.stores.transactions import Transactions


class Pending(NamedTuple):
    id: str
    transaction: Transaction
    app: App

    def require(self, provider: str) -> None:
        """Invariant 5: an app listens only to the providers that its file lists."""
        if provider not in self.app.providers:
            raise GatewayError(LOGIN_UNKNOWN_PROVIDER, f"{self.app.name} does not list {provider}")

    @property
    def served(self) -> Served:
        return Served(self.id, self.transaction)


async def pending(transactions: Transactions, request: PortalRequest, id: str) -> Pending:
    """It stays where it is. From here on a refusal's page leads back to the app, and the log names it."""
    transaction = await transactions.peek(id) if id else None
    if transaction is None:
        raise GatewayError(LOGIN_TRANSACTION_GONE, "no such transaction")
    return _at_its_app(request, id, transaction)


def answered(request: PortalRequest, serves: Served | None, provider: str) -> Pending | None:
    """What a provider's answer is for, as `pending`; None: a sign-in to the portal itself. Whether it is still there is
    found out when it is spent."""
    if serves is None:
        return None
    found = _at_its_app(request, *serves)
    found.require(provider)
    return found


def _at_its_app(request: PortalRequest, id: str, transaction: Transaction) -> Pending:
    app = request.snapshot.find_app(transaction.host)
    if app is None or app.name != transaction.app:
        raise GatewayError(LOGIN_TRANSACTION_GONE, f"{transaction.app} no longer answers on {transaction.host}")
    request.app_name = app.name
    request.way_back = login_link(app, transaction.host, transaction.return_target)
    return Pending(id, transaction, app)
