"""Sign-ins at an application that says of a refusal what it says of a success: with a page to check them by, none is
taken for one, whoever needed it and however many come at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.access.outcome import Prepared
from gateway.federation.form_logins import AT_ONCE, FormLogins
from gateway.formlogin.pages import LARGEST_PAGE
from gateway.formlogin.spec import ApplicationSession
from gateway.formlogin.walk import FormRequest, FormResponse
from gateway.model.codes import form_login_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.stores.memory import MemoryStore
from tests.federation.test_form_logins import EXPIRED, PAGE, form_logins, permis, prepared_by
from tests.federation.test_form_logins import FORM as UNCHECKED
from tests.patience import until
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway
from tests.proxy.stand_ins import identity, seat

CHECK = "  check: /mine\n"
IN = FormResponse(302, location="/", set_cookies=(b"S=1",))
MINE = FormResponse(200, b"<p>Bonjour")
TO_FORM = FormResponse(302, location="/login")
LARGE = FormResponse(200, b"<p>Bonjour" + PAGE + b" " * LARGEST_PAGE)
NAVIGATION, SCRIPT = b"Sec-Fetch-Dest: document", b"Sec-Fetch-Dest: empty"
FRAME, PICTURE = b"Sec-Fetch-Dest: iframe", b"Sec-Fetch-Dest: image"


class Misfit:
    """An application that leads on whatever the password. `mine`: what its page for signed-in people answers, None
    where it never does. `failed`: the forms that came; `checked`: how often that page was asked for."""

    def __init__(self, mine: FormResponse | None = TO_FORM) -> None:
        self.mine = mine
        self.failed = self.checked = 0

    async def send(self, app: Any, host: str, fixed: Any, request: FormRequest) -> FormResponse:
        await asyncio.sleep(0)
        if request.body is not None:
            self.failed += 1
            return IN
        if request.target == "/login":
            return FormResponse(200, PAGE)
        self.checked += 1
        return await asyncio.Future() if self.mine is None else self.mine


class KeptBySeat:
    """What the store keeps, as the service asks for it."""

    def __init__(self) -> None:
        self.sessions: dict[str, ApplicationSession] = {}

    async def read(self, seat: Seat, app: str) -> ApplicationSession | None:
        return self.sessions.get(seat.session_id)

    async def keep(self, seat: Seat, app: str, session: ApplicationSession) -> None:
        self.sessions[seat.session_id] = session


def logins_of(there: Misfit, store: MemoryStore | None = None, kept: KeptBySeat | None = None) -> FormLogins:
    return form_logins(there, store=store, kept=kept or KeptBySeat())


def somebody(number: int) -> Seat:
    """One of those who share the account of Helene."""
    return seat("permis.localhost", identity(uid="helene"), b"%04d" % number)


def person(number: int) -> Seat:
    """Each with an account of their own."""
    return seat("permis.localhost", identity(uid=f"p{number}"), b"%04d" % number)


async def signed_in(logins: FormLogins, app: Any, who: Seat) -> Code | None:
    try:
        await logins.session(app, who, Prepared(b"", b""), None)
    except GatewayError as error:
        return error.code
    return None


async def test_ten_people_of_one_account_at_one_moment_are_three_tries() -> None:
    there, kept = Misfit(), KeptBySeat()
    logins, app = logins_of(there, kept=kept), permis(CHECK)
    codes = await asyncio.gather(*(signed_in(logins, app, somebody(number)) for number in range(10)))
    assert sorted(code.id for code in codes if code) == ["form_login.loop"] * 3 + ["form_login.tries"] * 7
    assert (there.failed, there.checked, kept.sessions) == (3, 3, {})
    assert await signed_in(logins, app, somebody(11)) is form_login_codes.TRIES


@pytest.mark.parametrize(
    ("mine", "code"),
    [
        (TO_FORM, form_login_codes.LOOP),
        (FormResponse(200, PAGE), form_login_codes.LOOP),
        (FormResponse(500), form_login_codes.ANSWER),
        # Nobody reads whether the form is in it.
        (FormResponse(200, b""), form_login_codes.ANSWER),
        (LARGE, form_login_codes.ANSWER),
        (FormResponse(302, location="https://evil.example/"), form_login_codes.ELSEWHERE),
        (FormResponse(302, location="/charte"), form_login_codes.ELSEWHERE),
    ],
)
@pytest.mark.parametrize("more", ["", "  cleared_by_success: true\n"])
async def test_whatever_the_check_says_instead_is_a_try_that_failed(mine: FormResponse, code: Code, more: str) -> None:
    there = Misfit(mine)
    logins, app = logins_of(there), permis(CHECK + more)
    codes = [await signed_in(logins, app, somebody(number)) for number in range(6)]
    assert codes == [code] * 3 + [form_login_codes.TRIES] * 3
    assert there.failed == 3


async def test_who_sends_a_form_waits_for_nobody_else_before_it_is_checked() -> None:
    """With many people at once at a slow application, the check waited behind the sign-ins of others until it was too
    late: a form that was accepted counted as failed."""
    there, app = Misfit(None), permis(CHECK)
    logins = logins_of(there)
    waiting = [asyncio.create_task(signed_in(logins, app, person(number))) for number in range(2 * AT_ONCE)]
    await until(lambda: there.checked == AT_ONCE)
    for _ in range(100):
        await asyncio.sleep(0)
    assert (there.failed, there.checked) == (AT_ONCE, AT_ONCE)
    there.mine = MINE
    for task in waiting[:AT_ONCE]:
        task.cancel()
    assert await asyncio.gather(*waiting[AT_ONCE:]) == [None] * AT_ONCE


async def test_who_waits_for_others_too_long_has_tried_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.federation.form_logins.WITHIN", 0.01)
    there, app = Misfit(None), permis(CHECK)
    logins = logins_of(there)
    waiting = [asyncio.create_task(signed_in(logins, app, person(number))) for number in range(AT_ONCE)]
    await until(lambda: there.checked == AT_ONCE)
    late = [await signed_in(logins, app, person(AT_ONCE)) for _ in range(4)]
    assert late == [form_login_codes.UNANSWERED] * 4
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    there.mine = MINE
    assert await signed_in(logins, app, person(AT_ONCE)) is None


async def test_so_is_one_that_never_answers_and_whose_people_have_gone() -> None:
    there, app = Misfit(None), permis(CHECK)
    logins = logins_of(there)
    for number in range(3):
        waits = asyncio.create_task(signed_in(logins, app, somebody(number)))
        await until(lambda number=number: there.checked > number)  # type: ignore[misc]
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
    assert await signed_in(logins, app, somebody(4)) is form_login_codes.TRIES
    assert there.failed == 3


async def test_sign_ins_that_the_check_confirms_count_for_nothing() -> None:
    there, kept = Misfit(MINE), KeptBySeat()
    logins, app = logins_of(there, kept=kept), permis(CHECK)
    codes = await asyncio.gather(*(signed_in(logins, app, somebody(number)) for number in range(10)))
    assert codes == [None] * 10
    assert (there.failed, there.checked, len(kept.sessions)) == (10, 10, 10)


class CountingStore(MemoryStore):
    """`calls`: how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    async def perform(self, *args: Any) -> bool:
        self.calls += 1
        return await super().perform(*args)

    async def mark(self, *args: Any) -> int:
        self.calls += 1
        return await super().mark(*args)


