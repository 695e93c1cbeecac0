"""Gathers a request's body before the application is called: a slow upload holds no connection to the application."""

import asyncio
from collections.abc import Callable
from typing import Final, final

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.proxy.buffers.held import BLOCK, HeldBytes
from gateway.proxy.buffers.room import Buffers
from gateway.proxy.exchange import Requester, ServerConnection
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.finished import FINISHED
from gateway.proxy.http1.bodies import LAST_CHUNK, chunk
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.framing import CHUNKED

# Other connections need their turn.
_PIECES_AT_ONCE: Final = 8


@final
class GatheredBody(Between):
    """Takes the place of the application's connection while the body is gathered, and forwards to the connection later.
    Bytes over the limit are sent on as they arrive.

    `framing`: how the length of the body is announced to the application.
    `_stands`: the application accepts no bytes at the moment.
    `_holds_up`: the client is paused.
    `_look`: the timer for an application that accepts no bytes for long.
    """

    __slots__ = (
        "_asks", "_begun", "_buffers", "_drained", "_held", "_holds_up", "_look", "_patience", "_sends", "_stands",
        "_steps", "_whole", "body_is_sent", "framing",
    )  # fmt: skip

    def __init__(
        self,
        client: Requester,
        buffers: Buffers,
        app: str,
        most: int,
        framing: int,
        patience: float,
        asks: Callable[[], None],
    ) -> None:
        """`most`: bytes that wait at a time. `patience`: seconds between two pieces. `asks`: called when the
        application is to be asked."""
        super().__init__(client, FINISHED)
        self._buffers = buffers
        self._patience = patience
        self._asks = asks
        self._held = HeldBytes(buffers, app, most, self._moved, self._broken)
        self.framing = framing
        self.body_is_sent = self._begun = self._sends = self._whole = self._stands = self._holds_up = False
        self._steps = False
        self._drained = 0
        self._look: asyncio.TimerHandle | None = None

    # --- from the client ---

    def write(self, piece: bytes) -> None:
        if not piece:
            return
        self._held.put(piece)
        if self._held.is_full:
            self._ask()
        if self._sends:
            self._drain_soon()
        if self._waits and not self._holds_up:
            self._holds_up = True
            self.client.pause_body()

    def await_response(self) -> None:
        """The last piece is written in the same turn."""
        self._whole = True
        if self._sends:
            self._drain_soon()
        else:
            self._ask()

    def _ask(self) -> None:
        if not self._begun:
            self._begun = True
            self._buffers.loop.call_soon(self._begin)

    def _begin(self) -> None:
        if self._upstream is not FINISHED or self._held.is_closed:
            return
        if self._whole:
            self.framing = self._held.size
        self._asks()

    @property
    def _waits(self) -> bool:
        return self._held.is_full or self._held.is_busy

    # --- to the application ---

    def send_to(self, upstream: ServerConnection, client: Requester) -> None:
        """Called when the head is about to be sent to `upstream`, in the same turn. `client`: receives the response."""
        self._upstream, self.client, self._sends = upstream, client, True
        self._drain_soon()

    def _moved(self) -> None:
        if self._sends:
            self._drain()
        elif self._held.is_full:
            # The disk took nothing.
            self._ask()
        else:
            self._let_client_go_on()

    def _drain_soon(self) -> None:
        if not self._steps:
            self._steps = True
            self._buffers.loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._steps = False
        if self._held.is_closed or self._upstream.is_closing():
            return
        try:
            for _ in range(_PIECES_AT_ONCE):
                piece = b"" if self._stands else self._held.take(BLOCK)
                if not piece:
                    break
                self._upstream.write(chunk((piece,)) if self.framing == CHUNKED else piece)
            else:
                self._drain_soon()
            if self._whole and not self._held.size:
                self._end()
            else:
                self._let_client_go_on()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self._broken(fault)

    def _end(self) -> None:
        if self.framing == CHUNKED:
            self._upstream.write(LAST_CHUNK)
        self.body_is_sent = True
        self._held.close()
        self._upstream.await_response()

    def _let_client_go_on(self) -> None:
        if self._holds_up and not self._waits:
            self._holds_up = False
            self.client.resume_body()

    # --- as the connection to the application asks for the client ---

    @property
    def body_done(self) -> bool:
        """While a body is not sent completely, the connection takes no other request."""
        return self.body_is_sent

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        return self.body_is_sent and self.client.take_usual(response, data, end)

    def pause_body(self) -> None:
        self._stands = True
        self._upstream.drains()
        self._look_later()

    def resume_body(self) -> None:
        self._stands = False
        self._look_no_more()
        self._drain_soon()

    def answered(self) -> None:
        self.forget()
        self.client.answered()

    def forget(self) -> None:
        self._look_no_more()
        self._held.close()

    def _look_later(self) -> None:
        self._look_no_more()
        self._look = self._buffers.loop.call_later(self._patience, self._looked)

    def _look_no_more(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _looked(self) -> None:
        """It may be slow, but not stand still."""
        self._look = None
        if self._upstream.drains():
            self._look_later()
        else:
            self._upstream.abandon()
            self.upstream_failed(GatewayError(upstream_codes.TIMEOUT, "the application reads no more of the request"))

    def _broken(self, fault: Exception) -> None:
        self._upstream.abandon()
        self.faulted(fault)

    # --- as the client connection asks for the application ---

    def room(self) -> int:
        return BLOCK

    def drains(self) -> bool:
        drained, self._drained = self._held.size < self._drained, self._held.size
        return drained
