"""A listener on a real socket that says who is asking, as the data plane does, and serves a one-line application."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from gateway.config.lanes import PortalCall
from gateway.config.snapshot import App, Snapshot
from gateway.model.levels import NO_NEED, Need
from gateway.model.session import Seat
from gateway.portal.app import Portal
from gateway.stores.sessions import Sessions
from gateway.wire.cookies import SESSION_COOKIE, read_cookie


class _Told(asyncio.Transport):
    """The connection's own transport, which answers `ecluse` too."""

    def __init__(self, transport: asyncio.Transport, call: PortalCall) -> None:
        super().__init__()
        self._transport = transport
        self._call = call

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._call if name == "ecluse" else self._transport.get_extra_info(name, default)

    def __getattribute__(self, name: str) -> Any:
        if name in {"_transport", "_call", "get_extra_info"}:
            return super().__getattribute__(name)
        return getattr(self._transport, name)


class Connection(asyncio.Protocol):
    """One request a connection. `needs`: hosts on which no session is ever enough."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], portal: Portal, sessions: Sessions, needs: Mapping[str, Need]
    ) -> None:
        self._needs = needs
        self._snapshot = snapshot
        self._portal = portal
        self._sessions = sessions
        self._buffer = b""
        self._inner: asyncio.Protocol | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
            return
        self._buffer += data
        if self._task is None and b"\r\n\r\n" in self._buffer:
            self._task = asyncio.create_task(self._serve())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None:
            self._inner.connection_lost(exc)

    async def _serve(self) -> None:
        line, *fields = self._buffer.partition(b"\r\n\r\n")[0].split(b"\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
        host = headers[b"host"].partition(b":")[0].decode()
        snapshot = self._snapshot()
        app = snapshot.find_app(host)
        target = line.split(b" ")[1].decode()
        ours = target.startswith("/_ecluse/")
        segments = tuple(target.partition("?")[0][1:].split("/"))
        leaves = app is not None and not ours and app.logout.links.find(segments) is not None
        if app is not None and not ours and not leaves:
            seat = await self._seat(app, host, headers.get(b"cookie", b""))
            if seat is not None and host not in self._needs:
                self._answer(f"{app.name} for {seat.identity.subject}".encode())
                return
        call = PortalCall(
            purpose="logout" if leaves else "endpoint" if ours else "challenge",
            snapshot=snapshot,
            app=app,
            host=host,
            scheme="http",
            client="127.0.0.1",
            request_id="request-1",
            need=self._needs.get(host, NO_NEED),
        )
        inner = self._portal.protocol()
        inner.connection_made(_Told(self._transport, call))
        inner.data_received(self._buffer)
        self._inner = inner

    async def _seat(self, app: App, host: str, cookie: bytes) -> Seat | None:
        value = read_cookie(cookie, SESSION_COOKIE)
        seat = None
        with contextlib.suppress(ValueError):
            seat = await self._sessions.load(host, value) if value else None
        return seat if seat is not None and seat.identity.provider in app.providers else None

    def _answer(self, body: bytes) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        self._transport.write(head + body)
        self._transport.close()
