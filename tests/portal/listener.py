"""A listener on a real socket that says who is asking, as the data plane does, and serves a one-line application."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from gateway.access.inbound import InboundRequest
from gateway.config.snapshot import App, Snapshot
from gateway.model.errors import GatewayError
from gateway.model.levels import NO_NEED, Need
from gateway.model.ports import Page
from gateway.model.session import Seat
from gateway.portal.app import Portal
from gateway.portal.logout.applications import SignOuts
from gateway.stores.sessions.sessions import Sessions
from gateway.wire.cookies import SESSION_COOKIE, read_cookie, without_cookies


class Connection(asyncio.Protocol):
    """One request a connection. `needs`: hosts on which no session is ever enough."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        portal: Portal,
        sessions: Sessions,
        needs: Mapping[str, Need],
        sign_outs: SignOuts,
    ) -> None:
        self._sign_outs = sign_outs
        self._needs = needs
        self._snapshot = snapshot
        self._portal = portal
        self._sessions = sessions
        self._buffer = b""
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if self._task is not None or not end:
            return
        line, *fields = head.split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
        if len(body) >= int(headers.get(b"content-length", b"0")):
            self._task = asyncio.create_task(self._serve(line, headers, body))

    async def _serve(self, line: bytes, headers: dict[bytes, bytes], body: bytes) -> None:
        host = headers[b"host"].partition(b":")[0].decode()
        snapshot = self._snapshot()
        app = snapshot.find_app(host)
        method, target = (part.decode() for part in line.split(b" ")[:2])
        ours = target.startswith("/_ecluse/") or (app is None and target.partition("?")[0] in ("/", "/favicon.ico"))
        segments = tuple(target.partition("?")[0][1:].split("/"))
        leaves = app is not None and not ours and app.logout.links.find(segments) is not None
        if app is not None and not ours and not leaves:
            try:
                seat = await self._seat(app, host, headers.get(b"cookie", b""))
            except GatewayError:
                self._answer(503, b"Retry-After: 5\r\n", b"", 0)
                return
            if seat is not None and host not in self._needs:
                if app.logout.url is not None:
                    line = without_cookies(headers.get(b"cookie", b""), app.translation.cookie_names)
                    self._sign_outs.seen(seat, app, host, line)
                said = f"{app.name} for {seat.identity.subject}".encode()
                self._answer(200, b"", said, len(said))
                return
        call = InboundRequest(
            purpose="logout" if leaves else "endpoint" if ours else "challenge",
            snapshot=snapshot,
            app=app,
            host=host,
            authority=headers[b"host"].decode(),
            scheme="http",
            client="127.0.0.1",
            request_id="request-1",
            method=method,
            target=target,
            headers=headers,
            cookies=headers.get(b"cookie", b""),
            need=self._needs.get(host, NO_NEED),
        )
        page = await self._portal.ask(call, body)
        assert isinstance(page, Page), "no post is kept here"
        more = [b"%b: %b\r\n" % header for header in page.headers]
        self._answer(page.status, b"".join(more), b"" if method == "HEAD" else page.body, len(page.body))

    async def _seat(self, app: App, host: str, cookie: bytes) -> Seat | None:
        value = read_cookie(cookie, SESSION_COOKIE)
        seat = None
        with contextlib.suppress(ValueError):
            seat = await self._sessions.load(host, value) if value else None
        return seat if seat is not None and seat.identity.provider in app.providers else None

    def _answer(self, status: int, headers: bytes, body: bytes, length: int) -> None:
        head = b"HTTP/1.1 %d .\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, headers, length)
        self._transport.write(head + body)
        self._transport.close()
