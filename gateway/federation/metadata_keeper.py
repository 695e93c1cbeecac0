"""Keeps the copies of SAML metadata on disk fresh, for every worker. One process owns it: the supervisor.

Fetching, XML and signatures are a helper process's; the supervisor only starts it, hears how it went, and tells.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.federation.metadata_index import Copy, forget_others, read_copy
from gateway.federation.metadata_process import Outcome, decode_outcome, encode_task
from gateway.federation.metadata_source import Source
from gateway.model.codes import SAML_METADATA_GONE, SAML_METADATA_UNREACHABLE
from gateway.model.ports import Log

# -P: what lies in the current folder is never taken for a part of this program.
HELPER = (sys.executable, "-P", "-m", "gateway.federation.metadata_process")

ASKED_AGAIN_AFTER = 30.0
# Whoever sends answers under a key of their own has it asked for anew: a federation's 100 MB not each half minute. Its
# members' new keys are in it before they are used.
AGGREGATE_ASKED_AGAIN_AFTER = 600.0
_REFRESHED_WITHIN = 900.0
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
    """One source. `due`, `tried_at`: monotonic. `settled`: set while it is not being refreshed."""

    source: Source
    providers: tuple[str, ...]
    copy: Copy | None
    due: float
    tried_at: float = float("-inf")
    failures: int = 0
    not_there: int = 0
    not_there_since: float = 0.0
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    def is_served(self, now: float) -> bool:
        return self.copy is not None and (self.copy.valid_until is None or now < self.copy.valid_until)

    def asked_again_after(self, now: float) -> float:
        is_large = self.source.kind == "aggregate" and self.is_served(now)
        return AGGREGATE_ASKED_AGAIN_AFTER if is_large else ASKED_AGAIN_AFTER

    def heard(self, code: str, now: float) -> None:
        """`code`: of the failure, empty for none. Whatever else a source answers, it does not say that it is gone."""
        if code != SAML_METADATA_GONE.id:
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
        self._helper = helper
        self._kept: dict[str, _Kept] = {}
        self._refreshes: dict[tuple[str, ...], float] = {}
        self._woken = asyncio.Event()
        self._batches: set[asyncio.Task[None]] = set()
        self._random = secrets.SystemRandom()

    async def use(self, users: Mapping[Source, tuple[str, ...]]) -> None:
        """These sources from now on, each with the providers that live on it. OSError: the folder cannot be made."""
        if not users and not self._kept:
            return
        copies = await asyncio.to_thread(_prepared, self._folder, [source.id for source in users])
        before, self._kept = self._kept, {}
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
            due = [kept for kept in self._kept.values() if kept.settled.is_set() and kept.due <= now]
            if due:
                self._start(due)
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
            self._start([kept])
        await kept.settled.wait()

    async def close(self) -> None:
        for batch in self._batches:
            batch.cancel()
        if self._batches:
            await asyncio.wait(self._batches)

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
        """Fresh copies wait for their time, a clock that was set back or forward not taken at its word."""
        left = 0.0 if copy is None else copy.fetched_at + copy.fresh_for - time.time()
        return time.monotonic() + (0.0 if copy is None else min(max(left, 0.0), copy.fresh_for))

    def _start(self, batch: list[_Kept]) -> None:
        for kept in batch:
            kept.settled.clear()
            kept.tried_at = time.monotonic()
        task = asyncio.get_running_loop().create_task(self._refresh(batch))
        self._batches.add(task)
        task.add_done_callback(self._batches.discard)

    async def _refresh(self, batch: list[_Kept]) -> None:
        waiting = {kept.source.id: kept for kept in batch}
        try:
            why = await self._in_helper(waiting)
        except OSError as error:
            why = f"the helper process cannot be started: {error}"
        except (ValueError, KeyError, TypeError):
            why = "the helper process said what is no outcome"
        finally:
            # Those that were settled may be under way again already.
            for kept in waiting.values():
                kept.settled.set()
            self._woken.set()
        for kept in waiting.values():
            self._settle(kept, Outcome(kept.source.id, None, SAML_METADATA_UNREACHABLE.id, why))

    async def _in_helper(self, waiting: dict[str, _Kept]) -> str:
        """Takes from `waiting` what is settled; why the rest is not."""
        process = await asyncio.create_subprocess_exec(
            *self._helper, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(_REFRESHED_WITHIN):
                return await self._heard(process, waiting)
        except TimeoutError:
            return f"not refreshed within {_REFRESHED_WITHIN:.0f} s"
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _heard(self, process: asyncio.subprocess.Process, waiting: dict[str, _Kept]) -> str:
        if process.stdin is None or process.stdout is None:
            raise OSError("no pipes")
        now = time.monotonic()
        gone = tuple(id for id, kept in waiting.items() if kept.is_gone_if_not_there_again(now))
        process.stdin.write(encode_task(self._folder, tuple(kept.source for kept in waiting.values()), gone))
        process.stdin.close()
        async for line in process.stdout:
            outcome = decode_outcome(line)
            if (kept := waiting.pop(outcome.source_id, None)) is not None:
                self._settle(kept, outcome)
        return f"the helper process ended with status {await process.wait()}"

    def _settle(self, kept: _Kept, outcome: Outcome) -> None:
        kept.copy = outcome.copy or kept.copy
        kept.heard(outcome.code, time.monotonic())
        if not outcome.code and outcome.copy is not None:
            kept.failures = 0
            # Not all installations at the same moment, and never later than was asked.
            wait = outcome.copy.fresh_for * self._random.uniform(0.75, 1.0)
        else:
            kept.failures += 1
            wait = min(_SHORTEST_RETRY * 2 ** min(kept.failures - 1, 10), _LONGEST_RETRY) * self._random.uniform(
                0.75, 1.25
            )
            self._tell(kept, outcome)
        result = "failed" if outcome.code else "ok"
        for provider in kept.providers:
            key = (REFRESHES, provider, result)
            self._refreshes[key] = self._refreshes.get(key, 0) + 1
        kept.due = time.monotonic() + wait
        kept.settled.set()

    def _tell(self, kept: _Kept, outcome: Outcome) -> None:
        event = "provider.stale" if kept.is_served(time.time()) else "provider.unreachable"
        if outcome.copy is not None:
            event = "provider.gone"
        for provider in kept.providers:
            self._log.event(event, provider=provider, code=outcome.code, detail=outcome.detail)


def _prepared(folder: Path, source_ids: Iterable[str]) -> dict[str, Copy | None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ids = tuple(source_ids)
    forget_others(folder, ids)
    return {id: read_copy(folder, id) for id in ids}
