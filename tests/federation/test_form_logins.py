"""Sign-ins at an application's form: what is counted of an account, however its login is written."""

import time
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from gateway.access.preparation import Preparation
from gateway.federation.form_logins import FormLogins, TrustedAccounts
from gateway.formlogin.spec import ApplicationSession
from gateway.formlogin.walk import FormRequest, FormResponse
from gateway.model.codes import form_login_codes
from gateway.model.credential import Credential
from gateway.model.errors import Code, GatewayError
from gateway.stores.applications.login_tries import LoginTries
from gateway.stores.memory import MemoryStore
from gateway.stores.tickets.tickets import unix_now
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway
from tests.stores.samples import KEYS, Clock

FORM = """\
form_login:
  trusted: {from: uid, secret: {file: grr}}
  steps: [{page: /login, fields: {user: login, password: secret}}]
  signed_in: [{location: /}]
  cookies: [S]
"""
PAGE = b'<form method="post" action="/login"><input name="user"><input name="password" type="password"></form>'
# One account to MySQL's usual collations, or to a directory.
WRITTEN = (
    "helene",
    "Helene",
    "HELENE",
    "hélène",
    "he\u0301lene",
    "\uff48elene",
    "hele ne",
    "helene\u0301",
    "helene\ufe0f",
)


