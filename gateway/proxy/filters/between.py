"""A layer between a client connection and the connection to an application. Each side sees the layer as the other side
(proxy/exchange.py). Content that the layer does not change passes through.
"""

import asyncio
from typing import Any, Final

from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy.exchange import Exchange, Requester, ServerConnection
from gateway.proxy.http1.response_head import ResponseHead
from gateway.proxy.pacing import READ_AT_MOST, OwnRoom, room
from gateway.wire.fences import Fence


class Between:
    """`client`: towards the browser. `_upstream`: towards the application."""

    __slots__ = ("_upstream", "client", "transport")

    revalidated: Final = True

    def __init__(self, client: Requester, upstream: Exchange) -> None:
        self.client = client
        self._upstream = upstream
        self.transport: asyncio.Transport = _Outlet(self)

    # --- the response ---

    @property
    def at_once(self) -> int:
        """Bytes of the response that are read at once at most."""
        return READ_AT_MOST

    def take(self, data: bytes) -> None:
        """Receives the response, the head first."""
        self.client.transport.write(data)

    def answered(self) -> None:
        self.client.answered()

    def response_head(self, response: ResponseHead) -> bytes:
        return self.client.response_head(response)

    def forget(self) -> None:
        """Forwards no more of the response."""

    # --- as the connection to the application asks for the client ---

    @property
    def deadline(self) -> float:
        return self.client.deadline

    @deadline.setter
    def deadline(self, until: float) -> None:
        self.client.deadline = until

    @property
    def body_done(self) -> bool:
        return self.client.body_done

    @property
    def write_paused(self) -> bool:
        return self.client.write_paused

    @property
    def chunked_out(self) -> bool:
        return self.client.chunked_out

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        """Reads each head, which decides about the body."""
        return False

    def interim_response(self, response: ResponseHead) -> None:
        self.client.interim_response(response)

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """A tunnel passes unchanged."""
        self.client.switch(response, connection, rest)

    def respond(self, page: Page) -> None:
        self.client.respond(page)

    def retry(self) -> bool:
        return self.client.retry()

    def ask_for_all(self) -> bool:
        return self.client.ask_for_all()

    def upstream_failed(self, error: GatewayError) -> None:
        self.forget()
        self.client.upstream_failed(error)

    def faulted(self, fault: Exception) -> None:
        self.forget()
        self.client.faulted(fault)

    def bind(self, connection: ServerConnection) -> None:
        self.client.bind(connection)

    def pause_body(self) -> None:
        self.client.pause_body()

    def resume_body(self) -> None:
        self.client.resume_body()

    # --- as the client connection asks for the application ---

    def write(self, piece: bytes) -> None:
        self._upstream.write(piece)

    def await_response(self) -> None:
        self._upstream.await_response()

    def is_closing(self) -> bool:
        return self._upstream.is_closing()

    def abandon(self) -> None:
        self.forget()
        self._upstream.abandon()

    def room(self) -> int:
        return self._upstream.room()

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


class _Outlet(OwnRoom):
    """What the connection to the application writes a response to."""

    __slots__ = ("_to",)

    def __init__(self, to: Between) -> None:
        self._to = to

    def write(self, data: Any) -> None:
        self._to.take(data)

    def is_closing(self) -> bool:
        return self._to.client.transport.is_closing()

    @property
    def at_most(self) -> int:
        beyond = self._to.client.transport
        return min(beyond.at_most, self._to.at_once) if isinstance(beyond, OwnRoom) else self._to.at_once

    def room(self) -> int:
        return min(room(self._to.client.transport), self._to.at_once)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._to.client.transport.get_extra_info(name, default)
