"""One response on its way through a filter: to the connection of the application this is the client, and to the client
connection it is what stands at the other end of its request (proxy/exchange.py)."""

import asyncio

from gateway.model.codes import UPSTREAM_RESPONSE
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Exchange, Requester
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.replacing import Replacing
from gateway.proxy.filters.texts import BodyFilters, ReplacingOnceKnown, is_part_of_a_text
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import CONTENT_LENGTH


class BodyFilter(Between):
    """A body that is changed has no length that is known before its end: it goes to the client in chunks, or, where all
    of it came at once, with the length that it has then. One that is not goes on as it comes.

    `_response`: the head of a changed body, as long as the client has not got it. `_first`: of the body, what it gets
    with it. `_part`: the application sent a part of a text.
    """

    __slots__ = ("_filters", "_first", "_loop", "_part", "_public", "_replacing", "_response")

    def __init__(
        self,
        client: Requester,
        upstream: Exchange,
        filters: BodyFilters,
        public: str,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`public`: the origin of the host that was asked, as browsers write it."""
        super().__init__(client, upstream)
        self._filters = filters
        self._public = public
        self._loop = loop
        self._replacing: Replacing | ReplacingOnceKnown | None = None
        self._response: ResponseHead | None = None
        self._first = b""
        self._part = False

    # --- the response ---

    def response_head(self, response: ResponseHead) -> bytes:
        """b"" where the head is not written yet. Raises GatewayError."""
        status, client = response.status, self.client
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
            self.client.transport.write(data)
        elif data:
            pieces = self._replacing.feed(data)
            if self._response is not None:
                self._first += b"".join(pieces)
            elif size := sum(map(len, pieces)):
                if self.client.chunked_out:
                    pieces = [b"%x\r\n" % size, *pieces, b"\r\n"]
                self.client.transport.writelines(pieces)

    def _begin(self) -> None:
        """The response goes on for longer than one turn of the loop."""
        response, self._response = self._response, None
        client = self.client
        if response is None or client.transport.is_closing():
            return
        try:
            head = self._head(response, CHUNKED)
            client.transport.write(head + (self._framed(self._first) if self._first else b""))
            self._first = b""
        except Exception as fault:  # noqa: BLE001 - the one edge
            client.faulted(fault)

    def answered(self) -> None:
        client, replacing, response = self.client, self._replacing, self._response
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
        head = self.client.response_head(response)
        response.framing = came
        return head

    def _framed(self, data: bytes) -> bytes:
        return chunk((data,)) if self.client.chunked_out else data

    def forget(self) -> None:
        self._replacing = self._response = None

    # --- as the connection to the application asks for the client ---

    @property
    def chunked_out(self) -> bool:
        """What is changed comes here without framing."""
        return self._replacing is None and self.client.chunked_out

    def upstream_failed(self, error: GatewayError) -> None:
        self.forget()
        if not (self._part and self.client.ask_for_all()):
            self.client.upstream_failed(error)
