"""Sign-ins at an application's form: what is counted of an account, however its login is written."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.federation.form_logins import FormLogins
from gateway.formlogin.walk import FormRequest, FormResponse
from gateway.model.codes import FORM_LOGIN_REFUSED, FORM_LOGIN_TRIES
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
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


async def test_however_a_login_is_written_its_account_is_left_alone_after_three_tries() -> None:
    app = sample_snapshot(
        {"apps/permis.yaml": PERMIS.replace("access:", f"{FORM}access:")}, {"file:grr": b"secret"}
    ).apps["permis"]
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


async def test_who_signs_in_with_a_login_of_their_own_has_no_more_tries_at_another_that_looks_like_it() -> None:
    app = sample_snapshot(
        {"apps/permis.yaml": PERMIS.replace("access:", f"{FORM}access:")}, {"file:grr": b"secret"}
    ).apps["permis"]
    there, codes = Refusing(), []
    logins = form_logins(there)
    for number in range(6):
        await logins.proven(app, "permis.localhost", Credential("hélène", "right"))
        with pytest.raises(GatewayError) as refused:
            await logins.proven(app, "permis.localhost", Credential("helene", f"wrong-{number}"))
        codes.append(refused.value.code)
    # Of the three that all these logins have together the first success took one.
    assert codes == [FORM_LOGIN_REFUSED] * 2 + [FORM_LOGIN_TRIES] * 4


async def test_a_password_that_is_refused_is_sent_three_times_in_all_until_it_is_another_one() -> None:
    """An application that locks at the fifth wrong one, however far apart they come, locks nobody."""
    app = sample_snapshot(
        {"apps/permis.yaml": PERMIS.replace("access:", f"{FORM}access:")}, {"file:grr": b"secret"}
    ).apps["permis"]
    there, clock = Refusing(), Clock()
    logins = form_logins(there, clock.now)
    for _ in range(10):
        with pytest.raises(GatewayError) as refused:
            await logins.proven(app, "permis.localhost", Credential("helene", "changed"))
        assert refused.value.code is FORM_LOGIN_REFUSED
        clock.pass_by(3601)
    assert len(there.sent) == 3
    await logins.proven(app, "permis.localhost", Credential("helene", "right"))
