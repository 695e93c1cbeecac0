"""Records under seal: AES-256-GCM with a key drawn by HKDF-SHA256, bound to what they are and where they belong.

A record is `version (1 byte) | length of key id (1) | key id | nonce (12) | ciphertext and tag`. Associated data:
version, key id, kind, session or ticket id, host. `key id` names the store key that went into the drawing of the
key or of the record's indexes, so that a store key can be retired: what it had a part in then opens no more.

The ids that we make are random, and each has its shard part, which says where a store on several nodes keeps it.
"""

import hmac
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from sys import intern

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.model.codes import STORE_UNREADABLE
from gateway.model.errors import GatewayError

TokenBytes = Callable[[int], bytes]

# Of everything about a record that must not change in silence: its seal, how its key and look-up are drawn, the JSON
# within. Version 2 deflates sessions (stores.codec). tests/stores/recorded holds what was written under each.
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
    """What a record is bound to: it opens as nothing else. `id`: of the session or ticket; `host`: of a seat."""

    kind: str
    id: str
    host: str = ""


def draw_key(secret: bytes, purpose: bytes, salt: bytes = b"") -> bytes:
    """32 bytes for one purpose. RFC 5869, SHA-256."""
    return HKDF(SHA256(), KEY_BYTES, salt or None, b"ecluse/1/" + purpose).derive(secret)


def lookup_of(secret: bytes) -> bytes:
    """What a record is found by, 32 bytes. SHA-256, for a secret that is random and as long."""
    return sha256(b"ecluse/1/lookup" + secret).digest()


def seal(plain: bytes, *, key: bytes, key_id: str, nonce: bytes, binding: SealBinding) -> bytes:
    """`nonce`: 12 random bytes, never twice under one key."""
    head = _head(VERSION, key_id)
    return head + nonce + AESGCM(key).encrypt(nonce, plain, _associated(head, binding))


def key_id_of(record: bytes) -> str:
    """Raises GatewayError(STORE_UNREADABLE) where this is no record, or one of a version that is not read here."""
    if record and record[0] not in READABLE:
        raise GatewayError(STORE_UNREADABLE, f"a record of version {record[0]}, this release reads {_READABLE}")
    if len(record) < 2 or len(record) < 2 + record[1] + NONCE_BYTES:
        raise GatewayError(STORE_UNREADABLE, "not a record: it is too short")
    try:
        return intern(record[2 : 2 + record[1]].decode("ascii"))
    except UnicodeDecodeError:
        raise GatewayError(STORE_UNREADABLE, "not a record: its key id is not text") from None


def open_sealed(record: bytes, *, key: bytes, binding: SealBinding) -> bytes:
    """Raises GatewayError(STORE_UNREADABLE): another key, another place, or changed."""
    key_id = key_id_of(record)
    head = _head(record[0], key_id)
    nonce, sealed = record[len(head) : len(head) + NONCE_BYTES], record[len(head) + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, _associated(head, binding))
    except InvalidTag:
        raise GatewayError(STORE_UNREADABLE, f"a {binding.kind} record does not open where it was found") from None


def join(*parts: bytes) -> bytes:
    """Parts with their lengths, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def _head(version: int, key_id: str) -> bytes:
    name = key_id.encode("ascii")
    return bytes((version, len(name))) + name


def _associated(head: bytes, binding: SealBinding) -> bytes:
    return join(head, binding.kind.encode(), binding.id.encode(), binding.host.encode())


# --- ids

ID_BYTES = 32
# The shard part is the first character. What one step writes has one shard part: a sign-in under way has that of its
# browser's binding on the application's host; a session, its seats, hand-over codes and notes have that of the
# browser's binding on the portal, so that all sessions of a browser are in one place. Ids that others made (of an
# assertion, a logout token) have none: each is kept by itself, under a keyed hash.
SHARDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def new_id(token_bytes: TokenBytes = os.urandom, size: int = ID_BYTES, shard: str = "") -> str:
    """Random, base64url: 32 bytes give 43 characters, 16 give 22. `shard`: of the ids that it is written with; without
    one it is as random as the rest."""
    id = urlsafe_b64encode(token_bytes(size)).rstrip(b"=").decode()
    return shard + id[len(shard) :]


def secret_of(id: str) -> bytes:
    """What opens a record that is found by its id alone."""
    return id.encode("utf-8", "surrogatepass")


def shard_of(id: str) -> str:
    """One of SHARDS. An id that somebody made up has one too, and is found nowhere."""
    shard = id[:1]
    return shard if shard and shard in SHARDS else SHARDS[0]


def shard_of_browser(binding: str) -> str:
    """`binding`: SHA-256 (hex) of the browser's binding cookie on one host."""
    return SHARDS[sha256(binding.encode("utf-8", "surrogatepass")).digest()[0] % len(SHARDS)]


# --- the store keys of gateway.yaml


class StoreKeys:
    """`keys`: (id, secret) pairs, the first one current, the others on their way in or out.

    Raises GatewayError where they cannot serve."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        self._salts = dict[str, bytes]()
        # How often the keys were replaced.
        self.generation = 0
        self.replace(keys)

    @staticmethod
    def of(keys: "StoreKeys | Sequence[tuple[str, bytes]]") -> "StoreKeys":
        """The worker's keys themselves, which are replaced for all that hold them; of pairs, keys that stay."""
        return keys if isinstance(keys, StoreKeys) else StoreKeys(keys)

    def replace(self, keys: Sequence[tuple[str, bytes]]) -> frozenset[str]:
        """These keys are in force from here on, for all that hold this object. Returns the ids that are no more. It is
        called on the loop alone."""
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
        """What goes into every key drawn under the store key `id`. GatewayError(STORE_UNREADABLE): it is no more."""
        salt = self._salts.get(id)
        if salt is None:
            raise GatewayError(STORE_UNREADABLE, f"there is no store key `{id}` any more")
        return salt

    def drawn(self, secret: bytes, purpose: bytes, id: str) -> bytes:
        """`draw_key` with the store key `id`. Raises as `salt` does."""
        return draw_key(secret, purpose, self.salt(id))

    def note_key(self, id: str) -> bytes:
        """What seals the little that has to be read without a cookie. GatewayError(STORE_UNREADABLE): it is no more."""
        self.salt(id)
        return self._notes[id]

    def index(self, kind: str, *parts: str) -> bytes:
        """The value under which a new record is found again without its cookie."""
        return self._index(self.current, kind, parts)

    def indexes(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Every value under which it may have been filed, the current key's first."""
        return tuple([self._index(id, kind, parts) for id in self._indexing])

    def _index(self, id: str, kind: str, parts: tuple[str, ...]) -> bytes:
        message = join(kind.encode(), *[part.encode("utf-8", "surrogatepass") for part in parts])
        mac = self._indexing[id].copy()
        mac.update(message)
        return mac.digest()


def _check(keys: Sequence[tuple[str, bytes]]) -> None:
    ids = [id for id, _ in keys]
    if not ids or len(set(ids)) != len(ids):
        raise GatewayError(STORE_UNREADABLE, "store keys: at least one is needed, and each its own id")
    for id, secret in keys:
        if not (id.isascii() and 0 < len(id) <= _LONGEST_ID):
            raise GatewayError(STORE_UNREADABLE, f"store key `{id}`: an id is 1 to {_LONGEST_ID} ASCII characters")
        if len(secret) < _LEAST_SECRET:
            raise GatewayError(STORE_UNREADABLE, f"store key `{id}`: its secret is under {_LEAST_SECRET} bytes")
