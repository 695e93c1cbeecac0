"""The process that owns what is live: the files as read, the listening sockets, the workers, the admin listener."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from gateway.config.snapshot import Gateway
from gateway.model.ports import Log
from gateway.server.admin import Admin
from gateway.server.channel import ChannelLost, Message
from gateway.server.compiling import Live, Refused, compile_folder
from gateway.server.fleet import Fleet, Hooks, Worker, failures
from gateway.server.listeners import bind
from gateway.server.totals import Totals

_REVOKED_WITHIN = 1.0
_PREPARED_WITHIN = 10.0
_COMMITTED_WITHIN = 5.0
_UP_WITHIN = 60.0


class Supervisor:
    def __init__(self, folder: Path, live: Live, log: Log) -> None:
        self._folder = folder
        self._log = log
        self._reloading = asyncio.Lock()
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: list[socket.socket] = []
        self.live = live
        self.last_reload = ""
        self.totals = Totals()
        self.fleet: Fleet

    async def run(self) -> None:
        """Serves until SIGTERM or SIGINT, then drains. Raises OSError when an address cannot be had."""
        gateway = self.live.gateway
        self._listening = [bind(listener) for listener in gateway.listeners]
        self.fleet = Fleet(self._listening, Hooks(self._started, self._received, self._gone), self._log)
        admin = Admin(self)
        await admin.start(gateway.admin)
        self._on_signals()
        self._log.event("gateway.started", revision=self.live.revision, listeners=_addresses(gateway))
        self.fleet.start(gateway.workers or os.cpu_count() or 1)
        await self._stop.wait()
        self._log.event("gateway.draining")
        for listening in self._listening:
            listening.close()
        await self.fleet.stop(self.live.gateway.timeouts.drain)
        await admin.stop()
        self._log.event("gateway.stopped")

    async def reload(self) -> str:
        """Takes the folder as it is now into every worker, or keeps the old one in all: "" or why not."""
        async with self._reloading:
            verdict = await self._reload()
        self.last_reload = verdict
        if verdict:
            self._log.event("config.refused", revision=self.live.revision, detail=verdict)
        else:
            self._log.event("config.loaded", revision=self.live.revision)
        self.totals.reloaded(not verdict)
        return verdict

    async def _reload(self) -> str:
        try:
            candidate = await compile_folder(self._folder)
        except Refused as refused:
            return str(refused)
        if (fixed := _needs_restart(self.live.gateway, candidate.gateway)) is not None:
            return f"{fixed} cannot change while running: restart to take this folder"
        answers = await self.fleet.ask_all(
            "prepare", candidate.plan, within=_PREPARED_WITHIN, revision=candidate.revision
        )
        if problems := failures(answers):
            await self.fleet.ask_all("abort", within=_COMMITTED_WITHIN)
            return "; ".join(problems)
        # From here on the new plan is the live one: a worker that dies before it commits starts again with it.
        self.live = candidate
        await self._commit(candidate.revision)
        return ""

    async def _commit(self, revision: str) -> None:
        """All or none: a worker that cannot swap is killed, and started again with the live plan."""
        answers = await self.fleet.ask_all("commit", within=_COMMITTED_WITHIN, revision=revision)
        for worker, answer in answers.items():
            if isinstance(answer, Message) and answer.fields["ok"]:
                worker.revision = revision
            else:
                _kill(worker)

    def stop(self) -> None:
        self._stop.set()

    def _on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.stop)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._run(self._reload_and_forget()))

    async def _reload_and_forget(self) -> None:
        await self.reload()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _started(self, worker: Worker) -> None:
        self._run(self._bring_up(worker))

    async def _bring_up(self, worker: Worker) -> None:
        """A worker started at any moment gets the live bytes, never the files of the moment, then may accept."""
        async with self._reloading:
            live = self.live
            for kind, payload in (("prepare", live.plan), ("commit", b"")):
                try:
                    answer = await worker.channel.ask(kind, payload, within=_UP_WITHIN, revision=live.revision)
                    refusal = "" if answer.fields["ok"] else answer.fields["detail"]
                except (ChannelLost, TimeoutError) as error:
                    refusal = repr(error)
                if refusal:
                    self._log.event("worker.refused", worker=worker.pid, detail=f"{kind}: {refusal}")
                    _kill(worker)
                    return
            worker.revision = live.revision

    def _received(self, worker: Worker, message: Message) -> None:
        handlers: dict[str, Callable[[Worker, Message], None]] = {
            "revoke": lambda worker, message: self._run(self._revoke(worker, message)),
            "counters": lambda worker, message: self.totals.keep(worker.pid, message.payload),
        }
        handlers[message.kind](worker, message)

    def _gone(self, worker: Worker) -> None:
        self.totals.retire(worker.pid, died=not self._stop.is_set())

    async def _revoke(self, worker: Worker, message: Message) -> None:
        """The worker that asked has done its own part; it hears back when the others have done theirs."""
        answers = await self.fleet.ask_all(
            "revoke", within=_REVOKED_WITHIN, but=worker, sessions=message.fields["sessions"]
        )
        if problems := failures(answers):
            self._log.event("revocation.late", detail="; ".join(problems))
        worker.channel.reply(message, ok=True)


def _kill(worker: Worker) -> None:
    if worker.process.returncode is None:
        worker.process.kill()


def _needs_restart(old: Gateway, new: Gateway) -> str | None:
    if _addresses(old) != _addresses(new):
        return "listen"
    for name in ("admin", "state_folder", "store", "store_keys", "workers"):
        if getattr(old, name) != getattr(new, name):
            return name
    return None


def _addresses(gateway: Gateway) -> list[str]:
    return [f"{host}:{port}{' tls' if tls else ''}" for (host, port), tls in _listeners(gateway)]


def _listeners(gateway: Gateway) -> list[tuple[tuple[str, int], bool]]:
    return [(listener.address, listener.certificate is not None) for listener in gateway.listeners]
