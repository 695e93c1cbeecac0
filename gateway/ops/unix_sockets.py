"""Connects to applications on Unix sockets: for requests, health checks, sign-out calls and form login."""

import os
import socket
import stat
from contextlib import ExitStack, suppress
from typing import Final

from gateway.model.codes import upstream_codes
from gateway.model.errors import GatewayError
from gateway.model.unix_socket import UnixSocket

_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
# Opens the entry itself, even if the entry is a link.
_STEP: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_HELD: Final = "/proc/self/fd/%d"


def connected_to(place: UnixSocket) -> socket.socket:
    """Connects without waiting: a server with a full queue refuses. Opens each part of the path below the folder
    already held open, so that a writer of a folder cannot insert a link.

    Raises OSError; GatewayError(upstream_codes.ADDRESS) for a path that no application may have.
    """
    with ExitStack() as held:
        at = _held(held, os.open(place.folder, _FOLDER))
        for name in place.names:
            at = _held(held, os.open(name, _STEP, dir_fd=at))
            _check(place, at)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connection.connect(_HELD % at)
        except BaseException:
            connection.close()
            raise
        return connection


def _held(stack: ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _check(place: UnixSocket, at: int) -> None:
    found = os.fstat(at)
    if stat.S_ISLNK(found.st_mode):
        raise GatewayError(upstream_codes.ADDRESS, f"{place.path}: a link is on the way, and none is followed there")
    real = os.readlink(_HELD % at)
    for our in place.ours:
        with suppress(FileNotFoundError):
            own = os.stat(our)
            above = os.path.realpath(our)
            if (own.st_dev, own.st_ino) == (found.st_dev, found.st_ino) or real.startswith(above + "/"):
                raise GatewayError(upstream_codes.ADDRESS, f"{place.path} leads to {our}, which is this gateway's own")
