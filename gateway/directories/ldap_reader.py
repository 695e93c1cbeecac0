"""Queries an LDAP server about a person, in threads: python-ldap blocks on its sockets.

Keeps connections open, at most one for each thread. Follows no referral, and requests only the attributes that the
directory's file lists.
"""

import os
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any, Final, TypeVar

# Without this variable, libldap would read ldap.conf and the environment.
os.environ["LDAPNOINIT"] = "1"

import ldap
from ldap.controls import SimplePagedResultsControl

from gateway.directories.kept_connections import KeptConnections
from gateway.directories.ldap_filter import person_filter
from gateway.directories.ldap_sockets import bounded_beginning
from gateway.directories.ldap_start_tls import begin_tls
from gateway.directories.received import Watched
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.identity.directories import MOST_ROWS, DirectoryFault, finding_of, is_same_key, key_values, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory, LdapSource
from gateway.model.quoting import quoted, without
from gateway.ops.memory_file import in_memory

LARGEST_RESPONSE: Final = 1 << 20
# Seconds between two checks of the bytes received: libldap reads an entry as a whole, and a fast server sends many
# bytes.
_LOOK_EVERY: Final = 0.02
_SCOPES: Final = {"base": ldap.SCOPE_BASE, "one": ldap.SCOPE_ONELEVEL, "subtree": ldap.SCOPE_SUBTREE}
_PAGE: Final = 100
_DENIED: Final = (
    ldap.INVALID_CREDENTIALS,
    ldap.INSUFFICIENT_ACCESS,
    ldap.INAPPROPRIATE_AUTH,
    ldap.STRONG_AUTH_REQUIRED,
    ldap.CONFIDENTIALITY_REQUIRED,
    ldap.AUTH_UNKNOWN,
)
_UNREACHABLE: Final = (
    ldap.SERVER_DOWN,
    ldap.CONNECT_ERROR,
    ldap.TIMEOUT,
    ldap.TIMELIMIT_EXCEEDED,
    ldap.BUSY,
    ldap.UNAVAILABLE,
)
_Entry = Mapping[str, Sequence[bytes]]
_Found = TypeVar("_Found")


class LdapReader:
    """Looks people up over LDAP. For use by several threads."""

    def __init__(self, directory: Directory, source: LdapSource) -> None:
        self._directory = directory
        self._source = source
        self._columns = tuple(dict.fromkeys([*(part.column for part in directory.key), *directory.columns]))
        self._booleans = {given.column for given in directory.gives if given.type == "boolean"}
        self._connections = KeptConnections(
            self._connect,
            _Connection.close,
            failures=ldap.LDAPError,
            was_closed=lambda error: isinstance(error, ldap.SERVER_DOWN),
        )
        self._files: list[int] = []
        self._ca = self._file(source.ca)
        shown = source.certificate
        self._certificate = self._file(None if shown is None else shown.certificate)
        self._key = self._file(None if shown is None else shown.key)

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        directory = self._directory
        values = key_values(directory, key)
        wanted = person_filter(self._source.filter, values.items())
        rows = [self._row(entry) for entry in self._query(lambda one, until: self._search(one, wanted, until))]
        # A server's comparison may differ from the gateway's: for some servers, `adm\u0131n` equals `admin`.
        if not all(is_same_key(row[column], value) for row in rows for column, value in values.items()):
            fault = DirectoryFault(directory_codes.KEY, "the server returned an entry with a different key")
            return unknown_of(directory, "found", now), (fault,)
        return finding_of(directory, rows, now)

    def look(self) -> None:
        """Checks that the server answers, accepts the gateway, and has the base entry. Raises DirectoryAway."""
        self._query(self._look)

    def _look(self, connection: "_Connection", until: float) -> None:
        with bounded_beginning(until):
            connection.own.search_ext_s(self._source.base, ldap.SCOPE_BASE, attrlist=["1.1"], timeout=_left(until))

    def close(self) -> None:
        """Closes connections and files. To be called once no thread queries any more."""
        self._connections.close()
        files, self._files = self._files, []
        for descriptor in files:
            os.close(descriptor)

    def _file(self, content: bytes | None) -> str:
        if content is None:
            return ""
        self._files.append(in_memory(content))
        return f"/proc/self/fd/{self._files[-1]}"

    # --- a search

    def _search(self, connection: "_Connection", wanted: str, until: float) -> list[_Entry]:
        """Returns the matching entries, at most one more than allowed."""
        most = 1 if self._directory.rows == "one" else MOST_ROWS
        page = SimplePagedResultsControl(False, size=min(most + 1, _PAGE), cookie="")
        found: list[_Entry] = []
        room = connection.bytes_received() + LARGEST_RESPONSE
        while len(found) <= most:
            with connection.bound_opening(until):
                message = connection.own.search_ext(
                    self._source.base,
                    _SCOPES[self._source.scope],
                    wanted,
                    list(self._columns),
                    serverctrls=[page],
                    timeout=_left(until),
                )
            kind, controls = None, []
            while kind != ldap.RES_SEARCH_RESULT:
                kind, entries, _, controls = connection.result(message, until, room)
                if kind == ldap.RES_SEARCH_ENTRY:
                    found += (attributes for _, attributes in entries)
            page.cookie = next((one.cookie for one in controls if one.controlType == page.controlType), "")
            if not page.cookie:
                break
        return found[: most + 1]

    def _row(self, entry: _Entry) -> dict[str, tuple[str, ...]]:
        """Attribute names ignore case (RFC 4512 2.5). Bytes that are not UTF-8 become characters that no value may
        hold.
        """
        there = {name.lower(): values for name, values in entry.items()}
        row = {}
        for column in self._columns:
            texts = tuple(value.decode("utf-8", "surrogateescape") for value in there.get(column.lower(), ()))
            # RFC 4517 3.3.3
            row[column] = tuple(map(str.lower, texts)) if column in self._booleans else texts
        return row

    # --- connections

    def _query(self, ask: Callable[["_Connection", float], _Found]) -> _Found:
        """Raises DirectoryAway."""
        try:
            return self._connections.use(ask, self._directory.timeout)
        except ldap.LDAPError as error:
            raise _away(error, self._source.password.decode()) from None

    def _connect(self, until: float) -> "_Connection":
        """Opens a connection. The connection's options bound each step by the directory's timeout. Raises
        ldap.LDAPError, DirectoryAway.
        """
        with bounded_beginning(until) as beginning:
            source = self._source
            if source.start_tls:
                connection = _Connection(begin_tls(source.servers, self._set_options, until, beginning))
            else:
                connection = _Connection(ldap.initialize(" ".join(source.servers)))
            try:
                if not source.start_tls:
                    self._set_options(connection.own)
                if source.certificate is not None:
                    connection.own.sasl_external_bind_s()
                elif source.bind_dn:
                    message = connection.own.simple_bind(source.bind_dn, source.password.decode())
                    connection.result(message, until, LARGEST_RESPONSE)
            except (ldap.LDAPError, DirectoryAway):
                connection.close()
                raise
            return connection

    def _set_options(self, connection: Any) -> None:
        system = ssl.get_default_verify_paths()
        options = {
            ldap.OPT_PROTOCOL_VERSION: 3,
            ldap.OPT_REFERRALS: 0,
            ldap.OPT_DEREF: ldap.DEREF_NEVER,
            ldap.OPT_NETWORK_TIMEOUT: self._directory.timeout,
            ldap.OPT_TIMEOUT: self._directory.timeout,
            ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
            ldap.OPT_X_TLS_REQUIRE_SAN: ldap.OPT_X_TLS_DEMAND,
            ldap.OPT_X_TLS_PROTOCOL_MIN: ldap.OPT_X_TLS_PROTOCOL_TLS1_2,
            ldap.OPT_X_TLS_CACERTFILE: self._ca or system.cafile,
            ldap.OPT_X_TLS_CACERTDIR: None if self._ca else system.capath,
            ldap.OPT_X_TLS_CERTFILE: self._certificate,
            ldap.OPT_X_TLS_KEYFILE: self._key,
        }
        for option, value in options.items():
            if value not in ("", None):
                connection.set_option(option, value)
        connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)


