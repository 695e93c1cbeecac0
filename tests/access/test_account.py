"""A person's login at an application: looked up once for a seat, and told only where it still holds."""

from dataclasses import replace

import pytest

from gateway.access.account import NoAccounts, identity_at, is_known, look_up
from gateway.access.preparation import Preparation, translated
from gateway.config.snapshot import App
from gateway.model.account import AccountHolder, AccountSettings
from gateway.model.codes import account_codes
from gateway.model.codes.code import Code
from gateway.model.directory import DirectoryFinding, FindingState
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot
from tests.proxy.stand_ins import identity, seat

KEYS = "accounts: {keys: [{id: l1, secret: {file: links.key}}]}\n"
WITH_ACCOUNT = PERMIS.replace("{from: uid}", "{from: account}").replace(
    "access:", "account: {ask: Écrivez à la DSI., by: [uid]}\naccess:"
)


def app_of(text: str = WITH_ACCOUNT) -> App:
    files = {"gateway.yaml": GATEWAY + KEYS, "apps/permis.yaml": text}
    return sample_snapshot(files, {"file:links.key": b"of-the-links-0123456789-0123456789"}).apps["permis"]


def somebody(**attributes: str | tuple[str, ...]) -> Seat:
    return seat("permis.localhost", identity(**(attributes or {"uid": "helene"})))


class Book:
    """access.account.Accounts."""

    def __init__(self, **logins: str) -> None:
        self.logins = logins
        self.error: GatewayError | None = None
        self.state = 1
        self.record = b"first"
        self.asked: list[AccountHolder] = []

    async def find(self, seat: Seat, holder: AccountHolder, settings: AccountSettings) -> tuple[str, bytes] | None:
        self.asked.append(holder)
        if self.error is not None:
            raise self.error
        login = self.logins.get(holder.person.removeprefix("uid="))
        return None if login is None else (login, self.record)


def preparation(book: Book) -> Preparation:
    async def never(work: object) -> object:
        raise AssertionError("no token is asked for")

    return Preparation(
        keys=lambda: (), in_thread=never, chance=bytes, wall=lambda: 0.0, monotonic=lambda: 0.0, accounts=book,  # type: ignore[arg-type]
    )  # fmt: skip


async def prepared(book: Book, app: App, who: Seat) -> bytes:
    prepare = preparation(book)
    found = prepare(app, who, 0.0, 0.0)
    if callable(found):
        await found()
        found = prepare(app, who, 0.0, 0.0)
    assert not callable(found)
    return found.headers


async def test_the_application_is_told_its_own_login_which_is_looked_up_once() -> None:
    book, app, who = Book(helene="h.durand"), app_of(), somebody()
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: h.durand"
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: h.durand"
    assert book.asked == [AccountHolder("permis", "http://127.0.0.1:9400", "uid=helene")]
    assert "account" not in who.identity.attributes


async def test_without_a_link_nothing_is_sent_and_the_person_reads_whom_to_ask() -> None:
    book, app, who = Book(), app_of(), somebody()
    with pytest.raises(GatewayError) as error:
        await prepared(book, app, who)
    assert (error.value.code, error.value.shown) == (account_codes.MISSING, "Écrivez à la DSI.")


async def test_whom_to_ask_is_written_by_language_too() -> None:
    app = app_of(WITH_ACCOUNT.replace("ask: Écrivez à la DSI.", "ask: {fr: Écrivez., en: Write.}"))
    with pytest.raises(GatewayError) as error:
        await prepared(Book(), app, somebody())
    assert error.value.shown == (("fr", "Écrivez."), ("en", "Write."))


@pytest.mark.parametrize("attributes", [{"mail": "x"}, {"uid": ("a", "b")}])
async def test_a_person_whom_nothing_names(attributes: dict[str, str]) -> None:
    book, app = Book(), app_of()
    with pytest.raises(GatewayError) as error:
        await prepared(book, app, somebody(**attributes))
    assert (error.value.code, error.value.shown) == (account_codes.PERSON, "Écrivez à la DSI.")
    assert book.asked == []


async def test_a_login_of_two_is_kept_as_a_refusal_and_links_that_cannot_be_read_are_not() -> None:
    book, app, who = Book(), app_of(), somebody()
    book.error = GatewayError(account_codes.SHARED, "two")
    with pytest.raises(GatewayError) as error:
        await prepared(book, app, who)
    assert error.value.code is account_codes.SHARED
    assert is_known(app, who, book.state)
    book.error, book.state = GatewayError(account_codes.UNREADABLE, "gone"), 2
    with pytest.raises(GatewayError) as error:
        await prepared(book, app, who)
    assert error.value.code is account_codes.UNREADABLE
    assert not is_known(app, who, book.state)
    book.error, book.logins = None, {"helene": "h.durand"}
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: h.durand"


