"""Which of the Sentinels is believed. They are played here, each on a port of 127.0.0.1."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from redis.exceptions import ConnectionError as NobodySays

from deploy.demo.ports import free
from gateway.model.store_server import Sentinels
from gateway.stores.redis.locating import HostPort, SentinelsOf
from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets import unix_now
from tests.patience import PATIENCE
from tests.stores.redis.servers import settings_of
from tests.stores.samples import NOTHING, add_session, seat_record, session_record

OLD, NEW = ("10.0.0.1", 6379), ("10.0.0.2", 6379)
OPTIONS = {"socket_timeout": 0.5, "protocol": 2, "driver_info": None}


class Played:
    """`epoch` and `primary`: what it tells; None: it does not know the group. `late`: seconds."""

    def __init__(self, epoch: int, primary: tuple[str, int] | None, late: float = 0.0) -> None:
        self.epoch, self.primary, self.late = epoch, primary, late
        self.asked = 0

    async def tells(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                await reader.readline()
                words.append((await reader.readline()).strip())
            await asyncio.sleep(self.late)
            self.asked += words[1] == b"MASTER"
            writer.write(self._reply(words[1]) if words[0] == b"SENTINEL" else b"+OK\r\n")
        writer.close()

    def _reply(self, question: bytes) -> bytes:
        if self.primary is None:
            return b"-ERR No such master with that name\r\n" if question == b"MASTER" else b"*-1\r\n"
        texts = ("config-epoch", str(self.epoch)) if question == b"MASTER" else (self.primary[0], str(self.primary[1]))
        return b"*2\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(text), text.encode()) for text in texts)


@asynccontextmanager
async def listening(*played: Played) -> AsyncIterator[tuple[HostPort, ...]]:
    async with AsyncExitStack() as stack:
        addresses = []
        for each, port in zip(played, free(len(played)), strict=True):
            stack.callback((await asyncio.start_server(each.tells, "127.0.0.1", port)).close)
            addresses.append(("127.0.0.1", port))
        yield tuple(addresses)


@asynccontextmanager
async def asking(*played: Played) -> AsyncIterator[SentinelsOf]:
    async with listening(*played) as addresses:
        asked = SentinelsOf("ecluse", addresses, OPTIONS)
        yield asked
        await asked.close()


async def test_the_latest_word_counts_whoever_answers_first() -> None:
    async with asking(Played(1, OLD), Played(2, NEW, late=0.05), Played(2, NEW, late=0.1)) as asked:
        assert await asked.primary() == NEW


async def test_one_that_was_cut_off_is_not_believed_after_the_others() -> None:
    behind, ahead = Played(1, OLD), [Played(2, NEW), Played(2, NEW)]
    async with asking(behind, *ahead) as asked:
        for each in (behind, *ahead):
            each.late = 0.0 if each in ahead else 0.1
        assert await asked.primary() == NEW
        behind.late = 0.0
        for each in ahead:
            each.primary = None
        assert await asked.primary() == NEW
        # Set up anew, from the first number on: most of them say so.
        behind.epoch, behind.primary = 0, OLD
        ahead[0].epoch, ahead[0].primary = 0, OLD
        assert await asked.primary() == OLD


async def test_one_that_answers_is_enough_and_none_is_not() -> None:
    one, other = Played(3, NEW), Played(0, None)
    async with asking(one, other, Played(0, None)) as asked:
        assert await asked.primary() == NEW
        one.primary = None
        with pytest.raises(NobodySays):
            await asked.primary()


async def test_many_who_ask_at_once_are_one_question() -> None:
    played = Played(1, NEW, late=0.05)
    async with asking(played) as asked:
        assert set(await asyncio.gather(*(asked.primary() for _ in range(50)))) == {NEW}
    assert played.asked == 1


@pytest.mark.service
async def test_what_is_open_is_left_when_another_is_named_though_it_goes_on_to_answer(valkey: int, redis: int) -> None:
    played, now = Played(1, ("127.0.0.1", valkey)), unix_now()
    async with listening(played) as addresses:
        store = RedisStore(settings_of(0, addresses=addresses, sentinels=Sentinels("ecluse")))
        await store.open()
        await add_session(store, session_record(now=now), seat_record(now=now), NOTHING, now)
        assert await store.read_session("s1", now) is not None
        played.epoch, played.primary = 2, ("127.0.0.1", redis)
        await until_gone(store, now)
        await store.close()


async def until_gone(store: RedisStore, now: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while await store.read_session("s1", now) is not None:
            await asyncio.sleep(0.05)
