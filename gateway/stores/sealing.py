"""Sealed records: AES-256-GCM with a key drawn by HKDF-SHA256, bound to the record's kind and place.

A record is `version (1 byte) | length of key id (1) | key id | nonce (12) | ciphertext and tag`. Associated data:
version, key id, kind, session or ticket id, host. `key id` names the store key from which the record's key or indexes
are drawn. When that store key is retired, the record no longer opens.

Our ids are random, and each has a shard part, by which a store on several nodes places the record.

A session is sealed with its own random key. Each seat holds that key, wrapped under a key drawn from the secret half of
the seat's cookie and a store key: so the store opens nothing alone, and neither does a cookie.
"""

import hmac
import os
import re
import struct
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from sys import intern
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Entry, SeatLimits
from gateway.stores.codec import StoredSession, session_from_bytes, session_to_bytes
from gateway.stores.records import AddSeat, SeatKey, SeatRecord, SessionRecord

TokenBytes = Callable[[int], bytes]

# The version changes with the seal, with the drawing of key and look-up, and with the JSON inside. Version 2 deflates
# sessions (stores.codec). tests/stores/recorded has records of each version.
VERSION = 2
# N and N-1 serve side by side: a version is read one release before it is written, and one release after it was written
# last. The first release of all has nobody beside it. tests/stores/test_releases.py holds the releases to it.
READABLE = frozenset({1, 2})
_READABLE = ", ".join(map(str, sorted(READABLE)))

KEY_BYTES = 32
NONCE_BYTES = 12
_LEAST_SECRET = 32
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class SealBinding:
    """The place to which a record is bound; the record opens only there.

    `id`: of the session or ticket.
    `host`: of a seat.
    """

    kind: str
    id: str
    host: str = ""


def draw_key(secret: bytes, purpose: bytes, salt: bytes = b"") -> bytes:
    """32 bytes for one purpose. RFC 5869, SHA-256."""
    return HKDF(SHA256(), KEY_BYTES, salt or None, b"ecluse/1/" + purpose).derive(secret)


def lookup_of(secret: bytes) -> bytes:
    """The 32 bytes by which a record is found: SHA-256 of the secret, which is random and at least as long."""
    return sha256(b"ecluse/1/lookup" + secret).digest()


def seal(plain: bytes, *, key: bytes, key_id: str, nonce: bytes, binding: SealBinding) -> bytes:
    """Seals `plain`. `nonce`: 12 random bytes, never twice under one key."""
    name = key_id.encode("ascii")
    head = bytes((VERSION, len(name))) + name
    return head + nonce + AESGCM(key).encrypt(nonce, plain, _associated(head, binding))


def key_id_of(record: bytes) -> str:
    """The id of the key that sealed the record. Raises GatewayError(store_codes.UNREADABLE) for bytes that are no
    record, or of a version that this release does not read."""
    if record and record[0] not in READABLE:
        raise GatewayError(store_codes.UNREADABLE, f"a record of version {record[0]}, this release reads {_READABLE}")
    if len(record) < 2 or len(record) < 2 + record[1] + NONCE_BYTES:
        raise GatewayError(store_codes.UNREADABLE, "not a record: it is too short")
    try:
        return intern(record[2 : 2 + record[1]].decode("ascii"))
    except UnicodeDecodeError:
        raise GatewayError(store_codes.UNREADABLE, "not a record: its key id is not text") from None


def open_sealed(record: bytes, *, key: bytes, binding: SealBinding) -> bytes:
    """Opens a sealed record. Raises GatewayError(store_codes.UNREADABLE) for a wrong key, a wrong place or an altered
    record."""
    # Raises for what is no record.
    key_id_of(record)
    at = 2 + record[1]
    head, nonce, sealed = record[:at], record[at : at + NONCE_BYTES], record[at + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, _associated(head, binding))
    except InvalidTag:
        raise GatewayError(
            store_codes.UNREADABLE, f"a {binding.kind} record does not open where it was found"
        ) from None


