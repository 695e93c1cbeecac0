"""Ends that the store could not take: in force in memory at once, told to other workers, written when it takes them."""

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.memory import MemoryStore
from gateway.stores.records import PutTicketOfEnd, Ticket, TicketKey, Write
from gateway.stores.revocation.unwritten_ends import UnwrittenEnds
from gateway.stores.tickets.tickets import Transactions
from tests.stores.samples import KEYS, NOW, PERMIS, PORTAL, Around, Clock, Heard, Worker

UNTIL = NOW + 600


class Full(Around):
    """Reads go on; `takes`: whether it can be written to. `reads`: whether it answers at all."""

    takes, reads = True, True

    async def perform(self, writes: list[Write], now: int) -> bool:
        if not self.takes:
            raise GatewayError(store_codes.UNREACHABLE, "the disk is full")
        return await self.store.perform(writes, now)

    async def read_seat(self, *asked: object) -> object:
        if not self.reads:
            raise GatewayError(store_codes.UNREACHABLE, "no answer")
        return await self.store.read_seat(*asked)  # type: ignore[arg-type]


class Gateway:
    """Two workers on one store; what the first of them cannot write is told to the second."""

    def __init__(self) -> None:
        self.store, self.clock, self.written = Full(MemoryStore()), Clock(), list[str]()
        self.here, self.there = (Worker(self.store, self.clock) for _ in range(2))
        self.here.sessions.unwritten = UnwrittenEnds(
            self.store,  # type: ignore[arg-type]
            log=self.here.log,  # type: ignore[arg-type]
            written=self.written.extend,
        )


async def test_an_end_that_cannot_be_written_is_in_force_and_is_written_when_there_is_room() -> None:
    gateway = Gateway()
    here, there = gateway.here.sessions, gateway.there.sessions
    cookie = await gateway.here.sign_in(idle=7200)
    gateway.store.takes = False
    (id,) = await here.end_browser(PORTAL, cookie)
    here.revoke([id])
    assert here.cached(PORTAL, cookie) is None
    assert await here.load(PORTAL, cookie) is None, "the store has it still"
    assert await there.load(PORTAL, cookie) is not None, "it has not heard of it"
    there.unwritten.learn([id])
    there.revoke([id])
    # However long it takes: what a worker has heard of the store's own list is forgotten after a minute.
    gateway.clock.pass_by(3600)
    there.revoke(["another"])
    here.revoke(["another"])
    assert [await each.load(PORTAL, cookie) for each in (here, there)] == [None, None]
    assert gateway.here.log.names() == ["revocation.unwritten"]

    gateway.store.takes = True
    await here.write_ends()
    assert (gateway.written, id in here.unwritten) == ([id], False)
    there.unwritten.forget([id])
    assert await there.load(PORTAL, cookie) is None, "the store has it"
    assert gateway.here.log.names() == ["revocation.unwritten", "revocation.written"]
    assert (await gateway.store.ended_since(None)).cursor.position == 1


async def test_while_the_store_answers_nothing_the_session_in_memory_ends_and_no_strangers() -> None:
    gateway = Gateway()
    here = gateway.here.sessions
    cookie, stranger = await gateway.here.sign_in(), await gateway.there.sign_in("another")
    seat = here.cached(PORTAL, cookie)
    assert seat is not None
    gateway.store.reads = gateway.store.takes = False
    assert await here.end_browser(PORTAL, cookie) == (seat.session_id,)
    for host, brought in (
        (PERMIS, cookie),
        (PORTAL, stranger),
        (PORTAL, cookie[:-2] + (b"AA" if cookie[-2:] != b"AA" else b"BA")),
    ):
        with pytest.raises(GatewayError):
            await here.end_browser(host, brought)


async def test_a_provider_s_mark_that_cannot_be_written_refuses_no_end() -> None:
    store, clock = Full(MemoryStore()), Clock()
    unwritten = UnwrittenEnds(store, log=Heard())  # type: ignore[arg-type]
    ends = Transactions(store, KEYS, now=clock.now, unwritten=unwritten).sign_in_ends  # type: ignore[arg-type]
    store.takes = False
    assert not await ends.mark_by_provider(NOW, "subject", "https://op", "jeanne")
    assert not await ends.has_ended_at_provider(NOW, "subject", "https://op", "jeanne")
    store.takes = True
    await unwritten.write(clock.now())
    assert await ends.has_ended_at_provider(NOW, "subject", "https://op", "jeanne")


async def test_marks_of_ends_wait_too_but_not_for_ever_and_not_without_bound() -> None:
    store, clock = Full(MemoryStore()), Clock()
    unwritten = UnwrittenEnds(store, log=Heard())  # type: ignore[arg-type]
    ends = Transactions(store, KEYS, now=clock.now, unwritten=unwritten).sign_in_ends  # type: ignore[arg-type]
    store.takes = False
    clock.pass_by(1)
    assert not await ends.mark("192.0.2.1", "browser", "b")
    store.takes = True
    assert await ends.mark("192.0.2.1", "browser", "another")
    await unwritten.write(clock.now())
    assert await ends.has_ended(NOW, "browser", "b")

    store.takes = False
    for number in range(5000):
        key = TicketKey("A", "sign_in_end", number.to_bytes(32, "big"))
        await unwritten.perform([PutTicketOfEnd(Ticket(key, b"", b"", UNTIL), 10_000, 10_000)], NOW)
    store.takes = True
    await unwritten.write(UNTIL - 1)
    assert len(store.store._tickets["sign_in_end"]) == 1002


async def test_a_mark_that_comes_while_another_is_written_is_not_lost() -> None:
    class Slow(Full):
        """Ends go on while the store writes the first mark: they push that mark out."""

        comes: list[Write]

        async def perform(self, writes: list[Write], now: int) -> bool:
            done = await super().perform(writes, now)
            more, self.comes = self.comes, []
            self.takes = False
            for write in more:
                await unwritten.perform([write], NOW)
            self.takes = True
            return done

    def mark(number: int) -> Write:
        key = TicketKey("A", "sign_in_end", number.to_bytes(32, "big"))
        return PutTicketOfEnd(Ticket(key, b"", b"", UNTIL), 10_000, 10_000)

    store = Slow(MemoryStore())
    store.comes = []
    unwritten = UnwrittenEnds(store)  # type: ignore[arg-type]
    store.takes = False
    for number in range(1000):
        await unwritten.perform([mark(number)], NOW)
    store.takes, store.comes = True, [mark(1000)]
    await unwritten.write(NOW)
    assert len(store.store._tickets["sign_in_end"]) == 1001


async def test_what_says_nothing_any_more_is_not_written() -> None:
    store = Full(MemoryStore())
    unwritten = UnwrittenEnds(store)  # type: ignore[arg-type]
    store.takes = False
    key = TicketKey("A", "sign_in_end", b"k" * 32)
    await unwritten.perform([PutTicketOfEnd(Ticket(key, b"", b"", UNTIL), 10, 10)], NOW)
    store.takes = True
    await unwritten.write(UNTIL)
    assert store.store._tickets == {}
