"""One response on its way through a filter: to the connection of the application this is the client, and to the client
connection it is what stands at the other end of its request (proxy/exchange.py)."""

import asyncio
from collections.abc import Callable
from typing import Final

from gateway.model.codes import UPSTREAM_RESPONSE
from gateway.model.errors import GatewayError
from gateway.proxy.exchange import Exchange, Requester
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.codings import Redone, Undone, accepts_gzip, is_undone, lines_of
from gateway.proxy.filters.finished import FINISHED
from gateway.proxy.filters.replacing import Piece, Replacing
from gateway.proxy.filters.texts import BodyFilters, Disagreement, ReplacingOnceKnown, is_part_of_a_text
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.pacing import READ_AT_MOST, SMALL
from gateway.wire.framing import CHUNKED, NO_BODY
from gateway.wire.headers import CONTENT_LENGTH

# Invariant 14: a text that is nothing but addresses costs fifty times what others do.
_DENSE_AT_ONCE: Final = 32 * 1024
# Pieces for each address; usual pages have one in some hundred bytes.
_DENSE: Final = 64


class BodyFilter(Between):
    """A body that is changed has no length that is known before its end: it goes to the client in chunks, or, where all
    of it came at once, with the length that it has then. One that is not goes on as it comes. One that was compressed,
    although the application was asked not to, is undone step by step, and done again for a client that takes gzip.

    `_accepted`: gives the client's Accept-Encoding. `_response`: the head of a changed body, as long as the client has
    not got it. `_first`: of the body, what it gets with it. `_part`: the application sent a part of a text. `_undone`:
    None where nothing is compressed. `_redone`: None where the client gets it plain. `_all_came`: of what is
    compressed, the end too.
    """

    __slots__ = (
        "_accepted", "_all_came", "_dense", "_disagrees", "_filters", "_first", "_loop", "_part", "_public", "_redone",
        "_replacing", "_response", "_stepping", "_undone",
    )  # fmt: skip

    def __init__(
        self,
        client: Requester,
        upstream: Exchange,
        filters: BodyFilters,
        public: str,
        accepted: Callable[[], bytes],
        disagrees: Callable[[Disagreement], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`public`: the origin of the host that was asked, as browsers write it. `accepted`: gives the client's
        Accept-Encoding. `disagrees`: told where the body is not in the charset that is said of it."""
        super().__init__(client, upstream)
        self._filters = filters
        self._public = public
        self._accepted = accepted
        self._disagrees = disagrees
        self._loop = loop
        self._replacing: Replacing | ReplacingOnceKnown | None = None
        self._response: ResponseHead | None = None
        self._first = b""
        self._part = False
        self._undone: Undone | None = None
        self._redone: Redone | None = None
        self._all_came = self._stepping = self._dense = False

    # --- the response ---

    def response_head(self, response: ResponseHead) -> bytes:
        """b"" where the head is not written yet. Raises GatewayError."""
        status, client = response.status, self.client
        content_type, encoding = response.value_of(b"content-type"), response.value_of(b"content-encoding")
        if status == 206 and is_part_of_a_text(content_type):
            # `upstream_failed` follows, and asks for all of it if it can.
            self._part = True
            raise GatewayError(UPSTREAM_RESPONSE, "a part of a text that is rewritten, unasked")
        undone = Undone(encoding) if encoding is not None and is_undone(encoding) else None
        coding = encoding if undone is None else None
        replacing = self._filters.replacing(self._public, content_type, coding, self._disagrees)
        # A 304 does not say of which type the response is that it confirms.
        response.is_changed = replacing is not None or status == 304
        if replacing is None:
            return client.response_head(response)
        redone = None
        if undone is not None:
            redone = Redone() if accepts_gzip(self._accepted()) else None
            response.ours += lines_of(redone=redone is not None, vary=response.find(b"vary", whole=True))
        if response.framing == NO_BODY:
            # RFC 9110 8.6: the length of what GET would get is not known.
            response.rare.pop(CONTENT_LENGTH, None)
            return client.response_head(response)
        self._replacing = replacing
        self._response = response
        self._undone, self._redone = undone, redone
        self._loop.call_soon(self._begin)
        return b""

    def take(self, data: bytes) -> None:
        """What comes of the body, without its framing where it is changed."""
        if self._replacing is None:
            self.client.transport.write(data)
        elif self._undone is not None:
            self._undo(self._undone, data)
        elif data:
            self._take_changed(self._replacing, data)

    def _take_changed(self, replacing: Replacing | ReplacingOnceKnown, data: bytes) -> None:
        pieces = replacing.feed(data)
        if len(pieces) > len(data) // _DENSE:
            self._dense = True
        if self._redone is not None:
            pieces = [self._redone.feed(b"".join(pieces))]
        self._send(pieces)

    def _send(self, pieces: list[Piece]) -> None:
        if self._response is not None:
            self._first += b"".join(pieces)
            return
        if self._redone is not None and not self._waits:
            # More may be long in coming.
            pieces.append(self._redone.flush())
        if size := sum(map(len, pieces)):
            if self.client.chunked_out:
                pieces = [b"%x\r\n" % size, *pieces, b"\r\n"]
            self.client.transport.writelines(pieces)

    # --- what was compressed ---

    @property
    def at_once(self) -> int:
        """Little where more goes on than comes, and where addresses stand one behind the other."""
        if self._undone is not None:
            return SMALL
        return _DENSE_AT_ONCE if self._dense else READ_AT_MOST

    @property
    def _waits(self) -> bool:
        """Whether there is something to do without anything more of the body."""
        undone, redone = self._undone, self._redone
        return undone is not None and (undone.waits or (redone is not None and redone.waits))

    def _undo(self, undone: Undone, data: bytes) -> None:
        """The first step at once: where it fails, nothing of the response is said yet. Raises GatewayError."""
        if data:
            undone.feed(data)
        if not self._stepping and not self.client.write_paused:
            self._step(undone)
        if self._waits:
            self._upstream.pause()
            self._step_soon()

    def _step(self, undone: Undone) -> None:
        """What grew by its replacements is done again before more is undone."""
        if self._redone is not None and self._redone.waits:
            self._send([self._redone.step()])
            return
        made = undone.step()
        if made and self._replacing is not None:
            self._take_changed(self._replacing, made)

    def _step_soon(self) -> None:
        if not self._stepping:
            self._stepping = True
            self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Others have had their turn; a client that takes no more says when it does."""
        self._stepping = False
        undone, client = self._undone, self.client
        if undone is None or client.write_paused or client.transport.is_closing():
            return
        try:
            self._step(undone)
            if self._waits:
                self._step_soon()
            elif self._all_came:
                self._finish()
            else:
                self._upstream.resume()
        except GatewayError as error:
            self._broken(error)
        except Exception as fault:  # noqa: BLE001 - the one edge
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
            if self._redone is not None:
                self._first += self._redone.flush()
            client.transport.write(head + (self._framed(self._first) if self._first else b""))
            self._first = b""
        except Exception as fault:  # noqa: BLE001 - the one edge
            client.faulted(fault)

    def answered(self) -> None:
        undone = self._undone
        if undone is None:
            self._finish()
            return
        # The connection carries the request of another from here on.
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
        client, replacing, response, redone = self.client, self._replacing, self._response, self._redone
        rest = b"" if replacing is None else replacing.end()
        if redone is not None:
            rest = redone.feed(rest)
            if redone.waits:
                self._send([rest])
                self._step_soon()
                return
            rest += redone.end()
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
        self._replacing = self._response = self._undone = self._redone = None

    # --- as the connection to the application asks for the client ---

    @property
    def chunked_out(self) -> bool:
        """What is changed comes here without framing."""
        return self._replacing is None and self.client.chunked_out

    def upstream_failed(self, error: GatewayError) -> None:
        self.forget()
        if not (self._part and self.client.ask_for_all()):
            self.client.upstream_failed(error)
