"""Listening sockets from before the start: bound by the service manager, or by the gateway that is replaced."""

import socket
from collections.abc import Iterable

from gateway.config.snapshot import Gateway
from gateway.server.faults import CannotServe
from gateway.server.listeners import bind, bind_admin
from gateway.wire.addresses import parse_address

_UNIX = "unix:"


class Inherited:
    """The sockets that were open before the gateway started.

    `given`: the sockets from the service manager, with their names, which may be empty.
    `handed`: the sockets from the predecessor, which may listen at more places."""

    def __init__(self, given: Iterable[tuple[str, socket.socket]] = (), handed: Iterable[socket.socket] = ()) -> None:
        self._sockets: list[tuple[object, str | None, socket.socket]] = [
            *((_place_of(each), name, each) for name, each in given),
            *((_place_of(each), None, each) for each in handed),
        ]

    def take(self, place: object) -> socket.socket | None:
        """Hands the first socket that listens at `place` over to the caller."""
        for entry in self._sockets:
            if entry[0] == place:
                self._sockets.remove(entry)
                return entry[2]
        return None

    def close(self) -> list[str]:
        """Closes the sockets that no listener claimed. Returns the addresses and names of the closed sockets from the
        service manager."""
        left, self._sockets = self._sockets, []
        for _, _, each in left:
            each.close()
        return [f"{_words(place)} ({name})" if name else _words(place) for place, name, _ in left if name is not None]


def bound(gateway: Gateway, inherited: Inherited) -> tuple[list[socket.socket], socket.socket]:
    """All listening sockets and the admin socket, inherited or bound now. Raises CannotServe after closing the
    listening sockets."""
    listening: list[socket.socket] = []
    try:
        for listener in gateway.listeners:
            there = inherited.take(_place(*listener.address))
            listening.append(bind(listener) if there is None else there)
        admin = inherited.take(_place_of_admin(gateway.admin))
        return listening, bind_admin(gateway.admin) if admin is None else admin
    except CannotServe:
        for each in listening:
            each.close()
        raise


def _place(host: str, port: int) -> object:
    return parse_address(host), port


def _place_of_admin(address: str) -> object:
    if address.startswith(_UNIX):
        return address.removeprefix(_UNIX)
    host, _, port = address.rpartition(":")
    return _place(host.strip("[]"), int(port))


def _place_of(each: socket.socket) -> object:
    name = each.getsockname()
    return name if isinstance(name, str) else _place(*name[:2])


def _words(place: object) -> str:
    if not isinstance(place, tuple):
        return f"{_UNIX}{place}"
    host, port = place
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
