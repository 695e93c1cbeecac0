"""Which of the Sentinels is believed. They are played here, each on a port of 127.0.0.1."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from itertools import permutations

import pytest
from redis.asyncio.connection import AbstractConnection, Connection
from redis.exceptions import ConnectionError as NobodySays

from deploy.demo.ports import free
from gateway.model.store_server import Sentinels
from gateway.stores.records import UseOnce
from gateway.stores.redis.connections import Connections
from gateway.stores.redis.locating import HostPort, SentinelsOf, believed
from gateway.stores.redis.locating import NamedPrimary as Told
from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.tickets import unix_now
from tests.patience import PATIENCE
from tests.stores.redis.servers import settings_of
from tests.stores.samples import NOTHING, add_session, seat_record, session_record

OLD, NEW, OTHER = (("10.0.0.1", 6379), ("10.0.0.2", 6379), ("10.0.0.3", 6379))
HOST = "127.0.0.1"
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


async def test_the_word_of_most_counts_whoever_answers_first() -> None:
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


async def test_most_are_enough_and_a_lone_one_is_not_before_most_were_heard() -> None:
    one, other = Played(3, NEW), Played(0, None)
    async with asking(one, other, Played(0, None)) as asked:
        with pytest.raises(NobodySays, match="1 of 3 Sentinels say which server is the primary: 2 have to"):
            await asked.primary()
        other.epoch, other.primary = 3, NEW
        assert await asked.primary() == NEW
        other.primary = None
        assert await asked.primary() == NEW
        one.primary = None
        with pytest.raises(NobodySays):
            await asked.primary()


async def test_one_that_is_listed_twice_has_one_voice() -> None:
    async with listening(Played(1, OLD), Played(0, None)) as (lone, silent):
        asked = SentinelsOf("ecluse", (lone, lone, silent), OPTIONS)
        with pytest.raises(NobodySays):
            await asked.primary()
        await asked.close()


FAR = 10**9
KNOWN = Told(2, NEW)


@pytest.mark.parametrize(
    ("told", "listed", "before", "primary"),
    [
        # Most of them name it, whatever a single one says.
        ([Told(FAR, OLD), Told(2, NEW), Told(2, NEW)], 3, None, NEW),
        ([Told(FAR, OLD), Told(2, NEW), Told(2, NEW)], 3, KNOWN, NEW),
        ([Told(2, NEW), Told(0, NEW)], 3, None, NEW),
        ([Told(1, OLD)], 1, None, OLD),
        ([Told(0, OLD), Told(0, OLD)], 3, KNOWN, OLD),
        # They differ: the highest that two of them tell.
        ([Told(FAR, OTHER), Told(2, NEW), Told(2, NEW), Told(1, OLD), Told(1, OLD)], 5, None, NEW),
        ([Told(1, OLD), Told(1, OLD), Told(3, OTHER), Told(3, OTHER)], 5, KNOWN, OTHER),
        # Nobody tells anything newer than what most of them said before.
        ([Told(1, OLD)], 3, KNOWN, NEW),
        ([Told(1, OLD), Told(2, NEW)], 3, KNOWN, NEW),
        ([Told(1, OLD), Told(1, OLD), Told(2, NEW)], 5, KNOWN, NEW),
    ],
)
def test_a_primary_is_believed_by_most(told: list[Told], listed: int, before: Told | None, primary: HostPort) -> None:
    for order in permutations(told):
        assert believed(order, listed, before).address == primary


@pytest.mark.parametrize(
    ("told", "listed", "before", "said"),
    [
        ([Told(1, OLD)], 3, None, "1 of 3"),
        ([Told(1, OLD)], 2, None, "1 of 2"),
        ([Told(FAR, OLD)], 3, KNOWN, "1 of 3"),
        ([Told(2, OLD)], 3, KNOWN, "1 of 3"),
        ([], 3, KNOWN, "0 of 3"),
        ([Told(2, NEW), Told(2, NEW)], 5, None, "2 of 5"),
        ([Told(1, OLD), Told(FAR, NEW)], 3, None, r"differ: 10.0.0.1:6379 \(config-epoch 1\), 10.0.0.2:6379 "),
        ([Told(2, NEW), Told(FAR, OLD)], 3, KNOWN, "differ"),
        ([Told(FAR, OTHER), Told(1, OLD), Told(1, OLD), Told(2, NEW)], 5, KNOWN, "differ"),
    ],
)
def test_no_primary_is_believed_for_one_voice(told: list[Told], listed: int, before: Told | None, said: str) -> None:
    for order in permutations(told):
        with pytest.raises(NobodySays, match=said):
            believed(order, listed, before)


def test_a_number_that_one_alone_tells_is_not_remembered() -> None:
    assert believed([Told(FAR, NEW), Told(2, NEW), Told(2, NEW)], 3, None) == KNOWN


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


@pytest.mark.service
async def test_a_new_connection_does_not_keep_those_to_the_old_primary_alive(valkey: int, redis: int) -> None:
    """More is asked at once than connections are open, before the next look at who is the primary."""
    played, now = Played(1, ("127.0.0.1", valkey)), unix_now()
    async with listening(played) as addresses:
        settings = settings_of(0, addresses=addresses, sentinels=Sentinels("ecluse"))
        store, other = RedisStore(settings), RedisStore(replace(settings, addresses=((HOST, redis),), sentinels=None))
        await store.open()
        await asyncio.gather(*(store.probe() for _ in range(6)))
        played.epoch, played.primary = 2, (HOST, redis)
        await asyncio.gather(*(store.probe() for _ in range(12)), return_exceptions=True)
        used = UseOnce(b"an assertion's id", now + 600, now + 2)
        assert await other.perform([used], now)
        assert not any(await asyncio.gather(*(store.perform([used], now) for _ in range(12))))
        assert await store.perform([UseOnce(b"another", now + 600, now + 2)], now)
        await store.close()
        await other.close()


class Announced:
    """The first who ask are answered when all of them have asked: one after the other, another port each."""

    def __init__(self, *ports: int) -> None:
        self._ports = list(ports)
        self._last = ports[-1]
        self._asked = asyncio.Barrier(len(ports))

    async def primary(self) -> HostPort:
        if self._ports:
            await self._asked.wait()
        return HOST, self._ports.pop(0) if self._ports else self._last

    async def close(self) -> None:
        pass


@pytest.mark.service
async def test_what_is_being_opened_to_the_old_primary_meanwhile_is_sent_nothing(valkey: int, redis: int) -> None:
    """Its address was found before the new one was, and nobody can leave what is not open yet."""

    async def met(connection: AbstractConnection) -> str:
        assert isinstance(connection, Connection)
        return str(connection.port)

    connections = Connections(settings_of(valkey), met, Announced(valkey, redis))
    asked = (connections.ask(lambda run: ["ECHO", run], again=False) for _ in range(2))
    assert set(await asyncio.gather(*asked)) == {str(redis).encode()}
    await connections.close()


@pytest.mark.service
async def test_the_servers_that_it_was_led_to_are_known_by_their_addresses(valkey: int, redis: int) -> None:
    """Whatever the Sentinels call them."""
    played = Played(1, ("localhost", valkey))
    async with listening(played) as addresses:
        store = RedisStore(settings_of(0, addresses=addresses, sentinels=Sentinels("ecluse")))
        await store.open()
        assert {port for _, port in store.servers} == {valkey}
        assert {host for host, _ in store.servers} <= {HOST, "::1"}
        played.epoch, played.primary = 2, (HOST, redis)
        async with asyncio.timeout(PATIENCE):
            while (HOST, redis) not in store.servers:
                await asyncio.gather(store.probe(), return_exceptions=True)
                await asyncio.sleep(0.05)
        await store.close()
