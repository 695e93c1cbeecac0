"""A worker's background tasks: poll for ends, write touches, free room."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress

from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.ops.log import Log
from gateway.stores.clocks import Horizon, Steps
from gateway.stores.records import RecordStore
from gateway.stores.revocation.revocations import Revocations
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import unix_now

POLL_EVERY = 0.25
WRITE_EVERY = 1.0
PURGE_EVERY = 60.0


class Housekeeping:
    """Runs the background tasks of one worker.

    `killed`: called with the seats that ended elsewhere, so that their open responses are cut.
    `store_fails`: whether the worker can neither read nor keep sessions, as of a second ago.
    `buries`: whether a seat that has ended leaves a tombstone (stores.records).
    `monotonic`: seconds, by the clock of `sessions`.
    """

    def __init__(
        self,
        store: RecordStore,
        sessions: Sessions,
        killed: Callable[[tuple[Seat, ...]], None],
        *,
        log: Log | None = None,
        now: Callable[[], int] = unix_now,
        monotonic: Callable[[], float],
        buries: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._killed = killed
        self._log = log
        self._buries = buries
        self._steps = Steps(now, monotonic)
        self._horizon = Horizon(now, monotonic)
        self._revocations = Revocations(store, sessions, monotonic=monotonic)
        self.store_fails = not store.reachable
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Call before the first request: the worker must not miss an end that follows the reading of a seat."""
        await self._poll()
        steps = (
            (POLL_EVERY, self._poll),
            (WRITE_EVERY, self._sessions.write_touches),
            (WRITE_EVERY, self._sessions.write_ends),
            (WRITE_EVERY, self._probe),
            (PURGE_EVERY, self._purge),
        )
        # Apart from each other: a poll waits for no write.
        self._tasks = [asyncio.create_task(_each(seconds, step)) for seconds, step in steps]
        # After a long stop all of it may be over.
        self._tasks.append(asyncio.create_task(_once(self._purge)))
        self._tasks.append(asyncio.create_task(self._hear()))

    async def stop(self) -> None:
        """Call after the last request and before the store is closed: writes the remaining touches and ends."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for write in (self._sessions.write_touches, self._sessions.write_ends):
            await _once(write)

    async def _poll(self) -> None:
        if step := self._steps.since():
            # The limits in this worker's memory count by the other clock; the store's word, and so every other
            # worker's, goes by the wall clock.
            self._sessions.clock_stepped(step)
            if self._log is not None:
                self._log.event("clock.stepped", seconds=round(step))
        if killed := await self._revocations.poll():
            self._killed(killed)

    async def _hear(self) -> None:
        while True:
            await self._store.wait_for_ends()
            await self._poll()

    async def _probe(self) -> None:
        """Probes the store without waiting for a sign-in. A front that notices the failure sends no more people, so no
        sign-in would show that the store works again."""
        try:
            await self._store.probe()
        except GatewayError:
            # Where it cannot be read either, a grace begins before anybody hears that it fails.
            await self._poll()
            self.store_fails = True
        else:
            # A worker that cannot read the list of ends counts as failing, even if the probe succeeds.
            self.store_fails = self._sessions.trust.is_away

    async def _purge(self) -> None:
        await self._store.purge(self._horizon.look(), bury=self._buries())


async def _once(step: Callable[[], Awaitable[None]]) -> None:
    with suppress(GatewayError):
        await step()


async def _each(seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(_by_chance(seconds))
        # The store has told of it by itself, and the next round tries again.
        await _once(step)


def _by_chance(seconds: float) -> float:
    """A random duration from three quarters of `seconds` to `seconds`: workers that lost the store together return at
    different times."""
    return seconds * (750 + secrets.randbelow(251)) / 1000
