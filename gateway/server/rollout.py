"""One plan live in all workers, or in none: prepare, then commit. The plan that is live is owned here."""

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
    """Seconds after which a worker counts as silent. `up`: of a worker that is being started, for each of its steps.

    One that serves is asked each `pulse` seconds, and is ended when `pulses` in a row were not answered: half a minute,
    which no request takes of the loop, and in which one can look at a stopped process.
    """

    prepared: float = 10.0
    committed: float = 5.0
    up: float = 60.0
    pulse: float = 5.0
    pulses: int = 6


USUAL_PATIENCE = Patience()


def verdict_of(live: Live, refused: Refusal) -> ReloadVerdict:
    """Of a reload, from which `live` has come."""
    verdict = "refused" if refused.detail else "partly" if live.left_out else "live"
    told: ReloadVerdict = {"verdict": verdict, "revision": live.revision, "detail": refused.detail or live.left_out}
    if refused.code:
        told["code"] = refused.code
    return told | ({"kept": list(live.kept), "closed": list(live.closed)} if verdict == "partly" else {})


class RolloutLock:
    """The right to speak of snapshots to the workers: for many bring-ups side by side, or for one rollout alone. A
    rollout that waits goes before bring-ups that come after it: workers that die one by one cannot hold it off."""

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
        """Rolls `candidate` out to all workers. Returns an empty text once every worker serves the candidate, else the
        reasons why all workers keep the previous snapshot."""
        async with self._lock.alone():
            workers = self._fleet.serving
            prepared = await ask(
                workers, "prepare", candidate.plan, within=self._patience.prepared, revision=candidate.revision
            )
            if problems := refusals(prepared):
                await ask(workers, "abort", within=self._patience.committed)
                return "; ".join(problems)
            # From here on the candidate is the live one: a worker that dies before it commits starts again with it.
            self.live = candidate
            await self._commit(workers, candidate.revision)
            return ""

    async def _commit(self, workers: list[Worker], revision: str) -> None:
        """A worker that does not swap is killed, and started again with the live plan."""
        for worker, answer in (
            await ask(workers, "commit", within=self._patience.committed, revision=revision)
        ).items():
            if refusal(answer):
                worker.kill()
            else:
                worker.revision = revision

    async def bring_up(self, worker: Worker) -> str:
        """A new worker gets the live bytes, never the files of the moment, then may accept. Empty, or why it cannot.

        Raises ChannelLost or TimeoutError when it does not answer.
        """
        async with self._lock.together():
            live = self.live
            for kind, payload in (("prepare", live.plan), ("commit", b"")):
                answer = await worker.channel.ask(kind, payload, within=self._patience.up, revision=live.revision)
                if why := refusal(answer):
                    return f"{kind}: {why}"
            worker.revision = live.revision
            return ""
