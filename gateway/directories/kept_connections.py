"""Keeps the connections to a server open between queries, for libraries that block in threads."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from gateway.directories.source import DirectoryAway

# Firewalls silently drop idle connections: a connection idle for longer is not used again.
_IDLE_SECONDS: Final = 60.0
_Connection = TypeVar("_Connection")
_Found = TypeVar("_Found")


class KeptConnections(Generic[_Connection]):
    """Shares connections among threads, at most one for each thread.

    `connect`: opens a connection, before the given time of the monotonic clock.
    `failures`: the library's exception class.
    `was_closed`: whether an exception means that the server has closed an idle connection.
    """

    def __init__(
        self,
        connect: Callable[[float], _Connection],
        close: Callable[[_Connection], None],
        *,
        failures: type[Exception],
        was_closed: Callable[[Exception], bool],
    ) -> None:
        self._connect = connect
        self._close = close
        self._failures = failures
        self._was_closed = was_closed
        self._idle: list[tuple[float, _Connection]] = []

    def use(self, ask: Callable[[_Connection, float], _Found], seconds: float) -> _Found:
        """Calls `ask` with a connection and a deadline (monotonic), and returns the result. Closes the connection after
        a failure. Raises the errors of `connect` and `ask`.
        """
        until = time.monotonic() + seconds
        idle = self._take_idle()
        if idle is not None:
            try:
                return self._call(ask, idle, until)
            except self._failures as error:
                if not self._was_closed(error):
                    raise
        return self._call(ask, self._connect(until), until)

    def close(self) -> None:
        """Closes the idle connections. To be called once no thread queries any more."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            self._close(connection)

    def _call(self, ask: Callable[[_Connection, float], _Found], connection: _Connection, until: float) -> _Found:
        try:
            found = ask(connection, until)
        except (self._failures, DirectoryAway):
            self._close(connection)
            raise
        self._idle.append((time.monotonic(), connection))
        return found

    def _take_idle(self) -> _Connection | None:
        oldest = time.monotonic() - _IDLE_SECONDS
        while self._idle:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                break  # another thread was faster
            if since >= oldest:
                return connection
            self._close(connection)
        return None
