"""The seam between a client connection and what stands at the other end of its request: the connection to an
application (upstream/connection.py), the portal (portal_exchange.py), a form that is kept (posts/keeping.py). Filters
of bodies and buffers stand between, and are to each side what the other one is (filters/, buffers/).

Each side is declared here as the other one asks for it, and neither knows more of the other.
"""

import asyncio
from typing import Protocol

from gateway.config.exchange_limits import Timeouts
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.proxy.http1.response_head import ResponseHead
from gateway.wire.fences import Fence


class Exchange(Protocol):
    """What stands at the other end of one request.

    `revalidated`: whether policy is asked again while it lasts. At the portal it is not: what was begun there goes on
    to its end.
    """

    @property
    def revalidated(self) -> bool: ...

    # --- the request ---

    def write(self, piece: bytes) -> None:
        """More of the request's body. Raises GatewayError where no more of it can be held."""

    def await_response(self) -> None:
        """The body is read; its last piece is written in the same turn of the loop."""

    def is_closing(self) -> bool:
        """Whether nothing can be written any more: what says so to the client is on its way."""

    def abandon(self) -> None:
        """The client is gone, or must not get the rest: it hears no more of this request."""

    def room(self) -> int:
        """How many bytes of the body may be read at once, since they are taken."""

    def drains(self) -> bool:
        """Whether some of what waited to be sent has gone since this was last asked."""

    # --- the response ---

    def pause(self) -> None:
        """The client takes no more of the response for the moment."""

    def resume(self) -> None:
        """The client takes the response again."""

    # --- while it lasts ---

    def has_moved(self, within: float) -> bool:
        """Whether some of the response came in the last `within` seconds."""

    def is_beyond(self, fence: Fence | None) -> bool:
        """Whether it leads where a fence that was drawn since lets nobody through."""


class ServerConnection(Exchange, Protocol):
    """An exchange by a connection that carries one request after the other. `bound`: NTLM or Negotiate was spoken on
    it, so that it is one client connection's own. `deadline`: s, on the loop's clock."""

    bound: bool
    deadline: float

    def send(self, client: "Requester", data: bytes, method: bytes, timeouts: Timeouts) -> None:
        """A whole head, with what there is of its body; the response goes to `client`."""

    def read_little(self) -> None:
        """Of the response that is about to come, until something of it is there."""

    def is_free_in(self, pool: object) -> bool:
        """Whether it is of this pool, and could carry a request now."""

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
        """Writes a usual response, its head up to `end`, or the beginning of one: `response.left` is still to come.
        False where it has to be read, or this client wants another form of it."""

    def interim_response(self, response: ResponseHead) -> None:
        """Writes an interim response that was read."""

    def response_head(self, response: ResponseHead) -> bytes:
        """What the client gets of a head that was read; it is written at once, for nothing else can be said then."""

    def switch(self, response: ResponseHead, connection: ServerConnection, rest: bytes) -> None:
        """A 101, and what came after it. Raises GatewayError where it is not the response to what was asked."""

    def answered(self) -> None:
        """The response is written, all of it."""

    # --- other ends ---

    def respond(self, page: Page) -> None:
        """The whole response, in the place of one of an application."""

    def retry(self) -> bool:
        """A kept connection was closed before the request came through: whether it is sent once more."""

    def ask_for_all(self) -> bool:
        """The application sent a part where all is needed: whether it is asked again, for all of it."""

    def upstream_failed(self, error: GatewayError) -> None: ...

    def faulted(self, fault: Exception) -> None:
        """The one edge: a fault of ours."""

    # --- the connection ---

    def bind(self, connection: ServerConnection) -> None:
        """Keeps the server connection for this client alone, once its response has ended."""

    def pause_body(self) -> None:
        """No more of the request's body is taken for the moment."""

    def resume_body(self) -> None:
        """It is taken again."""
