"""Removes ended records from the database, in steps. A seat leaves a tombstone on request. Each function is a step
of one transaction."""

import sqlite3
from collections.abc import Sequence

from gateway.stores.records import ENDED_KEPT, TOMBSTONE_KEPT, SeatKey, Tombstone
from gateway.stores.sqlite.statements import NOTES_DUE

_PURGED_AT_ONCE = 500

# By kind, for want of an index on the time alone: it would be a fifth of what each ticket writes.
_PURGE_TICKETS = (
    "DELETE FROM tickets WHERE number IN (SELECT number FROM tickets"
    " WHERE kind IN (SELECT kind FROM open_tickets) AND expires_at <= ? LIMIT ?)"
)
_PURGE_TOMBSTONES = (
    "DELETE FROM tombstones WHERE (session_id, lookup) IN"
    " (SELECT session_id, lookup FROM tombstones WHERE until <= ? LIMIT ?)"
)
_PURGES = (
    _PURGE_TICKETS,
    "DELETE FROM used WHERE key IN (SELECT key FROM used WHERE expires_at <= ? LIMIT ?)",
    "DELETE FROM marks WHERE key IN (SELECT key FROM marks WHERE expires_at <= ? LIMIT ?)",
    _PURGE_TOMBSTONES,
)
# No seat outlives its session. Not where an application is to be told of some of them.
_CLEARED_SESSIONS = (
    "SELECT max(ends_at) FROM sessions WHERE NOT EXISTS (SELECT 1 FROM notes)",
    ("DELETE FROM seats", "DELETE FROM jars", "DELETE FROM sessions"),
)
# Tickets have a trigger, for which each is looked at.
_CLEARED = (
    ("SELECT max(expires_at) FROM used", ("DELETE FROM used",)),
    ("SELECT max(expires_at) FROM marks", ("DELETE FROM marks",)),
    ("SELECT max(until) FROM tombstones", ("DELETE FROM tombstones",)),
)
_PURGE_ENDED = "DELETE FROM ended WHERE position IN (SELECT position FROM ended WHERE at <= ? LIMIT ?)"

_STONES = (
    f"min(t.ends_at, s.ends_at) + {TOMBSTONE_KEPT} AS until FROM seats t JOIN sessions s ON s.id = t.session_id WHERE"
)
_BURY = (
    "INSERT OR REPLACE INTO tombstones (session_id, lookup, host, person, tenant, until)"
    f" SELECT t.session_id, t.lookup, t.host, s.subject_index, s.tenant, {_STONES}"
)
# One that is still among the seats, and one that was buried.
_OF_SEAT = "t.session_id = ? AND t.lookup = ? AND min(t.ends_at, s.ends_at) <= ?"
_FIND = (
    f"SELECT t.host, s.subject_index, s.tenant, {_STONES} {_OF_SEAT}",
    "SELECT host, person, tenant, until FROM tombstones WHERE session_id = ? AND lookup = ? AND until > ?",
)


def tombstone(connection: sqlite3.Connection, key: SeatKey, now: int) -> Tombstone | None:
    for statement in _FIND:
        row = connection.execute(statement, (*key, now)).fetchone()
        if row is not None and row[3] > now:
            return Tombstone(*row)
    return None


def purge(connection: sqlite3.Connection, now: int, *, bury: bool) -> bool:
    """Removes a part of the expired records, small enough that writers do not wait long. True: more are left."""
    for latest, clear in _CLEARED if bury else (_CLEARED_SESSIONS, *_CLEARED):
        (at,) = connection.execute(latest).fetchone()
        if at is not None and at <= now:
            # In one go where all of it is over: without a condition SQLite gives a table's pages back without reading
            # what is on them, and logs none of them (sqlite.org/lang_delete.html, "truncate optimization").
            for statement in clear:
                connection.execute(statement)
    sessions = _over(connection, "SELECT id FROM sessions WHERE ends_at <= ? LIMIT ?", now)
    if bury:
        connection.executemany(f"{_BURY} t.session_id = ?", sessions)
    connection.executemany("DELETE FROM seats WHERE session_id = ?", sessions)
    connection.executemany("DELETE FROM jars WHERE session_id = ?", sessions)
    connection.executemany("DELETE FROM sessions WHERE id = ?", sessions)
    connection.executemany(NOTES_DUE, sessions)
    seats = _over(connection, "SELECT session_id, lookup FROM seats WHERE ends_at <= ? LIMIT ?", now)
    if bury:
        connection.executemany(f"{_BURY} t.session_id = ? AND t.lookup = ?", seats)
    connection.executemany("DELETE FROM seats WHERE session_id = ? AND lookup = ?", seats)
    bounds = [*((statement, now) for statement in _PURGES), (_PURGE_ENDED, now - ENDED_KEPT)]
    deleted = [connection.execute(statement, (before, _PURGED_AT_ONCE)).rowcount for statement, before in bounds]
    return max(len(sessions), len(seats), *deleted) == _PURGED_AT_ONCE


def _over(connection: sqlite3.Connection, which: str, now: int) -> Sequence[tuple[object, ...]]:
    return connection.execute(which, (now, _PURGED_AT_ONCE)).fetchall()
