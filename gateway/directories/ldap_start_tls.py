"""STARTTLS of an LDAP server (RFC 4511 4.14). Before it nobody knows who answers: no more is taken than that needs."""

import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlsplit

# As gateway.directories.ldap_reader.
os.environ["LDAPNOINIT"] = "1"

import ldap

from gateway.directories.received import bytes_received, wait_for_none
from gateway.directories.source import DirectoryAway
from gateway.model.directory_codes import DIRECTORY_ANSWER

LARGEST_BEGINNING: Final = 1 << 20
_LOOK_EVERY: Final = 0.02
_LDAP_PORT: Final = 389


def begin_tls(servers: Sequence[str], prepare: Callable[[Any], None], until: float) -> Any:
    """A connection to the first server that is there, under TLS. `servers`: ldap:// addresses. `prepare`: sets its
    options. `until`: of the monotonic clock. Raises ldap.LDAPError, DirectoryAway."""
    server, reached = _reached(servers, until)
    with reached, _bounded(reached):
        # The library closes its own descriptor.
        connection = ldap.initialize(server, fileno=os.dup(reached.fileno()))
        try:
            prepare(connection)
            connection.start_tls_s()
        except BaseException:
            with suppress(ldap.LDAPError):
                connection.unbind_ext_s()
            raise
    return connection


def _reached(servers: Sequence[str], until: float) -> tuple[str, socket.socket]:
    for server in servers:
        address = urlsplit(server)
        with suppress(OSError):
            place = address.hostname or "", address.port or _LDAP_PORT
            reached = socket.create_connection(place, timeout=max(0.001, until - time.monotonic()))
            # As the library has it: it asks first whether there is something to read.
            reached.settimeout(None)
            wait_for_none(reached.fileno())
            return server, reached
    raise ldap.SERVER_DOWN({"desc": "Can't contact LDAP server"})


@contextmanager
def _bounded(reached: socket.socket) -> Iterator[None]:
    """The library's one call reads an answer whole, however large: it is cut short beside it. Raises
    DirectoryAway."""
    done, over = Event(), Event()

    def watch() -> None:
        while not done.wait(_LOOK_EVERY):
            if bytes_received(reached.fileno()) > LARGEST_BEGINNING:
                over.set()
                with suppress(OSError):
                    reached.shutdown(socket.SHUT_RDWR)
                return

    thread = Thread(target=watch, name="ldap-start-tls", daemon=True)
    thread.start()
    try:
        yield
    except ldap.LDAPError:
        if over.is_set():
            raise DirectoryAway(DIRECTORY_ANSWER, f"it answered with over {LARGEST_BEGINNING} bytes") from None
        raise
    finally:
        done.set()
        thread.join()
