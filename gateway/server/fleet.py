"""The workers as the supervisor sees them: started by exec on inherited sockets, watched, started again, asked."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gateway.model.ports import Log
from gateway.server.channel import Channel, ChannelLost, Message

_QUICK_DEATH = 10.0
_LONGEST_PAUSE = 5.0

# One malloc for the many 256 KB reads of large bodies: without these each read maps and unmaps memory.
_WORKER_ENVIRONMENT = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_ARENA_MAX": "2",
}


class Worker:
    """One worker process. `revision`: the snapshot that it serves, empty until it has confirmed one."""

    def __init__(self, slot: int, process: asyncio.subprocess.Process) -> None:
        self.slot = slot
        self.process = process
        self.started = time.monotonic()
        self.revision = ""
        self.counters: bytes = b"[]"
        self.channel: Channel

    @property
    def pid(self) -> int:
        return self.process.pid


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the supervisor does when a worker is up, says something, or is gone."""

    started: Callable[[Worker], None]
    received: Callable[[Worker, Message], None]
    gone: Callable[[Worker], None]


class Fleet:
    def __init__(self, listening: Sequence[socket.socket], hooks: Hooks, log: Log) -> None:
        self._listening = listening
        self._hooks = hooks
        self._log = log
        self._watchers: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.workers: dict[int, Worker] = {}

    def start(self, slots: int) -> None:
        for slot in range(slots):
            watcher = asyncio.get_running_loop().create_task(self._keep(slot))
            self._watchers.add(watcher)
            watcher.add_done_callback(self._watchers.discard)

    async def ask_all(
        self, kind: str, payload: bytes = b"", *, within: float, but: Worker | None = None, **fields: object
    ) -> dict[Worker, Message | BaseException]:
        """Every worker's answer, or what went wrong with it instead (TimeoutError, ChannelLost)."""
        asked = [worker for worker in self.workers.values() if worker is not but]
        answers = await asyncio.gather(
            *(worker.channel.ask(kind, payload, within=within, **fields) for worker in asked), return_exceptions=True
        )
        return dict(zip(asked, answers, strict=True))

    async def stop(self, within: float) -> None:
        """Every worker drains and leaves; what has not left after `within` seconds is killed."""
        self._stopping.set()
        for worker in list(self.workers.values()):
            worker.channel.send("drain", within=within)
        if self._watchers:
            _, late = await asyncio.wait(self._watchers, timeout=within + 2.0)
            for worker in list(self.workers.values()) if late else ():
                worker.process.kill()
            if late:
                await asyncio.wait(late, timeout=5.0)

    async def _keep(self, slot: int) -> None:
        """One worker after the other in this slot; a quick death makes the next wait, longer each time."""
        pause = 0.0
        while True:
            worker = await self._spawn(slot)
            status = await worker.process.wait()
            self.workers.pop(slot, None)
            self._hooks.gone(worker)
            if self._stopping.is_set():
                return
            lived = time.monotonic() - worker.started
            pause = 0.0 if lived > _QUICK_DEATH else min(_LONGEST_PAUSE, pause * 2 or 0.1)
            self._log.event("worker.died", worker=worker.pid, status=status, lived_s=round(lived, 1), pause_s=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
                return

    async def _spawn(self, slot: int) -> Worker:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        descriptors = [theirs.fileno(), *(listening.fileno() for listening in self._listening)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway",
            "worker",
            *map(str, descriptors),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=descriptors,
            env={**os.environ, **_WORKER_ENVIRONMENT},
            start_new_session=True,
        )
        theirs.close()
        ours.setblocking(False)
        worker = Worker(slot, process)
        worker.channel = await Channel(lambda message: self._hooks.received(worker, message), lambda: None).open(ours)
        self.workers[slot] = worker
        self._log.event("worker.started", worker=worker.pid)
        self._hooks.started(worker)
        return worker


def failures(answers: dict[Worker, Message | BaseException]) -> list[str]:
    """One operator's line for each worker that did not say yes."""
    lines = []
    for worker, answer in answers.items():
        match answer:
            case Message() if answer.fields.get("ok"):
                continue
            case Message():
                lines.append(f"worker {worker.pid}: {answer.fields.get('detail', 'refused')}")
            case ChannelLost():
                lines.append(f"worker {worker.pid}: died")
            case TimeoutError():
                lines.append(f"worker {worker.pid}: no answer")
            case _:
                lines.append(f"worker {worker.pid}: {answer!r}")
    return lines
