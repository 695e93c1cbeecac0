"""A worker's end of the inherited sockets: accepting, with or without TLS, and ceasing to without losing anybody."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence

from gateway.server.listeners import BACKLOG
from gateway.server.tls import Handshakes

# A handshake that began before the end gets this long to finish.
_JOINED_WITHIN = 0.5

# The loop's own patience is a minute: as long as that, a stranger could hold a place for one byte.
_LONGEST_HANDSHAKE = 10.0

Factory = Callable[[], asyncio.Protocol]


class Door:
    """One listening socket. `handshakes` None: without TLS. `patience`: seconds for a handshake, ten at most."""

    def __init__(
        self, listening: socket.socket, factory: Factory, handshakes: Handshakes | None, patience: float
    ) -> None:
        self._listening = listening
        self._factory = factory
        self._handshakes = handshakes
        # asyncio takes it beside TLS only.
        self._patience = None if handshakes is None else min(patience, _LONGEST_HANDSHAKE)
        self._server: asyncio.Server | None = None

    @property
    def _tls(self) -> ssl.SSLContext | None:
        return None if self._handshakes is None else self._handshakes.outer

    async def open(self) -> None:
        # A copy goes to the server, so that one is left here when the server has closed its own.
        self._server = await asyncio.get_running_loop().create_server(
            self._factory,
            sock=self._listening.dup(),
            ssl=self._tls,
            ssl_handshake_timeout=self._patience,
            backlog=BACKLOG,
        )

    def use(self, context: ssl.SSLContext | None) -> None:
        if self._handshakes is not None and context is not None:
            self._handshakes.use(context)

    async def close(self) -> None:
        """The last to close a socket resets the connections that wait in it: they are taken first."""
        if self._server is not None:
            self._server.close()
        loop = asyncio.get_running_loop()
        waiting = _accept_all(self._listening)
        self._listening.close()
        joining = [
            loop.create_task(
                loop.connect_accepted_socket(self._factory, each, ssl=self._tls, ssl_handshake_timeout=self._patience)
            )
            for each in waiting
        ]
        if joining:
            await asyncio.wait(joining, timeout=_JOINED_WITHIN)


class Doors:
    """`factory`: given whether the listener speaks TLS, what makes its protocols. `patience`: as in Door."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        contexts: Sequence[ssl.SSLContext | None],
        factory: Callable[[bool], Factory],
        patience: float,
    ) -> None:
        self._doors = [
            Door(listening, factory(context is not None), None if context is None else Handshakes(context), patience)
            for listening, context in zip(sockets, contexts, strict=True)
        ]

    async def open(self) -> None:
        for door in self._doors:
            await door.open()

    def use(self, contexts: Sequence[ssl.SSLContext | None]) -> None:
        """Handshakes that begin from here on see these certificates."""
        for door, context in zip(self._doors, contexts, strict=True):
            door.use(context)

    async def close(self) -> None:
        await asyncio.gather(*(door.close() for door in self._doors))


def _accept_all(listening: socket.socket) -> list[socket.socket]:
    taken: list[socket.socket] = []
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return taken
        connection.setblocking(False)
        taken.append(connection)
