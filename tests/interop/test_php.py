"""PHP's own server, which makes one name of X-Remote-User, x_remote_user, X.Remote.User and more."""

import asyncio
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from tests.browser_like import Person
from tests.docs.blocks import blocks
from tests.interop.installation import App, Installation, direct, installed
from tests.interop.name_bytes import HEADERS, NAME, SENT
from tests.interop.servers import php
from tests.patience import PATIENCE

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]

MARK = "forged-by-a-client"
# What PHP's server takes for HTTP_X_REMOTE_USER, then what other servers do; and other names that say who calls.
ONE_NAME = ("X-Remote-User", "x-remote-user", "x_remote_user", "X_REMOTE_USER", "X.Remote.User", "X-Remote_User")
SPELLINGS = (
    *ONE_NAME, "X_Remote.User", "X!Remote!User", "X--Remote--User", "XRemoteUser", "X-Remote-User-", "ctln", "c_t.l-n",
    "REMOTE_USER", "Remote-User", "Auth-User", "Compte-Agent", "compte_agent", "Compte.Agent", "COMPTE_AGENT",
)  # fmt: skip
# Compte-Agent is on nobody's list of names to refuse: what is injected is refused whatever its name.
TRANSLATE = (
    "{headers: {X-Remote-User: {from: uid}, Compte-Agent: {from: uid},"
    f" ctln: {{from: family_name, encoding: latin1, unencodable: transliterate}}, {HEADERS}}}}}"
)
LARGE = 5_000_000
DOCS = Path(__file__).parents[2] / "docs"
PAGES = (DOCS / "how-to/applications-in-php.md", DOCS / "fr/applications-en-php.md")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    (port,) = free(1)
    with php(tmp_path_factory.mktemp("php"), port):
        yield App("php", port, {"translate": TRANSLATE, "limits": "{body: 100MB}"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here(app: App, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with installed(tmp_path_factory.mktemp("here"), [app]) as installation:
        yield installation


def headers_of(body: bytes) -> dict[str, bytes]:
    return {name: bytes.fromhex(value) for name, value in json.loads(body)["headers"].items()}


async def who(here: Installation, app: App, signed_in: bool) -> Person:
    return await here.signed_in(app, "paul") if signed_in else here.person()


async def test_the_page_asked_for_is_shown_after_the_sign_in_with_the_injected_headers(
    here: Installation, app: App
) -> None:
    page = await here.sign_in(here.person(), "helene", here.url(app, "/dossiers?annee=2024&nom=L%C3%A9a"))
    assert page.status == 200
    assert page.json()["target"] == "/dossiers?annee=2024&nom=L%C3%A9a"
    told = headers_of(page.body)
    assert told["HTTP_X_REMOTE_USER"] == b"helene"
    assert told["HTTP_CTLN"] == "Leboeuf-Müller".encode("latin-1")
    assert "HTTP_COOKIE" not in told
    other = await (await here.signed_in(app, "paul")).step("GET", here.url(app))
    assert "HTTP_CTLN" not in headers_of(other.body)


async def test_a_name_arrives_in_each_encoding_byte_by_byte(here: Installation, app: App) -> None:
    told = headers_of((await (await here.signed_in(app)).step("GET", here.url(app))).body)
    assert {encoding: told[f"HTTP_NOM_{encoding.upper().replace('-', '_')}"] for encoding in SENT} == SENT


def _printed(script: str) -> str:
    return subprocess.run(["php", "-r", script], capture_output=True, check=True, timeout=PATIENCE).stdout.decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
async def test_what_the_page_has_php_do_reads_the_name(page: Path) -> None:
    """Each line of docs/how-to/applications-in-php.md, run by PHP on what is sent."""
    (block,) = [block for block in blocks(page) if block.language == "php"]
    lines = block.text.splitlines()
    assert len(lines) == len(SENT) - 2, "all but latin1 and ascii, which lose letters"
    for line in lines:
        encoding = next(one for one in SENT if f"// {one}" in line)
        script = f"$_SERVER['HTTP_X_NAME'] = hex2bin('{SENT[encoding].hex()}'); {line}\necho $name;"
        assert await asyncio.to_thread(_printed, script) == NAME, line


async def test_php_alone_makes_one_name_of_many(app: App) -> None:
    """Else the tests below would prove nothing."""
    for name in ONE_NAME:
        told = headers_of(bytes((await direct(app.port, "/", [(name, MARK)])).body))
        assert told.get("HTTP_X_REMOTE_USER") == MARK.encode(), name


@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "signed in"])
@pytest.mark.parametrize("name", SPELLINGS)
async def test_a_forged_name_is_never_seen(here: Installation, app: App, name: str, signed_in: bool) -> None:
    person = await who(here, app, signed_in)
    for method in ("GET", "POST", "OPTIONS"):
        page = await person.step(method, here.url(app, "/public/x"), [(name, MARK)])
        assert page.status == 200, f"{method}: {page.status}"
        told = headers_of(page.body)
        assert not [value for value in told.values() if MARK.encode() in value], told
        for injected in ("HTTP_X_REMOTE_USER", "HTTP_COMPTE_AGENT"):
            assert told.get(injected) == (b"paul" if signed_in else None)
    page = await person.step("GET", here.url(app, "/private"), [(name, MARK)])
    assert MARK not in page.text
    assert MARK.encode().hex() not in page.text
    assert page.status == (200 if signed_in else 303)
    if signed_in:
        assert headers_of(page.body)["HTTP_X_REMOTE_USER"] == b"paul"


@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "signed in"])
async def test_all_of_them_at_once_and_in_a_trailer_are_never_seen(
    here: Installation, app: App, signed_in: bool
) -> None:
    person = await who(here, app, signed_in)
    forged = "".join(f"{name}: {MARK}\r\n" for name in SPELLINGS)
    seat = here.seat(person if signed_in else None, app)
    for extra in (forged, f"Connection: {', '.join(SPELLINGS)}\r\n{forged}"):
        request = (
            f"POST /public/x HTTP/1.1\r\nHost: {app.host}\r\n{seat}{extra}Transfer-Encoding: chunked\r\n"
            f"Trailer: X-Remote-User\r\n\r\n5\r\nhello\r\n0\r\n{forged}\r\n"
        )
        reading = await here.raw(request.encode("latin-1"))
        assert reading.status == 200
        told = headers_of(bytes(reading.body))
        assert not [value for value in told.values() if MARK.encode() in value], told
        for injected in ("HTTP_X_REMOTE_USER", "HTTP_COMPTE_AGENT"):
            assert told.get(injected) == (b"paul" if signed_in else None)


