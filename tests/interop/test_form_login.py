"""An application in PHP that has nothing but a login form: who is signed in at the gateway is signed in there."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from deploy.demo.ports import free
from gateway.access.preparation import Preparation
from gateway.federation.applications import Applications
from gateway.federation.form_exchange import FormExchange
from gateway.federation.form_logins import FormLogins, TrustedAccounts
from gateway.formlogin.spec import ApplicationSession
from gateway.model.codes.table import all_codes
from gateway.model.session import Seat
from gateway.stores.applications.login_tries import LoginTries
from gateway.stores.memory import MemoryStore
from tests.interop.servers import HERE, php
from tests.patience import PATIENCE
from tests.proxy.gateways import Answer, Gateway, ask, gateway

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[2]

SECRET = "un secret de GRR"
FORM = """\
form_login:
  trusted: {from: uid, secret: {file: grr}}
  steps:
    - page: /login.php
      fields: {user: login, password: secret, csrf: page}
      values: {go: "1"}
  signed_in: [{location: /index.php}]
  expired: [{location: /login.php}, {marker: "Votre session a expir&eacute;"}]
  cookies: [GRRSESSID]
"""
PAGE = b"Sec-Fetch-Dest: document"


class Kept:
    """What the store keeps, as the service asks for it."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], ApplicationSession] = {}

    async def read(self, seat: Seat, app: str) -> ApplicationSession | None:
        return self.sessions.get((seat.session_id, app))

    async def keep(self, seat: Seat, app: str, session: ApplicationSession) -> None:
        self.sessions[seat.session_id, app] = session


class Grr:
    """The application behind its gateway. `seen`: what it noted."""

    def __init__(self, folder: Path, gate: Gateway) -> None:
        self.folder = folder
        self.gate = gate
        self.cookie = gate.sign_in(uid="helene")

    def is_now(self, mood: str) -> None:
        (self.folder / "mood").write_text(mood)

    def password(self, text: str) -> None:
        (self.folder / "password").write_text(text)

    def ends_its_sessions(self) -> None:
        for session in self.folder.glob("sess_*"):
            session.unlink()

    def comes_back(self) -> None:
        """Later: what failed is not remembered for the seat any more."""
        for seat in self.gate.sessions.hot.values():
            seat.application = None

    @property
    def seen(self) -> list[str]:
        noted = self.folder / "seen"
        return noted.read_text().splitlines() if noted.exists() else []

    @property
    def logins(self) -> int:
        return sum(line.startswith("login ") for line in self.seen)

    async def get(self, target: str, *lines: bytes) -> Answer:
        return await self.gate.once(ask(b"GET " + target.encode(), PAGE, self.cookie, *lines))


@asynccontextmanager
async def grr(folder: Path, form: str = FORM, within: float = PATIENCE) -> AsyncIterator[Grr]:
    """`within`: seconds that a login may take."""
    (port,) = free(1)
    (folder / "password").write_text(SECRET)
    with php(folder, port, HERE / "php/form.php"):
        async with signing_in(within, port=port, app=form) as gate:
            yield Grr(folder, gate)


@asynccontextmanager
async def signing_in(
    within: float = PATIENCE, secret: str = SECRET, port: int = 0, **more: Any
) -> AsyncIterator[Gateway]:
    """A gateway that signs people in. `within`, `secret`: as a login may take, and as it is sent. `more`: as for
    tests.proxy.gateways.gateway."""
    loop = asyncio.get_running_loop()
    applications = Applications(lambda address, port: False)
    with ThreadPoolExecutor(1) as thread:

        def in_thread(work: Any) -> Any:
            return loop.run_in_executor(thread, work)

        counted: Any = None
        forms = FormLogins(
            source=lambda app: TrustedAccounts(app, app.form_login.trusted),  # type: ignore[arg-type,union-attr]
            exchange=FormExchange(applications.connected, within=within),
            kept=Kept(),
            tries=LoginTries(MemoryStore(), [("k1", b"0123456789abcdef0123456789abcdef")]),
            in_thread=in_thread,
            counters=_Late(lambda: counted),
            wall=time.time,
        )
        prepare = Preparation(
            keys=tuple, in_thread=in_thread, chance=bytes, wall=time.time, monotonic=monotonic, forms=forms
        )
        async with gateway(
            port,
            secrets={"file:grr": secret.encode(), "file:../secrets/grr": SECRET.encode()},
            prepare=prepare,
            preparation=prepare,
            **more,
        ) as gate:
            counted = gate.counters
            yield gate
    await applications.close()


