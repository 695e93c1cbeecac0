import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.server.admin import Admin
from gateway.server.listeners import bind_admin
from tests.patience import PATIENCE


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
