"""The seam between a client connection and the other end of its request: the connection to an application
(upstream/connection.py), the portal (portal_exchange.py), or a kept form (posts/keeping.py). Filters (filters/) and
buffers (buffers/) in between act as the other end towards both sides.
"""

import asyncio
from typing import Protocol

from gateway.config.exchange_limits import Timeouts
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.fences import Fence


class Exchange(Protocol):
    """The upstream end of a request.

    `revalidated`: policy is asked again during the request. False for the portal, whose requests run to their end.
    """

    @property
    def revalidated(self) -> bool: ...

    # --- the request ---

    def write(self, piece: bytes) -> None:
        """More of the request's body. Raises GatewayError where no more of it can be held."""

    def await_response(self) -> None:
        """The body is read; its last piece is written in the same turn of the loop."""

    def is_closing(self) -> bool:
        """Whether writing has ended: the notice to the client is on its way."""

    def abandon(self) -> None:
        """The client is gone, or must not get the rest of the response. Nothing more is sent to the client."""

    def room(self) -> int:
        """How many bytes of the body may be read at once, since they are taken."""

    def drains(self) -> bool:
        """Whether bytes that waited were sent since the last call."""

    # --- the response ---

    def pause(self) -> None:
        """The client takes no more of the response for the moment."""

    def resume(self) -> None:
        """The client takes the response again."""

    # --- while it lasts ---

    def has_moved(self, within: float) -> bool:
        """Whether some of the response came in the last `within` seconds."""

    def is_beyond(self, fence: Fence | None) -> bool:
        """Whether a fence made since then forbids the address."""


class ServerConnection(Exchange, Protocol):
    """An exchange by a connection that carries several requests. `bound`: NTLM or Negotiate was used, so the
    connection belongs to one client connection. `deadline`: seconds, on the loop's clock."""

    bound: bool
    deadline: float

    def send(self, client: "Requester", data: bytes, method: bytes, timeouts: Timeouts) -> None:
        """Sends the whole head with the first piece of the body. The response goes to `client`."""

    def read_little(self) -> None:
        """Reads little at a time until the first bytes of the response are there."""

    def is_free_in(self, pool: object) -> bool:
        """Whether the connection belongs to this pool and could carry a request now."""

    def release(self) -> asyncio.Transport:
        """Returns the transport of a connection that switched protocols. No bytes come to this object afterwards."""

    def close(self) -> None: ...


class Requester(Protocol):
    """The client connection of one request, as an exchange asks for it.

    `body_done`: the request's body is read. `write_paused`: the client takes no more for the moment. `chunked_out`: a
    body of unknown length goes to the client in chunks.
    """

    transport: asyncio.Transport
    deadline: float

    @property
    def body_done(self) -> bool: ...

    @property
    def write_paused(self) -> bool: ...

    @property
    def chunked_out(self) -> bool: ...

    # --- the response of an application ---

    def take_usual(self, response: ResponseHead, data: bytes, end: int) -> bool:
        """Writes a usual response up to `end`; `response.left` may still have to come. Returns False if the head must
        be parsed, or the client needs another form of it."""

    def interim_response(self, response: ResponseHead) -> None:
        """Writes a parsed interim response."""

    def response_head(self, response: ResponseHead) -> bytes:
        """Returns the client's form of a head that was read. The caller has to write it at once."""

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """Takes a 101 and the bytes after it. Raises GatewayError if the request did not ask for the upgrade."""

    def answered(self) -> None:
        """The whole response is written."""

    # --- other ends ---

    def respond(self, page: Page) -> None:
        """The whole response, in the place of one of an application."""

    def retry(self) -> bool:
        """A kept connection was closed before the request came through: whether it is sent once more."""

    def ask_for_all(self) -> bool:
        """Whether to ask again for the whole, because the application sent only a part."""

    def upstream_failed(self, error: GatewayError) -> None: ...

    def faulted(self, fault: Exception) -> None:
        """Ends the request after a fault of ours."""

    # --- the connection ---

    def bind(self, connection: ServerConnection) -> None:
        """Keeps the server connection for this client once the response has ended."""

    def pause_body(self) -> None:
        """No more of the request's body is taken for the moment."""

    def resume_body(self) -> None:
        """The application takes the body again."""
