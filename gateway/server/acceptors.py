"""A worker's end of the inherited sockets: accepts connections, with or without TLS, and stops without losing any."""

import asyncio
import errno
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from gateway.model.codes import gateway_codes
from gateway.model.errors import GatewayError
from gateway.proxy.admission import Admission, CountedConnection
from gateway.proxy.tls_reading import opened_by_tls
from gateway.server.proxy_header import told_client
from gateway.server.tls import Handshakes, ListenerContexts
from gateway.wire.addresses import IpNetwork, contains, parse_address

# Seconds for handshakes under way to finish when the gateway stops accepting.
_JOINED_WITHIN = 0.5

# asyncio's default is a minute: a stranger could hold a place that long with a single byte.
_LONGEST_HANDSHAKE = 10.0

# Connections per turn of the loop. Other tasks need a turn too, and other workers may take the next connections.
_ACCEPTED_AT_ONCE = 32

# Seconds until the next try. Meanwhile new connections wait in the kernel's queue.
_WITHOUT_DESCRIPTORS = 0.1
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

# SO_LINGER with 0 seconds: closing resets the connection at once (socket(7)).
_AT_ONCE = struct.pack("ii", 1, 0)
_READ_AND_FORGOTTEN = 65536


Factory = Callable[[CountedConnection], asyncio.BaseProtocol]
"""Makes the protocol of an accepted connection. The protocol frees its place when the connection is lost."""


class Acceptor:
    """A listening socket.

    `handshakes`: None without TLS.
    `patience`: seconds for a handshake, ten at most.
    `proxies`: the servers in front; empty if clients connect themselves."""

    def __init__(
        self,
        listening: socket.socket,
        factory: Factory,
        keeper: Admission,
        handshakes: Handshakes | None,
        patience: float,
        proxies: tuple[IpNetwork, ...] = (),
    ) -> None:
        self._listening = listening
        self._proxies = proxies
        self._factory = factory
        self._keeper = keeper
        self._handshakes = handshakes
        # asyncio accepts a handshake timeout only with TLS.
        self._patience = None if handshakes is None else min(patience, _LONGEST_HANDSHAKE)
        self._joining: set[asyncio.Task[None]] = set()
        self._waits: asyncio.TimerHandle | None = None

    def open(self) -> None:
        asyncio.get_running_loop().add_reader(self._listening, self._accept, _ACCEPTED_AT_ONCE)

    def use(self, contexts: ListenerContexts | None) -> None:
        if self._handshakes is not None and contexts is not None:
            self._handshakes.use(contexts)

    async def close(self) -> None:
        """Accepts the waiting connections, then closes the socket: the last process to close a socket resets the
        connections that wait in it."""
        asyncio.get_running_loop().remove_reader(self._listening)
        while self._accept(_ACCEPTED_AT_ONCE):
            pass
        if self._waits is not None:
            self._waits.cancel()
        self._listening.close()
        if self._joining:
            await asyncio.wait(self._joining, timeout=_JOINED_WITHIN)

    def _accept(self, most: int) -> bool:
        """Accepts up to `most` connections. Returns whether more connections may wait."""
        for _ in range(most):
            try:
                connection, address = self._listening.accept()
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._wait_for_descriptors()
                # A client that left before its turn (ECONNABORTED) was the only waiting client.
                return False
            self._take(connection, address[0])
        return True

    def _take(self, connection: socket.socket, peer: str) -> None:
        connection.setblocking(False)
        if self._proxies and not self._is_proxy(peer):
            why = "this listener takes PROXY protocol: only the servers in listen[].proxy_protocol may connect"
            self._keeper.mistaken(peer, GatewayError(gateway_codes.LISTEN_PROXY_SOURCE, why))
            _reset(connection)
            return
        place = self._keeper.enter(peer, connection.fileno(), front=bool(self._proxies))
        if place is None:
            self._turn_away(connection)
            return
        joined = self._join_told(connection, place, peer) if self._proxies else self._join(connection, place)
        task = asyncio.get_running_loop().create_task(joined)
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)

    def _is_proxy(self, peer: str) -> bool:
        address = parse_address(peer)
        return address is not None and contains(self._proxies, address)

    async def _join_told(self, connection: socket.socket, place: CountedConnection, peer: str) -> None:
        """Counts the connection for the client that the server in front names, then opens it."""
        try:
            told = await told_client(connection)
        except BaseException as error:
            place.leave()
            _reset(connection)
            if isinstance(error, GatewayError):
                self._keeper.mistaken(peer, error)
            elif not isinstance(error, OSError):
                raise
            return
        if told is not None:
            place.leave()
            entered = self._keeper.enter(told.peer, connection.fileno())
            if entered is None:
                self._turn_away(connection)
                return
            entered.secure, entered.is_told = told.secure, True
            place = entered
        await self._join(connection, place)

    async def _join(self, connection: socket.socket, place: CountedConnection) -> None:
        """Opens the connection. The protocol takes over the place once the connection is made; after a failed handshake
        this method gives the place back."""
        try:
            opens = partial(asyncio.get_running_loop().connect_accepted_socket, sock=connection)
            if self._handshakes is None:
                await opens(partial(self._factory, place))
            else:
                await opened_by_tls(
                    opens,
                    self._factory(place),
                    self._handshakes.outer,
                    server_side=True,
                    ssl_handshake_timeout=self._patience,
                )
        except BaseException as error:
            place.leave()
            if not isinstance(error, OSError):
                raise

    def _turn_away(self, connection: socket.socket) -> None:
        """Refuses a connection beyond the limit at once: the client holds no resources while it leaves."""
        with connection, suppress(OSError):
            if self._handshakes is None:
                connection.send(self._keeper.refusal())
                # Unread bytes would reset the connection before the client reads the answer.
                connection.recv(_READ_AND_FORGOTTEN)
            else:
                _reset(connection)

    def _wait_for_descriptors(self) -> None:
        self._keeper.exhausted("accept")
        loop = asyncio.get_running_loop()
        # The loop would call again and again, because the waiting connections keep the socket ready.
        loop.remove_reader(self._listening)
        self._waits = loop.call_later(_WITHOUT_DESCRIPTORS, self.open)


def _reset(connection: socket.socket) -> None:
    with connection, suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


class Acceptors:
    """The acceptors of all listeners.

    `factory`: makes the factory of a listener's protocols from the number of the listener.
    `patience`: as in Acceptor.
    `proxies`: as in Acceptor, for each listener."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        contexts: Sequence[ListenerContexts | None],
        factory: Callable[[int], Factory],
        keeper: Admission,
        patience: float,
        proxies: Sequence[tuple[IpNetwork, ...]] = (),
    ) -> None:
        self._acceptors = [
            Acceptor(
                listening,
                factory(number),
                keeper,
                None if context is None else Handshakes(context),
                patience,
                proxies[number] if proxies else (),
            )
            for number, (listening, context) in enumerate(zip(sockets, contexts, strict=True))
        ]

    def open(self) -> None:
        for acceptor in self._acceptors:
            acceptor.open()

    def use(self, contexts: Sequence[ListenerContexts | None]) -> None:
        """Uses the certificates for new handshakes."""
        for acceptor, context in zip(self._acceptors, contexts, strict=True):
            acceptor.use(context)

    async def close(self) -> None:
        await asyncio.gather(*(acceptor.close() for acceptor in self._acceptors))
