"""Buffers a response that arrives faster than the client reads: the application is free for other requests."""

from typing import Final

from gateway.proxy.buffers.held import BLOCK, HeldBytes
from gateway.proxy.buffers.room import Buffers
from gateway.proxy.exchange import Exchange, Requester
from gateway.proxy.filters.between import Between
from gateway.proxy.filters.finished import FINISHED
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.pacing import room

# Other connections need their turn.
_PIECES_AT_ONCE: Final = 4


class BufferedResponse(Between):
    """The layer next to the client: holds bytes in the form in which they are written.

    `_is_paused`: the application is paused.
    `_all_came`: the response has arrived completely.
    """

    __slots__ = ("_all_came", "_buffers", "_held", "_is_paused", "_steps")

    def __init__(self, client: Requester, buffers: Buffers, app: str, most: int) -> None:
        """`most`: the limit of waiting bytes."""
        super().__init__(client, FINISHED)
        self._buffers = buffers
        self._held = HeldBytes(buffers, app, most, self._drain, self._broken)
        self._is_paused = self._all_came = self._steps = False

    def stand_before(self, upstream: Exchange) -> None:
        """Passes the response to this exchange."""
        self._upstream = upstream

    @property
    def at_once(self) -> int:
        return BLOCK

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        """Passes a usual response on: no bytes are waiting."""
        return self.client.take_usual(response, data, end)

    def take(self, data: bytes) -> None:
        if not self._held.size and not self.client.write_paused:
            self.client.transport.write(data)
        elif data:
            self._held.put(data)
            if self.write_paused:
                self._is_paused = True
                self._upstream.pause()

    def answered(self) -> None:
        if self._held.size:
            # From now on the connection carries the request of another client.
            self._upstream, self._all_came = FINISHED, True
        else:
            self._held.close()
            self.client.answered()

    def forget(self) -> None:
        self._held.close()

    # --- to the client, as fast as it reads ---

    def _drain(self) -> None:
        self._steps = False
        client, held = self.client, self._held
        try:
            for _ in range(_PIECES_AT_ONCE):
                if client.write_paused or client.transport.is_closing():
                    break
                piece = held.take(room(client.transport))
                if not piece:
                    break
                client.transport.write(piece)
            else:
                self._drain_soon()
            self._go_on()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            self._broken(fault)

    def _drain_soon(self) -> None:
        if not self._steps:
            self._steps = True
            self._buffers.loop.call_soon(self._drain)

    def _go_on(self) -> None:
        if self._all_came and not self._held.size:
            self._all_came = False
            self._held.close()
            self.client.answered()
        elif self._is_paused and not self.write_paused:
            self._is_paused = False
            self._upstream.resume()

    def _broken(self, fault: Exception) -> None:
        self._upstream.abandon()
        self.faulted(fault)

    # --- pauses, as the client or the application asks for them ---

    @property
    def write_paused(self) -> bool:
        return self._held.is_full or self._held.is_busy

    def pause(self) -> None:
        """The application goes on."""

    def resume(self) -> None:
        self._drain_soon()
