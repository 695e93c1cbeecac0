"""A request of ours at the portal: it stands where an application's connection would, until the page is there."""

from asyncio import AbstractEventLoop, CancelledError, Task
from time import monotonic
from typing import Final, Protocol
from urllib.parse import unquote_to_bytes

from gateway.access.inbound import InboundRequest
from gateway.model.kept_post import SendOn
from gateway.model.ports import Page
from gateway.proxy.exchange import Requester
from gateway.proxy.pacing import READ_AT_MOST, room
from gateway.proxy.provider_calls import called, is_call, is_refusal, is_unread_refusal
from gateway.proxy.services import Services
from gateway.proxy.spool import Spooled
from gateway.wire.addresses import client_key
from gateway.wire.fences import Fence

# Bytes of a page's body per write: a client that does not read holds no more memory.
WHOLE: Final = 32 * 1024


class PortalClient(Requester, Protocol):
    def send_on(self, order: SendOn) -> None:
        """A kept post goes to the application, in the place of this request."""


class OwnPage:
    """Defaults of exchange.py for a page of our own, which usually comes whole in one write."""

    __slots__ = ()

    revalidated: Final = False

    def room(self) -> int:
        """A form is held, and a kept post goes to the disk."""
        return READ_AT_MOST

    def drains(self) -> bool:
        """Writing is never paused."""
        return False

    def pause(self) -> None:
        """Does nothing: a page is one write."""

    def resume(self) -> None:
        """As `pause`."""

    def has_moved(self, within: float) -> bool:
        """A page comes whole."""
        return False

    def is_beyond(self, fence: Fence | None) -> bool:
        """No fence is drawn around ourselves."""
        return False


class PortalExchange(OwnPage):
    """A request at the portal. It runs to its end even if the browser leaves: no sign-out stops half-way."""

    __slots__ = ("_asked", "_body", "_client", "_inbound", "_patience", "_plane")

    def __init__(self, client: PortalClient, plane: Services, inbound: InboundRequest, patience: float) -> None:
        """`patience`: how long (s) the page may take."""
        self._client: PortalClient | None = client
        self._plane = plane
        self._inbound = inbound
        self._patience = patience
        self._body = Spooled(plane.spool, client_key(inbound.client))
        self._asked = False

    def ask(self) -> None:
        """Asks the portal once the request is complete: no step runs on half a form."""
        client = self._client
        if client is not None:
            self._asked = True
            client.deadline = self._plane.timers.now + self._patience
            self._plane.portal(self._inbound, self._body.take()).add_done_callback(self._answered)

    def _answered(self, asked: Task[Page | SendOn]) -> None:
        client, self._client = self._client, None
        try:
            page = asked.result()
            self._count(page)
            if isinstance(page, SendOn):
                if client is None:
                    page.body.close()
                    page.give_back()
                else:
                    client.send_on(page)
            elif client is not None:
                client.respond(page)
        except CancelledError:
            # The worker ends, and its connections have ended.
            return
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            if client is not None:
                client.faulted(fault)
            else:
                self._plane.faulted(fault, self._inbound.request_id.encode("ascii"))

    def _count(self, page: Page | SendOn) -> None:
        inbound, path = self._inbound, _path_of(self._inbound)
        if isinstance(page, Page) and is_call(inbound.snapshot, inbound.method.encode(), path) and is_refusal(page):
            self._plane.rates.call_refused(inbound.client, called(path), monotonic())

    # --- the methods of exchange.Exchange ---

    def write(self, piece: bytes) -> None:
        """Raises GatewayError where too much is held of forms that are not whole."""
        self._body.add(piece)

    def await_response(self) -> None:
        """The last piece of the body is written in the same turn."""
        self._plane.loop.call_soon(self.ask)

    def is_closing(self) -> bool:
        return self._client is None

    def abandon(self) -> None:
        """The client no longer waits for the page."""
        self._client = None
        self._body.take()
        if not self._asked:
            self._asked = True
            count_unread(self._plane, self._inbound)


def count_unread(plane: Services, inbound: InboundRequest) -> None:
    """Counts a request whose body was too large, late or missing."""
    path, on_portal = _path_of(inbound), inbound.host == inbound.snapshot.gateway.portal_host
    if on_portal and is_call(inbound.snapshot, inbound.method.encode(), path) and is_unread_refusal(inbound, path):
        plane.rates.call_refused(inbound.client, called(path), monotonic())


def _path_of(inbound: InboundRequest) -> bytes:
    return unquote_to_bytes(inbound.target.partition("?")[0])


class PouredBody(OwnPage):
    """Sends a page that is too large for one write, as the client takes the pieces. Clients share the bytes of the
    page, so a client that reads nothing costs no copy."""

    __slots__ = ("_client", "_loop", "_rest", "_steps")

    def __init__(self, client: Requester, body: bytes, loop: AbstractEventLoop) -> None:
        """Starts after the head was written."""
        self._client: Requester | None = client
        self._rest = memoryview(body)
        self._loop = loop
        self._steps = False
        self.resume()

    def resume(self) -> None:
        if not self._steps:
            self._steps = True
            self._loop.call_soon(self._step)

    def _step(self) -> None:
        """Writes a piece per turn of the loop."""
        self._steps = False
        client = self._client
        if client is None or client.write_paused or client.transport.is_closing():
            return
        try:
            size = min(room(client.transport), WHOLE)
            piece, self._rest = self._rest[:size], self._rest[size:]
            client.transport.write(piece)
            if self._rest:
                self.resume()
            else:
                self._client = None
                client.answered()
        except Exception as fault:  # noqa: BLE001 - the outermost handler
            client.faulted(fault)

    def is_closing(self) -> bool:
        return False

    def write(self, piece: bytes) -> None:
        """The request is over."""

    def await_response(self) -> None:
        """As `write`."""

    def abandon(self) -> None:
        self._client = None