class Refusing:
    """An application that refuses every password but one, and says so by its form. `sent`: the forms that came."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def send(self, app: Any, host: str, fixed: Any, request: FormRequest) -> FormResponse:
        if request.body is None:
            return FormResponse(200, PAGE)
        self.sent.append(request.body)
        if request.body.endswith(b"right"):
            return FormResponse(302, location="/", set_cookies=(b"S=1",))
        return FormResponse(200, PAGE)


class Counters:
    def add(self, *series: str) -> None:
        """Not looked at."""


async def in_thread(work: Callable[[], Any]) -> Any:
    return work()


class Kept:
    """What the store keeps, as the service asks for it."""

    def __init__(self) -> None:
        self.session: ApplicationSession | None = None

    async def read(self, seat: Any, app: str) -> ApplicationSession | None:
        return self.session

    async def keep(self, seat: Any, app: str, session: ApplicationSession) -> None:
        self.session = session


def form_logins(
    there: Any, now: Callable[[], int] = unix_now, *, store: MemoryStore | None = None, kept: Any = None
) -> FormLogins:
    return FormLogins(
        source=lambda app: TrustedAccounts(app, app.form_login.trusted),  # type: ignore[arg-type,union-attr]
        exchange=there,
        kept=kept or Kept(),
        tries=LoginTries(store or MemoryStore(), KEYS, now=now),
        in_thread=in_thread,
        counters=Counters(),  # type: ignore[arg-type]
        wall=lambda: 0.0,
    )


def prepared_by(forms: FormLogins) -> Preparation:
    return Preparation(keys=tuple, in_thread=in_thread, chance=bytes, wall=time.time, monotonic=monotonic, forms=forms)


def permis(more: str = "", name: str = "permis", port: int = 9001) -> Any:
    file = PERMIS.replace("permis", name).replace(":9001", f":{port}").replace("access:", f"{FORM}{more}access:")
    return sample_snapshot({f"apps/{name}.yaml": file}, {"file:grr": b"secret"}).apps[name]


async def proven(logins: FormLogins, app: Any, login: str, secret: str) -> Code | None:
    try:
        await logins.proven(app, app.hosts[0], Credential(login, secret))
    except GatewayError as error:
        return error.code
    return None


async def test_however_a_login_is_written_its_account_is_left_alone_after_three_tries() -> None:
    app = permis()
    there, codes = Refusing(), []
    logins = form_logins(there)
    for number, login in enumerate(WRITTEN):
        with pytest.raises(GatewayError) as refused:
            await logins.proven(app, "permis.localhost", Credential(login, f"wrong-{number}"))
        codes.append(refused.value.code)
    assert codes == [form_login_codes.REFUSED] * 3 + [form_login_codes.TRIES] * (len(WRITTEN) - 3)
    assert len(there.sent) == 3
    await logins.proven(app, "permis.localhost", Credential("paul", "right"))
    assert b"user=paul" in there.sent[-1]


async def test_no_success_gives_another_try_at_the_account() -> None:
    """Nor at another one that looks like it: whoever has one of the two would have locked the other."""
    there, codes = Refusing(), []
    logins, app = form_logins(there), permis()
    for number in range(5):
        codes.append(await proven(logins, app, "hélène", "right"))
        codes.append(await proven(logins, app, "helene", f"wrong-{number}"))
    assert codes == [None, form_login_codes.REFUSED] * 3 + [form_login_codes.TRIES] * 4


@pytest.mark.parametrize(("apart", "sent"), [("", 3), ("domain", 7), ("domain, case", 8)])
async def test_names_of_one_account_are_counted_together_unless_the_file_tells_them_apart(
    apart: str, sent: int
) -> None:
    there = Refusing()
    logins, app = form_logins(there), permis(f"  counted_apart: [{apart}]\n")
    for number in range(2):
        for name in ("helene", "helene@ville.example", "VILLE\\helene", "Helene"):
            await proven(logins, app, name, f"wrong-{number}")
    assert len(there.sent) == sent


async def test_files_that_send_the_secret_to_one_address_count_together() -> None:
    there = Refusing()
    logins, apps = form_logins(there), [permis(), permis(name="admin"), permis(name="other", port=9002)]
    codes = [await proven(logins, app, "helene", f"{app.name}-{number}") for number in range(2) for app in apps]
    assert codes == [form_login_codes.REFUSED] * 4 + [form_login_codes.TRIES, form_login_codes.REFUSED]


async def test_files_with_one_name_for_their_accounts_count_together_wherever_they_sign_in() -> None:
    there, named = Refusing(), "  counted_with: annuaire\n"
    logins, apps = form_logins(there), [permis(named), permis(named, "other", 9002), permis("", "rh", 9003)]
    codes = [await proven(logins, app, "helene", f"{app.name}-{number}") for number in range(2) for app in apps]
    assert codes == [form_login_codes.REFUSED] * 4 + [form_login_codes.TRIES, form_login_codes.REFUSED]


async def test_where_a_success_clears_the_applications_count_it_clears_ours() -> None:
    there = Refusing()
    logins, app = form_logins(there), permis("  cleared_by_success: true\n")
    codes = []
    for number in range(6):
        codes.append(await proven(logins, app, "helene", f"wrong-{number}"))
        codes.append(await proven(logins, app, "helene", f"other-{number}"))
        codes.append(await proven(logins, app, "helene", "right"))
    assert codes == [form_login_codes.REFUSED, form_login_codes.REFUSED, None] * 6


async def test_a_password_that_is_refused_is_sent_three_times_in_all_however_the_login_is_written() -> None:
    there, clock = Refusing(), Clock()
    logins, app = form_logins(there, clock.now), permis()
    for login in WRITTEN:
        for _ in range(3):
            assert await proven(logins, app, login, "changed") is form_login_codes.REFUSED
            clock.pass_by(3661)
    assert len(there.sent) == 3


async def test_a_password_that_is_refused_is_sent_three_times_in_all_until_it_is_another_one() -> None:
    """An application that locks at the fifth wrong one, however far apart they come, locks nobody."""
    app = permis()
    there, clock = Refusing(), Clock()
    logins = form_logins(there, clock.now)
    for _ in range(10):
        with pytest.raises(GatewayError) as refused:
            await logins.proven(app, "permis.localhost", Credential("helene", "changed"))
        assert refused.value.code is form_login_codes.REFUSED
        clock.pass_by(3601)
    assert len(there.sent) == 3
    await logins.proven(app, "permis.localhost", Credential("helene", "right"))


EXPIRED = "  expired: [{location: /login}, {marker: Log in}]\n"
TO_LOGIN = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n"
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NAVIGATES = b"Sec-Fetch-Dest: document"


async def shown(pages: int, answers: tuple[bytes, ...], then: bytes, more: str = "", line: bytes = b"GET /a") -> Any:
    """The forms that an application gets that takes no password and leads on like one that does, and the pages of
    somebody who asks for so many."""
    there, found = Refusing(), []
    prepare = prepared_by(form_logins(there))
    secrets, length = {"file:grr": b"right"}, (b"Content-Length: 0",) if line.startswith(b"POST") else ()
    async with (
        application(*answers, then=then) as app,
        gateway(app, app=FORM + EXPIRED + more, secrets=secrets, prepare=prepare, preparation=prepare) as gate,
    ):
        cookie = gate.sign_in(uid="helene")
        for _ in range(pages):
            page = await gate.once(ask(line, NAVIGATES, cookie, *length))
            found.append(page.body.split()[0].decode() if page.status >= 500 else str(page.status))
    return len(there.sent), found


@pytest.mark.parametrize("more", ["", "  cleared_by_success: true\n"])
@pytest.mark.parametrize(
    "says",
    [
        TO_LOGIN + b"\r\n",
        TO_LOGIN + b"Set-Cookie: S=; Max-Age=0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nLog in",
    ],
)
async def test_a_session_that_ends_as_it_begins_is_a_try_that_failed(says: bytes, more: str) -> None:
    """It may be a refusal in words that the file does not have."""
    sent, pages = await shown(6, (), says, more)
    assert sent == 3
    assert pages == ["form_login.loop"] + ["form_login.tries"] * 5


async def test_so_it_is_where_forms_are_sent_alone() -> None:
    sent, pages = await shown(6, (), TO_LOGIN + b"\r\n", line=b"POST /a")
    assert sent == 3
    assert pages == ["302"] * 3 + ["form_login.tries"] * 3


async def test_a_session_that_ends_later_is_none() -> None:
    sent, pages = await shown(12, (FINE, TO_LOGIN + b"\r\n") * 12, FINE)
    assert sent == 12
    assert pages == ["200"] * 12
