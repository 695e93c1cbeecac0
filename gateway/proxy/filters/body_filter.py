"""One response on its way through a filter: to the connection of the application this is the client, and to the client
connection it is what stands at the other end of its request (proxy/exchange.py)."""

import asyncio
from typing import Any, Final

from gateway.model.codes import UPSTREAM_RESPONSE
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy.exchange import Requester, ServerConnection
from gateway.proxy.filters.replacing import Replacing
from gateway.proxy.filters.texts import BodyFilters, ReplacingOnceKnown, is_part_of_a_text
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.fences import Fence
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import CONTENT_LENGTH


class BodyFilter:
    """A body that is changed has no length that is known before its end: it goes to the client in chunks, or, where all
    of it came at once, with the length that it has then. One that is not goes on as it comes.

    `_response`: the head of a changed body, as long as the client has not got it. `_first`: of the body, what it gets
    with it. `_part`: the application sent a part of a text.
    """

    __slots__ = (
        "_client",
        "_filters",
        "_first",
        "_loop",
        "_part",
        "_public",
        "_replacing",
        "_response",
        "_upstream",
        "transport",
    )

    revalidated: Final = True

    def __init__(
        self,
        client: Requester,
        upstream: ServerConnection,
        filters: BodyFilters,
        public: str,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`public`: the origin of the host that was asked, as browsers write it."""
        self._client = client
        self._upstream = upstream
        self._filters = filters
        self._public = public
        self._loop = loop
        self._replacing: Replacing | ReplacingOnceKnown | None = None
        self._response: ResponseHead | None = None
        self._first = b""
        self._part = False
        self.transport: asyncio.Transport = _Outlet(self)

    # --- the response ---

    def response_head(self, response: ResponseHead) -> bytes:
        """b"" where the head is not written yet. Raises GatewayError."""
        status, client = response.status, self._client
        content_type, encoding = response.value_of(b"content-type"), response.value_of(b"content-encoding")
        if status == 206 and is_part_of_a_text(content_type):
            # `upstream_failed` follows, and asks for all of it if it can.
            self._part = True
            raise GatewayError(UPSTREAM_RESPONSE, "a part of a text that is rewritten, unasked")
        replacing = self._filters.replacing(self._public, content_type, encoding)
        # A 304 does not say of which type the response is that it confirms.
        response.is_changed = replacing is not None or status == 304
        if replacing is None:
            return client.response_head(response)
        if response.framing == NO_BODY:
            # RFC 9110 8.6: the length of what GET would get is not known.
            response.rare.pop(CONTENT_LENGTH, None)
            return client.response_head(response)
        self._replacing = replacing
        self._response = response
        self._loop.call_soon(self._begin)
        return b""

    def take(self, data: bytes) -> None:
        """What comes of the body, without its framing where it is changed."""
        if self._replacing is None:
            self._client.transport.write(data)
        elif data:
            pieces = self._replacing.feed(data)
            if self._response is not None:
                self._first += b"".join(pieces)
            elif size := sum(map(len, pieces)):
                if self._client.chunked_out:
                    pieces = [b"%x\r\n" % size, *pieces, b"\r\n"]
                self._client.transport.writelines(pieces)

    def _begin(self) -> None:
        """The response goes on for longer than one turn of the loop."""
        response, self._response = self._response, None
        client = self._client
        if response is None or client.transport.is_closing():
            return
        try:
            head = self._head(response, CHUNKED)
            client.transport.write(head + (self._framed(self._first) if self._first else b""))
            self._first = b""
        except Exception as fault:  # noqa: BLE001 - the one edge
            client.faulted(fault)

    def answered(self) -> None:
        client, replacing, response = self._client, self._replacing, self._response
        self._replacing = self._response = None
        if replacing is not None:
            rest = replacing.end()
            if response is not None:
                body = self._first + rest
                client.transport.write(self._head(response, len(body)) + body)
            else:
                data = (self._framed(rest) if rest else b"") + (LAST_CHUNK if client.chunked_out else b"")
                if data:
                    client.transport.write(data)
        client.answered()

    def _head(self, response: ResponseHead, framing: int) -> bytes:
        came, response.framing = response.framing, framing
        head = self._client.response_head(response)
        response.framing = came
        return head

    def _framed(self, data: bytes) -> bytes:
        return chunk((data,)) if self._client.chunked_out else data

    def _forget(self) -> None:
        self._replacing = self._response = None

    # --- as the connection to the application asks for the client ---

    @property
    def deadline(self) -> float:
        return self._client.deadline

    @deadline.setter
    def deadline(self, until: float) -> None:
        self._client.deadline = until

    @property
    def body_done(self) -> bool:
        return self._client.body_done

    @property
    def write_paused(self) -> bool:
        return self._client.write_paused

    @property
    def chunked_out(self) -> bool:
        """What is changed comes here without framing."""
        return self._replacing is None and self._client.chunked_out

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        """Every head is read: what it says of the body decides."""
        return False

    def interim_response(self, response: ResponseHead) -> None:
        self._client.interim_response(response)

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """Of a tunnel nothing is changed."""
        self._client.switch(response, connection, rest)

    def respond(self, page: Page) -> None:
        self._client.respond(page)

    def retry(self) -> bool:
        return self._client.retry()

    def ask_for_all(self) -> bool:
        return self._client.ask_for_all()

    def upstream_failed(self, error: GatewayError) -> None:
        self._forget()
        if not (self._part and self._client.ask_for_all()):
            self._client.upstream_failed(error)

    def faulted(self, fault: Exception) -> None:
        self._forget()
        self._client.faulted(fault)

    def bind(self, connection: ServerConnection) -> None:
        self._client.bind(connection)

    def pause_body(self) -> None:
        self._client.pause_body()

    def resume_body(self) -> None:
        self._client.resume_body()

    # --- as the client connection asks for the application ---

    def write(self, piece: bytes) -> None:
        self._upstream.write(piece)

    def await_response(self) -> None:
        self._upstream.await_response()

    def is_closing(self) -> bool:
        return self._upstream.is_closing()

    def abandon(self) -> None:
        self._forget()
        self._upstream.abandon()

    def drains(self) -> bool:
        return self._upstream.drains()

    def pause(self) -> None:
        self._upstream.pause()

    def resume(self) -> None:
        self._upstream.resume()

    def has_moved(self, within: float) -> bool:
        return self._upstream.has_moved(within)

    def is_beyond(self, fence: Fence | None) -> bool:
        return self._upstream.is_beyond(fence)


class _Outlet(asyncio.Transport):
    """What the connection to the application writes a response to."""

    __slots__ = ("_filter",)

    def __init__(self, to: BodyFilter) -> None:
        self._filter = to

    def write(self, data: Any) -> None:
        self._filter.take(data)

    def is_closing(self) -> bool:
        return self._filter._client.transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._filter._client.transport.get_extra_info(name, default)