async def test_a_check_asks_the_store_for_nothing() -> None:
    calls = []
    for more in ("", CHECK):
        store = CountingStore()
        logins, app = logins_of(Misfit(MINE), store), permis(more)
        await signed_in(logins, app, somebody(1))
        first, store.calls = store.calls, 0
        await signed_in(logins, app, somebody(2))
        calls.append((first, store.calls))
    assert calls[0] == calls[1]


# --- behind a gateway


async def asked(there: Misfit, more: str, kinds: tuple[bytes, ...], *, at_once: bool) -> list[str]:
    """What people of one account are answered, each at their first request: the application leads all of them to its
    form, for nobody is signed in there."""
    prepare = prepared_by(logins_of(there))
    over = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
    async with (
        application(then=over) as app,
        gateway(
            app, app=UNCHECKED + EXPIRED + more, secrets={"file:grr": b"s"}, prepare=prepare, preparation=prepare
        ) as gate,
    ):

        async def one(number: int, kind: bytes) -> str:
            cookie = gate.sign_in(b"%04dabcdefghijklmnopqr.%043d" % (number, number), uid="helene")
            page = await gate.once(ask(b"GET /a", kind, cookie))
            return page.body.split()[0].decode() if page.status >= 500 else str(page.status)

        works: list[Callable[[], Any]] = [lambda n=n, k=k: one(n, k) for n, k in enumerate(kinds)]  # type: ignore[misc]
        if at_once:
            return sorted(await asyncio.gather(*(work() for work in works)))
        return [await work() for work in works]


@pytest.mark.parametrize("kind", [SCRIPT, FRAME, PICTURE, NAVIGATION])
async def test_what_a_page_needs_is_looked_at_as_the_page_is(kind: bytes) -> None:
    there = Misfit()
    said = await asked(there, CHECK, (kind,) * 6, at_once=False)
    assert said == ["form_login.loop"] * 3 + ["form_login.tries"] * 3
    assert there.failed == 3


async def test_ten_of_all_kinds_at_one_moment_are_three_tries() -> None:
    there = Misfit()
    kinds = (NAVIGATION, SCRIPT, FRAME, PICTURE, NAVIGATION, SCRIPT, FRAME, PICTURE, NAVIGATION, SCRIPT)
    assert await asked(there, CHECK, kinds, at_once=True) == ["form_login.loop"] * 3 + ["form_login.tries"] * 7
    assert there.failed == 3


async def test_without_a_check_and_with_one_that_everybody_sees_only_pages_are_looked_at() -> None:
    """What the how-to says of it: EC365 of lint tells the one, `ecluse doctor app` the other."""
    for there, more in ((Misfit(), ""), (Misfit(MINE), CHECK)):
        assert await asked(there, more, (SCRIPT,) * 6, at_once=False) == ["302"] * 6
        assert there.failed == 6
