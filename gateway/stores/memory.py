"""A store in the memory of a single worker, for trials and tests."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import TypeVar

from gateway.stores.records import (
    ENDED_KEPT,
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
    Tombstone,
    Touch,
    UseOnce,
    Write,
)
from gateway.stores.revocation.list_of_ends import Cursor, Ended, Tail
from gateway.stores.sealing import carried_at
from gateway.stores.tickets.tickets import unix_now

Moved = TypeVar("Moved", SessionRecord, SeatRecord)


class MemoryStore:
    """A records.RecordStore in memory. Every coroutine is atomic, because it runs to its end without a break."""

    reachable = True

    def __init__(self) -> None:
        self._sessions: dict[str, SessionRecord] = {}
        self._seats: dict[SeatKey, SeatRecord] = {}
        self._tickets: dict[str, dict[bytes, Ticket]] = {}
        self._groups: dict[tuple[str, bytes], dict[bytes, None]] = {}
        self._used: dict[bytes, int] = {}
        self._marks: dict[MarkKey, tuple[int, int]] = {}
        self._notes: dict[tuple[str, str], SealedNote] = {}
        self._notes_due: set[tuple[str, str]] = set()
        self._jars: dict[str, dict[str, bytes]] = {}
        self._tombstones: dict[SeatKey, Tombstone] = {}
        self._ended: deque[Ended] = deque()
        self._purged = 0
        self._refuses_before = 0

    async def open(self) -> None:
        # This store does not know which values were used up before it began.
        self._refuses_before = unix_now()

    async def close(self) -> None: ...

    # --- sessions and seats

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        return await self.perform_until(writes, now) is None

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        return next((write for write in writes if not self._done(write, now)), None)

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
        session, seat = self._live_session(key.session_id, now), self._seats.get(key)
        return None if session is None or seat is None or seat.ends_at <= now else (session, seat)

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None:
        return self._live_session(session_id, now)

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        found = self._tombstones.get(key) or self._buried(key, now)
        return found if found is not None and found.until > now else None

    async def touch(self, touches: Sequence[Touch]) -> None:
        for key, at in touches:
            session, seat = self._sessions.get(key.session_id), self._seats.get(key)
            if session is not None and seat is not None:
                self._sessions[session.id] = _moved(session, at)
                self._seats[key] = _moved(seat, at)

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        session = self._live_session(session_id, now)
        if session is None or session.sealed != before:
            return False
        self._sessions[session_id] = replace(session, sealed=after)
        return True

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        live = self._live_session(key.session_id, now)
        return None if live is None else self._jars.get(key.session_id, {}).get(key.host)

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        if self._live_session(key.session_id, now) is None or await self.read_jar(key, now) != before:
            return False
        self._jars.setdefault(key.session_id, {})[key.host] = after
        return True

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        found = [
            session
            for session in self._sessions.values()
            if session.ends_at > now and getattr(session, f"{index}_index") in values
        ]
        return tuple(
            self._summary(session, now)
            for session in sorted(found, key=lambda session: (session.created_at, session.id))
        )

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        live = (self._live_session(id, now) for id in dict.fromkeys(ids))
        return tuple(self._summary(session, now) for session in live if session is not None)

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        ids = nsmallest(SESSIONS_AT_ONCE, (id for id in self._sessions if id > after))
        return SessionPage(await self.summaries(ids, now), ids[-1] if len(ids) == SESSIONS_AT_ONCE else "")

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        here = Cursor("memory", self._purged + len(self._ended))
        if cursor is None or cursor.epoch != here.epoch or not self._purged <= cursor.position <= here.position:
            return Tail(here, (), complete=False)
        return Tail(here, tuple(self._ended)[cursor.position - self._purged :], complete=True)

    async def wait_for_ends(self) -> None:
        await asyncio.Event().wait()

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        over = [key for key in self._notes if key in self._notes_due or self._is_over(key[0], now)][:most]
        self._notes_due.difference_update(over)
        return tuple(self._notes.pop(key) for key in over)

    # --- tickets

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None:
        ticket = self._tickets.get(key.kind, {}).get(key.lookup)
        return None if ticket is None or ticket.expires_at <= now else ticket.sealed

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        ticket = self._drop(key.kind, key.lookup)
        return None if ticket is None or ticket.expires_at <= now else ticket.sealed

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        record = await self.take_ticket(key, now)
        if record is None:
            return None
        add, sealed = carried_at(record, now)
        if add is None or not self._add_seat(add.seat, add.browser_indexes, now):
            return TakenTicket(sealed, None, None)
        return TakenTicket(sealed, add.seat, self._live_session(add.seat.key.session_id, now))

    # --- single values

    async def is_used(self, use: UseOnce, now: int) -> bool:
        return self._used.get(use.key, 0) > now or (use.issued is not None and use.issued < self._refuses_before)

    async def mark(self, key: MarkKey, now: int) -> int:
        return self._mark(key, now)

    async def clear_mark(self, key: MarkKey, now: int) -> None:
        self._marks.pop(key, None)

    async def probe(self) -> None: ...

    async def purge(self, now: int, *, bury: bool = False) -> None:
        self._tombstones = {key: stone for key, stone in self._tombstones.items() if stone.until > now}
        if bury:
            stones = ((key, self._buried(key, now)) for key in self._seats)
            self._tombstones.update((key, stone) for key, stone in stones if stone is not None)
        self._sessions = {id: session for id, session in self._sessions.items() if session.ends_at > now}
        self._seats = {
            key: seat for key, seat in self._seats.items() if seat.ends_at > now and key.session_id in self._sessions
        }
        self._jars = {id: jars for id, jars in self._jars.items() if id in self._sessions}
        for ticket in [each for of_kind in self._tickets.values() for each in of_kind.values()]:
            if ticket.expires_at <= now:
                self._drop(ticket.key.kind, ticket.key.lookup)
        self._used = {key: expires_at for key, expires_at in self._used.items() if expires_at > now}
        self._marks = {key: mark for key, mark in self._marks.items() if mark[1] > now}
        # From the front only, so that the list keeps no gap.
        while self._ended and self._ended[0].at <= now - ENDED_KEPT:
            self._ended.popleft()
            self._purged += 1

    # --- steps

    def _done(self, write: Write, now: int) -> bool:
        match write:
            case Spend(key):
                ticket = self._drop(key.kind, key.lookup)
                return ticket is not None and ticket.expires_at > now
            case UseOnce():
                return self._use_up(write, now)
            case AddSession(session, seat, browser_indexes):
                self._sessions[session.id] = session
                self._add(seat, browser_indexes, now)
            case AddSeat(seat, browser_indexes):
                return self._add_seat(seat, browser_indexes, now)
            case EndSeat(key, host):
                self._end_seats((seat for seat in [self._seats.get(key)] if seat is not None), host, now)
            case RevokeSession(session_id, buried):
                self._end_session(session_id, now, buried=buried)
            case PutTicket(ticket, per_group, in_all):
                self._put_ticket(ticket, per_group, in_all)
            case SealedNote():
                self._keep_note(write)
            case RaiseMark(key, number, expires_at):
                self._marks[key] = (max(number, self._mark(key, now)), expires_at)
            case RequireNoMark(key):
                return self._mark(key, now) == 0
        return True

    def _use_up(self, use: UseOnce, now: int) -> bool:
        if self._used.get(use.key, 0) > now or (use.issued is not None and use.issued < self._refuses_before):
            return False
        self._used[use.key] = use.expires_at
        return True

    def _mark(self, key: MarkKey, now: int) -> int:
        number, expires_at = self._marks.get(key, (0, 0))
        return number if expires_at > now else 0

    def _put_ticket(self, ticket: Ticket, per_group: int, in_all: int) -> None:
        self._drop(ticket.key.kind, ticket.key.lookup)
        of_kind = self._tickets.setdefault(ticket.key.kind, {})
        of_group = self._groups.setdefault((ticket.key.kind, ticket.group), {})
        of_kind[ticket.key.lookup] = ticket
        of_group[ticket.key.lookup] = None
        # Dictionaries keep the order in which tickets were put.
        while len(of_group) > per_group:
            self._drop(ticket.key.kind, next(iter(of_group)))
        while len(of_kind) > in_all:
            self._drop(ticket.key.kind, next(iter(of_kind)))

    def _keep_note(self, note: SealedNote) -> None:
        session = self._sessions.get(note.session_id)
        if session is None:
            return
        for id, host in list(self._notes):
            older = self._sessions.get(id)
            if host != note.host or older is None or older.browser_index != session.browser_index:
                continue
            if id == note.session_id or self._notes[id, host].whose in (note.whose, b""):
                del self._notes[id, host]
            else:
                self._notes_due.add((id, host))
        self._notes[note.session_id, note.host] = note

    def _is_over(self, session_id: str, now: int) -> bool:
        session = self._sessions.get(session_id)
        return session is None or session.expires_at <= now

    def _drop(self, kind: str, lookup: bytes) -> Ticket | None:
        ticket = self._tickets.get(kind, {}).pop(lookup, None)
        if ticket is not None:
            of_group = self._groups[kind, ticket.group]
            del of_group[lookup]
            if not of_group:
                del self._groups[kind, ticket.group]
        return ticket

    def _live_session(self, session_id: str, now: int) -> SessionRecord | None:
        session = self._sessions.get(session_id)
        return None if session is None or session.ends_at <= now else session

    def _add_seat(self, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int) -> bool:
        session = self._live_session(seat.key.session_id, now)
        if session is None:
            return False
        self._sessions[session.id] = _moved(session, now)
        self._add(seat, browser_indexes, now)
        return True

    def _add(self, seat: SeatRecord, browser_indexes: tuple[bytes, ...], now: int) -> None:
        of_browser = {id for id, each in self._sessions.items() if each.browser_index in browser_indexes}
        self._end_seats([older for older in self._seats.values() if older.key.session_id in of_browser], seat.host, now)
        self._seats[seat.key] = seat

    def _end_seats(self, seats: Iterable[SeatRecord], host: str, now: int) -> None:
        for older in seats:
            expires_at = min(older.expires_at, max(now, older.created_at + PARALLEL_TABS))
            if older.host == host and older.ends_at > now and older.expires_at > expires_at:
                self._seats[older.key] = replace(older, expires_at=expires_at, ends_at=min(older.ends_at, expires_at))
                self._ended.append(Ended(*older.key, expires_at))

    def _end_session(self, session_id: str, now: int, *, buried: bool) -> None:
        self._ended.append(Ended(session_id, None, now))
        session = self._sessions.pop(session_id, None)
        self._jars.pop(session_id, None)
        for key in [key for key in self._tombstones if key.session_id == session_id and not buried]:
            del self._tombstones[key]
        for key in [key for key in self._seats if key.session_id == session_id]:
            seat = self._seats.pop(key)
            if buried and session is not None:
                until = min(session.ends_at, seat.ends_at, now) + TOMBSTONE_KEPT
                self._tombstones[key] = Tombstone(seat.host, session.subject_index, session.tenant, until)

    def _buried(self, key: SeatKey, now: int) -> Tombstone | None:
        """The tombstone of a seat that has ended but is still stored; None if the seat lives or is gone."""
        session, seat = self._sessions.get(key.session_id), self._seats.get(key)
        if session is None or seat is None or (ended := min(session.ends_at, seat.ends_at)) > now:
            return None
        return Tombstone(seat.host, session.subject_index, session.tenant, ended + TOMBSTONE_KEPT)

    def _summary(self, session: SessionRecord, now: int) -> SessionSummary:
        seats = (seat for key, seat in self._seats.items() if key.session_id == session.id and seat.ends_at > now)
        apps = tuple(sorted({seat.app for seat in seats if seat.app}))
        return SessionSummary(
            session.id,
            session.provider,
            apps,
            session.created_at,
            session.expires_at,
            session.ends_at,
            session.tenant,
            session.browser_index,
            session.subject_index,
            session.issued_at,
        )


def _moved(record: Moved, at: int) -> Moved:
    """Moves the idle limit of a record that was used `at`: never back, never beyond the absolute limit."""
    return replace(record, ends_at=max(record.ends_at, min(record.expires_at, at + record.idle)))
