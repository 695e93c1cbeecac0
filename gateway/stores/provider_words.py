"""Messages between nodes of one store about providers that do not answer. A message is a mark: its number is the
time, doubled, plus one if the provider answers. The last message counts. It expires soon after the last check, so
that a dead node affects nobody."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from gateway.stores.records import MarkKey, RaiseMark, RecordStore
from gateway.stores.sealing import StoreKeys, shard_of

# Seconds. A provider that is away is looked at, and told of, each ten seconds.
WORD_KEPT: Final = 45
_KIND: Final = "provider word"
# Of all of them: a healthy cluster reads this one mark.
_ANY: Final = ""


class ProviderWords:
    """federation.standings.OtherNodes. `now`: Unix seconds."""

    def __init__(self, store: RecordStore, keys: StoreKeys, *, now: Callable[[], int]) -> None:
        self._store = store
        self._keys = keys
        self._now = now

    async def tell(self, provider: str, *, away: bool) -> None:
        now = self._now()
        number, until = 2 * now + (not away), now + WORD_KEPT
        await self._store.perform([RaiseMark(self._marks(provider)[0], number, until)], now)
        if away:
            await self._store.perform([RaiseMark(self._marks(_ANY)[0], number, until)], now)

    async def away(self, providers: Iterable[str]) -> frozenset[str]:
        if not await self._last(_ANY):
            return frozenset()
        names = tuple(providers)
        words = await asyncio.gather(*(self._last(name) for name in names))
        return frozenset(name for name, word in zip(names, words, strict=True) if word and word % 2 == 0)

    async def _last(self, provider: str) -> int:
        """The last mark; 0 without a recent message."""
        # Under every store key: while a new one comes into use, nodes may differ in which is the first.
        return max([await self._store.mark(key, self._now()) for key in self._marks(provider)])

    def _marks(self, provider: str) -> list[MarkKey]:
        return [MarkKey(shard_of(key.hex()), key) for key in self._keys.indexes(_KIND, provider)]
