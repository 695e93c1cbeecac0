"""The session that a person has at an application with a login form is of the login that is theirs now."""

import asyncio
from dataclasses import replace
from time import monotonic, time

from gateway.access.outcome import Prepared
from gateway.access.preparation import Preparation
from gateway.config.snapshot import App
from gateway.formlogin.account import account_of
from gateway.formlogin.spec import ApplicationSession, TrustedAccount
from gateway.model.session import Seat
from gateway.tokens.making import MadeTokens
from tests.config.samples import GATEWAY, PERMIS, sample_snapshot
from tests.formlogin.forms import FORM
from tests.proxy.stand_ins import identity, seat


async def nothing_made(_: object) -> MadeTokens:
    raise AssertionError("no token is asked for")


class Forms:
    """access.preparation.FormSignIns: signs in at once, or once it may go on. `tried`: with which logins."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def session(
        self, app: App, who: Seat, fixed: Prepared, gone: ApplicationSession | None
    ) -> ApplicationSession:
        form = app.form_login
        assert form is not None
        assert form.trusted is not None
        login = account_of(form.trusted, who.identity)
        self.tried.append(login)
        await self.may_go_on.wait()
        return ApplicationSession(form.fingerprint, login, b"GRRSESSID=of-" + login.encode())

    async def keep(self, app: App, who: Seat, session: ApplicationSession) -> None:
        raise AssertionError("nothing is set anew")

    async def ended_at_once(self, app: App, session: ApplicationSession) -> None:
        raise AssertionError("none is said to have begun here")


def trusting(trusted: TrustedAccount) -> App:
    files = {"gateway.yaml": GATEWAY, "apps/permis.yaml": PERMIS}
    return replace(sample_snapshot(files).apps["permis"], form_login=replace(FORM, trusted=trusted))


BY_UID = trusting(TrustedAccount("uid", "", "s3cret"))
BY_MAIL = trusting(TrustedAccount("mail", "", "s3cret"))
FOR_ALL = trusting(TrustedAccount(None, "admin", "s3cret"))


def preparation_of(forms: Forms) -> Preparation:
    return Preparation(keys=tuple, in_thread=nothing_made, chance=bytes, wall=time, monotonic=monotonic, forms=forms)


def helene() -> Seat:
    return seat("permis.localhost", identity(uid="helene", mail="h@example.org"))


async def sent(prepare: Preparation, app: App, who: Seat) -> bytes:
    found = prepare(app, who, monotonic(), time())
    if not isinstance(found, Prepared):
        await found()
        found = prepare(app, who, monotonic(), time())
    assert isinstance(found, Prepared), "it is found at the first look"
    return found.cookies


async def test_a_file_that_names_another_account_ends_the_session_of_the_one_before() -> None:
    forms, who = Forms(), helene()
    prepare = preparation_of(forms)
    assert await sent(prepare, FOR_ALL, who) == b"GRRSESSID=of-admin"
    assert await sent(prepare, BY_UID, who) == b"GRRSESSID=of-helene"
    assert await sent(prepare, BY_MAIL, who) == b"GRRSESSID=of-h@example.org"
    assert await sent(prepare, BY_MAIL, who) == b"GRRSESSID=of-h@example.org"
    assert forms.tried == ["admin", "helene", "h@example.org"]


async def test_nobody_waits_for_the_sign_in_of_the_account_that_was_theirs_before() -> None:
    forms, who = Forms(), helene()
    prepare = preparation_of(forms)
    forms.may_go_on.clear()
    before = asyncio.create_task(sent(prepare, FOR_ALL, who))
    await asyncio.sleep(0)
    now = asyncio.create_task(sent(prepare, BY_UID, who))
    await asyncio.sleep(0.01)
    forms.may_go_on.set()
    assert await now == b"GRRSESSID=of-helene"
    await asyncio.wait({before})
    before.exception()
    assert forms.tried[:2] == ["admin", "helene"]
