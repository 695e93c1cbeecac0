"""Every statement on the database. Each function is one step of one transaction, and takes bound values only."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from gateway.stores.records import (
    PARALLEL_TABS,
    SESSIONS_AT_ONCE,
    TOMBSTONE_KEPT,
    AddSeat,
    AddSession,
    EndSeat,
    JarKey,
    MarkKey,
    PutTicket,
    RaiseMark,
    RequireNoMark,
    RevokeSession,
    SealedNote,
    SeatKey,
    SeatRecord,
    SessionIndex,
    SessionPage,
    SessionRecord,
    SessionSummary,
    Spend,
    TakenTicket,
    Ticket,
    TicketKey,
    Touch,
    UseOnce,
    Write,
)
from gateway.stores.revocation.list_of_ends import Cursor, Ended, Tail
from gateway.stores.sealing import carried_at

_SUMMARIES = (
    "SELECT id, provider, created_at, expires_at, ends_at, tenant, browser_index, subject_index, issued_at"
    " FROM sessions"
)
_FIND: dict[SessionIndex, str] = {
    "subject": f"{_SUMMARIES} WHERE subject_index = ? AND ends_at > ?",
    "sid": f"{_SUMMARIES} WHERE sid_index = ? AND ends_at > ?",
    "browser": f"{_SUMMARIES} WHERE browser_index = ? AND ends_at > ?",
}
_BY_ID = f"{_SUMMARIES} WHERE id = ? AND ends_at > ?"
_LISTED = f"{_SUMMARIES} WHERE id > ? AND ends_at > ? ORDER BY id LIMIT ?"
# The columns of `sessions` stand in the order of SessionRecord's fields.
_SESSION_FIELDS = 12

# The session is gone, whatever its absolute limit was.
NOTES_DUE = "UPDATE notes SET due_at = 0 WHERE session_id = ?"

_BURIED = (
    "INSERT OR REPLACE INTO tombstones (session_id, lookup, host, person, tenant, until)"
    " SELECT t.session_id, t.lookup, t.host, s.subject_index, s.tenant, min(t.ends_at, s.ends_at, ?) + ?"
    " FROM seats t JOIN sessions s ON s.id = t.session_id WHERE s.id = ?"
)
_REPLACED_NOTES = (
    "DELETE FROM notes WHERE host = ? AND session_id IN (SELECT o.id FROM sessions s JOIN sessions o"
    " ON o.browser_index = s.browser_index WHERE s.id = ?) AND (session_id = ? OR whose IN (?, x''))"
)
_OTHERS_NOTES_DUE = (
    "UPDATE notes SET due_at = 0 WHERE host = ? AND session_id IN (SELECT o.id FROM sessions s JOIN sessions o"
    " ON o.browser_index = s.browser_index WHERE s.id = ?)"
)

_ENDS = "SELECT t.session_id, t.lookup, min(t.expires_at, max(?, t.created_at + ?)) AS at"
# A seat whose own limit is earlier ends by that.
_ENDING = " WHERE t.host = ? AND t.ends_at > ? AND t.expires_at > max(?, t.created_at + ?)"
_END_OF_SEAT = f"{_ENDS} FROM seats t{_ENDING} AND t.session_id = ? AND t.lookup = ?"
_END_OF_BROWSERS = f"{_ENDS} FROM sessions s JOIN seats t ON t.session_id = s.id{_ENDING} AND s.browser_index = ?"


def perform(connection: sqlite3.Connection, writes: Sequence[Write], now: int) -> Write | None:
    """Performs the steps of RecordStore.perform_until in one transaction."""
    return next((write for write in writes if not _done(connection, write, now)), None)


def _done(connection: sqlite3.Connection, write: Write, now: int) -> bool:
    """Returns False if the write's condition does not hold."""
    match write:
        case Spend(key):
            return take_ticket(connection, key, now) is not None
        case UseOnce():
            return _use_up(connection, write, now)
        case AddSession(session, seat, browser_indexes):
            _add_session(connection, session)
            _insert_seat(connection, seat, browser_indexes, now)
        case AddSeat(seat, browser_indexes):
            return _add_seat(connection, seat, browser_indexes, now)
        case EndSeat(key, host):
            _end_seats(connection, _END_OF_SEAT, host, key, now)
        case RevokeSession(session_id, buried):
            _end_session(connection, session_id, now, buried=buried)
        case PutTicket(ticket, per_group, in_all):
            _put_ticket(connection, ticket, per_group, in_all)
        case SealedNote():
            _keep_note(connection, write)
        case RaiseMark(key, number, expires_at):
            _raise_mark(connection, key, number, expires_at, now)
        case RequireNoMark(key):
            return mark(connection, key, now) == 0
    return True


