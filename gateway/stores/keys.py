"""The store keys of gateway.yaml: the first one is current, the others are on their way out."""

import hmac
from collections.abc import Sequence

from gateway.model.codes import STORE_UNREADABLE
from gateway.model.errors import GatewayError
from gateway.stores.sealing import draw_key, join

_LEAST_SECRET = 32
_LONGEST_ID = 64


class StoreKeys:
    """`keys`: (id, secret) pairs. Raises GatewayError where they cannot serve."""

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        _check(keys)
        self.current = keys[0][0]
        # A copy for each value: `hmac.digest` gives up the interpreter lock, and there is a thread that waits for it.
        self._indexing = {id: hmac.new(draw_key(secret, b"index"), digestmod="sha256") for id, secret in keys}
        self._salts = {id: draw_key(secret, b"salt") for id, secret in keys}
        self._notes = {id: draw_key(secret, b"note") for id, secret in keys}

    def salt(self, id: str) -> bytes:
        """What goes into every key drawn under the store key `id`. GatewayError(STORE_UNREADABLE): it is no more."""
        salt = self._salts.get(id)
        if salt is None:
            raise GatewayError(STORE_UNREADABLE, f"there is no store key `{id}` any more")
        return salt

    def note_key(self, id: str) -> bytes:
        """What seals the little that has to be read without a cookie. GatewayError(STORE_UNREADABLE): it is no more."""
        self.salt(id)
        return self._notes[id]

    def index(self, kind: str, *parts: str) -> bytes:
        """The value under which a new record is found again without its cookie."""
        return self._index(self.current, kind, parts)

    def indexes(self, kind: str, *parts: str) -> tuple[bytes, ...]:
        """Every value under which it may have been filed, the current key's first."""
        return tuple(self._index(id, kind, parts) for id in self._indexing)

    def _index(self, id: str, kind: str, parts: tuple[str, ...]) -> bytes:
        message = join(kind.encode(), *(part.encode("utf-8", "surrogatepass") for part in parts))
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
