"""A store on many nodes, as Redis Cluster would be: each tag has a memory store of its own, and one step reaches one.

What a service wants done as a whole for two tags cannot be done here, and a fault can come between any two steps.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.stores.memory import MemoryStore
from gateway.stores.records import (
    ENDED_KEPT,
    JarKey,
    MarkKey,
    PutTicket,
    SealedNote,
    SeatKey,
    SeatRecord,
    SessionIndex,
    SessionPage,
    SessionRecord,
    SessionSummary,
    Spend,
    TakenTicket,
    Ticket,
    TicketKey,
    Tombstone,
    Touch,
    UseOnce,
    Write,
)
from gateway.stores.revocation.list_of_ends import Cursor, Ended, Tail
from gateway.stores.sealing import shard_of
from gateway.stores.stepwise import in_steps, tag_of
from gateway.stores.tickets.tickets import unix_now

Result = TypeVar("Result")


class Sharded:
    """records.RecordStore. `fails_at`: the step that fails (from 1, counted from `steps = 0`): it is not done, or it is
    done and not told of (`told_late`). What housekeeping does is no step. `asked`: by what sessions were searched."""

    reachable = True

    def __init__(self) -> None:
        self.stores: dict[str, MemoryStore] = {}
        self.steps = 0
        self.asked: list[SessionIndex] = []
        self.fails_at = 0
        self.told_late = False
        self.open_tickets: dict[TicketKey, Ticket] = {}
        self._ended: deque[Ended] = deque()
        self._purged = 0
        self._refuses_before = 0

    async def open(self) -> None:
        self._refuses_before = unix_now()

    async def close(self) -> None: ...

    async def perform(self, writes: Sequence[Write], now: int) -> bool:
        return await self.perform_until(writes, now) is None

    async def perform_until(self, writes: Sequence[Write], now: int) -> Write | None:
        for _, step in in_steps(writes):
            if (missed := self._tell(await self._one(step, now))) is not None:
                return missed
        return None

    async def _one(self, step: Sequence[Write], now: int) -> Write | None:
        self._begin()
        (tag,) = {tag_of(write) for write in step}
        at = self._at(tag)
        missed = await at.perform_until(step, now)
        # Bounds, and the list of all shards, are kept beside the step.
        self._ended.extend(at._ended)
        at._ended.clear()
        for write in step if missed is None else ():
            if isinstance(write, Spend):
                self.open_tickets.pop(write.key, None)
            if isinstance(write, PutTicket):
                await self._bound(write, now)
        return missed

    async def _bound(self, put: PutTicket, now: int) -> None:
        ticket = put.ticket
        self.open_tickets.pop(ticket.key, None)
        self.open_tickets[ticket.key] = ticket
        of_kind = [each for each in self.open_tickets.values() if each.key.kind == ticket.key.kind]
        of_group = [each for each in of_kind if each.group == ticket.group]
        for each in (*of_group[: max(0, len(of_group) - put.per_group)], *of_kind[: max(0, len(of_kind) - put.in_all)]):
            self.open_tickets.pop(each.key, None)
            await self._at(each.key.shard).take_ticket(each.key, now)

    # --- sessions and seats

    async def read_seat(self, key: SeatKey, now: int) -> tuple[SessionRecord, SeatRecord] | None:
        self._begin()
        return self._tell(await self._at(shard_of(key.session_id)).read_seat(key, now))

    async def read_session(self, session_id: str, now: int) -> SessionRecord | None:
        self._begin()
        return self._tell(await self._at(shard_of(session_id)).read_session(session_id, now))

    async def tombstone(self, key: SeatKey, now: int) -> Tombstone | None:
        self._begin()
        return self._tell(await self._at(shard_of(key.session_id)).tombstone(key, now))

    async def touch(self, touches: Sequence[Touch]) -> None:
        for touch in touches:
            await self._at(shard_of(touch.key.session_id)).touch([touch])

    async def replace_sealed(self, session_id: str, before: bytes, after: bytes, now: int) -> bool:
        self._begin()
        return self._tell(await self._at(shard_of(session_id)).replace_sealed(session_id, before, after, now))

    async def read_jar(self, key: JarKey, now: int) -> bytes | None:
        self._begin()
        return self._tell(await self._at(shard_of(key.session_id)).read_jar(key, now))

    async def replace_jar(self, key: JarKey, before: bytes | None, after: bytes, now: int) -> bool:
        self._begin()
        return self._tell(await self._at(shard_of(key.session_id)).replace_jar(key, before, after, now))

    async def find(
        self, index: SessionIndex, values: Sequence[bytes], now: int, shards: str = ""
    ) -> tuple[SessionSummary, ...]:
        self._begin()
        self.asked.append(index)
        stores = [self._at(shard) for shard in shards] or list(self.stores.values())
        found = [each for store in stores for each in await store.find(index, values, now)]
        return self._tell(tuple(sorted(found, key=lambda each: (each.created_at, each.id))))

    async def summaries(self, ids: Sequence[str], now: int) -> tuple[SessionSummary, ...]:
        self._begin()
        found = [each for id in ids for each in await self._at(shard_of(id)).summaries([id], now)]
        return self._tell(tuple(found))

    async def list_sessions(self, after: str, now: int) -> SessionPage:
        """A page for each shard that has any."""
        self._begin()
        shard, _, rest = after.partition(" ")
        shards = sorted(self.stores)
        here = shard or (shards[0] if shards else "")
        if not here:
            return self._tell(SessionPage((), ""))
        page = await self.stores[here].list_sessions(rest, now)
        later = [each for each in shards if each > here]
        after = f"{here} {page.after}" if page.after else f"{later[0]} " if later else ""
        return self._tell(SessionPage(page.sessions, after))

    async def ended_since(self, cursor: Cursor | None) -> Tail:
        here = Cursor("sharded", self._purged + len(self._ended))
        if cursor is None or cursor.epoch != here.epoch or not self._purged <= cursor.position <= here.position:
            return Tail(here, (), complete=False)
        return Tail(here, tuple(self._ended)[cursor.position - self._purged :], complete=True)

    async def wait_for_ends(self) -> None:
        await asyncio.Event().wait()

    async def take_notes(self, most: int, now: int) -> tuple[SealedNote, ...]:
        taken: list[SealedNote] = []
        for store in self.stores.values():
            taken += await store.take_notes(most - len(taken), now)
        return tuple(taken)

    # --- tickets and single values

    async def peek_ticket(self, key: TicketKey, now: int) -> bytes | None:
        self._begin()
        return self._tell(await self._at(key.shard).peek_ticket(key, now))

    async def take_ticket(self, key: TicketKey, now: int, *, ends: bool = False) -> bytes | None:
        self._begin()
        self.open_tickets.pop(key, None)
        return self._tell(await self._at(key.shard).take_ticket(key, now))

    async def take_with_seat(self, key: TicketKey, now: int) -> TakenTicket | None:
        self._begin()
        self.open_tickets.pop(key, None)
        at = self._at(key.shard)
        taken = await at.take_with_seat(key, now)
        self._ended.extend(at._ended)
        at._ended.clear()
        return self._tell(taken)

    async def is_used(self, use: UseOnce, now: int) -> bool:
        self._begin()
        return self._tell(await self._at(tag_of(use)).is_used(use, now))

    async def mark(self, key: MarkKey, now: int) -> int:
        self._begin()
        return self._tell(await self._at(key.shard).mark(key, now))

    async def clear_mark(self, key: MarkKey, now: int) -> None:
        self._begin()
        self._tell(await self._at(key.shard).clear_mark(key, now))

    async def probe(self) -> None: ...

    async def purge(self, now: int, *, bury: bool = False) -> None:
        for store in self.stores.values():
            await store.purge(now, bury=bury)
        while self._ended and self._ended[0].at <= now - ENDED_KEPT:
            self._ended.popleft()
            self._purged += 1

    # --- steps

    def _at(self, tag: str) -> MemoryStore:
        if tag not in self.stores:
            self.stores[tag] = MemoryStore()
            self.stores[tag]._refuses_before = self._refuses_before
        return self.stores[tag]

    def _begin(self) -> None:
        self.steps += 1
        if self.steps == self.fails_at and not self.told_late:
            raise GatewayError(store_codes.UNREACHABLE, f"step {self.steps}, not done")

    def _tell(self, result: Result) -> Result:
        if self.steps == self.fails_at and self.told_late:
            raise GatewayError(store_codes.UNREACHABLE, f"step {self.steps}, done and not told of")
        return result

    # --- for tests that look inside

    def of_all(self, name: str) -> dict[Any, Any]:
        """`name`: of a table of MemoryStore."""
        return {key: value for store in self.stores.values() for key, value in getattr(store, name).items()}

    @property
    def sessions(self) -> dict[str, SessionRecord]:
        return self.of_all("_sessions")

    @property
    def notes(self) -> dict[tuple[str, str], SealedNote]:
        return self.of_all("_notes")

    def tickets(self, kind: str) -> int:
        return sum(len(store._tickets.get(kind, {})) for store in self.stores.values())
