import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.server import admin as admin_listener
from gateway.server.admin import Admin
from gateway.server.listeners import bind_admin
from tests.patience import PATIENCE, until


class Told:
    ready = True

    def readiness(self) -> dict[str, Any]:
        return {"ready": self.ready, "workers": 2}

    async def exposition(self) -> bytes:
        return b"ecluse_workers 2.0\n"


@pytest.fixture
async def session(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(tmp_path / "admin.sock"))) as session:
        yield session


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[Told]:
    told = Told()
    admin = Admin(told)
    await admin.start(bind_admin(f"unix:{tmp_path}/admin.sock"))
    yield told
    await admin.stop()
    assert not (tmp_path / "admin.sock").exists()


async def test_alive_ready_and_measured(told: Told, session: aiohttp.ClientSession) -> None:
    async with session.get("http://x/livez") as answer:
        assert (answer.status, await answer.text()) == (200, "alive\n")
    async with session.get("http://x/readyz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "workers": 2})
    async with session.get("http://x/metrics") as answer:
        assert (answer.status, await answer.text()) == (200, "ecluse_workers 2.0\n")
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


async def test_not_ready_is_503_and_alive_all_the_same(told: Told, session: aiohttp.ClientSession) -> None:
    told.ready = False
    async with session.get("http://x/readyz") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (503, False)
    async with session.get("http://x/livez") as answer:
        assert answer.status == 200


async def test_nothing_else_is_there_and_nothing_is_changed(told: Told, session: aiohttp.ClientSession) -> None:
    for path in ("/", "/reload", "/metrics/x"):
        async with session.get(f"http://x{path}") as answer:
            assert answer.status == 404
    async with session.post("http://x/metrics") as answer:
        assert answer.status == 405


async def test_a_client_that_stays_does_not_hold_up_the_end(tmp_path: Path) -> None:
    admin = Admin(Told())
    await admin.start(bind_admin(f"unix:{tmp_path}/other.sock"))
    reader, writer = await asyncio.open_unix_connection(tmp_path / "other.sock")
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"alive\n")
    async with asyncio.timeout(PATIENCE):
        await admin.stop()
    writer.close()


async def test_requests_that_are_sent_ahead_are_not_answered(tmp_path: Path) -> None:
    admin = Admin(Told())
    await admin.start(bind_admin(f"unix:{tmp_path}/other.sock"))
    reader, writer = await asyncio.open_unix_connection(tmp_path / "other.sock")
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    async with asyncio.timeout(PATIENCE):
        told = await reader.read()
    assert (told.count(b"HTTP/1.1 200 OK"), told.count(b"Connection: close")) == (1, 1)
    writer.close()
    await admin.stop()


# --- clients that do not read

ASKED = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
# More than the kernel takes for a client that does not read.
LARGE = 8 << 20


class Large(Told):
    """Says when it is asked for metrics, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = asyncio.Event()

    async def exposition(self) -> bytes:
        self.asked += 1
        await self.let.wait()
        return b"x" * LARGE


@asynccontextmanager
async def asking(path: Path, number: int) -> AsyncIterator[list[socket.socket]]:
    """Clients that ask for metrics and read nothing of themselves."""
    async with AsyncExitStack() as stack:
        clients = [stack.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(number)]
        for client in clients:
            client.setblocking(False)
            await asyncio.get_running_loop().sock_connect(client, str(path))
            client.send(ASKED)
        yield clients


@pytest.fixture
async def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Large, Admin, Path]:
    """Nothing but what a test is about ends a connection in time."""
    monkeypatch.setattr(admin_listener, "_CLOSED_WITHIN", 2 * PATIENCE)
    monkeypatch.setattr(admin_listener, "_READ_WITHIN", 2 * PATIENCE)
    told = Large()
    admin = Admin(told)
    await admin.start(bind_admin(f"unix:{tmp_path}/large.sock"))
    return told, admin, tmp_path / "large.sock"


def open_connections(admin: Admin) -> int:
    assert admin._runner.server is not None
    return len(admin._runner.server.connections)


async def test_a_hundred_clients_that_ask_at_once_share_one_exposition(large: tuple[Large, Admin, Path]) -> None:
    told, admin, path = large
    async with asking(path, 100):
        await until(lambda: open_connections(admin) == 100)
        told.let.set()
        await until(lambda: len(admin._writing) == 100)
        assert told.asked == 1
        await admin.stop()


@pytest.mark.parametrize("let", [False, True], ids=["their answer is being made", "their answer is being written"])
async def test_clients_that_do_not_read_do_not_hold_up_the_end(large: tuple[Large, Admin, Path], let: bool) -> None:
    told, admin, path = large
    async with asking(path, 100):
        await until(lambda: told.asked and open_connections(admin) == 100)
        if let:
            told.let.set()
            await until(lambda: len(admin._writing) == 100)
        async with asyncio.timeout(PATIENCE):
            await admin.stop()


async def test_a_client_that_does_not_read_is_cut(
    large: tuple[Large, Admin, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, admin, path = large
    monkeypatch.setattr(admin_listener, "_READ_WITHIN", 0.05)
    told.let.set()
    async with asking(path, 3):
        await until(lambda: told.asked and open_connections(admin) == 0)
    await admin.stop()


async def test_one_that_reads_has_all_of_a_large_answer(large: tuple[Large, Admin, Path]) -> None:
    told, admin, path = large
    told.let.set()
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session:
        for _ in range(2):
            async with session.get("http://x/metrics") as answer:
                assert len(await answer.read()) == LARGE
    await admin.stop()
