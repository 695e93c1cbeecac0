"""A kept post that its person sends on. It arrives on the connection of the click, head and body, as if the browser had
sent it then, and takes the way of every request.

The kept post gives the target, the Content-Type and the body; the click gives the other lines, including Cookie.
"""

import asyncio
from collections.abc import Iterable
from typing import Final, Protocol

from gateway.access.outcome import RequireSignIn
from gateway.model.errors import GatewayError
from gateway.model.kept_post import SendOn
from gateway.model.levels import need_query
from gateway.model.ports import Page

# Headers of the click about its own body or its connection.
_LEFT_OUT: Final = frozenset(
    {
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


def head_of(order: SendOn, lines: Iterable[bytes]) -> bytes:
    """Makes the head of the kept post. `lines`: the click's lines, as b"Name: value". The connection carries no
    further request."""
    kept = [line for line in lines if line.partition(b":")[0].lower() not in _LEFT_OUT]
    if order.content_type:
        kept.append(b"Content-Type: " + order.content_type.encode("latin-1"))
    kept += [b"Content-Length: %d" % order.body.size, b"Connection: close"]
    return b"\r\n".join((b"POST %b HTTP/1.1" % order.target.encode("ascii"), *kept, b"", b""))


class SendingClient(Protocol):
    """The client connection that a kept post feeds."""

    def takes(self) -> bool:
        """Whether a piece of the body could be taken now."""

    def feed(self, piece: bytes) -> None:
        """A piece of the body, as if it had been read from the socket."""

    def body_failed(self, error: GatewayError) -> None: ...

    def faulted(self, fault: Exception) -> None: ...


class Sending:
    """A kept post on its way. `begun`: the application may have the head already, so the post must not be sent a second
    time."""

    __slots__ = ("_client", "_loop", "_task", "_wanted", "begun", "order")

    def __init__(self, client: SendingClient, order: SendOn, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self.order = order
        self.begun = False

    def begin(self) -> None:
        """The head is on its way: the body follows."""
        self.begun = True
        if self._task is None:
            self._task = self._loop.create_task(self._feed())

    def steer(self) -> None:
        """The connection has moved: it may take more."""
        self._wanted.set()

    def to_sign_in(self, outcome: RequireSignIn) -> Page:
        """Leads to a stronger sign-in, and from there back to the page of the kept post."""
        location = self.order.again + need_query(outcome.need)
        return Page(303, ((b"Location", location.encode("ascii")), (b"Cache-Control", b"no-store")), b"")

    def end(self) -> None:
        """The response is written, or will never be."""
        if self._task is not None:
            self._task.cancel()
        self.order.body.close()
        if self.begun:
            self.order.done()
        else:
            self.order.give_back()

    async def _feed(self) -> None:
        client, body = self._client, self.order.body
        try:
            while piece := await body.read():
                while not client.takes():
                    self._wanted.clear()
                    await self._wanted.wait()
                client.feed(piece)
        except GatewayError as error:
            client.body_failed(error)
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            client.faulted(fault)


class NobodyThere(asyncio.Transport):
    """Replaces a client that left while its post was on the way: drops the response."""

    __slots__ = ("_client", "_closing")

    def __init__(self, client: asyncio.BaseProtocol) -> None:
        self._client = client
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Thrown away."""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def pause_reading(self) -> None:
        """No bytes come."""

    def resume_reading(self) -> None:
        """As `pause_reading`."""

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._client.connection_lost, None)

    abort = close