class _Late:
    """The counters of a gateway that is not there yet."""

    def __init__(self, counters: Any) -> None:
        self._counters = counters

    def add(self, *series: str) -> None:
        self._counters().add(*series)


async def test_a_person_is_signed_in_at_first_need_and_once(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        for _ in range(3):
            page = await app.get("/agenda")
            assert (page.status, b"Bonjour helene" in page.body) == (200, True)
            assert page.values(b"Set-Cookie") == []
        assert app.seen == ["form", "login helene 1", *["GET /agenda helene"] * 3]


async def test_no_cookie_of_the_session_comes_from_a_browser_or_reaches_one(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        forged = await app.gate.once(
            ask(b"GET /agenda", PAGE, app.cookie + b"; GRRSESSID=forged; grr-sessid=forged; a=b")
        )
        assert (b"Bonjour helene" in forged.body, b"forged" in forged.body, b"a=b" in forged.body) == (
            True,
            False,
            True,
        )
        renewed = await app.get("/renew")
        assert (renewed.status, renewed.values(b"Set-Cookie")) == (200, [])
        assert b"Bonjour helene" in (await app.get("/agenda")).body
        assert app.logins == 1, "the new id is the session's from here on"


async def test_two_tabs_at_once_are_one_login(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        pages = await asyncio.gather(*(app.get(f"/agenda?tab={number}") for number in range(8)))
        assert all(b"Bonjour helene" in page.body for page in pages)
        assert app.logins == 1
        app.ends_its_sessions()
        pages = await asyncio.gather(*(app.get(f"/agenda?tab={number}") for number in range(8)))
        assert all(b"Bonjour helene" in page.body for page in pages)
        assert app.logins == 2


@pytest.mark.parametrize("target", ["/agenda", "/marked"])
async def test_after_its_session_has_ended_a_page_comes_signed_in(target: str, tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        assert b"Bonjour helene" in (await app.get(target)).body
        app.ends_its_sessions()
        page = await app.get(target)
        assert (page.status, b"Bonjour helene" in page.body) == (200, True)
        assert app.logins == 2


async def test_nothing_but_a_navigation_by_get_is_sent_again(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        await app.get("/agenda")
        app.ends_its_sessions()
        script = await app.gate.once(ask(b"GET /marked", app.cookie, b"Sec-Fetch-Dest: empty"))
        assert b"expir" in script.body
        sent = await app.gate.once(ask(b"POST /agenda", PAGE, app.cookie, b"Content-Length: 3", body=b"a=1"))
        assert (sent.status, sent.values(b"Location")) == (302, [b"/login.php?next=%2Fagenda"])
        assert app.logins == 1
        assert sum(line.startswith("POST /agenda") for line in app.seen) == 1


async def test_an_application_that_keeps_no_session_is_no_loop(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        await app.get("/agenda")
        app.is_now("forgets")
        page = await app.get("/agenda")
        assert (page.status, b"form_login.loop" in page.body) == (502, True)
        assert app.logins == 2
        app.is_now("")
        assert b"Bonjour helene" in (await app.get("/agenda")).body


async def test_a_changed_password_is_a_clear_page_and_is_sent_once(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        app.password("un autre")
        for _ in range(3):
            page = await app.get("/agenda")
            assert (page.status, b"form_login.refused" in page.body) == (403, True)
        app.comes_back()
        page = await app.get("/agenda")
        assert (page.status, b"form_login.refused" in page.body) == (403, True)
        assert app.logins == 1, "never an account is locked"
        assert all(SECRET not in str(line) for line in app.gate.log.events)


async def test_other_trouble_stops_before_the_account_is_locked(tmp_path: Path) -> None:
    async with grr(tmp_path) as app:
        app.is_now("fails")
        seen = []
        for _ in range(5):
            page = await app.get("/agenda")
            seen.append(page.status)
            app.comes_back()
        assert seen == [502, 502, 502, 503, 503]
        assert app.logins == 3
        app.is_now("")
        assert (await app.get("/agenda")).status == 503


@pytest.mark.parametrize(
    ("mood", "code", "logins"),
    [
        ("changed", b"form_login.form", 0),
        ("elsewhere", b"form_login.elsewhere", 0),
        ("scheme", b"form_login.elsewhere", 0),
        ("path", b"form_login.elsewhere", 0),
        ("base", b"form_login.elsewhere", 0),
        ("away", b"form_login.elsewhere", 0),
        ("huge", b"form_login.answer", 0),
        ("slow", b"form_login.unanswered", 0),
        ("fails", b"form_login.answer", 1),
        ("hangs", b"form_login.unanswered", 1),
        ("leads", b"form_login.elsewhere", 1),
    ],
)
async def test_each_trouble_has_its_code(mood: str, code: bytes, logins: int, tmp_path: Path) -> None:
    async with grr(tmp_path, within=2.0 if code == b"form_login.unanswered" else PATIENCE) as app:
        app.is_now(mood)
        page = await app.get("/agenda", b"Accept: application/json")
        assert code in page.body
        assert page.status >= 500
        assert app.logins == logins
        (line,) = app.gate.log.named("request.refused")
        assert line["detail"]
        assert SECRET not in str(app.gate.log.events)


async def test_browsers_have_the_session_too_where_the_file_says_so(tmp_path: Path) -> None:
    async with grr(tmp_path, FORM + "  keep: browser\n") as app:
        page = await app.get("/agenda")
        (line,) = page.values(b"Set-Cookie")
        assert line.endswith(b"; Path=/; HttpOnly; SameSite=Lax")
        theirs = line.partition(b";")[0]
        again = await app.gate.once(ask(b"GET /agenda", PAGE, app.cookie + b"; " + theirs))
        assert (b"Bonjour helene" in again.body, again.values(b"Set-Cookie")) == (True, [])
        renewed = await app.gate.once(ask(b"GET /renew", PAGE, app.cookie + b"; " + theirs))
        (anew,) = renewed.values(b"Set-Cookie")
        assert anew.startswith(b"GRRSESSID=")
        assert not anew.startswith(theirs)
        stale = await app.gate.once(ask(b"GET /api", app.cookie + b"; " + theirs))
        assert (stale.body, stale.values(b"Set-Cookie")[0].partition(b";")[0]) == (
            b'{"user":"helene"}', anew.partition(b";")[0]
        )  # fmt: skip
        app.ends_its_sessions()
        assert b"Bonjour helene" in (await app.get("/agenda")).body
        assert app.logins == 2


# --- what the how-to pages show

PAGES = ROOT / "docs/how-to/sign-people-in-at-a-login-form.md", ROOT / "docs/fr/connecter-a-un-formulaire.md"


def shown(page: Path) -> list[str]:
    """The files of a page."""
    return re.findall(r"(?ms)^```yaml\n(.*?)^```$", page.read_text())


def test_both_pages_show_the_same() -> None:
    english, french = (re.findall(r"(?ms)^```\w+\n.*?^```$", page.read_text()) for page in PAGES)
    assert english == french
    codes = [set(re.findall(r"`(form_login\.\w+)`", page.read_text())) for page in PAGES]
    assert codes == [{code.id for code in all_codes() if code.id.startswith("form_login.")}] * 2


@pytest.mark.parametrize("number", range(2))
async def test_a_file_that_the_pages_show_signs_in(number: int, tmp_path: Path) -> None:
    forms = shown(PAGES[0])
    assert len(forms) == 2
    async with grr(tmp_path, forms[number]) as app:
        for _ in range(2):
            assert b"Bonjour helene" in (await app.get("/agenda")).body
        assert app.logins == 1
        app.ends_its_sessions()
        assert b"Bonjour helene" in (await app.get("/agenda" if number == 0 else "/marked")).body
        assert app.logins == 2
