"""STARTTLS of an LDAP server (RFC 4511 4.14). Before it nobody knows who answers: no more is taken than that needs."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

# As gateway.directories.ldap_reader.
os.environ["LDAPNOINIT"] = "1"

import ldap

from gateway.directories.ldap_sockets import Beginning

_LDAP_PORT: Final = 389


def begin_tls(servers: Sequence[str], prepare: Callable[[Any], None], until: float, beginning: Beginning) -> Any:
    """A connection to the first server that is there, under TLS. `servers`: ldap:// addresses. `prepare`: sets its
    options. `until`: of the monotonic clock. `beginning`: bounds it. Raises ldap.LDAPError."""
    server, reached = _reached(servers, until)
    with reached:
        beginning.add(reached.fileno())
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
            return server, reached
    raise ldap.SERVER_DOWN({"desc": "Can't contact LDAP server"})
