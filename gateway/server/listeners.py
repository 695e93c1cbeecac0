"""The listening sockets. The supervisor binds a socket once, every worker inherits it, and it outlives the workers."""

import errno
import os
import resource
import socket
import stat
from contextlib import suppress
from pathlib import Path

from gateway.config.snapshot import Listener
from gateway.ops.log import Log
from gateway.server.faults import CannotServe

BACKLOG = 4096
_ADMIN_BACKLOG = 64
_UNIX = "unix:"

# Remedies for the operator.
_HINTS = {
    errno.EADDRINUSE: "another program uses the port: stop it, or choose another port",
    errno.EADDRNOTAVAIL: "this machine does not have the address: write one of its addresses, or 0.0.0.0",
    errno.EACCES: (
        "a port below 1024 needs root, the capability CAP_NET_BIND_SERVICE, or systemd to open it for the gateway "
        "(ecluse.socket; docs/how-to/run-it.md)"
    ),
}

# For systems without a limit.
_MOST_FILES = 1 << 20


# Files for each connection: the client, the application and a reserve, so that clients never take half of the files.
# Then the worker's own files.
_FILES_EACH, _FILES_OF_ITS_OWN = 3, 64


def files_needed(connections: int) -> int:
    """The number of open files that a worker needs for the client connections."""
    return connections * _FILES_EACH + _FILES_OF_ITS_OWN


def connections_within(files: int) -> int:
    """The number of connections that a worker can hold with `files` open files; 0 if the worker itself needs more."""
    return max(0, files - _FILES_OF_ITS_OWN) // _FILES_EACH


def allow_many_files(needed: int = 0) -> int:
    """Raises the limit of open files as far as this process may. A connection is a file, and workers inherit the limit.

    If the limit is below `needed`, raises it further if the account may do so. Returns the new limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if most < needed:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
            return needed
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def allow_files(connections: int, log: Log) -> None:
    """Allows the open files that the connections of a worker need, or logs the remedy. Workers that already run keep
    their limit until a restart.

    `connections`: the value of `limits.connections`."""
    needed = files_needed(connections)
    if (allowed := allow_many_files(needed)) < needed:
        detail = (
            f"limits.connections: {connections} takes {needed} files in each worker, and {allowed} may be opened: "
            f"set LimitNOFILE={needed} in the unit (ulimit -n)"
        )
        if (enough := connections_within(allowed)) > 0:
            detail += f", or write connections: {enough}"
        log.event("descriptors.few", allowed=allowed, needed=needed, detail=detail)


def bind(listener: Listener) -> socket.socket:
    """Binds a listener. Raises CannotServe with the address and the reason: taken, not an address of this machine, not
    allowed."""
    return _bind(*listener.address, BACKLOG)


def bind_admin(address: str) -> socket.socket:
    """Binds the admin socket. `address`: `unix:PATH` (for its owner alone) or `HOST:PORT`. Raises CannotServe."""
    if address.startswith(_UNIX):
        return _bind_path(Path(address.removeprefix(_UNIX)))
    host, _, port = address.rpartition(":")
    return _bind(host.strip("[]"), int(port), _ADMIN_BACKLOG)


def forget_path(path: str) -> None:
    """Removes the path of a closed Unix socket, unless another socket listens at the path."""
    if not _answers(path):
        with suppress(OSError):
            os.unlink(path)


def _bind(host: str, port: int, backlog: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        return _listening(listening, backlog)
    except OSError as error:
        listening.close()
        shown = f"[{host}]" if ":" in host else host
        hint = f" ({_HINTS[error.errno]})" if error.errno in _HINTS else ""
        raise CannotServe(f"cannot listen on {shown}:{port}: {os.strerror(error.errno or 0)}{hint}") from error


def _bind_path(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Sets the mode before the socket exists, so that other accounts cannot connect in between.
    before = os.umask(0o177)
    try:
        _clear(path)
        listening.bind(str(path))
        return _listening(listening, _ADMIN_BACKLOG)
    except OSError as error:
        listening.close()
        raise CannotServe(f"cannot listen on {_UNIX}{path}: {error.strerror or error}") from error
    finally:
        os.umask(before)


def _listening(listening: socket.socket, backlog: int) -> socket.socket:
    listening.listen(backlog)
    listening.setblocking(False)
    return listening


def _clear(path: Path) -> None:
    """Removes the socket that a killed gateway left at the path. Keeps a socket with a listening process, and a file
    that is no socket."""
    try:
        is_socket = stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return
    if not is_socket:
        raise OSError(0, "the path is a file, not a socket")
    if _answers(str(path)):
        raise OSError(0, "another program uses the socket")
    path.unlink()


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True
