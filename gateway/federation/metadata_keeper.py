"""Keeps the copies of SAML metadata on disk fresh, for every worker. One process owns it: the supervisor.

The helper fetches and verifies; the supervisor decides which source is next, reads the outcome, and logs it.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.federation.metadata_helper import HELPER, Helper, HelperFailed
from gateway.federation.metadata_index import Copy, forget_others, read_copy
from gateway.federation.metadata_lanes import FetchLane, Lanes, is_slow, lane_of, limits_of
from gateway.federation.metadata_process import FetchOutcome, FetchTask
from gateway.federation.metadata_source import MetadataSource
from gateway.model.codes import saml_codes
from gateway.ops.log import Log

ASKED_AGAIN_AFTER = 30.0
# A stranger who sends responses under a key of their own makes us fetch it anew: a federation's 100 MB are not fetched
# each half minute. Its members' new keys are in it before they are used.
AGGREGATE_ASKED_AGAIN_AFTER = 600.0
# An MDQ service that does not know an entity any more was told so, or is being deployed anew: it is believed when it
# has said so this often in a row and over this time.
GONE_AFTER_ANSWERS = 3
GONE_AFTER = 1800.0
_SHORTEST_RETRY = 60.0
_LONGEST_RETRY = 3600.0

REFRESHES = "ecluse_metadata_refreshes_total"
VALID_UNTIL = "ecluse_metadata_valid_until_seconds"


@dataclass(slots=True)
class _Kept:
    """One source. `due`, `tried_at`: monotonic. `settled`: set while it neither waits nor is being refreshed.

    `overruns`: how often in a row it took more than is usual; it is in the slow lane then.
    """

    source: MetadataSource
    providers: tuple[str, ...]
    copy: Copy | None
    due: float
    tried_at: float = float("-inf")
    failures: int = 0
    overruns: int = 0
    not_there: int = 0
    not_there_since: float = 0.0
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def is_served(self, now: float) -> bool:
        return self.copy is not None and (self.copy.valid_until is None or now < self.copy.valid_until)

    def asked_again_after(self, now: float) -> float:
        if self.source.kind == "aggregate" and self.is_served(now):
            return AGGREGATE_ASKED_AGAIN_AFTER
        # Any stranger can have it fetched, by beginning a sign-in.
        return ASKED_AGAIN_AFTER if not self.overruns else max(ASKED_AGAIN_AFTER, _pause(self.overruns))

    def heard(self, code: str, now: float) -> None:
        """`code`: of the failure, empty for none. Any other outcome breaks a row of "not there"."""
        if code != saml_codes.METADATA_GONE.id:
            self.not_there = 0
            return
        if not self.not_there:
            self.not_there_since = now
        self.not_there += 1

    def is_gone_if_not_there_again(self, now: float) -> bool:
        return self.not_there >= GONE_AFTER_ANSWERS - 1 and now >= self.not_there_since + GONE_AFTER


class MetadataKeeper:
    """`folder`: made when it is first needed; the gateway's own."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._folder = folder
        self._log = log
        self._helper = Helper(helper)
        self._lanes = Lanes()
        self._kept: dict[str, _Kept] = {}
        self._refreshes: dict[tuple[str, ...], float] = {}
        self._woken = asyncio.Event()
        # Set when a copy was had, for who reads what is in them.
        self.renewed = asyncio.Event()
        self._tries: set[asyncio.Task[None]] = set()
        self._random = secrets.SystemRandom()

    async def use(self, users: Mapping[MetadataSource, tuple[str, ...]]) -> None:
        """These sources from now on, each with the providers that live on it. OSError: the folder cannot be made."""
        if not users and not self._kept:
            return
        copies = await asyncio.to_thread(_prepared, self._folder, [source.id for source in users])
        before, self._kept = self._kept, {}
        for id, kept in before.items():
            # A fetch under way goes on to its end, and its outcome is dropped.
            if id not in copies and self._lanes.drop(id):
                kept.settled.set()
        for source, providers in users.items():
            known = before.get(source.id)
            if known is not None:
                known.providers = providers
            else:
                known = _Kept(source, providers, copies[source.id], self._due_from(copies[source.id]))
                known.settled.set()
            self._kept[source.id] = known
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: refreshes what is due."""
        while True:
            now = time.monotonic()
            for kept in self._kept.values():
                if kept.settled.is_set() and kept.due <= now:
                    self._queue(kept)
            self._start()
            waiting = [kept.due for kept in self._kept.values() if kept.settled.is_set()]
            self._woken.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(waiting) - now if waiting else None):
                    await self._woken.wait()

    async def refreshed(self, source_id: str) -> None:
        """Returns when the source was asked for anew; at once where that was a short time ago."""
        kept = self._kept.get(source_id)
        if kept is None:
            return
        if kept.settled.is_set():
            if time.monotonic() < kept.tried_at + kept.asked_again_after(time.time()):
                return
            self._queue(kept, hurried=True)
            self._start()
        else:
            self._lanes.hurry(source_id)
        await kept.settled.wait()

    async def close(self) -> None:
        for each in self._tries:
            each.cancel()
        if self._tries:
            await asyncio.wait(self._tries)
        await self._helper.close()
        # Callers may wait for a source that had no turn.
        for kept in self._kept.values():
            kept.settled.set()

    def counters(self) -> dict[tuple[str, ...], float]:
        """For the metrics of the supervisor."""
        ends: dict[tuple[str, ...], float] = {
            (VALID_UNTIL, provider): float(kept.copy.valid_until)
            for kept in self._kept.values()
            if kept.copy is not None and kept.copy.valid_until is not None
            for provider in kept.providers
        }
        return {**self._refreshes, **ends}

    def _due_from(self, copy: Copy | None) -> float:
        """When a copy is due: fresh ones wait for their time, bounded in case the clock was set back or forward."""
        left = 0.0 if copy is None else copy.fetched_at + copy.fresh_for - time.time()
        return time.monotonic() + (0.0 if copy is None else min(max(left, 0.0), copy.fresh_for))

    def _queue(self, kept: _Kept, *, hurried: bool = False) -> None:
        kept.settled.clear()
        lane = lane_of(aggregate=kept.source.kind == "aggregate", overran=kept.overruns > 0)
        self._lanes.add(kept.source.id, lane, hurried=hurried)

    def _start(self) -> None:
        """Starts a try for each source whose turn it is."""
        for id, lane in self._lanes.start():
            kept = self._kept[id]
            kept.tried_at = time.monotonic()
            task = asyncio.get_running_loop().create_task(self._try(kept, lane))
            self._tries.add(task)
            task.add_done_callback(self._tries.discard)

    async def _try(self, kept: _Kept, lane: FetchLane) -> None:
        source, aggregate = kept.source, kept.source.kind == "aggregate"
        gone = kept.is_gone_if_not_there_again(time.monotonic())
        try:
            task = FetchTask(self._folder, source, limits_of(lane, aggregate=aggregate), gone)
            outcome = await self._helper.outcome(task)
            took = time.monotonic() - kept.tried_at
            overran = outcome.overran or is_slow(took, aggregate=aggregate)
            self._settle(kept, outcome, overran=overran)
        except HelperFailed as why:
            # The helper failed, which says nothing of the source.
            outcome = FetchOutcome(source.id, None, saml_codes.METADATA_UNREACHABLE.id, str(why))
            self._settle(kept, outcome, overran=kept.overruns > 0)
        finally:
            kept.settled.set()
            self._lanes.ended(source.id)
            self._woken.set()

    def _settle(self, kept: _Kept, outcome: FetchOutcome, *, overran: bool) -> None:
        kept.copy = outcome.copy or kept.copy
        kept.overruns = kept.overruns + 1 if overran else 0
        kept.heard(outcome.code, time.monotonic())
        if not outcome.code and outcome.copy is not None:
            kept.failures = 0
            self.renewed.set()
            # Not all installations at the same moment, and never later than was asked.
            wait = outcome.copy.fresh_for * self._random.uniform(0.75, 1.0)
        else:
            kept.failures += 1
            # In the slow lane it has longer: an honest server that is slow is had there, and at once.
            first = kept.failures == 1 and kept.overruns == 1
            wait = 0.0 if first else _pause(kept.failures) * self._random.uniform(0.75, 1.25)
            self._tell(kept, outcome)
        result = "failed" if outcome.code else "ok"
        for provider in kept.providers:
            key = (REFRESHES, provider, result)
            self._refreshes[key] = self._refreshes.get(key, 0) + 1
        kept.due = time.monotonic() + wait

    def _tell(self, kept: _Kept, outcome: FetchOutcome) -> None:
        event = "provider.stale" if kept.is_served(time.time()) else "provider.unreachable"
        if outcome.code == saml_codes.METADATA_UNWRITTEN.id:
            event = "provider.unwritten"
        if outcome.copy is not None:
            event = "provider.gone"
        if kept.source.kind == "logo":
            # People have the name: told once, not at each try.
            event = "provider.logo" if kept.failures == 1 else ""
        for provider in kept.providers if event else ():
            self._log.event(event, provider=provider, code=outcome.code, detail=outcome.detail)


def _pause(failures: int) -> float:
    return min(_SHORTEST_RETRY * float(2 ** min(failures - 1, 10)), _LONGEST_RETRY)


def _prepared(folder: Path, source_ids: Iterable[str]) -> dict[str, Copy | None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ids = tuple(source_ids)
    forget_others(folder, ids)
    return {id: read_copy(folder, id) for id in ids}
