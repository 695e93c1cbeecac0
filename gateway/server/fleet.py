"""The workers as the supervisor sees them: started by exec on inherited sockets, watched, started again, asked."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gateway.ops.log import Log
from gateway.server.channel import Channel, ChannelLost, Message
from gateway.server.faults import where

# -P: never imports modules from the current folder.
PROGRAM = (sys.executable, "-P", "-m", "gateway", "worker")

_QUICK_DEATH = 10.0
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_LAST_WORDS_WITHIN = 1.0
_KILLED_WITHIN = 5.0

# Seconds for a worker to close its files after the time for its requests.
_CLOSES_WITHIN = 5.0

# For the many 256 KB reads of large bodies. Without these settings, malloc maps and unmaps memory at each read.
_WORKER_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_ARENA_MAX": "2",
}

Answers = dict["Worker", Message | BaseException]


class Worker:
    """One worker process.

    `revision`: the snapshot that the worker serves; empty until the worker has confirmed a snapshot.
    `silent`: set when the worker has closed its channel; the supervisor has then read every message of the worker.
    """

    def __init__(self, slot: int, process: asyncio.subprocess.Process) -> None:
        self.slot = slot
        self.process = process
        self.started = time.monotonic()
        self.revision = ""
        self.silent = asyncio.Event()
        self.channel: Channel
        self._handle: int | None = os.pidfd_open(process.pid)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """Kills the process; does nothing if the process has ended."""
        # `process.kill` would take the exit status of a dead process away from the task that waits for the process.
        if self._handle is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    async def ended(self) -> int:
        """Waits until the process has ended and its last messages are read, the latter for _LAST_WORDS_WITHIN seconds
        at most. Returns the exit status."""
        status = await self.process.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.silent.wait(), _LAST_WORDS_WITHIN)
        if self._handle is not None:
            os.close(self._handle)
            # The number may soon belong to another file.
            self._handle = None
        return status


@dataclass(frozen=True, slots=True)
class Hooks:
    """The supervisor's reactions when a worker is up, sends a message, or is gone."""

    started: Callable[[Worker], None]
    received: Callable[[Worker, Message], None]
    gone: Callable[[Worker], None]


class Fleet:
    """The worker processes of a gateway.

    `program`: the command that starts a worker, before the numbers of its descriptors.
    `cores`: the core of each slot's worker; empty to leave the choice to the kernel.
    """

    def __init__(
        self,
        listening: Sequence[socket.socket],
        hooks: Hooks,
        log: Log,
        *,
        program: Sequence[str] = PROGRAM,
        cores: Sequence[int] = (),
    ) -> None:
        self._listening = listening
        self._hooks = hooks
        self._log = log
        self._program = program
        self._cores = cores
        self._keepers: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._drain_within = 0.0
        self.workers: dict[int, Worker] = {}

    def start(self, slots: int) -> None:
        for slot in range(slots):
            keeper = asyncio.get_running_loop().create_task(self._keep(slot))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)

    @property
    def serving(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if worker.revision]

    async def stop(self, within: float) -> int:
        """Lets every worker drain and leave. Returns how many workers were killed, because they had not left after
        `within` seconds."""
        self._drain_within = within
        self._stopping.set()
        for worker in self.workers.values():
            worker.channel.send("drain", within=within)
        if not self._keepers:
            return 0
        _, late = await asyncio.wait(self._keepers, timeout=within + _CLOSES_WITHIN)
        if not late:
            return 0
        left = list(self.workers.values())
        for worker in left:
            worker.kill()
        await asyncio.wait(late, timeout=_KILLED_WITHIN)
        return len(left)

    async def _keep(self, slot: int) -> None:
        """Keeps a worker in the slot, and starts the next worker after its end. After a quick death the next worker
        waits, longer each time."""
        pause = 0.0
        while not self._stopping.is_set():
            try:
                pause = await self._live(slot, pause)
            except Exception as fault:  # noqa: BLE001 - a slot without a task would stay empty for ever
                pause = _longer(pause)
                detail = str(fault) if isinstance(fault, OSError) else where(fault)
                self._log.event("worker.not_started", detail=detail, pause_s=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _live(self, slot: int, pause: float) -> float:
        """Runs a worker from its start to its end. Returns the seconds to wait before the next worker."""
        worker = await self._spawn(slot)
        if self._stopping.is_set():
            worker.channel.send("drain", within=self._drain_within)
        else:
            self._hooks.started(worker)
        status = await worker.ended()
        self.workers.pop(slot, None)
        self._hooks.gone(worker)
        if self._stopping.is_set():
            return 0.0
        lived = time.monotonic() - worker.started
        pause = 0.0 if lived > _QUICK_DEATH else _longer(pause)
        self._log.event("worker.died", worker=worker.pid, status=status, lived_s=round(lived, 1), pause_s=pause)
        return pause

    async def _spawn(self, slot: int) -> Worker:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with theirs:
                worker = Worker(slot, await self._execute([theirs, *self._listening]))
                self._keep_to_core(worker)
            ours.setblocking(False)
            worker.channel = Channel(lambda message: self._hooks.received(worker, message), worker.silent.set)
            await worker.channel.open(ours)
        except BaseException:
            ours.close()
            raise
        self.workers[slot] = worker
        self._log.event("worker.started", worker=worker.pid)
        return worker

    def _keep_to_core(self, worker: Worker) -> None:
        """Binds the worker to its core. Its threads take turns under one interpreter lock, and on two cores they would
        wake each other only to wait for the lock."""
        if self._cores:
            # The core has been taken away, or the worker is dead already.
            with suppress(OSError):
                os.sched_setaffinity(worker.pid, {self._cores[worker.slot]})

    async def _execute(self, inherited: Sequence[socket.socket]) -> asyncio.subprocess.Process:
        descriptors = [each.fileno() for each in inherited]
        return await asyncio.create_subprocess_exec(
            *self._program,
            *map(str, descriptors),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=descriptors,
            env={**os.environ, **_WORKER_ENVIRONMENT},
            start_new_session=True,
        )


async def ask(
    workers: Iterable[Worker], kind: str, payload: bytes = b"", *, within: float, **fields: object
) -> Answers:
    """The answers by worker. An error (TimeoutError, ChannelLost) stands in the place of an answer."""
    asked = list(workers)
    answers = await asyncio.gather(
        *(worker.channel.ask(kind, payload, within=within, **fields) for worker in asked), return_exceptions=True
    )
    return dict(zip(asked, answers, strict=True))


async def ask_any(workers: Iterable[Worker], kind: str, *, within: float, **fields: object) -> Message | None:
    """Asks the workers in turn. Returns the first answer, or None if no worker answers."""
    for worker in list(workers):
        (answer,) = (await ask([worker], kind, b"", within=within, **fields)).values()
        if isinstance(answer, Message):
            return answer
    return None


def refusal(answer: Message | BaseException) -> str:
    """The reason of a refusal, in the operator's words; empty for a yes."""
    match answer:
        case Message():
            return "" if answer.fields.get("ok") else str(answer.fields.get("detail", "refused"))
        case ChannelLost():
            return "died"
        case TimeoutError():
            return "no answer"
    return repr(answer)


def refusals(answers: Answers) -> list[str]:
    """A line for every worker that refused or did not answer."""
    return [f"worker {worker.pid}: {why}" for worker, answer in answers.items() if (why := refusal(answer))]


def _longer(pause: float) -> float:
    return min(_LONGEST_PAUSE, pause * 2 or _SHORTEST_PAUSE)