def join(*parts: bytes) -> bytes:
    """Joins the parts with their lengths, so that different lists of parts never give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _associated(head: bytes, binding: SealBinding) -> bytes:
    return join(head, binding.kind.encode(), binding.id.encode(), binding.host.encode())


# --- ids

ID_BYTES, SESSION_ID_BYTES = 32, 16
# The shard part is the first character. What one step writes has one shard part: a sign-in under way has that of its
# browser's binding on the application's host; a session, its seats, hand-over codes and notes have that of the
# browser's binding on the portal, so that all sessions of a browser are in one place. Ids that others made (of an
# assertion, a logout token) have none: each is kept by itself, under a keyed hash.
SHARDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def new_id(token_bytes: TokenBytes = os.urandom, size: int = ID_BYTES, shard: str = "") -> str:
    """A random id, base64url: 32 bytes give 43 characters, 16 give 22. `shard`: the shard part of the id; random if
    empty."""
    id = urlsafe_b64encode(token_bytes(size)).rstrip(b"=").decode()
    return shard + id[len(shard) :]


def secret_of(id: str) -> bytes:
    """Returns the secret that opens a record found by its id alone."""
    return id.encode("utf-8", "surrogatepass")


def shard_of(id: str) -> str:
    """The shard of an id, out of SHARDS. An invented id has a shard too, but no record."""
    shard = id[:1]
    return shard if shard and shard in SHARDS else SHARDS[0]


def shard_of_browser(binding: str) -> str:
    """`binding`: SHA-256 (hex) of the browser's binding cookie on one host."""
    return SHARDS[sha256(binding.encode("utf-8", "surrogatepass")).digest()[0] % len(SHARDS)]


def new_session_id(token_bytes: TokenBytes, browser: str) -> str:
    """A new session id. `browser`: the browser's binding on the portal's host, as for `shard_of_browser`."""
    return new_id(token_bytes, SESSION_ID_BYTES, shard_of_browser(browser))


# --- the store keys of gateway.yaml