class _Connection:
    """A connection and the watch on its socket.

    `own`: python-ldap's object. The watch begins once the socket exists: without a bind, the first query opens the
    socket.
    """

    def __init__(self, own: Any) -> None:
        self.own = own
        self._watched: Watched | None = None

    def bound_opening(self, until: float) -> AbstractContextManager[object]:
        return nullcontext() if self.own.get_option(ldap.OPT_DESC) >= 0 else bounded_beginning(until)

    def bytes_received(self) -> int:
        """Raises DirectoryAway."""
        descriptor = self.own.get_option(ldap.OPT_DESC)
        return 0 if descriptor < 0 else self._socket(descriptor).bytes_received()

    def result(self, message: int, until: float, most: int) -> Any:
        """Returns the next part of an answer. Raises DirectoryAway, ldap.LDAPError.

        `most`: bytes allowed, counting every byte that the connection received.
        """
        watched = self._socket(self.own.get_option(ldap.OPT_DESC))
        while True:
            found, wait = None, min(_left(until), _LOOK_EVERY)
            with suppress(ldap.TIMEOUT):
                found = self.own.result3(message, all=0, timeout=wait)
            if watched.bytes_received() > most:
                raise DirectoryAway(directory_codes.ANSWER, f"its response has over {LARGEST_RESPONSE} bytes")
            if found is not None:
                return found

    def _socket(self, descriptor: int) -> Watched:
        if self._watched is None or self._watched.of != descriptor:
            self._unwatch()
            try:
                self._watched = Watched(descriptor)
            except OSError as error:
                raise DirectoryAway(directory_codes.UNREACHABLE, error.strerror or "no descriptor") from None
            self._watched.wait_for_none()
        return self._watched

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._watched.close()

    def close(self) -> None:
        self._unwatch()
        with suppress(ldap.LDAPError):
            self.own.unbind_s()


def _left(until: float) -> float:
    """Returns the seconds left until `until`. Raises ldap.TIMEOUT."""
    left = until - time.monotonic()
    if left <= 0:
        raise ldap.TIMEOUT({"desc": "Timed out"})
    return left


def _away(error: Any, password: str) -> DirectoryAway:
    told = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    said = ": ".join(text for name in ("desc", "info") if (text := str(told.get(name, "")))) or str(error)
    # RFC 4511 4.1.9: the server writes the diagnostic, which may repeat the request.
    detail = quoted(without(said, (password,)))
    if "certificate" in detail and isinstance(error, (ldap.SERVER_DOWN, ldap.CONNECT_ERROR)):
        return DirectoryAway(directory_codes.CERTIFICATE, detail)
    if isinstance(error, _UNREACHABLE):
        return DirectoryAway(directory_codes.UNREACHABLE, detail)
    return DirectoryAway(directory_codes.DENIED if isinstance(error, _DENIED) else directory_codes.ANSWER, detail)
