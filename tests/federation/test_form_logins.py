"""Sign-ins at an application's form: what is counted of an account, however its login is written."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.federation.form_logins import FormLogins
from gateway.formlogin.walk import FormRequest, FormResponse
from gateway.model.codes import FORM_LOGIN_REFUSED, FORM_LOGIN_TRIES
from gateway.model.credential import Credential
from gateway.model.errors import Code, GatewayError
from gateway.stores.login_tries import LoginTries
from gateway.stores.memory import MemoryStore
from gateway.stores.tickets import unix_now
from tests.config.samples import PERMIS, sample_snapshot
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


def form_logins(there: Refusing, now: Callable[[], int] = unix_now) -> FormLogins:
    nobody: Any = None
    return FormLogins(
        source=nobody,
        exchange=there,  # type: ignore[arg-type]
        kept=nobody,
        tries=LoginTries(MemoryStore(), KEYS, now=now),
        in_thread=in_thread,
        counters=Counters(),  # type: ignore[arg-type]
        wall=lambda: 0.0,
    )


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
    assert codes == [FORM_LOGIN_REFUSED] * 3 + [FORM_LOGIN_TRIES] * (len(WRITTEN) - 3)
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
    assert codes == [None, FORM_LOGIN_REFUSED] * 3 + [FORM_LOGIN_TRIES] * 4


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
    assert codes == [FORM_LOGIN_REFUSED] * 4 + [FORM_LOGIN_TRIES, FORM_LOGIN_REFUSED]


async def test_files_with_one_name_for_their_accounts_count_together_wherever_they_sign_in() -> None:
    there, named = Refusing(), "  counted_with: annuaire\n"
    logins, apps = form_logins(there), [permis(named), permis(named, "other", 9002), permis("", "rh", 9003)]
    codes = [await proven(logins, app, "helene", f"{app.name}-{number}") for number in range(2) for app in apps]
    assert codes == [FORM_LOGIN_REFUSED] * 4 + [FORM_LOGIN_TRIES, FORM_LOGIN_REFUSED]


async def test_where_a_success_clears_the_applications_count_it_clears_ours() -> None:
    there = Refusing()
    logins, app = form_logins(there), permis("  cleared_by_success: true\n")
    codes = []
    for number in range(6):
        codes.append(await proven(logins, app, "helene", f"wrong-{number}"))
        codes.append(await proven(logins, app, "helene", f"other-{number}"))
        codes.append(await proven(logins, app, "helene", "right"))
    assert codes == [FORM_LOGIN_REFUSED, FORM_LOGIN_REFUSED, None] * 6


async def test_a_password_that_is_refused_is_sent_three_times_in_all_however_the_login_is_written() -> None:
    there, clock = Refusing(), Clock()
    logins, app = form_logins(there, clock.now), permis()
    for login in WRITTEN:
        for _ in range(3):
            assert await proven(logins, app, login, "changed") is FORM_LOGIN_REFUSED
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
        assert refused.value.code is FORM_LOGIN_REFUSED
        clock.pass_by(3601)
    assert len(there.sent) == 3
    await logins.proven(app, "permis.localhost", Credential("helene", "right"))