class StoreKeys:
    """The store keys of gateway.yaml. `keys`: (id, secret) pairs, the current key first, then the keys on their way in
    or out.

    Raises GatewayError(store_codes.UNREADABLE) for keys that cannot serve.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._salts = dict[str, bytes]()
        # How often the keys were replaced.
        self.generation = 0
        self.replace(keys)

    @staticmethod
    def of(keys: "StoreKeys | Sequence[tuple[str, bytes]]") -> "StoreKeys":
        """Keys as StoreKeys. Returns a given StoreKeys unchanged, so that a later `replace` reaches every holder. Keys
        made from pairs stay as they are."""
        return keys if isinstance(keys, StoreKeys) else StoreKeys(keys)

    def replace(self, keys: Sequence[tuple[str, bytes]]) -> frozenset[str]:
        """Puts the keys in force for every holder of this object. Returns the ids of removed keys. Call on the loop
        only."""
        _check(keys)
        before = self._salts
        self.generation += 1
        self.current = keys[0][0]
        # A copy for each value: `hmac.digest` gives up the interpreter lock, and there is a thread that waits for it.
        self._indexing = {id: hmac.new(draw_key(secret, b"index"), digestmod="sha256") for id, secret in keys}
        self._salts = {id: draw_key(secret, b"salt") for id, secret in keys}
        self._notes = {id: draw_key(secret, b"note") for id, secret in keys}
        return frozenset(before.keys() - self._salts.keys())

    def salt(self, id: str) -> bytes:
        """The salt of every key drawn under the store key `id`. Raises GatewayError(store_codes.UNREADABLE) if the
        store key is gone."""
        salt = self._salts.get(id)
        if salt is None:
            raise GatewayError(store_codes.UNREADABLE, f"there is no store key `{id}` any more")
        return salt

    def drawn(self, secret: bytes, purpose: bytes, id: str) -> bytes:
        """`draw_key` with the store key `id`. Raises as `salt` does."""
        return draw_key(secret, purpose, self.salt(id))

    def note_key(self, id: str) -> bytes:
        """The key for records that must open without a cookie. Raises GatewayError(store_codes.UNREADABLE) if the store
        key is gone."""
        self.salt(id)
        return self._notes[id]

    def index(self, kind: str, *parts: str) -> bytes:
        """The value under which the store finds a new record without its cookie."""
        return self._index(self.current, kind, parts)

    def log_name(self, issuer: str, subject: str) -> str:
        """The person's name in the log (`log_name_of`). A new store key gives new names."""
        return log_name_of(self.index("subject", issuer, subject))

    def indexes(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Every value under which the record may have been filed, the current key's first."""
        return tuple([self._index(id, kind, parts) for id in self._indexing])

    def _index(self, id: str, kind: str, parts: tuple[str, ...]) -> bytes:
        message = join(kind.encode(), *[part.encode("utf-8", "surrogatepass") for part in parts])
        mac = self._indexing[id].copy()
        mac.update(message)
        return mac.digest()


def log_name_of(subject_index: bytes) -> str:
    """16 hex digits of the keyed hash under which the store files a person's sessions. The log needs the name for ends
    that the person did not cause. Two of a million people share a name with a chance of 1 in 37 million."""
    return subject_index[:8].hex()


def _check(keys: Sequence[tuple[str, bytes]]) -> None:
    ids = [id for id, _ in keys]
    if not ids or len(set(ids)) != len(ids):
        raise GatewayError(store_codes.UNREADABLE, "store keys: at least one is needed, and each its own id")
    for id, secret in keys:
        if not (id.isascii() and 0 < len(id) <= _LONGEST_ID):
            raise GatewayError(
                store_codes.UNREADABLE, f"store key `{id}`: an id is 1 to {_LONGEST_ID} ASCII characters"
            )
        if len(secret) < _LEAST_SECRET:
            raise GatewayError(store_codes.UNREADABLE, f"store key `{id}`: its secret is under {_LEAST_SECRET} bytes")


# --- sessions and seats

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

    @property
    def store_keys(self) -> tuple[str, str]:
        """The ids of the two store keys that open the session."""
        return key_id_of(self.record.sealed), key_id_of(self.seat.wrapped)


class NewSeat(NamedTuple):
    cookie: bytes
    record: SeatRecord


def read_cookie(cookie: bytes) -> Presented | None:
    """Reads a seat's cookie. None: the gateway never makes such a cookie."""
    match = _COOKIE.fullmatch(cookie)
    if match is None:
        return None
    # The secret is used as it is written: decoded, four spellings of its last character would be one secret.
    session_id, secret = match.groups()
    return Presented(SeatKey(session_id.decode(), lookup_of(secret)), secret)


def session_id_of(cookie: bytes) -> str:
    """The session id that the cookie claims, without a proof; empty for a cookie that is not ours."""
    presented = read_cookie(cookie)
    return "" if presented is None else presented.key.session_id


def seat_lookup_of(cookie: bytes) -> bytes:
    """The lookup under which the store has the cookie's seat; empty for a cookie that is not ours."""
    presented = read_cookie(cookie)
    return b"" if presented is None else presented.key.lookup


class Envelopes:
    """Seals and opens sessions and seats. Opening raises GatewayError(store_codes.UNREADABLE)."""

    def __init__(self, keys: StoreKeys, token_bytes: TokenBytes) -> None:
        self._keys = keys
        self._token_bytes = token_bytes

    def seal_session(self, stored: StoredSession, session_key: bytes, issued_at: int | None = None) -> SessionRecord:
        """`issued_at`: as in SessionRecord."""
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
            issued_at=issued_at,
        )

    def reseal_session(self, stored: StoredSession, session_key: bytes, record: SessionRecord) -> bytes:
        """Seals the session again under the same store key, because the record's indexes stay and belong to that
        key."""
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
        # A seat without an idle limit of its own must never end before its session.
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
        """Opens a seat. The binding is made from the presented cookie and host, not from the record that was found."""
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
    """Decodes a seat. Raises struct.error or ValueError for malformed bytes."""
    created_at, expires_at, idle, ends_at = LIMITS.unpack_from(record)
    host, app, wrapped = texts(record, LIMITS.size)
    return SeatRecord(key, host.decode(), app.decode(), wrapped, created_at, expires_at, idle, ends_at)


def with_seat(add: AddSeat, sealed: bytes) -> bytes:
    key = add.seat.key
    carried = join(key.session_id.encode(), key.lookup, seat_to_bytes(add.seat), *add.browser_indexes)
    return LENGTH.pack(len(carried)) + carried + sealed


def carried_at(record: bytes, now: int) -> tuple[AddSeat | None, bytes]:
    """(seat, sealed part) of a ticket taken `now`; the seat is None if the ticket carries no seat. Raises as
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
    """Splits off a text that begins with its length. Returns the text and the rest of the record."""
    (length,) = LENGTH.unpack_from(record, at)
    at += LENGTH.size
    return record[at : at + length], record[at + length :]
