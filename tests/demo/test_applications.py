"""The two legacy applications, asked directly: what they receive is what their page shows."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.demo.place import LOOPBACK, ROOT, free_ports
from deploy.demo.processes import Child
from tests.browser_like import Person
from tests.patience import PATIENCE
from tests.smoke.pages import received

pytestmark = pytest.mark.slow

PERMIS = ROOT / "deploy/demo/permis"


async def serve(tmp_path: Path, command: list[str], port: int) -> AsyncIterator[str]:
    child = await Child.start("it", command, folder=ROOT, log=tmp_path / "it.log")
    try:
        async with asyncio.timeout(PATIENCE):
            while not await listens(port):
                assert child.status is None, child.tail()
                await asyncio.sleep(0.05)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        await child.stop(5)


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def permis(tmp_path: Path) -> AsyncIterator[str]:
    port = free_ports().permis
    async for origin in serve(tmp_path, ["php", "-S", f"{LOOPBACK}:{port}", str(PERMIS / "index.php")], port):
        yield origin


@pytest.fixture
async def subventions(tmp_path: Path) -> AsyncIterator[str]:
    port = free_ports().subventions
    async for origin in serve(tmp_path, [sys.executable, "-m", "deploy.demo.subventions", str(port)], port):
        yield origin


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    person = Person()
    yield person
    await person.close()


@pytest.mark.service
async def test_permis_shows_each_header_as_text_and_as_bytes(permis: str, person: Person) -> None:
    page = await person.open(f"{permis}/a/b?c=d", [("X-Remote-User", "helene"), ("ctln", "M\xfcller")])
    values = received(page)
    assert values["HTTP_X_REMOTE_USER"] == b"helene"
    assert values["HTTP_CTLN"] == b"M\xfcller"
    assert "Müller" in page.text
    assert values["REQUEST_URI"] == b"/a/b?c=d"


@pytest.mark.service
async def test_permis_reads_every_spelling_as_one_name(permis: str, person: Person) -> None:
    """Why the gateway drops them all."""
    page = await person.open(f"{permis}/", [("x_remote_user", "forged")])
    assert received(page)["HTTP_X_REMOTE_USER"] == b"forged"


@pytest.mark.service
async def test_permis_escapes_what_it_shows(permis: str, person: Person) -> None:
    page = await person.open(f"{permis}/", [("X-Remote-User", "<b>&'\"")])
    assert "<b>&" not in page.text
    assert received(page)["HTTP_X_REMOTE_USER"] == b"<b>&'\""


@pytest.mark.service
async def test_permis_receives_its_form(permis: str, person: Person) -> None:
    page = await person.open(f"{permis}/depot")
    answered = await person.submit(page, page.forms()[0], [("parcelle", "AB 12 é")])
    assert received(answered)["parcelle"] == "AB 12 é".encode()


@pytest.mark.service
async def test_permis_tries_to_set_the_cookies_of_the_gateway(permis: str, person: Person) -> None:
    page = await person.step("GET", f"{permis}/public/cookies")
    assert [line.partition("=")[0] for line in page.all("Set-Cookie")] == ["PERMIS", "__Host-ecluse", "__host-Ecluse-b"]


@pytest.mark.service
@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/public/", 200), ("/admin/", 200), ("/depot", 200), ("/nothing", 404)]
)
async def test_pages_of_permis(permis: str, person: Person, path: str, status: int) -> None:
    page = await person.open(permis + path)
    assert page.status == status
    assert f"{permis}/_ecluse/logout" in page.links()


async def test_subventions_shows_the_person_and_the_cookie(subventions: str, person: Person) -> None:
    page = await person.open(f"{subventions}/", [("Auth-User", "maire"), ("Cookie", "CTSESSION=present")])
    assert "Bonjour maire" in page.text
    assert "CTSESSION) : ouverte" in page.text
    assert received(page)["HTTP_COOKIE"] == b"CTSESSION=present"


async def test_subventions_greets_nobody_without_a_header(subventions: str, person: Person) -> None:
    page = await person.open(f"{subventions}/")
    assert "annoncé" in page.text
    assert "HTTP_AUTH_USER" not in received(page)
    assert "CTSESSION) : fermée" in page.text
