"""What nodes tell each other of providers."""

import pytest

from gateway.stores.provider_words import WORD_KEPT, ProviderWords
from gateway.stores.records import MarkKey, RecordStore
from gateway.stores.sealing import StoreKeys
from tests.stores.samples import KEYS, Clock


async def test_the_last_word_counts_and_ends_by_itself(store: RecordStore, clock: Clock) -> None:
    here, there = (ProviderWords(store, StoreKeys(KEYS), now=clock.now) for _ in range(2))
    assert await there.away(["op", "other"]) == frozenset()
    await here.tell("op", away=True)
    assert await there.away(["op", "other"]) == {"op"}
    await here.tell("op", away=False)
    assert await there.away(["op"]) == frozenset(), "in the same second, too"
    clock.pass_by(1)
    await here.tell("op", away=True)
    clock.pass_by(WORD_KEPT - 1)
    assert await there.away(["op"]) == {"op"}
    clock.pass_by(1)
    assert await there.away(["op"]) == frozenset(), "a node that is gone holds nobody back"


async def test_nodes_that_use_two_keys_side_by_side_understand_each_other(store: RecordStore, clock: Clock) -> None:
    newer = ("k2", b"n" * 32)
    here, there = (ProviderWords(store, StoreKeys(keys), now=clock.now) for keys in ([newer, *KEYS], [*KEYS, newer]))
    await there.tell("op", away=True)
    assert await here.away(["op"]) == {"op"}


async def test_where_nobody_is_away_one_thing_is_read(
    store: RecordStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ProviderWords(store, StoreKeys(KEYS), now=clock.now)
    await words.tell("op", away=False)
    asked: list[object] = []
    mark = store.mark

    async def counted(key: MarkKey, now: int) -> int:
        asked.append(key)
        return await mark(key, now)

    monkeypatch.setattr(store, "mark", counted)
    assert await words.away([f"p{number}" for number in range(50)]) == frozenset()
    assert len(asked) == 1
