"""Calls of sign-outs: what one person's values make fail is no failure of the application."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.federation.applications import ApplicationCall, Applications, CallGivenUp
from gateway.federation.client import FAILURES
from gateway.model.errors import GatewayError

EVIL = b"\r\nCookie: PHPSESSID=evil"
TIMES = 2 * FAILURES


class Application:
    """It hangs up on requests in which `breaks` is, unanswered. `heads`: what came. `stays`: it keeps the connection
    open after its answer, though asked to close it."""

    def __init__(self) -> None:
        self.breaks = EVIL
        self.stays = False
        self.heads: list[bytes] = []

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if self.breaks not in self.heads[-1]:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        if self.stays:
            await reader.read()
        writer.close()


def upstream_at(server: asyncio.Server) -> Upstream:
    port = server.sockets[0].getsockname()[1]
    return Upstream(scheme="http", host="127.0.0.1", port=port, timeouts=Timeouts())


@pytest.fixture
async def application() -> AsyncIterator[tuple[Application, Upstream]]:
    application = Application()
    async with await asyncio.start_server(application.connected, "127.0.0.1", 0) as server:
        yield application, upstream_at(server)


@pytest.fixture
async def applications() -> AsyncIterator[Applications]:
    applications = Applications(lambda address, port: False)
    yield applications
    await applications.close()


def call(cookies: bytes = b"") -> ApplicationCall:
    return ApplicationCall("post", "/bye", b"\r\nHost: a.example\r\nX-Remote-User: somebody" + cookies, b"a=b")


async def results(applications: Applications, upstream: Upstream, cookies: bytes) -> list[str | int]:
    found: list[str | int] = []
    for _ in range(TIMES):
        try:
            found.append(await applications.call(upstream, call(cookies)))
        except CallGivenUp:
            found.append("given up")
        except GatewayError:
            found.append("failed")
    return found


async def test_calls_that_one_persons_cookies_make_fail_keep_nobody_elses_from_being_made(
    applications: Applications, application: tuple[Application, Upstream]
) -> None:
    told, upstream = application
    assert await results(applications, upstream, EVIL) == ["failed"] * TIMES
    assert await applications.call(upstream, call(b"\r\nCookie: PHPSESSID=p1")) == 204
    looks = {head for head in told.heads if head.startswith(b"GET ")}
    assert looks == {b"GET /bye HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"}, "nothing of anybody"


async def test_one_that_answers_nobody_is_left_alone_for_a_while(
    applications: Applications, application: tuple[Application, Upstream]
) -> None:
    told, upstream = application
    told.breaks = b""
    assert await results(applications, upstream, b"") == [*["failed"] * FAILURES, *["given up"] * (TIMES - FAILURES)]


async def test_one_that_keeps_the_connection_open_after_its_answer_has_answered(
    applications: Applications, application: tuple[Application, Upstream], monkeypatch: pytest.MonkeyPatch
) -> None:
    told, upstream = application
    told.stays = True
    monkeypatch.setattr("gateway.federation.applications.WITHIN", 0.5)
    assert await applications.call(upstream, call()) == 204
    assert len(told.heads) == 1, "nothing to look into"


async def test_one_to_which_no_connection_can_be_opened_is_left_alone_at_once(applications: Applications) -> None:
    """Nothing of anybody was sent."""
    async with await asyncio.start_server(Application().connected, "127.0.0.1", 0) as server:
        upstream = upstream_at(server)
    found = await results(applications, upstream, EVIL)
    assert found == [*["failed"] * FAILURES, *["given up"] * (TIMES - FAILURES)]