async def test_it_is_looked_up_again_where_links_the_file_or_the_person_have_changed() -> None:
    book, app, who = Book(helene="h.durand", paul="p.martin"), app_of(), somebody()
    await prepared(book, app, who)
    first = identity_at(app, who, 0.0)
    book.state += 1
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: h.durand"
    assert identity_at(app, who, 0.0) is first, "where nothing is new, what was made of it stays good"
    book.state, book.record = book.state + 1, b"second"
    await prepared(book, app, who)
    assert identity_at(app, who, 0.0) is not first, "a link that was written anew may have another secret"
    other = replace(app, account=replace(app.account, shared=True))
    assert not is_known(other, who, book.state)
    assert not is_known(replace(app, name="paie"), who, book.state), "another application's login is never told"
    who.identity = identity(uid="paul")
    assert not is_known(app, who, book.state)
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: p.martin"


async def test_a_providers_word_is_never_the_login() -> None:
    who = somebody(uid="helene", account="admin")
    assert await prepared(Book(helene="h.durand"), app_of(), who) == b"\r\nX-Remote-User: h.durand"
    with pytest.raises(GatewayError):
        await prepared(Book(), app_of(), somebody(uid="helene", account="admin"))


async def test_nobody_has_no_account_and_needs_none_and_other_applications_ask_for_none() -> None:
    book = Book()
    assert await prepared(book, app_of(PERMIS), somebody()) == b"\r\nX-Remote-User: helene"
    assert not callable(preparation(book)(app_of(), None, 0.0, 0.0))
    assert book.asked == []


async def test_where_nothing_looks_up_nobody_has_an_account() -> None:
    app, who = app_of(), somebody()
    assert app.account is not None
    await look_up(NoAccounts(), app.name, app.account, who)
    for tried in (who, somebody()):
        with pytest.raises(GatewayError) as error:
            translated(app, tried, 0.0, 0.0)
        assert error.value.code is account_codes.MISSING


AGENTS = """\
version: 1
directory: agents
csv: {path: ../agents.csv}
key: {uid: {from: uid, providers: [metropole]}}
gives: {login: {}}
away: without
"""
FROM_DIRECTORY = PERMIS.replace("{from: uid}", "{from: account}").replace(
    "access:", "account: {from: login, ask: Écrivez à la DSI.}\ndirectories: [agents]\naccess:"
)


def app_of_directory() -> App:
    files = {"directories/agents.yaml": AGENTS, "apps/permis.yaml": FROM_DIRECTORY}
    return sample_snapshot(files, {}).apps["permis"]


def said_of(app: App, state: FindingState = "found", unknown: frozenset[str] = frozenset(), **logins: str) -> Seat:
    (agents,) = app.directories
    values = {name: (login,) for name, login in logins.items()}
    finding = DirectoryFinding("agents", agents.fingerprint, state, values, unknown)
    who = identity(uid="helene", login="admin", account="admin")
    return seat("permis.localhost", replace(who, findings=(finding,)))


async def test_a_directory_says_the_login_and_no_link_is_looked_up() -> None:
    book, app = Book(helene="h.durand"), app_of_directory()
    who = said_of(app, login="durand.h")
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: durand.h"
    assert book.asked == []
    first = identity_at(app, who, 0.0)
    assert identity_at(app, who, 1.0) is first, "where nothing is new, what was made of it stays good"
    who.identity = replace(who.identity, findings=said_of(app, login="new").identity.findings)
    assert await prepared(book, app, who) == b"\r\nX-Remote-User: new"
    links = replace(app, account=replace(app.account, source=None))
    assert not is_known(links, who, book.state), "a file that asks for links again is not told what a directory said"
    other = replace(app, account=replace(app.account, source="mail"))
    with pytest.raises(GatewayError):
        identity_at(other, who, 0.0)


@pytest.mark.parametrize(
    ("state", "unknown", "logins", "code"),
    [
        ("none", (), {}, account_codes.MISSING),
        ("found", (), {}, account_codes.MISSING),
        ("found", ("login",), {}, account_codes.MISSING),
        ("found", (), {"login": "x" * 300}, account_codes.MISSING),
        ("away", ("login",), {}, account_codes.UNREADABLE),
    ],
)
async def test_whom_no_directory_gives_a_login_nothing_is_sent_of_whatever_a_provider_says(
    state: FindingState, unknown: tuple[str, ...], logins: dict[str, str], code: Code
) -> None:
    """The provider says `login` and `account` of everybody here."""
    app, book = app_of_directory(), Book(helene="h.durand")
    with pytest.raises(GatewayError) as error:
        await prepared(book, app, said_of(app, state, frozenset(unknown), **logins))
    assert (error.value.code, error.value.shown) == (code, "Écrivez à la DSI.")
    assert "x" * 300 not in error.value.detail


async def test_a_directory_says_nothing_of_people_of_a_provider_whose_word_it_does_not_take() -> None:
    app = app_of_directory()
    who = said_of(app, login="durand.h")
    who.identity = replace(who.identity, provider="departement")
    with pytest.raises(GatewayError) as error:
        identity_at(app, who, 0.0)
    assert error.value.code is account_codes.MISSING
    assert "accepts values of departement" in error.value.detail
    who = said_of(app, login="durand.h")
    finding = replace(who.identity.findings[0], fingerprint="of another file")
    who.identity = replace(who.identity, findings=(finding,))
    with pytest.raises(GatewayError) as error:
        identity_at(app, who, 0.0)
    assert error.value.code is account_codes.UNREADABLE, "what was said under another key is not asked"
