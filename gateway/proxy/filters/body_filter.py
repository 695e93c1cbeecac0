"""One response on its way through a filter. The filter acts as the client towards the application's connection, and as
the application towards the client connection (proxy/exchange.py).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Exchange, Requester
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.codings import Undone, is_undone
from gateway.proxy.filters.finished import FINISHED
from gateway.proxy.filters.replacing import Replacing
from gateway.proxy.filters.texts import BodyFilters, Disagreement, ReplacingOnceKnown, is_part_of_a_text
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.pacing import LITTLE, READ_AT_MOST
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import CONTENT_LENGTH

# Invariant 14: a text full of addresses takes fifty times as long as a usual text.
_DENSE_AT_ONCE: Final = 32 * 1024
# Bytes per piece below which a text is dense. Usual pages have an address in some hundred bytes.
_DENSE: Final = 64


class BodyFilter(Between):
    """Changes the body of one response.

    The length of a changed body is unknown before its end. The client receives chunks, or the real length where the
    whole body arrived at once. An unchanged body passes as received. A body that was compressed although the request
    refused compression is decompressed step by step and passed on plain.

    `_at_once`: the most bytes read at a time; few where the output outgrows the input or addresses stand densely.
    `_response`: the head of a changed body, until the client has received the head.
    `_first`: the bytes of the body sent together with the head.
    `_part`: the application sent a part of a text (206).
    `_undone`: the decompressor; None: the body is not compressed.
    `_all_came`: the body arrived completely, including the end of the compression.
    """

    __slots__ = (
        "_all_came", "_at_once", "_disagrees", "_filters", "_first", "_loop", "_part", "_public", "_replacing",
        "_response", "_stepping", "_undone",
    )  # fmt: skip

    def __init__(
        self,
        client: Requester,
        upstream: Exchange,
        filters: BodyFilters,
        public: str,
        disagrees: Callable[[Disagreement], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`public`: the origin of the requested host, as browsers write it.
        `disagrees`: called when the body is not in its declared charset.
        """
        super().__init__(client, upstream)
        self._filters = filters
        self._public = public
        self._disagrees = disagrees
        self._loop = loop
        self._replacing: Replacing | ReplacingOnceKnown | None = None
        self._response: ResponseHead | None = None
        self._first = b""
        self._part = False
        self._undone: Undone | None = None
        self._all_came = self._stepping = False
        # Whether it was compressed is not known yet.
        self._at_once = LITTLE

    # --- the response ---

    @property
    def at_once(self) -> int:
        return self._at_once

    def response_head(self, response: ResponseHead) -> bytes:
        """b"" where the head is not written yet. Raises GatewayError."""
        status, client = response.status, self.client
        content_type, encoding = response.value_of(b"content-type"), response.value_of(b"content-encoding")
        if status == 206 and is_part_of_a_text(content_type):
            # `upstream_failed` follows, and asks for the whole text if possible.
            self._part = True
            raise GatewayError(upstream_codes.RESPONSE, "an unrequested part of a text that is rewritten")
        undone = Undone(encoding) if encoding is not None and is_undone(encoding) else None
        coding = encoding if undone is None else None
        replacing = self._filters.replacing(self._public, content_type, coding, self._disagrees)
        # A 304 does not tell the type of the confirmed response.
        response.is_changed = replacing is not None or status == 304
        if replacing is None or undone is None:
            self._at_once = READ_AT_MOST
        if replacing is None:
            return client.response_head(response)
        if response.framing == NO_BODY:
            # RFC 9110 8.6: the length of what GET would get is not known.
            response.rare.pop(CONTENT_LENGTH, None)
            return client.response_head(response)
        self._replacing = replacing
        self._response = response
        self._undone = undone
        self._loop.call_soon(self._begin)
        return b""

    def take(self, data: bytes) -> None:
        """Receives the body; without framing where the body is changed."""
        if self._replacing is None:
            self.client.transport.write(data)
        elif self._undone is not None:
            self._undo(self._undone, data)
        elif data:
            self._take_changed(self._replacing, data)

    def _take_changed(self, replacing: Replacing | ReplacingOnceKnown, data: bytes) -> None:
        pieces = replacing.feed(data)
        if len(pieces) > len(data) // _DENSE:
            self._at_once = min(self._at_once, _DENSE_AT_ONCE)
        if self._response is not None:
            self._first += b"".join(pieces)
        elif size := sum(map(len, pieces)):
            if self.client.chunked_out:
                pieces = [b"%x\r\n" % size, *pieces, b"\r\n"]
            self.client.transport.writelines(pieces)

    # --- what was compressed ---

    @property
    def _waits(self) -> bool:
        """Whether work remains without further input."""
        return self._undone is not None and self._undone.waits

    def _undo(self, undone: Undone, data: bytes) -> None:
        """Decodes the first step at once, so a failure comes before the response begins. Then pauses reading for this
        turn, because the loop would read again and again. Raises GatewayError."""
        if data:
            undone.feed(data)
        if not self._stepping and not self.client.write_paused:
            self._step(undone)
        self._upstream.pause()
        self._step_soon()

    def _step(self, undone: Undone) -> None:
        made = undone.step()
        if made and self._replacing is not None:
            self._take_changed(self._replacing, made)

    def _step_soon(self) -> None:
        if not self._stepping:
            self._stepping = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Continues after other connections had their turn. A client that accepts no bytes calls back later."""
        self._stepping = False
        undone, client = self._undone, self.client
        if undone is None or client.write_paused or client.transport.is_closing():
            return
        try:
            if undone.waits:
                self._step(undone)
            if undone.waits:
                self._step_soon()
            elif self._all_came:
                self._finish()
            elif not client.write_paused:
                self._upstream.resume()
        except GatewayError as error:
            self._broken(error)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self._upstream.abandon()
            self.faulted(fault)

    def _broken(self, error: GatewayError) -> None:
        upstream, self._upstream = self._upstream, FINISHED
        upstream.abandon()
        self.upstream_failed(error)

    @property
    def write_paused(self) -> bool:
        return self.client.write_paused or self._waits

    def resume(self) -> None:
        if self._waits:
            self._step_soon()
        else:
            self._upstream.resume()

    # --- how it ends ---

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
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            client.faulted(fault)

    def answered(self) -> None:
        undone = self._undone
        if undone is None:
            self._finish()
            return
        # From now on the connection carries the request of another client.
        self._upstream, self._all_came = FINISHED, True
        if self._waits:
            self._begin()
            return
        try:
            self._finish()
        except GatewayError as error:
            self._broken(error)

    def _finish(self) -> None:
        """Raises GatewayError where what was compressed breaks off."""
        if self._undone is not None:
            self._undone.end()
        client, replacing, response = self.client, self._replacing, self._response
        rest = b"" if replacing is None else replacing.end()
        self.forget()
        if replacing is not None:
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
        self._replacing = self._response = self._undone = None

    # --- as the connection to the application asks for the client ---

    @property
    def chunked_out(self) -> bool:
        """A body to be changed arrives without framing."""
        return self._replacing is None and self.client.chunked_out

    def upstream_failed(self, error: GatewayError) -> None:
        self.forget()
        if not (self._part and self.client.ask_for_all()):
            self.client.upstream_failed(error)
