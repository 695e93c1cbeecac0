"""A person links their own account of an application, once, and proves ownership by login and password. The application
checks both before the link is stored. The person can remove the link at any time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from gateway.accounts.book import SEEN_WITHIN, AccountBook
from gateway.accounts.link import NewLink
from gateway.accounts.table import checked_secret
from gateway.config.snapshot import App
from gateway.model.account import AccountHolder, CountedLogin, checked_login, person_of
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.stores.applications.login_tries import LoginTries

BY_PERSON: Final = "person"
# Tries of one person at one application, for all accounts together, within so many seconds.
_TRIES: Final = 5
_WITHIN: Final = 3600

Proving = Callable[[App, str, Credential], Awaitable[None]]
"""Signs in at an application, on that host of it, with a credential. Raises GatewayError where that comes to
nothing."""


class AccountLinking:
    def __init__(self, book: AccountBook, proven: Proving, tries: LoginTries) -> None:
        self._book = book
        self._proven = proven
        self._tries = tries

    async def link(self, app: App, host: str, identity: Identity, login: str, secret: str) -> None:
        """Stores the login and secret if the application accepts them; on return every worker knows the link. Raises
        GatewayError: the errors of the login form; account_codes.LOGIN for a wrong login, account_codes.TABLE for a
        wrong secret; account_codes.TAKEN; the errors of the file."""
        holder, settings = holder_of(app, identity), app.account
        assert settings is not None
        credential = Credential(checked_login(login), checked_secret(secret))
        who = f"{holder.issuer}\0{holder.person}"
        # No account has this name: it contains a character that no address contains.
        person = CountedLogin(f"\0{app.name}", who, who)
        tried = await self._tries.begin(person, most=_TRIES, within=_WITHIN)
        if tried is None:
            raise GatewayError(form_login_codes.TRIES, f"this person has tried {_TRIES} times to link an account")
        await self._proven(app, host, credential)
        new = NewLink(holder, credential.login, BY_PERSON, credential.secret, settings.shared, replace=True)
        await self._book.add(new)
        await self._tries.succeeded(person, tried, clears=True)
        await asyncio.sleep(SEEN_WITHIN)

    async def remove(self, app: App, identity: Identity) -> bool:
        """Removes the person's link. Returns whether the link existed."""
        removed = await self._book.remove(holder_of(app, identity))
        await asyncio.sleep(SEEN_WITHIN if removed else 0)
        return removed

    async def logins(self, apps: Iterable[App], identity: Identity) -> list[tuple[App, str]]:
        """The person's logins at the applications where people link themselves."""
        asked = [app for app in apps if app.account is not None and app.account.missing == "link"]
        accepting = [app for app in asked if app.accepts(identity)]
        found = [(app, await self.login(app, identity)) for app in accepting]
        return [(app, login) for app, login in found if login]

    async def login(self, app: App, identity: Identity) -> str:
        """The login of the person's link; empty without a link."""
        assert app.account is not None
        found = await self._book.credential(holder_of(app, identity), app.account)
        return "" if found is None else found[0]


def holder_of(app: App, identity: Identity) -> AccountHolder:
    """Raises GatewayError(account_codes.PERSON)."""
    assert app.account is not None
    return AccountHolder(app.name, identity.issuer, person_of(app.account.by, identity))
