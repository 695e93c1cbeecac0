"""Queries a PostgreSQL server about a person, in threads. Keeps connections open, at most one for each thread."""

import os
import select
import ssl
import time
from collections.abc import Mapping
from math import ceil
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.types.string import TextLoader
from psycopg.waiting import Ready, Wait

from gateway.directories.kept_connections import KeptConnections
from gateway.directories.received import Watched
from gateway.directories.source import DirectoryAway, FindingAndFaults
from gateway.directories.sql_rows import SqlQuestion, texts_of
from gateway.identity.directories import DirectoryFault, key_values, unknown_of
from gateway.model.codes import directory_codes
from gateway.model.codes.code import Code
from gateway.model.directory import Directory, PostgresqlSource
from gateway.model.quoting import quoted, without
from gateway.ops.memory_file import in_memory

LARGEST_RESPONSE: Final = 1 << 20
_Found = TypeVar("_Found")
_EVENTS: Final = {Wait.R: select.POLLIN, Wait.W: select.POLLOUT, Wait.RW: select.POLLIN | select.POLLOUT}
_TURNED_AWAY: Final = ("authenti", "pg_hba.conf", "certificate")


class _Bounded(psycopg.Connection[tuple[Any, ...]]):
    """A connection with a deadline for all steps of a query, and a bound on the bytes of an answer: libpq reads a
    row of any size as a whole.
    """

    until = 0.0
    most = LARGEST_RESPONSE
    watched: Watched | None = None

    def begin(self, until: float) -> None:
        """Raises DirectoryAway."""
        self.until = until
        if self.watched is None:
            try:
                self.watched = Watched(self.pgconn.socket)
            except OSError as error:
                raise DirectoryAway(directory_codes.UNREACHABLE, error.strerror or "no descriptor") from None
        self.most = self.watched.bytes_received() + LARGEST_RESPONSE

    def close(self) -> None:
        if self.watched is not None:
            self.watched.close()
        super().close()

    def wait(self, gen: PQGen[_Found], interval: float = 0.0, timeout: float | None = None) -> _Found:
        poll, descriptor = select.poll(), self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                poll.register(descriptor, _EVENTS[wanted])
                there = poll.poll(max(0.0, self.until - time.monotonic()) * 1000)
                if not there:
                    raise DirectoryAway(directory_codes.UNREACHABLE, "no answer in time")
                self._is_bounded()
                event = there[0][1]
                ready = Ready.W if event == select.POLLOUT else Ready.RW if event & select.POLLOUT else Ready.R
                wanted = gen.send(ready)
        except StopIteration as done:
            # The last step reads every byte that arrived while it ran.
            self._is_bounded()
            found: _Found = done.value
            return found

    def _is_bounded(self) -> None:
        if self.watched is not None and self.watched.bytes_received() > self.most:
            raise DirectoryAway(directory_codes.ANSWER, f"its response has over {LARGEST_RESPONSE} bytes")


