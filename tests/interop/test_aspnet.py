"""ASP.NET in Mono: a page knows a person by a header, and by a ticket that a reader in C# opens."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from gateway.tokens.aspnet import aspnet_ticket
from tests.interop.installation import App, Installation, direct, installed
from tests.interop.servers import aspnet
from tests.tokens.aspnet_reader import HASHES, Keys
from tests.tokens.test_aspnet import RECORDED, spec
from tests.tokens.test_making import HELENE, NOW

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

KEYS = Keys("Framework45", "HMACSHA256", "7B" * 64, "4D" * 32)
NAME = "Hélène Lebœuf-Müller"
FORGED = ("X-Remote-User", "X_Remote_User", "x.remote.user", "X-Groups", "X_Groups")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    (port,), folder = free(1), tmp_path_factory.mktemp("aspnet")
    for name, key in (("validation", KEYS.validation_key), ("decryption", KEYS.decryption_key)):
        (folder / name).write_text(key)
    ticket = (
        "{account: {from: uid}, user_data: {from: family_name}, compatibility: Framework45, validation: HMACSHA256, "
        f"validation_key: {{file: {folder}/validation}}, decryption_key: {{file: {folder}/decryption}}}}"
    )
    headers = '{X-Remote-User: {template: "Hélène {family_name}"}, X-Groups: {from: groups, join: ";"}}'
    lines = {"translate": f"{{headers: {headers}, aspnet_ticket: {ticket}}}"}
    with aspnet(folder, port):
        yield App("permis", port, lines)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(site: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(tmp_path_factory.mktemp("here"), [site]) as installation:
        yield installation


def digits(text: str) -> str:
    return text.encode().hex().upper()


def told(body: bytes) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in body.decode().splitlines() if line)  # type: ignore[misc]


def asked(keys: Keys, now: float) -> tuple[str, str]:
    return "Ticket-Keys", f"{keys.validation} {keys.validation_key} {keys.decryption_key} {int(now)}"


async def test_user_is_the_person_of_the_header(here: Installation, site: App) -> None:
    """deploy/readers/EcluseHeaderModule.cs, in a page of its own under System.Web, whatever a client says."""
    helene, keys = await here.signed_in(site), asked(KEYS, time.time())
    for forged in FORGED:
        found = told((await helene.step("GET", here.url(site, "/x"), [(forged, "root"), keys])).body)
        assert bytes.fromhex(found["name"]).decode() == NAME
        assert (found["signed_in"], found["roles"]) == ("True", "True False")
        page = await here.person().step("GET", here.url(site, "/public/x"), [(forged, "root")])
        assert told(page.body) == {"name": "", "signed_in": "False", "roles": "False False"}


async def test_a_ticket_of_the_gateway_is_opened(here: Installation, site: App) -> None:
    """deploy/readers/EcluseFormsTicket.cs: no other ticket comes from a browser."""
    helene, forged = await here.signed_in(site), ("Cookie", f".ASPXAUTH={RECORDED['Framework45'][1]}")
    page = await helene.step("GET", here.url(site, "/x"), [asked(KEYS, time.time()), forged])
    assert told(page.body)["ticket"] == f"{digits('helene')} {digits('Lebœuf-Müller')} /"
    nobody = await here.person().step("GET", here.url(site, "/public/x"), [asked(KEYS, time.time()), forged])
    assert "ticket" not in told(nobody.body)


async def opened(site: App, cookie: str, keys: Keys, now: float = NOW) -> str:
    answer = await direct(site.port, "/", [("Cookie", f".ASPXAUTH={cookie}"), asked(keys, now)])
    return told(bytes(answer.body))["ticket"]


def made(keys: Keys = KEYS, life: int = 300) -> str:
    return aspnet_ticket(spec(keys), HELENE, issued=int(NOW), ends=int(NOW) + life, chance=bytes(range(32))).decode()


@pytest.mark.parametrize("validation", HASHES)
@pytest.mark.parametrize("size", [16, 24, 32])
async def test_the_reader_takes_every_hash_and_size_of_key(site: App, validation: str, size: int) -> None:
    keys = Keys("Framework45", validation, "AB" * 64, "0C" * size)
    assert await opened(site, made(keys), keys) == f"{digits('helene')}  /"


async def test_the_reader_opens_what_the_framework_has_written(site: App) -> None:
    keys, cookie, (name, user_data) = RECORDED["Framework45"]
    assert await opened(site, cookie, keys, 0) == f"{digits(name)} {digits(user_data)} /"


async def test_the_reader_refuses_all_else(site: App) -> None:
    cookie, signed_by_another = made(), "refused: another key signed it, or nobody"
    for changed in (
        cookie[:-1] + ("0" if cookie[-1] != "0" else "1"),
        ("0" if cookie[0] != "0" else "1") + cookie[1:],
        cookie[:-64],
        cookie[64:],
        "00" * 31,
        "",
    ):
        assert await opened(site, changed, KEYS) == signed_by_another, changed
    assert await opened(site, cookie, KEYS._replace(validation_key="AB" * 64)) == signed_by_another
    assert await opened(site, made(KEYS._replace(compatibility="Framework20SP2")), KEYS) == signed_by_another
    assert (await opened(site, cookie, KEYS._replace(decryption_key="AB" * 32))).startswith("refused: ")
    for text in (cookie[:-1], cookie + "zz", "é"):
        assert await opened(site, text, KEYS) == "refused: not hexadecimal digits"
    assert await opened(site, cookie, KEYS, NOW + 299) == f"{digits('helene')}  /"
    assert await opened(site, cookie, KEYS, NOW + 300) == "refused: past its end"
