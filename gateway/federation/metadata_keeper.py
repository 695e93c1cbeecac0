"""Keeps the copies of SAML metadata on disk fresh, for every worker. One process, the supervisor, owns the keeper.

The helper fetches and verifies. The supervisor picks the next source, reads the outcome, and logs the outcome.
"""

import asyncio
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.federation.metadata_helper import HELPER, Helper
from gateway.federation.metadata_index import Copy, index_path, read_copy
from gateway.federation.metadata_lanes import FetchLane, Lanes, is_slow, lane_of, limits_of
from gateway.federation.metadata_process import FetchOutcome, FetchTask
from gateway.federation.metadata_source import MetadataSource
from gateway.model.codes import saml_codes
from gateway.ops.child_process import ChildFailed
from gateway.ops.log import Log
from gateway.ops.whole_file import prepare_folder

ASKED_AGAIN_AFTER = 30.0
# A stranger's responses under an unknown key make the gateway fetch again. A federation's 100 MB are not fetched each
# half minute: a member's new key is in the metadata before the member uses the key.
AGGREGATE_ASKED_AGAIN_AFTER = 600.0
# An MDQ service that reports an entity unknown may be right, or may be in the middle of a deployment. The gateway
# believes the report after so many consecutive answers over this many seconds.
GONE_AFTER_ANSWERS = 3
GONE_AFTER = 1800.0
_SHORTEST_RETRY = 60.0
_LONGEST_RETRY = 3600.0

REFRESHES = "ecluse_metadata_refreshes_total"
VALID_UNTIL = "ecluse_metadata_valid_until_seconds"


@dataclass(slots=True)
class _Kept:
    """One source and the state of its refreshes.

    `copy`: the last good copy; None: no copy.
    `due`, `tried_at`: monotonic seconds.
    `overruns`: consecutive refreshes that took longer than usual; above 0, the source is in the slow lane.
    `not_there`: consecutive answers that the entity does not exist; `not_there_since`: time of the first, monotonic
    seconds.
    `settled`: set while the source neither waits nor is being refreshed.
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
        # Any stranger can cause a fetch by beginning a sign-in.
        return ASKED_AGAIN_AFTER if not self.overruns else max(ASKED_AGAIN_AFTER, _pause(self.overruns))

    def heard(self, code: str, now: float) -> None:
        """Counts consecutive "not there" answers; any other outcome resets the count. `code`: of the failure;
        empty: no failure.
        """
        if code != saml_codes.METADATA_GONE.id:
            self.not_there = 0
            return
        if not self.not_there:
            self.not_there_since = now
        self.not_there += 1

    def is_gone_if_not_there_again(self, now: float) -> bool:
        return self.not_there >= GONE_AFTER_ANSWERS - 1 and now >= self.not_there_since + GONE_AFTER


class MetadataKeeper:
    """Refreshes the copies in `folder`, a folder of the gateway's own that the keeper creates on first use."""

    def __init__(self, folder: Path, log: Log, *, helper: Sequence[str] = HELPER) -> None:
        self._folder = folder
        self._log = log
        self._helper = Helper(helper)
        self._lanes = Lanes()
        self._kept: dict[str, _Kept] = {}
        self._refreshes: dict[tuple[str, ...], float] = {}
        self._woken = asyncio.Event()
        # Set after a successful refresh, for readers of the metadata.
        self.renewed = asyncio.Event()
        self._tries: set[asyncio.Task[None]] = set()
        self._random = secrets.SystemRandom()

    async def use(self, users: Mapping[MetadataSource, tuple[str, ...]]) -> None:
        """Replaces the set of sources. Raises OSError if the folder cannot be created.

        `users`: the names of the providers, by source.
        """
        copies = await asyncio.to_thread(_prepared, self._folder, [source.id for source in users])
        before, self._kept = self._kept, {}
        for id, kept in before.items():
            # A running fetch goes on to its end, and its outcome is dropped.
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
        """Refreshes due sources, until cancelled."""
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
        """Refreshes a source and returns when the refresh has ended; at once if the last refresh was a short time
        ago.
        """
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
        # Callers may wait for a source whose turn never came.
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
        """When a copy is due, in monotonic seconds. `fresh_for` bounds the wait, in case the clock was set back or
        forward.
        """
        left = 0.0 if copy is None else copy.fetched_at + copy.fresh_for - time.time()
        return time.monotonic() + (0.0 if copy is None else min(max(left, 0.0), copy.fresh_for))

    def _queue(self, kept: _Kept, *, hurried: bool = False) -> None:
        kept.settled.clear()
        lane = lane_of(aggregate=kept.source.kind == "aggregate", overran=kept.overruns > 0)
        self._lanes.add(kept.source.id, lane, hurried=hurried)

    def _start(self) -> None:
        """Starts a refresh of each source whose turn has come."""
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
        except ChildFailed as why:
            # The helper failed; the failure says nothing about the source.
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
            # Spread the fetches of all installations, never later than the metadata demand.
            wait = outcome.copy.fresh_for * self._random.uniform(0.75, 1.0)
        else:
            kept.failures += 1
            # The slow lane allows more time: try a slow but honest server there at once.
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
            # Pages show the name instead of the logo: log the first failure only.
            event = "provider.logo" if kept.failures == 1 else ""
        for provider in kept.providers if event else ():
            self._log.event(event, provider=provider, code=outcome.code, detail=outcome.detail)


def _pause(failures: int) -> float:
    return min(_SHORTEST_RETRY * float(2 ** min(failures - 1, 10)), _LONGEST_RETRY)


def _prepared(folder: Path, source_ids: Iterable[str]) -> dict[str, Copy | None]:
    ids = tuple(source_ids)
    prepare_folder(folder, [index_path(folder, id) for id in ids])
    return {id: read_copy(folder, id) for id in ids}