class PostgresqlReader:
    """Looks people up in PostgreSQL. For use by several threads."""

    def __init__(self, directory: Directory, source: PostgresqlSource) -> None:
        self._directory = directory
        self._source = source
        self._question = SqlQuestion(directory, source, "$")
        self._files: list[int] = []
        shown = source.certificate
        self._ca = self._file(source.ca)
        self._certificate = self._file(None if shown is None else shown.certificate)
        self._key = self._file(None if shown is None else shown.key)
        self._connections = KeptConnections(
            self._connect, _Bounded.close, failures=psycopg.Error, was_closed=_was_closed
        )

    def finding(self, key: str, now: int) -> FindingAndFaults:
        """Raises DirectoryAway."""
        values = key_values(self._directory, key)
        rows = self._rows(values)
        if isinstance(rows, psycopg.DataError):
            # The error concerns this person alone: the key is no number, say. The server's message would repeat the
            # value.
            why = f"the SELECT refuses this key, or cannot compute a row: {rows.sqlstate or 'no value'}"
            return unknown_of(self._directory, "found", now), (DirectoryFault(directory_codes.KEY, why),)
        return self._question.finding(rows, values, now)

    def look(self) -> None:
        """Checks that the server answers, accepts the gateway, and accepts the SELECT. Raises DirectoryAway."""
        self._rows({part.column: None for part in self._directory.key})

    def close(self) -> None:
        """Closes connections and files. To be called once no thread queries any more."""
        self._connections.close()
        files, self._files = self._files, []
        for descriptor in files:
            os.close(descriptor)

    def _file(self, content: bytes | None) -> str:
        if content is None:
            return ""
        descriptor = in_memory(content)
        self._files.append(descriptor)
        # libpq rejects a key file that other users may read.
        os.fchmod(descriptor, 0o600)
        return f"/proc/self/fd/{descriptor}"

    def _rows(self, values: Mapping[str, str | None]) -> list[dict[str, tuple[str, ...]]] | psycopg.DataError:
        """Raises DirectoryAway."""
        question = self._question

        def ask(connection: _Bounded, until: float) -> list[tuple[Any, ...]] | psycopg.DataError:
            connection.begin(until)
            with psycopg.RawCursor(connection) as cursor:
                try:
                    return cursor.execute(question.text.encode(), question.parameters(values)).fetchall()
                except psycopg.DataError as error:
                    return error

        try:
            found = self._connections.use(ask, self._directory.timeout)
        except psycopg.Error as error:
            said = without(_words(error), (self._source.password.decode(),))
            raise DirectoryAway(_code_of(error), quoted(said)) from None
        if isinstance(found, psycopg.DataError):
            return found
        return [dict(zip(question.columns, map(texts_of, cells), strict=True)) for cells in found]

    def _connect(self, until: float) -> _Bounded:
        """Opens a connection. Passes every setting, because libpq would take missing settings from the environment.
        Raises psycopg.Error.
        """
        source, milliseconds = self._source, ceil(self._directory.timeout * 1000)
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": milliseconds,
            "standard_conforming_strings": "on",
            "datestyle": "ISO",
        }
        connection = _Bounded.connect(
            host=source.host,
            hostaddr="",
            port=source.port,
            dbname=source.database,
            user=source.user,
            password=source.password.decode(),
            passfile="/nonexistent",
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            client_encoding="UTF8",
            application_name="ecluse",
            sslmode="verify-full" if source.tls else "disable",
            ssl_min_protocol_version="TLSv1.2",
            sslrootcert=self._ca or ssl.get_default_verify_paths().cafile or "system",
            sslcert=self._certificate,
            sslkey=self._key,
            sslcrl="",
            sslcrldir="",
            gssencmode="disable",
            target_session_attrs="any",
            connect_timeout=max(1, ceil(until - time.monotonic())),
            autocommit=True,
        )
        connection.adapters.register_loader("uuid", TextLoader)
        return connection


def _was_closed(error: Exception) -> bool:
    """Whether the server closed the idle connection: the server was stopped, or limits idle connections."""
    return isinstance(error, psycopg.OperationalError) and error.sqlstate in (None, "57P01", "57P02", "57P05")


def _words(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).strip()


def _code_of(error: psycopg.Error) -> Code:
    """Maps an error to a code by the class of its SQLSTATE. A failed connection has no SQLSTATE, only text in the
    server's language.
    """
    state, words = error.sqlstate or "", str(error)
    if state[:2] == "28" or state == "42501":
        return directory_codes.DENIED
    if state[:2] in ("08", "53", "57"):
        return directory_codes.UNREACHABLE
    if state:
        return directory_codes.ANSWER
    if "FATAL" in words:
        # The server has answered: a refusal of the gateway contains one of these words.
        return directory_codes.DENIED if any(one in words for one in _TURNED_AWAY) else directory_codes.UNREACHABLE
    return directory_codes.CERTIFICATE if "certificate" in words or "SSL" in words else directory_codes.UNREACHABLE
