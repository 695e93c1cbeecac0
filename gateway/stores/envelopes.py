"""Sessions and seats into sealed records and back; a seat's cookie into what finds and opens its record.

A session is sealed with its own random key. Each seat holds that key, wrapped under a key drawn from the secret
half of its cookie and a store key: so the store opens nothing, and a cookie opens nothing without the store.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from gateway.model.session import Entry, SeatLimits
from gateway.stores.codec import StoredSession, session_from_bytes, session_to_bytes
from gateway.stores.records import AddSeat, SeatKey, SeatRecord, SessionRecord
from gateway.stores.sealing import (
    NONCE_BYTES,
    SealBinding,
    StoreKeys,
    TokenBytes,
    join,
    key_id_of,
    lookup_of,
    new_id,
    open_sealed,
    seal,
)

_COOKIE = re.compile(rb"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


class Presented(NamedTuple):
    """A well-formed cookie, taken apart."""

    key: SeatKey
    secret: bytes


class Opened(NamedTuple):
    """A session reached through one of its seats."""

    stored: StoredSession
    session_key: bytes
    record: SessionRecord
    seat: SeatRecord


class NewSeat(NamedTuple):
    cookie: bytes
    record: SeatRecord


def read_cookie(cookie: bytes) -> Presented | None:
    """None: not a cookie that we make."""
    match = _COOKIE.fullmatch(cookie)
    if match is None:
        return None
    # The secret is used as it is written: decoded, four spellings of its last character would be one secret.
    session_id, secret = match.groups()
    return Presented(SeatKey(session_id.decode(), lookup_of(secret)), secret)


def seat_lookup_of(cookie: bytes) -> bytes:
    """What the store knows its seat by; empty for what is no cookie of ours."""
    presented = read_cookie(cookie)
    return b"" if presented is None else presented.key.lookup


class Envelopes:
    """What opens raises GatewayError(STORE_UNREADABLE)."""

    def __init__(self, keys: StoreKeys, token_bytes: TokenBytes) -> None:
        self._keys = keys
        self._token_bytes = token_bytes

    def seal_session(self, stored: StoredSession, session_key: bytes) -> SessionRecord:
        session, key_id = stored.session, self._keys.current
        identity = session.identity
        return SessionRecord(
            id=session.id,
            sealed=self._sealed_session(stored, session_key, key_id),
            provider=identity.provider,
            tenant=session.tenant,
            subject_index=self._keys.index("subject", identity.issuer, identity.subject),
            sid_index=None if session.sid is None else self._keys.index("sid", identity.issuer, session.sid),
            browser_index=self._keys.index("browser", stored.browser),
            created_at=session.created_at,
            expires_at=session.expires_at,
            idle=session.idle,
            ends_at=min(session.expires_at, session.created_at + session.idle),
        )

    def reseal_session(self, stored: StoredSession, session_key: bytes, record: SessionRecord) -> bytes:
        """Under the same store key as before: it names that of the indexes, which stay."""
        return self._sealed_session(stored, session_key, key_id_of(record.sealed))

    def _sealed_session(self, stored: StoredSession, session_key: bytes, key_id: str) -> bytes:
        binding = SealBinding("session", stored.session.id)
        plain, nonce = session_to_bytes(stored), self._token_bytes(NONCE_BYTES)
        return seal(plain, key=session_key, key_id=key_id, nonce=nonce, binding=binding)

    def new_seat(self, entry: Entry, *, host: str, app: str, limits: SeatLimits, now: int) -> NewSeat:
        secret, key_id = new_id(self._token_bytes).encode(), self._keys.current
        cookie = entry.session_id.encode() + b"." + secret
        expires_at = entry.expires_at
        if limits.absolute is not None:
            expires_at = min(expires_at, now + limits.absolute)
        # Without a limit of its own it is the session's that counts: this one is then never the earlier.
        idle = expires_at - now if limits.idle is None else limits.idle
        record = SeatRecord(
            key=SeatKey(entry.session_id, lookup_of(secret)),
            host=host,
            app=app,
            wrapped=seal(
                entry.session_key,
                key=self._keys.drawn(secret, b"wrap", key_id),
                key_id=key_id,
                nonce=self._token_bytes(NONCE_BYTES),
                binding=SealBinding("seat", entry.session_id, host),
            ),
            created_at=now,
            expires_at=expires_at,
            idle=idle,
            ends_at=min(expires_at, now + idle),
        )
        return NewSeat(cookie, record)

    def open_seat(self, host: str, presented: Presented, session: SessionRecord, seat: SeatRecord) -> Opened:
        """Bound to what was asked for, not to what was found."""
        session_id = presented.key.session_id
        wrapping = self._keys.drawn(presented.secret, b"wrap", key_id_of(seat.wrapped))
        session_key = open_sealed(seat.wrapped, key=wrapping, binding=SealBinding("seat", session_id, host))
        return Opened(self.open_session(session_id, session, session_key), session_key, session, seat)

    def open_session(self, session_id: str, record: SessionRecord, session_key: bytes) -> StoredSession:
        # A session whose indexes were made under a key that is gone could not be found to be ended: it does not open.
        self._keys.salt(key_id_of(record.sealed))
        return session_from_bytes(
            open_sealed(record.sealed, key=session_key, binding=SealBinding("session", session_id))
        )


# --- seats as bytes, and a ticket that carries one, which is added in the step that takes it (take_with_seat)
#
# Such a ticket is `length of what follows (4) | id, look-up, seat, indexes of its browser | sealed`. The seat tells no
# more here than it will in the store; what is sealed opens by the ticket's id alone. A sealed record begins with its
# version, which is never 0, and so a ticket without a seat is told apart. redis/step.lua reads the same.

# What every seat and session begins with: created, expires, idle, ends.
LIMITS = struct.Struct(">QQQQ")
LENGTH = struct.Struct(">I")


def seat_to_bytes(seat: SeatRecord) -> bytes:
    limits = LIMITS.pack(seat.created_at, seat.expires_at, seat.idle, seat.ends_at)
    return limits + join(seat.host.encode(), seat.app.encode(), seat.wrapped)


def seat_from_bytes(key: SeatKey, record: bytes) -> SeatRecord:
    """Raises struct.error or ValueError for what is not as it is written here."""
    created_at, expires_at, idle, ends_at = LIMITS.unpack_from(record)
    host, app, wrapped = texts(record, LIMITS.size)
    return SeatRecord(key, host.decode(), app.decode(), wrapped, created_at, expires_at, idle, ends_at)


def with_seat(add: AddSeat, sealed: bytes) -> bytes:
    key = add.seat.key
    carried = join(key.session_id.encode(), key.lookup, seat_to_bytes(add.seat), *add.browser_indexes)
    return LENGTH.pack(len(carried)) + carried + sealed


def carried_at(record: bytes, now: int) -> tuple[AddSeat | None, bytes]:
    """The seat, if the ticket carries one, as it is when it is taken `now`; and what is sealed. Raises as
    `seat_from_bytes` does."""
    if record[:1] != b"\0":
        return None, record
    carried, sealed = text_at(record, 0)
    id, lookup, seat, *indexes = texts(carried, 0)
    read = seat_from_bytes(SeatKey(id.decode(), lookup), seat)
    ends_at = max(read.ends_at, min(read.expires_at, now + read.idle))
    return AddSeat(replace(read, ends_at=ends_at), tuple(indexes)), sealed


def texts(record: bytes, at: int) -> Iterator[bytes]:
    while at < len(record):
        text, _ = text_at(record, at)
        yield text
        at += LENGTH.size + len(text)


def text_at(record: bytes, at: int) -> tuple[bytes, bytes]:
    """A text with its length before it, and all that follows."""
    (length,) = LENGTH.unpack_from(record, at)
    at += LENGTH.size
    return record[at : at + length], record[at + length :]