def _add_session(connection: sqlite3.Connection, session: SessionRecord) -> None:
    connection.execute(
        "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            session.id,
            session.sealed,
            session.provider,
            session.tenant,
            session.subject_index,
            session.sid_index,
            session.browser_index,
            session.created_at,
            session.expires_at,
            session.idle,
            session.ends_at,
            session.issued_at,
        ),
    )


def _add_seat(connection: sqlite3.Connection, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int) -> bool:
    session_id = seat.key.session_id
    if read_session(connection, session_id, now) is None:
        return False
    _move_session(connection, session_id, now)
    _insert_seat(connection, seat, browser_indexes, now)
    return True


def read_seat(connection: sqlite3.Connection, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
    row = connection.execute(
        "SELECT s.*, t.host, t.app, t.wrapped, t.created_at, t.expires_at, t.idle, t.ends_at"
        " FROM seats t JOIN sessions s ON s.id = t.session_id"
        " WHERE t.session_id = ? AND t.lookup = ? AND t.ends_at > ? AND s.ends_at > ?",
        (*key, now, now),
    ).fetchone()
    if row is None:
        return None
    return SessionRecord(*row[:_SESSION_FIELDS]), SeatRecord(key, *row[_SESSION_FIELDS:])


def read_session(connection: sqlite3.Connection, session_id: str, now: int) -> SessionRecord | None:
    row = connection.execute("SELECT * FROM sessions WHERE id = ? AND ends_at > ?", (session_id, now)).fetchone()
    return None if row is None else SessionRecord(*row)


def touch(connection: sqlite3.Connection, touches: Sequence[Touch]) -> None:
    for key, at in touches:
        connection.execute(
            "UPDATE seats SET ends_at = max(ends_at, min(expires_at, ? + idle)) WHERE session_id = ? AND lookup = ?",
            (at, *key),
        )
        _move_session(connection, key.session_id, at)


def find(
    connection: sqlite3.Connection, index: SessionIndex, values: Sequence[bytes], now: int
) -> tuple[SessionSummary, ...]:
    rows = [row for value in values for row in connection.execute(_FIND[index], (value, now)).fetchall()]
    return tuple(_summary(connection, row, now) for row in sorted(rows, key=lambda row: (row[2], row[0])))


def summaries(connection: sqlite3.Connection, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
    rows = (connection.execute(_BY_ID, (id, now)).fetchone() for id in dict.fromkeys(ids))
    return tuple(_summary(connection, row, now) for row in rows if row is not None)


def list_sessions(connection: sqlite3.Connection, after: str, now: int) -> SessionPage:
    rows = connection.execute(_LISTED, (after, now, SESSIONS_AT_ONCE)).fetchall()
    listed = tuple(_summary(connection, row, now) for row in rows)
    return SessionPage(listed, listed[-1].id if len(listed) == SESSIONS_AT_ONCE else "")


def _summary(connection: sqlite3.Connection, row: tuple[Any, ...], now: int) -> SessionSummary:
    """`row`: in the form of _SUMMARIES."""
    id, provider, *others = row
    return SessionSummary(id, provider, _apps(connection, id, now), *others)


def _end_session(connection: sqlite3.Connection, session_id: str, now: int, *, buried: bool) -> None:
    if buried:
        connection.execute(_BURIED, (now, TOMBSTONE_KEPT, session_id))
    else:
        connection.execute("DELETE FROM tombstones WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM seats WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM jars WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
    # Last: it may find its room on a page that has just become free.
    connection.execute("INSERT INTO ended (session_id, lookup, at) VALUES (?, NULL, ?)", (session_id, now))
    connection.execute(NOTES_DUE, (session_id,))


def _keep_note(connection: sqlite3.Connection, note: SealedNote) -> None:
    of = note.host, note.session_id
    connection.execute(_REPLACED_NOTES, (*of, note.session_id, note.whose))
    connection.execute(_OTHERS_NOTES_DUE, of)
    connection.execute(
        "INSERT INTO notes SELECT id, ?, ?, expires_at, ? FROM sessions WHERE id = ?",
        (note.host, note.sealed, note.whose, note.session_id),
    )


def has_notes(connection: sqlite3.Connection, now: int) -> bool:
    return connection.execute("SELECT 1 FROM notes WHERE due_at <= ? LIMIT 1", (now,)).fetchone() is not None


def take_notes(connection: sqlite3.Connection, most: int, now: int) -> tuple[SealedNote, ...]:
    rows = connection.execute(
        "DELETE FROM notes WHERE (session_id, host) IN (SELECT session_id, host FROM notes WHERE due_at <= ? LIMIT ?)"
        " RETURNING session_id, host, sealed, whose",
        (now, most),
    ).fetchall()
    return tuple(SealedNote(*row) for row in rows)


def replace_sealed(connection: sqlite3.Connection, session_id: str, before: bytes, after: bytes, now: int) -> bool:
    statement = "UPDATE sessions SET sealed = ? WHERE id = ? AND sealed = ? AND ends_at > ?"
    return connection.execute(statement, (after, session_id, before, now)).rowcount == 1


def read_jar(connection: sqlite3.Connection, key: JarKey, now: int) -> bytes | None:
    statement = (
        "SELECT j.sealed FROM jars j JOIN sessions s ON s.id = j.session_id"
        " WHERE j.session_id = ? AND j.host = ? AND s.ends_at > ?"
    )
    row = connection.execute(statement, (key.session_id, key.host, now)).fetchone()
    return None if row is None else bytes(row[0])


def replace_jar(connection: sqlite3.Connection, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
    if read_session(connection, key.session_id, now) is None:
        return False
    if before is None:
        statement = "INSERT INTO jars VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
        return connection.execute(statement, (key.session_id, key.host, after)).rowcount == 1
    statement = "UPDATE jars SET sealed = ? WHERE session_id = ? AND host = ? AND sealed = ?"
    return connection.execute(statement, (after, key.session_id, key.host, before)).rowcount == 1


def ended_since(connection: sqlite3.Connection, cursor: Cursor | None) -> Tail:
    epoch, last = connection.execute(
        "SELECT epoch, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'ended'), 0) FROM store"
    ).fetchone()
    here = Cursor(epoch, last)
    if cursor is None or cursor.epoch != epoch:
        return Tail(here, (), complete=False)
    rows = connection.execute(
        "SELECT session_id, lookup, at FROM ended WHERE position > ? AND position <= ? ORDER BY position",
        (cursor.position, last),
    ).fetchall()
    return Tail(here, tuple(Ended(*row) for row in rows), complete=len(rows) == last - cursor.position)


def _put_ticket(connection: sqlite3.Connection, ticket: Ticket, per_group: int, in_all: int) -> None:
    kind = ticket.key.kind
    # Not REPLACE: it fires no trigger for what it removes.
    connection.execute(
        "INSERT INTO tickets (kind, lookup, sealed, client, expires_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, lookup) DO UPDATE"
        " SET sealed = excluded.sealed, client = excluded.client, expires_at = excluded.expires_at",
        (kind, ticket.key.lookup, ticket.sealed, ticket.group, ticket.expires_at),
    )
    (number,) = connection.execute("SELECT number FROM open_tickets WHERE kind = ?", (kind,)).fetchone()
    if number > per_group:
        connection.execute(
            "DELETE FROM tickets WHERE number IN (SELECT number FROM tickets WHERE kind = ? AND client = ?"
            " ORDER BY number DESC LIMIT -1 OFFSET ?)",
            (kind, ticket.group, per_group),
        )
    if number > in_all:
        connection.execute(
            "DELETE FROM tickets WHERE number IN (SELECT number FROM tickets WHERE kind = ?"
            " ORDER BY expires_at, number LIMIT ?)",
            (kind, number - in_all),
        )


def peek_ticket(connection: sqlite3.Connection, key: TicketKey, now: int) -> bytes | None:
    row = connection.execute(
        "SELECT sealed FROM tickets WHERE kind = ? AND lookup = ? AND expires_at > ?", (key.kind, key.lookup, now)
    ).fetchone()
    return None if row is None else bytes(row[0])


def take_ticket(connection: sqlite3.Connection, key: TicketKey, now: int) -> bytes | None:
    row = connection.execute(
        "DELETE FROM tickets WHERE kind = ? AND lookup = ? RETURNING sealed, expires_at", (key.kind, key.lookup)
    ).fetchone()
    return None if row is None or row[1] <= now else bytes(row[0])


def take_with_seat(connection: sqlite3.Connection, key: TicketKey, now: int) -> TakenTicket | None:
    record = take_ticket(connection, key, now)
    if record is None:
        return None
    add, sealed = carried_at(record, now)
    if add is None or not _add_seat(connection, add.seat, add.browser_indexes, now):
        return TakenTicket(sealed, None, None)
    return TakenTicket(sealed, add.seat, read_session(connection, add.seat.key.session_id, now))


def is_used(connection: sqlite3.Connection, use: UseOnce, now: int) -> bool:
    """Also true for a value older than the store, because an earlier store may have used the value up."""
    found = connection.execute("SELECT 1 FROM used WHERE key = ? AND expires_at > ?", (use.key, now)).fetchone()
    return found is not None or _is_older(connection, use.issued)


def _is_older(connection: sqlite3.Connection, issued: int | None) -> bool:
    if issued is None:
        return False
    return connection.execute("SELECT 1 FROM store WHERE refuses_before > ?", (issued,)).fetchone() is not None


def _use_up(connection: sqlite3.Connection, use: UseOnce, now: int) -> bool:
    if _is_older(connection, use.issued):
        return False
    statement = (
        "INSERT INTO used VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?"
    )
    return connection.execute(statement, (use.key, use.expires_at, now)).rowcount == 1


def _raise_mark(connection: sqlite3.Connection, key: MarkKey, number: int, expires_at: int, now: int) -> None:
    connection.execute(
        "INSERT INTO marks VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at,"
        " number = CASE WHEN expires_at > ? THEN max(number, excluded.number) ELSE excluded.number END",
        (key.key, number, expires_at, now),
    )


def mark(connection: sqlite3.Connection, key: MarkKey, now: int) -> int:
    row = connection.execute("SELECT number FROM marks WHERE key = ? AND expires_at > ?", (key.key, now)).fetchone()
    return 0 if row is None else int(row[0])


def clear_mark(connection: sqlite3.Connection, key: MarkKey) -> None:
    connection.execute("DELETE FROM marks WHERE key = ?", (key.key,))


def probe(connection: sqlite3.Connection) -> None:
    """Writes as little as possible: a new value each time, because SQLite skips equal values."""
    statement = "INSERT INTO used VALUES (x'', 0) ON CONFLICT (key) DO UPDATE SET expires_at = expires_at + 1"
    connection.execute(statement)


def _insert_seat(
    connection: sqlite3.Connection, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int
) -> None:
    for index in browser_indexes:
        _end_seats(connection, _END_OF_BROWSERS, seat.host, (index,), now)
    connection.execute(
        "INSERT INTO seats VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*seat.key, seat.host, seat.app, seat.wrapped, seat.created_at, seat.expires_at, seat.idle, seat.ends_at),
    )


def _end_seats(connection: sqlite3.Connection, which: str, host: str, values: Sequence[object], now: int) -> None:
    bounds = (now, PARALLEL_TABS)
    for session_id, lookup, at in connection.execute(which, (*bounds, host, now, *bounds, *values)).fetchall():
        connection.execute(
            "UPDATE seats SET expires_at = ?, ends_at = min(ends_at, ?) WHERE session_id = ? AND lookup = ?",
            (at, at, session_id, lookup),
        )
        connection.execute("INSERT INTO ended (session_id, lookup, at) VALUES (?, ?, ?)", (session_id, lookup, at))


def _move_session(connection: sqlite3.Connection, session_id: str, at: int) -> None:
    """Used `at`: the idle limit moves on, never back, never beyond the absolute one."""
    connection.execute(
        "UPDATE sessions SET ends_at = max(ends_at, min(expires_at, ? + idle)) WHERE id = ?", (at, session_id)
    )


def _apps(connection: sqlite3.Connection, session_id: str, now: int) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT DISTINCT app FROM seats WHERE session_id = ? AND ends_at > ? AND app <> '' ORDER BY app",
        (session_id, now),
    )
    return tuple(app for (app,) in rows)
