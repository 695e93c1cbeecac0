"""The directories' last findings about people, used while a directory does not answer. Each finding is sealed and
stored under a keyed hash, so that neither a dump of the store nor its server can name the person."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from gateway.model.directory import Directory, DirectoryFinding
from gateway.ops.log import Log
from gateway.stores.codec import LAST_FINDING
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys, TokenBytes
from gateway.stores.tickets.tickets import Bounds, Tickets, unix_now

# People of one directory; with more, whoever signed in longest ago is forgotten first.
_MOST: Final = 200_000
_BOUNDS: Final = Bounds(life=0, per_group=_MOST, in_all=2 * _MOST, longest=64 * 1024)


class LastFindings:
    """`keys`: the store keys of gateway.yaml; `now`: Unix seconds. Every coroutine raises GatewayError: where the store
    cannot say, and limit_codes.BODY for what is too long to be kept."""

    def __init__(
        self,
        store: RecordStore,
        keys: StoreKeys | Sequence[tuple[str, bytes]],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        token_bytes: TokenBytes = os.urandom,
    ) -> None:
        self._store = store
        self._keys = StoreKeys.of(keys)
        self._log = log
        self._now = now
        self._token_bytes = token_bytes
        self._of_life: dict[int, Tickets[DirectoryFinding]] = {}

    async def keep(self, directory: Directory, key: str, finding: DirectoryFinding) -> None:
        """Replaces the earlier finding. Kept for as long as the directory's file says."""
        id = self._ids(directory, key)[0]
        await self._tickets(directory).put(finding, f"last finding {directory.name}", id)

    async def read(self, directory: Directory, key: str) -> DirectoryFinding | None:
        """The directory's latest finding under its current file, unless the finding is too old."""
        tickets = self._tickets(directory)
        # Under every store key: a new one may have come into use since, here before it did at another gateway.
        said = [await tickets.peek(id) for id in self._ids(directory, key)]
        last = max((found for found in said if found is not None), key=lambda found: found.at, default=None)
        return last if last is not None and self._now() < last.at + directory.last else None

    def _tickets(self, directory: Directory) -> Tickets[DirectoryFinding]:
        life = directory.last
        if life not in self._of_life:
            bounds = replace(_BOUNDS, life=life)
            self._of_life[life] = Tickets(
                LAST_FINDING,
                self._store,
                self._keys,
                bounds,
                log=self._log,
                now=self._now,
                token_bytes=self._token_bytes,
            )
        return self._of_life[life]

    def _ids(self, directory: Directory, key: str) -> list[str]:
        found = self._keys.indexes("last finding", directory.name, directory.fingerprint, key)
        return [urlsafe_b64encode(one).rstrip(b"=").decode("ascii") for one in found]
