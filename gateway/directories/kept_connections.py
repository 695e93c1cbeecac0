"""Connections to one server that are kept between questions, for kinds that wait on their sockets in threads."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from gateway.directories.source import DirectoryAway

# Firewalls forget idle connections in silence: a connection that was idle for longer is opened anew.
_IDLE_SECONDS: Final = 60.0
_Connection = TypeVar("_Connection")
_Found = TypeVar("_Found")


class KeptConnections(Generic[_Connection]):
    """Of several threads: one for each at most. `connect`: by a moment of the monotonic clock. `failures`: what the
    library raises; `was_closed`: whether one of these says that the server has closed the connection meanwhile."""

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

    def asked(self, ask: Callable[[_Connection, float], _Found], seconds: float) -> _Found:
        """What `ask` returns, called with a connection and the moment by which it has to be done. On a failure the
        connection is let go. Raises what `connect` and `ask` raise."""
        until = time.monotonic() + seconds
        kept = self._kept()
        if kept is not None:
            try:
                return self._answer(ask, kept, until)
            except self._failures as error:
                if not self._was_closed(error):
                    raise
        return self._answer(ask, self._connect(until), until)

    def close(self) -> None:
        """Once no thread asks any more."""
        idle, self._idle = self._idle, []
        for _, connection in idle:
            self._close(connection)

    def _answer(self, ask: Callable[[_Connection, float], _Found], connection: _Connection, until: float) -> _Found:
        try:
            found = ask(connection, until)
        except (self._failures, DirectoryAway):
            self._close(connection)
            raise
        self._idle.append((time.monotonic(), connection))
        return found

    def _kept(self) -> _Connection | None:
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
