"""Rolls a plan out to all workers, or to no worker: prepare, then commit. Owns the live plan."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from gateway.server.compiling import Live
from gateway.server.control import ReloadVerdict
from gateway.server.fleet import Fleet, Worker, ask, refusal, refusals
from gateway.server.replacement import Refusal


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds after which a worker counts as silent.

    `up`: for each step of a worker that starts.
    `pulse`, `pulses`: a serving worker is asked every `pulse` seconds, and ended after `pulses` questions in a row
    without an answer. This is half a minute: no request takes so long of the loop, and an operator can look at a
    stopped process meanwhile."""

    prepared: float = 10.0
    committed: float = 5.0
    up: float = 60.0
    pulse: float = 5.0
    pulses: int = 6


USUAL_PATIENCE = Patience()


def verdict_of(live: Live, refused: Refusal) -> ReloadVerdict:
    """The verdict of a reload that led to `live`."""
    verdict = "refused" if refused.detail else "partly" if live.left_out else "live"
    told: ReloadVerdict = {"verdict": verdict, "revision": live.revision, "detail": refused.detail or live.left_out}
    if refused.code:
        told["code"] = refused.code
    return told | ({"kept": list(live.kept), "closed": list(live.closed)} if verdict == "partly" else {})


class RolloutLock:
    """The right to send snapshots to the workers, for many bring-ups side by side or for a single rollout. A waiting
    rollout precedes later bring-ups: workers that die one by one cannot delay the rollout."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._together = 0
        self._alone = False

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._together += 1
        try:
            yield
        finally:
            async with self._changed:
                self._together -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            try:
                await self._changed.wait_for(lambda: not self._together)
            except BaseException:
                self._leave()
                raise
        try:
            yield
        finally:
            async with self._changed:
                self._leave()

    def _leave(self) -> None:
        self._alone = False
        self._changed.notify_all()


class Rollout:
    def __init__(self, live: Live, fleet: Fleet, patience: Patience) -> None:
        self._fleet = fleet
        self._patience = patience
        self._lock = RolloutLock()
        self.live = live

    async def take(self, candidate: Live) -> str:
        """Rolls `candidate` out to the workers. Returns an empty text once every worker serves the candidate, else the
        reasons why every worker keeps the previous snapshot."""
        async with self._lock.alone():
            workers = self._fleet.serving
            prepared = await ask(
                workers, "prepare", candidate.plan, within=self._patience.prepared, revision=candidate.revision
            )
            if problems := refusals(prepared):
                await ask(workers, "abort", within=self._patience.committed)
                return "; ".join(problems)
            # The candidate is now live: a worker that dies before its commit starts again with the candidate.
            self.live = candidate
            await self._commit(workers, candidate.revision)
            return ""

    async def _commit(self, workers: list[Worker], revision: str) -> None:
        """Commits the plan in the workers. Kills a worker that does not swap: its slot starts again with the live
        plan."""
        for worker, answer in (
            await ask(workers, "commit", within=self._patience.committed, revision=revision)
        ).items():
            if refusal(answer):
                worker.kill()
            else:
                worker.revision = revision

    async def bring_up(self, worker: Worker) -> str:
        """Gives a new worker the live bytes, never the present files; the worker may then accept. Returns an empty
        text, or the reason why the worker cannot serve.

        Raises ChannelLost or TimeoutError if the worker does not answer."""
        async with self._lock.together():
            live = self.live
            for kind, payload in (("prepare", live.plan), ("commit", b"")):
                answer = await worker.channel.ask(kind, payload, within=self._patience.up, revision=live.revision)
                if why := refusal(answer):
                    return f"{kind}: {why}"
            worker.revision = live.revision
            return ""
