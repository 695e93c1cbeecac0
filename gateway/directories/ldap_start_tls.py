"""Starts TLS on a connection to an LDAP server (RFC 4511 4.14). Before TLS the peer is not authenticated, so the
gateway accepts only what STARTTLS needs.
"""

import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

# As in gateway.directories.ldap_reader.
os.environ["LDAPNOINIT"] = "1"

import ldap

from gateway.directories.ldap_sockets import Beginning

_LDAP_PORT: Final = 389


def begin_tls(servers: Sequence[str], prepare: Callable[[Any], None], until: float, beginning: Beginning) -> Any:
    """Connects to the first reachable server and starts TLS. Raises ldap.LDAPError.

    `servers`: ldap:// addresses.
    `prepare`: sets the options of the connection.
    `until`: deadline, monotonic seconds.
    `beginning`: bounds the connection's socket.
    """
    server, reached = _reached(servers, until)
    with reached:
        beginning.add(reached.fileno())
        # libldap closes the descriptor passed to it, so pass a duplicate.
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
            # A blocking socket, as libldap makes: libldap polls before a read.
            reached.settimeout(None)
            return server, reached
    raise ldap.SERVER_DOWN({"desc": "Can't contact LDAP server"})
