"""The server's form of records: first the limits, as big-endian integers of 8 bytes, so that a step can move them; then
texts with their lengths (stores.sealing.join). step.lua reads the same form."""

import struct

from gateway.stores.records import TOMBSTONE_KEPT, SealedNote, SeatKey, SessionRecord, SessionSummary, Ticket, Tombstone
from gateway.stores.revocation.list_of_ends import Ended
from gateway.stores.sealing import LIMITS, join, seat_from_bytes, text_at, texts

# What reading raises where a record is not as it is written here.
MALFORMED = (struct.error, ValueError)

_TIME = struct.Struct(">Q")
_INDEX_BYTES = 16


def session_to_bytes(session: SessionRecord) -> bytes:
    """The session without its sealed part, which the server keeps in another field. `sid_index` and `browser_index` are
    cut to the length under which step.lua files them. `tenant` and `subject_index` are whole, because tombstones repeat
    them."""
    return LIMITS.pack(session.created_at, session.expires_at, session.idle, session.ends_at) + join(
        session.provider.encode(),
        (session.tenant or "").encode(),
        session.subject_index,
        (session.sid_index or b"")[:_INDEX_BYTES],
        session.browser_index[:_INDEX_BYTES],
        b"" if session.issued_at is None else _TIME.pack(session.issued_at),
    )


def session_from_bytes(id: str, record: bytes, sealed: bytes) -> SessionRecord:
    created_at, expires_at, idle, ends_at = LIMITS.unpack_from(record)
    # Older records end with `browser`.
    provider, tenant, subject, sid, browser, *more = texts(record, LIMITS.size)
    issued = more[0] if more else b""
    return SessionRecord(
        id=id,
        sealed=sealed,
        provider=provider.decode(),
        tenant=tenant.decode() or None,
        subject_index=subject,
        sid_index=sid or None,
        browser_index=browser,
        created_at=created_at,
        expires_at=expires_at,
        idle=idle,
        ends_at=ends_at,
        issued_at=time_of(issued) if issued else None,
    )


def summary_of(id: bytes, record: bytes, seats: list[bytes], now: int) -> SessionSummary:
    session = session_from_bytes(id.decode(), record, b"")
    live = (seat_from_bytes(SeatKey(session.id, b""), seat) for seat in seats)
    apps = {seat.app for seat in live if seat.app and seat.ends_at > now}
    return SessionSummary(
        session.id,
        session.provider,
        tuple(sorted(apps)),
        session.created_at,
        session.expires_at,
        session.ends_at,
        session.tenant,
        session.browser_index,
        session.subject_index,
        session.issued_at,
    )


def ends_at_of(record: bytes) -> int:
    return int(LIMITS.unpack_from(record)[3])


def ticket_to_bytes(ticket: Ticket) -> bytes:
    return _TIME.pack(ticket.expires_at) + join(ticket.group) + ticket.sealed


def ticket_from_bytes(record: bytes) -> tuple[int, bytes]:
    """Returns the time of expiry and the sealed part."""
    _, sealed = text_at(record, _TIME.size)
    return time_of(record), sealed


def tombstone_from_bytes(session: bytes, seat: bytes) -> Tombstone:
    """Reads the entries of a session and of a seat. Each begins with the time of the end. The person and the tenant
    follow, or the seat's host."""
    person, tenant = text_at(session, _TIME.size)
    until = min(time_of(session), time_of(seat)) + TOMBSTONE_KEPT
    return Tombstone(seat[_TIME.size :].decode(), person, tenant.decode() or None, until)


def ended_from_bytes(entry: bytes) -> Ended:
    id, lookup = text_at(entry, _TIME.size)
    return Ended(id.decode(), lookup or None, time_of(entry))


def note_of(id: bytes, host: bytes, record: bytes) -> SealedNote:
    """`record`: the hash of the owner, and the sealed part."""
    whose, sealed = text_at(record, 0)
    return SealedNote(id.decode(), host.decode(), sealed, whose)


def time_of(record: bytes) -> int:
    return int(_TIME.unpack_from(record)[0])


def mark_from_bytes(record: bytes) -> tuple[int, int]:
    """The number, and when the mark expires."""
    return time_of(record), time_of(record[_TIME.size :])
