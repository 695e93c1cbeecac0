"""Keeps a post whose session has ended: whether the post may be kept, and its body on the way to the folder."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol

from gateway.access.inbound import InboundRequest
from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeepPosts
from gateway.proxy.portal_exchange import OwnPage
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from gateway.stores.posts.bodies import PostWriter
from gateway.wire.addresses import client_key
from gateway.wire.framing import CHUNKED, NO_CONTENT
from gateway.wire.headers import METHOD_OVERRIDE
from gateway.wire.navigation import is_same_origin

# Bytes per write. The same number may wait during a write.
_BLOCK: Final = 256 << 10


def keeping(request: Request) -> KeepPosts | None:
    """Returns the application's settings for kept posts, if the request brings a session cookie and is a form or an
    upload of the application's own page; else None. The body decides nothing."""
    app = request.application.app
    if app.keep_posts is None or request.line.method != b"POST" or request.seat is not None:
        return None
    if type(request.credential) is not bytes or request.field(b"content-encoding"):
        return None
    if METHOD_OVERRIDE in request.rare:
        # Browsers' forms do not have these headers. The later request would lack them, and mean a different operation.
        return None
    # The joined values: two contradicting lines match no origin.
    origin, site = request.came(b"origin") or None, request.came(b"sec-fetch-site") or None
    ours = app.origin(request.host.name).encode("ascii")
    return app.keep_posts if is_same_origin(origin, site, ours) else None


def limit_of(request: Request, keep: KeepPosts) -> int:
    """Bytes of a body. What is larger than its application takes would be kept in vain."""
    return min(keep.largest, request.application.body_limit or keep.largest)


async def admitted(request: Request, plane: Services, keep: KeepPosts) -> PostWriter | None:
    """Reserves room for a body before it is read. None: the cookie was never a seat of ours. Raises GatewayError."""
    posts, framing, cookie = plane.posts, request.framing, request.credential
    if posts is None or type(cookie) is not bytes:
        return None
    if framing > (most := limit_of(request, keep)):
        raise GatewayError(kept_post_codes.NOT_KEPT, f"{framing} bytes, over {most}")
    size = None if framing == CHUNKED else 0 if framing in NO_CONTENT else framing
    host, client = request.host.name, client_key(request.client)
    return await posts.admit(host, cookie, client, size, keep)


class KeepingClient(Protocol):
    """The client connection of a form that is kept."""

    def pause_body(self) -> None: ...

    def resume_body(self) -> None: ...

    def exchange_with_portal(self, inbound: InboundRequest, body: bytes) -> None:
        """The portal has a page for the request, whose body is `body`."""

    def body_failed(self, error: GatewayError) -> None:
        """No more of the body can be taken."""

    def faulted(self, fault: Exception) -> None: ...


class KeepingExchange(OwnPage):
    """Stands in for an application's connection, until the body is in its file and the portal has a page for it. Writes
    one piece at a time off the event loop; meanwhile one more piece may gather."""

    __slots__ = ("_inbound", "_client", "_ends", "_job", "_pieces", "_plane", "_writer")

    def __init__(self, client: KeepingClient, plane: Services, inbound: InboundRequest, writer: PostWriter) -> None:
        self._client: KeepingClient | None = client
        self._plane = plane
        self._inbound = inbound
        self._writer = writer
        self._pieces = bytearray()
        self._job: asyncio.Task[None] | None = None
        self._ends = False

    def write(self, piece: bytes) -> None:
        self._pieces += piece
        if len(self._pieces) >= _BLOCK:
            if self._job is not None and self._client is not None:
                self._client.pause_body()
            self._start()

    def await_response(self) -> None:
        self._ends = True
        # The last piece is written in the same turn.
        self._plane.loop.call_soon(self._start)

    def _start(self) -> None:
        if self._job is None:
            self._job = self._plane.loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._client is not None and (len(self._pieces) >= _BLOCK or self._ends):
                pieces, self._pieces = bytes(self._pieces), bytearray()
                if self._ends:
                    await self._finish(pieces)
                    return
                await self._writer.write(pieces)
                if self._client is not None:
                    self._client.resume_body()
            self._job = None
            if self._client is None:
                await self._writer.discard()
        except GatewayError as error:
            await self._writer.discard()
            client, self._client = self._client, None
            self._plane.counters.add(
                "ecluse_posts_total", self._inbound.app.name if self._inbound.app else "", "refused"
            )
            if client is not None:
                client.body_failed(error)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            client, self._client = self._client, None
            if client is not None:
                client.faulted(fault)
            with suppress(GatewayError):
                await self._writer.discard()

    async def _finish(self, pieces: bytes) -> None:
        """The portal confirms the post only after the whole body is on the disk."""
        file = await self._writer.finish(pieces)
        client, self._client = self._client, None
        if client is None:
            await self._writer.discard()
            return
        client.exchange_with_portal(replace(self._inbound, kept=file), b"")

    # --- the methods of exchange.Exchange ---

    def is_closing(self) -> bool:
        return self._client is None

    def abandon(self) -> None:
        """The browser left before the form was complete: the part is dropped."""
        self._client = None
        self._start()
