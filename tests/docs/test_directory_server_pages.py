"""The pages about directories that are servers: what they tell happens, with a real server at the name they have."""

import asyncio
import sqlite3
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from deploy.demo.ports import free
from tests.directories import postgres
from tests.directories.http_server import TOKEN, people
from tests.directories.slapd import PASSWORD, slapd, tls_settings
from tests.docs import tried
from tests.docs.blocks import blocks, normal
from tests.docs.test_account_pages import taken
from tests.patience import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.service]

ROOT = Path(__file__).parents[2]
LDAP = (ROOT / "docs/how-to/ask-an-ldap-server.md", ROOT / "docs/fr/interroger-un-annuaire-ldap.md")
SQL = (ROOT / "docs/how-to/ask-a-database.md", ROOT / "docs/fr/interroger-une-base-de-donnees.md")
HTTP = (ROOT / "docs/how-to/ask-an-http-server.md", ROOT / "docs/fr/interroger-un-serveur-http.md")


@contextmanager
def ldap(folder: Path) -> Iterator[dict[str, str]]:
    """What stands on the page, and where it is here."""
    (port,), authority = free(1), trustme.CA()
    (folder / "slapd").mkdir()
    (folder / "ldap.password").write_text(PASSWORD + "\n")
    (folder / "ldap-ca.pem").write_bytes(authority.cert_pem.bytes())
    with slapd(folder / "slapd", port, tls=tls_settings(folder / "slapd", authority)):
        yield {"ldaps://ldap.example.org": f"ldaps://127.0.0.1:{port}"}


@contextmanager
def sql(folder: Path) -> Iterator[dict[str, str]]:
    (port,), authority = free(1), trustme.CA()
    (folder / "db.password").write_text(postgres.PASSWORD + "\n")
    (folder / "db-ca.pem").write_bytes(authority.cert_pem.bytes())
    with closing(sqlite3.connect(folder / "schools.db")) as schools:
        schools.execute("CREATE TABLE schools (siret TEXT PRIMARY KEY, uai TEXT)")
    with postgres.cluster(authority) as made, postgres.postgres(made, port):
        yield {"host: db.example.org": f"host: 127.0.0.1\n  port: {port}", "db.example.org": "127.0.0.1"}


@contextmanager
def http(folder: Path) -> Iterator[dict[str, str]]:
    """The server answers in a thread of its own: the commands are other processes."""
    (port,), authority = free(1), trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (folder / "api.token").write_text(TOKEN + "\n")
    (folder / "api-ca.pem").write_bytes(authority.cert_pem.bytes())
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def serve() -> None:
        async with people(port, context):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        yield {"https://api.example.org": f"https://127.0.0.1:{port}", "10.20.0.0/16": "127.0.0.1"}
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE)
        loop.close()


def happens(page: Path, folder: Path, elsewhere: dict[str, str]) -> None:
    for block in blocks(page):
        text = block.text
        for there, here in elsewhere.items():
            text = text.replace(there, here)
        here_block = replace(block, text=text)
        match block.language:
            case "sh":
                subprocess.run(text, shell=True, cwd=folder, check=True, timeout=PATIENCE)
            case "yaml":
                taken(folder, here_block)
            case language:
                assert language == "console"
                assert normal(tried.printed(here_block, folder)).splitlines() == here_block.output


@pytest.mark.parametrize("page", LDAP, ids=lambda page: page.stem)
def test_the_page_about_ldap_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    with ldap(tmp_path) as elsewhere:
        happens(page, tmp_path, elsewhere)


@pytest.mark.parametrize("page", HTTP, ids=lambda page: page.stem)
def test_the_page_about_http_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    with http(tmp_path) as elsewhere:
        happens(page, tmp_path, elsewhere)


@pytest.mark.parametrize("page", SQL, ids=lambda page: page.stem)
def test_the_page_about_databases_happens_as_it_is_told(page: Path, tmp_path: Path) -> None:
    tried.make(tmp_path)
    with sql(tmp_path) as elsewhere:
        happens(page, tmp_path, elsewhere)


@pytest.mark.parametrize("twins", [LDAP, HTTP, SQL], ids=["ldap", "http", "sql"])
def test_both_pages_show_the_same(twins: tuple[Path, Path]) -> None:
    english, french = ([block.text for block in blocks(path)] for path in twins)
    assert english == french