async def test_a_name_with_a_space_which_php_would_take_is_no_request(here: Installation, app: App) -> None:
    alone = await direct(app.port, "/", [("X Remote User", MARK)])
    assert headers_of(bytes(alone.body)).get("HTTP_X_REMOTE_USER") == MARK.encode()
    for line in ("X Remote User: x", "X-Remote-User : x", " X-Remote-User: x"):
        request = f"GET /public/x HTTP/1.1\r\nHost: {app.host}\r\n{line}\r\n\r\n"
        assert (await here.raw(request.encode())).status == 400, line


async def test_bytes_of_a_clients_header_arrive_as_they_are(here: Installation, app: App) -> None:
    every = "".join(map(chr, [9, *range(33, 127), *range(128, 256)]))
    page = await (await here.signed_in(app)).step("GET", here.url(app), [("X-Note", f"a{every}z")])
    assert headers_of(page.body)["HTTP_X_NOTE"] == f"a{every}z".encode("latin-1")


async def test_a_form_arrives(here: Installation, app: App) -> None:
    page = await (await here.signed_in(app)).post(here.url(app, "/depot"), "nom=H%C3%A9l%C3%A8ne&parcelle=AB+12")
    assert page.json()["form"] == {"nom": "Hélène", "parcelle": "AB 12"}
    assert headers_of(page.body)["HTTP_X_REMOTE_USER"] == b"helene"
    assert page.all("X-Told") == ["oui", "aussi"]


@pytest.mark.parametrize("chunked", [False, True], ids=["by length", "chunked"])
async def test_a_large_upload_arrives_whole(here: Installation, app: App, chunked: bool) -> None:
    content = bytes(range(256)) * (LARGE // 256)
    framing, body = f"Content-Length: {len(content)}", content
    if chunked:
        pieces = [content[at : at + 70_001] for at in range(0, len(content), 70_001)]
        framing, body = "Transfer-Encoding: chunked", b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in [*pieces, b""])
    seat = here.seat(await here.signed_in(app), app)
    head = f"POST /depot HTTP/1.1\r\nHost: {app.host}\r\n{seat}Content-Type: application/pdf\r\n{framing}\r\n\r\n"
    reading = await here.raw(head.encode() + body)
    assert reading.status == 200
    told: dict[str, Any] = json.loads(bytes(reading.body))
    assert (told["length"], told["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


async def test_a_large_download_without_a_length_arrives_whole(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    page = await person.step("GET", here.url(app, f"/download?size={LARGE}"))
    assert page.body == (bytes(range(256)) * (LARGE // 256 + 1))[:LARGE]
    assert page.header("Transfer-Encoding") == "chunked"


async def test_a_head_has_no_body_and_leaves_the_connection_in_step(here: Installation, app: App) -> None:
    person = await here.signed_in(app)
    for _ in range(3):
        head = await person.step("HEAD", here.url(app, "/dossiers"))
        assert (head.status, head.body) == (200, b"")
        assert int(head.header("Content-Length")) > 100
        assert (await person.step("GET", here.url(app, "/dossiers"))).json()["method"] == "GET"
