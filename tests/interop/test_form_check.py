"""An application in PHP that counts wrong passwords and locks an account at the fifth, and whose answer to the form is
the same for a wrong one as for a right one: with `check`, nothing that people do there locks anybody."""

import asyncio
from pathlib import Path

import pytest

from tests.interop.test_form_login import FORM, PAGE, SECRET, Grr, grr
from tests.patience import PATIENCE
from tests.proxy.gateways import Answer, ask

pytestmark = pytest.mark.service

CHECKED = FORM + "  check: /account.php\n"
SCRIPT, FRAME, PICTURE = (b"Sec-Fetch-Dest: " + kind for kind in (b"empty", b"iframe", b"image"))
TRIES, LOCKS_AT = 3, 5


def wrong(app: Grr) -> int:
    """Wrong passwords that the application has counted."""
    counted = app.folder / "wrong-helene"
    return int(counted.read_text()) if counted.exists() else 0


def takes_another_password(app: Grr) -> None:
    app.password("un autre")
    (app.folder / "misfit").touch()


async def somebody_asks(app: Grr, number: int, kind: bytes, target: str = "/agenda") -> Answer:
    """One of those who share the account of Helene, and have just come."""
    cookie = app.gate.sign_in(b"%04dabcdefghijklmnopqr.%043d" % (number, number), uid="helene")
    return await app.gate.once(ask(b"GET " + target.encode(), kind, cookie))


def code(answer: Answer) -> str:
    return answer.body.split()[0].decode() if answer.status >= 400 else str(answer.status)


async def test_a_sign_in_is_checked_once_and_its_cookies_are_the_sessions(tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED.replace("/account.php", "/renew")) as app:
        for _ in range(2):
            assert b"Bonjour helene" in (await app.get("/agenda")).body
        assert app.seen == ["form", "login helene 1", "GET /renew helene", *["GET /agenda helene"] * 2]


@pytest.mark.parametrize("kind", [PAGE, SCRIPT, FRAME, PICTURE])
async def test_whoever_needed_it_the_account_is_not_locked(kind: bytes, tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED) as app:
        takes_another_password(app)
        said = [code(await somebody_asks(app, number, kind)) for number in range(8)]
        assert said == ["form_login.loop"] * TRIES + ["form_login.tries"] * 5
        assert wrong(app) == TRIES


async def test_nor_by_ten_people_at_one_moment(tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED) as app:
        takes_another_password(app)
        kinds = (PAGE, SCRIPT, FRAME, PICTURE, PAGE, SCRIPT, FRAME, PICTURE, PAGE, SCRIPT)
        said = await asyncio.gather(*(somebody_asks(app, number, kind) for number, kind in enumerate(kinds)))
        assert sorted(map(code, said)) == ["form_login.loop"] * TRIES + ["form_login.tries"] * 7
        assert wrong(app) == TRIES


async def test_nor_by_a_form_that_somebody_sends(tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED) as app:
        takes_another_password(app)
        for _ in range(8):
            sent = ask(b"POST /agenda", PAGE, app.cookie, b"Content-Length: 3", body=b"a=1")
            assert (await app.gate.once(sent)).status >= 500
            app.comes_back()
        assert wrong(app) == TRIES
        assert not any(line.startswith("POST") for line in app.seen), "nothing goes there without a session"


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("account fails", "form_login.answer"),
        ("account hangs", "form_login.unanswered"),
        ("account leads", "form_login.elsewhere"),
        ("account leads away", "form_login.elsewhere"),
        ("forgets", "form_login.loop"),
    ],
)
@pytest.mark.parametrize("misfit", [True, False])
async def test_nor_where_the_page_is_in_trouble(mood: str, said: str, misfit: bool, tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED, within=2.0 if mood == "account hangs" else PATIENCE) as app:
        if misfit:
            takes_another_password(app)
        app.is_now(mood)
        first = await somebody_asks(app, 0, SCRIPT)
        assert code(first) == said
        # One that hangs is PHP's only process: it answers nobody else meanwhile, and is asked no more.
        for number in range(1, 2 if mood == "account hangs" else 8):
            assert code(await somebody_asks(app, number, SCRIPT)) in (said, "form_login.tries")
        assert app.logins <= 1 if mood == "account hangs" else app.logins == TRIES
        assert wrong(app) == (app.logins if misfit else 0)


async def test_an_account_that_is_right_again_is_signed_in_to(tmp_path: Path) -> None:
    async with grr(tmp_path, CHECKED) as app:
        takes_another_password(app)
        assert code(await somebody_asks(app, 0, SCRIPT)) == "form_login.loop"
        app.password(SECRET)
        assert code(await somebody_asks(app, 1, SCRIPT)) == "200"
        assert wrong(app) == 1


async def test_what_was_so_without_a_check(tmp_path: Path) -> None:
    """Each script sends the password once more: EC365 of lint says so."""
    async with grr(tmp_path) as app:
        takes_another_password(app)
        for number in range(LOCKS_AT):
            assert (await somebody_asks(app, number, SCRIPT)).status == 302
        assert wrong(app) == LOCKS_AT
