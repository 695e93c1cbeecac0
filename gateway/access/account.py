"""A person's login at an application whose file asks for it (`account:`): looked up once, and kept with the seat."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.config.snapshot import App
from gateway.identity.directories import finding_in, known_until, known_with, missing_from
from gateway.model.account import ATTRIBUTE, BY_THEMSELVES, AccountHolder, AccountSettings, checked_login, person_of
from gateway.model.codes import account_codes, directory_codes
from gateway.model.codes.code import Code
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.session import Seat


@dataclass(frozen=True, slots=True, eq=False)
class SeatAccount:
    """The result of a look-up for one seat.

    `basis`: the seat's identity at the look-up.
    `state`: Accounts.state at the look-up.
    `identity`: `basis` with the login among its attributes; None: the person is refused, with `code` and `detail`.
    `record`: the link's record.
    """

    app: str
    settings: AccountSettings
    basis: Identity
    state: int
    identity: Identity | None
    code: Code = account_codes.MISSING
    detail: str = ""
    record: bytes = field(default=b"", repr=False)

    def holds(self, app: App, seat: Seat) -> bool:
        """Whether the login was found under the application's present file, and for the person's present identity."""
        return self.basis is seat.identity and self.app == app.name and self.settings == app.account


@dataclass(frozen=True, slots=True, eq=False)
class _SeatKnown:
    """`identity`: `basis` with the attributes of the application's directories, and with the login that the
    application's file (`source`) takes from a directory. Valid from `since` until `until` (Unix seconds).
    """

    basis: Identity
    source: str | None
    directories: tuple[Directory, ...]
    identity: Identity
    since: float
    until: float

    def holds(self, basis: Identity, app: App, wall: float) -> bool:
        same = self.basis is basis and self.directories is app.directories and self.source == _source(app)
        return same and self.since <= wall < self.until


class Accounts(Protocol):
    """The links between people and logins, as a worker asks for them. `state`: another number as soon as a link may
    have changed."""

    @property
    def state(self) -> int: ...

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        """The login, and a value that changes when the link is rewritten. None: no login.

        From here on, a change of the link drops the seat's outcomes. Raises GatewayError.
        """


class NoAccounts:
    """Accounts without look-ups, for tools: a tried person brings the login along."""

    state = 0

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        return None


def identity_at(app: App, seat: Seat, wall: float) -> Identity:
    """The person at this application: with the attributes of the application's directories, and with the login if the
    file asks for a login. `wall`: Unix seconds, since mandates end.

    Raises GatewayError, whose text tells the person whom to ask.
    """
    settings = app.account
    if settings is None or settings.source is not None:
        return _with_directories(app, seat, seat.identity, wall)
    found = seat.account
    if not isinstance(found, SeatAccount) or not found.holds(app, seat):
        raise GatewayError(account_codes.MISSING, "no account was looked up", shown=settings.words)
    if found.identity is None and found.code is account_codes.MISSING and settings.missing in BY_THEMSELVES:
        raise GatewayError(BY_THEMSELVES[settings.missing], found.detail)
    if found.identity is None:
        raise GatewayError(found.code, found.detail, shown=settings.words)
    return _with_directories(app, seat, found.identity, wall)


def _with_directories(app: App, seat: Seat, identity: Identity, wall: float) -> Identity:
    """Returns the earlier identity while it is up to date, so that outcomes made of it hold. Raises GatewayError."""
    if not app.directories:
        return identity
    before = seat.known
    if isinstance(before, _SeatKnown) and before.holds(identity, app, wall):
        return before.identity
    missing = missing_from(identity, app.directories)
    if missing is not None:
        raise GatewayError(directory_codes.AWAY, f"directory {missing.name} could not answer about this person")
    until = known_until(identity, app.directories, wall)
    found = _SeatKnown(identity, _source(app), app.directories, known_at(app, identity, wall), wall, until)
    seat.known = found
    return found.identity


def known_at(app: App, identity: Identity, wall: float) -> Identity:
    """The person with the attributes of an application's directories, and with the login of a directory if the file
    asks for one. `wall`: Unix seconds. Raises GatewayError, as `identity_at`.
    """
    settings, known = app.account, known_with(identity, app.directories, wall)
    if settings is None or settings.source is None:
        return known
    try:
        return with_login(known, login_of(app.directories, settings.source, identity))
    except GatewayError as error:
        raise GatewayError(error.code, error.detail, shown=settings.words) from None


def login_of(directories: Sequence[Directory], source: str, identity: Identity) -> str:
    """The login from the directory itself, never a provider's attribute of the same name (invariant 5). Raises
    GatewayError."""
    for directory in directories:
        if directory.takes(identity.provider) and any(given.name == source for given in directory.gives):
            said = finding_in(identity, directory)
            if said is None or said.state == "away":
                raise GatewayError(
                    account_codes.UNREADABLE, f"directory {directory.name} could not answer about logins"
                )
            values = said.values.get(source, ())
            if len(values) != 1:
                how = "cannot tell" if source in said.unknown else "has no"
                raise GatewayError(account_codes.MISSING, f"directory {directory.name} {how} {source} of this person")
            return _checked(values[0])
    raise GatewayError(account_codes.MISSING, f"no directory with {source} accepts values of {identity.provider}")


def _checked(login: str) -> str:
    """Raises GatewayError: the person reads whom to ask, and not how to write a login."""
    try:
        return checked_login(login)
    except GatewayError as error:
        raise GatewayError(account_codes.MISSING, error.detail) from None


def _source(app: App) -> str | None:
    return None if app.account is None else app.account.source


def identity_until(app: App, seat: Seat) -> float:
    """The time until which the last result of `identity_at` holds, in Unix seconds."""
    known = seat.known
    return known.until if app.directories and isinstance(known, _SeatKnown) else float("inf")


def is_known(app: App, seat: Seat, state: int) -> bool:
    """Whether `identity_at` is up to date without a look-up. A login from a directory needs no link."""
    if _source(app) is not None:
        return True
    found = seat.account
    return isinstance(found, SeatAccount) and found.state == state and found.holds(app, seat)


async def look_up(accounts: Accounts, app: str, settings: AccountSettings, seat: Seat) -> None:
    """Keeps the result with the seat. Raises GatewayError, and keeps nothing, if the links cannot be read. `app`: its
    name."""
    basis, state = seat.identity, accounts.state
    identity, record, code, detail = (
        None,
        b"",
        account_codes.MISSING,
        f"no link of this person, by {' and '.join(settings.by)}",
    )
    try:
        holder = AccountHolder(app, basis.issuer, person_of(settings.by, basis))
        link = await accounts.find(seat, holder, settings)
        if link is not None:
            login, record = link
            identity = _with_login(basis, login, record, seat.account)
    except GatewayError as error:
        if error.code.status != 403:
            seat.account = None
            raise
        code, detail = error.code, error.detail
    seat.account = SeatAccount(app, settings, basis, state, identity, code, detail, record)


def _with_login(basis: Identity, login: str, record: bytes, before: object) -> Identity:
    """Returns the earlier identity while it is up to date, so that outcomes made of it hold."""
    same = isinstance(before, SeatAccount) and before.basis is basis and before.record == record
    kept = before.identity if isinstance(before, SeatAccount) and same else None
    return with_login(basis, login) if kept is None else kept


def with_login(identity: Identity, login: str) -> Identity:
    """Distinct from a provider's attribute with the same name."""
    return replace(
        identity,
        attributes={**identity.attributes, ATTRIBUTE: (login,)},
        left_out=identity.left_out - {ATTRIBUTE},
    )
