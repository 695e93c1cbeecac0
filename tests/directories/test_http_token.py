"""OAuth 2.0 client credentials: a token that is fetched once for many look-ups, and never from anywhere else."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

import pytest
from aiohttp import web

from deploy.demo.ports import free
from gateway.directories.http_reader import HttpReader
from gateway.directories.http_token import SourceToken
from gateway.directories.source import DirectoryAway
from gateway.model.directory import ClientCredentials, Directory, HttpSource
from tests.directories import http_server
from tests.directories.http_server import TOKEN, people

pytestmark = pytest.mark.asyncio
NOW = 1_700_000_000
SECRET = "p:ss+wörd %"


class TokenServer:
    """`answer`: what it says, in the place of a token that is good for an hour."""

    def __init__(self) -> None:
        self.asked: list[tuple[str | None, dict[str, str]]] = []
        self.answer: Any = None
        self.status = 200
        self.waits = 0.0

    async def token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append((request.headers.get("Authorization"), form))
        await asyncio.sleep(self.waits)
        if isinstance(self.answer, bytes):
            return web.Response(status=self.status, body=self.answer)
        good = {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600}
        return web.json_response(good if self.answer is None else self.answer, status=self.status)

    async def elsewhere(self, request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "/token"})


@asynccontextmanager
async def token_server() -> AsyncIterator[tuple[TokenServer, int]]:
    server, (port,) = TokenServer(), free(1)
    app = web.Application()
    app.router.add_post("/token", server.token)
    app.router.add_post("/elsewhere", server.elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield server, port
    finally:
        await runner.cleanup()


def staff(port: int, token_port: int, *, path: str = "token", scope: str = "people:read", **changes: Any) -> Directory:
    told = ClientCredentials(f"http://127.0.0.1:{token_port}/{path}", "ecluse", scope, False, SECRET.encode())
    return http_server.staff(port, token=b"", oauth=replace(told, **changes))


def reader_of(directory: Directory) -> HttpReader:
    assert isinstance(directory.source, HttpSource)
    return HttpReader(directory, directory.source)


async def test_one_token_is_fetched_for_all_who_are_looked_up() -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port) as server:
        reader = reader_of(staff(port, token_port))
        found = await asyncio.gather(*(reader.finding("alice", NOW) for _ in range(8)))
        assert {finding.state for finding, _ in found} == {"found"}
        await reader.finding("alice", NOW)
        await reader.close()
        assert len(server.asked) == 9
        # RFC 6749 2.3.1
        pair = b64encode(b"ecluse:p%3Ass%2Bw%C3%B6rd+%25").decode()
        assert tokens.asked == [(f"Basic {pair}", {"grant_type": "client_credentials", "scope": "people:read"})]


async def test_the_secret_goes_into_the_body_where_the_server_takes_it_there_alone() -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port):
        reader = reader_of(staff(port, token_port, in_body=True, scope=""))
        await reader.finding("alice", NOW)
        await reader.close()
        told = {"grant_type": "client_credentials", "client_id": "ecluse", "client_secret": SECRET}
        assert tokens.asked == [(None, told)]


async def test_a_token_that_is_taken_back_is_fetched_anew_once() -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port) as server:
        reader = reader_of(staff(port, token_port))
        await reader.finding("alice", NOW)
        fetched = reader._fetched
        assert fetched is not None
        fetched._token = "one-that-was-taken-back"
        assert (await reader.finding("alice", NOW))[0].state == "found"
        assert len(tokens.asked) == 2
        tokens.answer = {"access_token": "never-taken", "token_type": "Bearer"}
        fetched._token = "one-that-was-taken-back"
        before = len(server.asked)
        with pytest.raises(DirectoryAway) as why:
            await reader.finding("alice", NOW)
        assert why.value.code.id == "directory.denied"
        assert (len(tokens.asked), len(server.asked) - before) == (3, 2)
        fetched.drop("never-taken")
        with pytest.raises(DirectoryAway):
            await reader.finding("alice", NOW)
        assert (len(tokens.asked), len(server.asked) - before) == (4, 3), (
            "one that was just fetched is not asked for again"
        )
        await reader.close()


@pytest.mark.parametrize(("life", "until"), [(100, 90.0), (None, 54.0), (10**9, 77760.0), (0, 0.0)])
async def test_it_is_kept_until_shortly_before_its_end(life: int | None, until: float) -> None:
    now = [0.0]
    async with token_server() as (tokens, token_port):
        told = ClientCredentials(f"http://127.0.0.1:{token_port}/token", "ecluse", "", False, b"x")
        source = reader_of(staff(1, token_port))
        tokens.answer = {"access_token": "t", "token_type": "Bearer"} | ({} if life is None else {"expires_in": life})
        token = SourceToken(told, lambda: now[0])
        assert await token.get(source._client()) == ("t", True)
        if until:
            now[0] = until - 0.1
            assert await token.get(source._client()) == ("t", False)
        now[0] = until
        assert await token.get(source._client()) == ("t", True)
        await source.close()


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (401, {"error": "invalid_client"}, "directory.denied"),
        (400, {"error": "invalid_scope"}, "directory.denied"),
        (500, {}, "directory.answer"),
        (200, b"<html>", "directory.answer"),
        (200, b"\xff", "directory.answer"),
        (200, b"[" * 50_000, "directory.answer"),
        (200, b'{"access_token": "t", "token_type": "Bearer"}' + b" " * 100_000, "directory.answer"),
        (200, [], "directory.answer"),
        (200, {"access_token": "t"}, "directory.answer"),
        (200, {"access_token": "t", "token_type": "mac"}, "directory.answer"),
        (200, {"access_token": "a\r\nX: y", "token_type": "Bearer"}, "directory.answer"),
        (200, {"access_token": "", "token_type": "Bearer"}, "directory.answer"),
        (200, {"access_token": 1, "token_type": "Bearer"}, "directory.answer"),
        (200, {"access_token": "t", "token_type": "Bearer", "expires_in": "soon"}, "directory.answer"),
        (200, {"access_token": "t", "token_type": "Bearer", "expires_in": -1}, "directory.answer"),
        (200, {"access_token": "t", "token_type": "Bearer", "expires_in": True}, "directory.answer"),
    ],
)
async def test_a_wrong_answer_asks_the_source_nothing(status: int, answer: Any, code: str) -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port) as server:
        tokens.status, tokens.answer = status, answer
        reader = reader_of(staff(port, token_port))
        with pytest.raises(DirectoryAway) as why:
            await reader.finding("alice", NOW)
        await reader.close()
        assert why.value.code.id == code
        assert SECRET not in why.value.detail
        assert why.value.detail != "t"
        assert server.asked == []


async def test_no_secret_goes_to_an_address_that_the_file_does_not_list_nor_where_a_redirect_leads() -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port):
        redirected = reader_of(staff(port, token_port, path="elsewhere"))
        with pytest.raises(DirectoryAway) as why:
            await redirected.finding("alice", NOW)
        await redirected.close()
        assert why.value.code.id == "directory.answer"
        one = staff(port, token_port)
        assert isinstance(one.source, HttpSource)
        source = replace(one.source, addresses=(IPv4Network("10.0.0.0/8"),))
        elsewhere = HttpReader(one, source)
        with pytest.raises(DirectoryAway) as why:
            await elsewhere.finding("alice", NOW)
        await elsewhere.close()
        assert why.value.code.id == "directory.address"
        assert tokens.asked == []


async def test_an_endpoint_that_does_not_answer_holds_nobody_for_longer_than_the_file_says() -> None:
    (port,) = free(1)
    async with token_server() as (tokens, token_port), people(port) as server:
        tokens.waits = 30
        reader = reader_of(replace(staff(port, token_port), timeout=2.0))
        with pytest.raises((DirectoryAway, TimeoutError)):
            async with asyncio.timeout(20):
                await reader.finding("alice", NOW)
        assert server.asked == []
        tokens.waits = 0
        assert (await reader.finding("alice", NOW))[0].state == "found"
        await reader.close()
