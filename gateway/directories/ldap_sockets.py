"""Bounds libldap's sockets while a connection begins: until then libldap reads in one call, whatever amount arrives and
however slowly.

python-ldap gives no access to a socket opened by libldap. libldap offers a callback for all connections of the process
(ldap.h, LDAP_OPT_CONNECT_CB).
"""

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, local
from typing import Any, Final

# As in gateway.directories.ldap_reader.
os.environ["LDAPNOINIT"] = "1"

import _ldap
import ldap

from gateway.directories.received import Watched
from gateway.directories.source import DirectoryAway
from gateway.model.codes import directory_codes

LARGEST_BEGINNING: Final = 1 << 20
_LOOK_EVERY: Final = 0.02
# ldap.h and lber.h
_OPT_CONNECT_CB: Final = 0x5011
_SB_OPT_GET_FD: Final = 1


class Beginning:
    """The sockets of one beginning connection. `until`: deadline, monotonic seconds."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._sockets: list[Watched] = []
        self.too_large = False

    def add(self, descriptor: int) -> None:
        with suppress(OSError):
            watched = Watched(descriptor)
            watched.wait_for_none()
            self._sockets.append(watched)

    def watch(self, done: Event) -> None:
        """Until `done`, cuts every socket after the deadline, and a socket that received too much. libldap may try
        a second server, and a third.
        """
        while not done.wait(_LOOK_EVERY):
            late = time.monotonic() > self._until
            for one in list(self._sockets):
                large = one.bytes_received() > LARGEST_BEGINNING
                self.too_large = self.too_large or large
                if late or large:
                    one.cut()

    def close(self) -> None:
        for one in self._sockets:
            one.close()


class _OfThread(local):
    beginning: Beginning | None = None


_here: Final = _OfThread()


@contextmanager
def bounded_beginning(until: float) -> Iterator[Beginning]:
    """Wraps every call that begins a connection in this thread. Cuts a connection that exceeds the time, or a megabyte.
    Raises DirectoryAway, and the errors of the wrapped calls.
    """
    beginning, done = Beginning(until), Event()
    thread = Thread(target=beginning.watch, args=(done,), name="ldap-begins", daemon=True)
    thread.start()
    _here.beginning = beginning
    try:
        yield beginning
    except ldap.LDAPError:
        if beginning.too_large:
            raise DirectoryAway(directory_codes.ANSWER, f"its response has over {LARGEST_BEGINNING} bytes") from None
        raise
    finally:
        _here.beginning = None
        done.set()
        thread.join()
        beginning.close()


# --- callbacks for libldap

_ADDED: Final = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 5)
_REMOVED: Final = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)


class _Callbacks(ctypes.Structure):
    """struct ldap_conncb"""

    _fields_ = (("added", _ADDED), ("removed", _REMOVED), ("argument", ctypes.c_void_p))


def _added(_connection: Any, socket_buffer: Any, _server: Any, _address: Any, _callbacks: Any) -> int:
    """Called when the socket is connected, before TLS."""
    descriptor = ctypes.c_int(-1)
    _LIBRARY.ber_sockbuf_ctrl(ctypes.c_void_p(socket_buffer), _SB_OPT_GET_FD, ctypes.byref(descriptor))
    if _here.beginning is not None:
        _here.beginning.add(descriptor.value)
    return 0


def _removed(_connection: Any, _socket_buffer: Any, _callbacks: Any) -> None:
    pass


# The libldap that python-ldap is linked with, whichever further copies this machine has.
_LIBRARY: Final = ctypes.CDLL(_ldap.__file__)
# libldap keeps the address of this object.
_CALLBACKS: Final = _Callbacks(_ADDED(_added), _REMOVED(_removed), None)

if _LIBRARY.ldap_set_option(None, _OPT_CONNECT_CB, ctypes.byref(_CALLBACKS)):
    raise ImportError("libldap takes no LDAP_OPT_CONNECT_CB")
