"""Servers for the client to meet: one that behaves as it is told, and raw ones that do not behave at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.authorization import AuthorizationCode, process_authorization_response
from gateway.oidc.discovery import ProviderMetadata
from gateway.oidc.documents import Call
from tests.oidc.samples import LOGIN, Signer, claims, forge, provider, signer

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def get(url: str) -> Call:
    return Call("test answer", "GET", url)


@dataclass
class Raw:
    """`connections` that were opened, `sent` bytes that the system took from us."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    sent: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@asynccontextmanager
async def raw_server(
    *pieces: bytes, repeat: int = 1, pause: float = 0.0, host: str = "127.0.0.1"
) -> AsyncIterator[Raw]:
    """Reads one request head, then sends the pieces, the last one `repeat` times with `pause` between, and closes."""
    raw = Raw()
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.requests.append(await reader.readuntil(b"\r\n\r\n"))
        for piece in (*pieces[:-1], *(pieces[-1:] * repeat)):
            writer.write(piece)
            await writer.drain()
            raw.sent += len(piece)
            await asyncio.sleep(pause)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.connections += 1
        talks.add(asyncio.create_task(_to_its_end(talk(reader, writer), writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for talking in talks:
            talking.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _to_its_end(talk: Coroutine[None, None, None], writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        try:
            await talk
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def web_server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """One handler for every path; its port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Op:
    """An OpenID Provider whose every answer can be changed between two requests. `asked`: the paths, in order.

    `odd`: the status of the answer to a code; 0: it hangs up. `breaks`: whoever brings something to this path is hung
    up on."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.signer: Signer = signer("RS256")
        self.published: list[Signer] = [self.signer]
        self.claims: dict[str, object] = {}
        self.userinfo: dict[str, object] = {"sub": "f7d3c4a0", "email": "helene@metropole.example"}
        self.metadata: dict[str, object] = {}
        self.failing: set[str] = set()
        self.texts: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.odd: dict[str, int] = {}
        self.breaks = ""
        self.delay = 0.0
        self.before: Callable[[str], None] = lambda _: None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def provider(self) -> OidcProvider:
        return provider(issuer=self.issuer, development=True)

    def code(self, metadata: ProviderMetadata, login: OidcLogin = LOGIN, value: str = "abc") -> AuthorizationCode:
        return process_authorization_response(self.provider, metadata, login, [("code", value), ("iss", self.issuer)])

    def count(self, path: str) -> int:
        return self.asked.count(path)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        self.before(request.path)
        await asyncio.sleep(self.delay)
        if request.path in self.failing:
            return web.Response(status=503)
        if request.path in self.texts:
            return web.Response(text=self.texts[request.path], content_type="application/json")
        answers: dict[str, Callable[[], dict[str, object]]] = {
            "/.well-known/openid-configuration": self._discovery,
            "/jwks": self._jwks,
            "/token": self._token,
            "/userinfo": lambda: self.userinfo,
        }
        if request.path == self.breaks and (request.method == "POST" or "Authorization" in request.headers):
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/token":
            form = dict(parse_qsl(await request.text()))
            self.forms.append(form)
            status = self.odd.get(form.get("code", ""))
            if status == 0:
                assert request.transport is not None
                request.transport.abort()
            if status is not None:
                return web.json_response({"error": "invalid_grant"}, status=status or 400)
        return web.json_response(answers[self.aliases.get(request.path, request.path)]())

    def _discovery(self) -> dict[str, object]:
        endpoints = {
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        }
        iss = {"authorization_response_iss_parameter_supported": True}
        return {"issuer": self.issuer, **endpoints, **iss, **self.metadata}

    def _jwks(self) -> dict[str, object]:
        return {"keys": [key.public() for key in self.published]}

    def _token(self) -> dict[str, object]:
        id_token = forge(claims(**{"iss": self.issuer, **self.claims}), self.signer)
        return {"access_token": "at", "token_type": "Bearer", "id_token": id_token}


@asynccontextmanager
async def running_op() -> AsyncIterator[Op]:
    op = Op()
    async with web_server(op) as op.port:
        yield op
