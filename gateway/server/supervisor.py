"""The process that owns what is live: the files as read, the listening sockets, the workers, the admin listener."""

import asyncio
import os
import socket
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.config.compile.plan import sent_ltpa2
from gateway.config.compile.process import fingerprint
from gateway.config.snapshot import Gateway
from gateway.ops.counters import STORE_GRACE, STORE_UNREACHABLE, add
from gateway.ops.log import Log
from gateway.ops.metrics import Gauges, render
from gateway.server.admin import Admin
from gateway.server.channel import ChannelLost, Message
from gateway.server.compiling import Live, Refused, compile_folder
from gateway.server.control import Control, ReloadVerdict
from gateway.server.faults import CannotServe, watched, where
from gateway.server.fixed import addresses, changed
from gateway.server.fleet import PROGRAM, Fleet, Hooks, Worker, ask, refusals
from gateway.server.listeners import allow_many_files, bind, bind_admin, connections_within, files_needed
from gateway.server.liveness_probe import until_silent
from gateway.server.rollout import USUAL_PATIENCE, Patience, Rollout
from gateway.server.sources import Sources
from gateway.server.state import (
    make_state_folder,
    may_pass,
    remember_hosts,
)
from gateway.server.token_keys import TokenKeys
from gateway.server.totals import Totals
from gateway.server.watching import watch

_REVOKED_WITHIN = 1.0
_COUNTERS_WITHIN = 0.5
_SESSIONS_WITHIN = 20.0
_CONTROL_AGAIN = 5.0
_KEYS_LOOKED_AT = 60.0

Finished = TypeVar("Finished")


class Supervisor:
    """`program`: what a worker is started with."""

    def __init__(
        self, folder: Path, log: Log, *, patience: Patience = USUAL_PATIENCE, program: Sequence[str] = PROGRAM
    ) -> None:
        self._folder = folder
        self._log = log
        self._patience = patience
        self._program = program
        self._stop = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._waiting: list[asyncio.Future[ReloadVerdict]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._totals = Totals()
        self._token_keys = TokenKeys(log)
        self._last_reload = "ok"
        self._has_served = False
        self._refusal = ""
        self._slots = 0
        self.fleet: Fleet
        self._rollout: Rollout
        self._sources: Sources

    # --- for signals ---

    def stop(self) -> None:
        """Told twice, it goes on as it was told once: nothing under way is lost."""
        self._stop.set()

    def reload(self) -> None:
        """However often before it begins, the folder is taken once."""
        self._reload_asked.set()

    async def reloaded(self) -> ReloadVerdict:
        """What came of a reload that began after this was asked."""
        verdict: asyncio.Future[ReloadVerdict] = asyncio.get_running_loop().create_future()
        self._waiting.append(verdict)
        self.reload()
        return await verdict

    # --- the life of the gateway ---

    async def run(self) -> None:
        """Serves until `stop`, then drains. Raises Refused for the folder, CannotServe for what it needs."""
        live = await self._unless_stopped(compile_folder(self._folder))
        if live is None:
            return
        trouble = make_state_folder(live.gateway)
        live = await self._with_token_keys(live)
        gateway = live.gateway
        self._allow_files(gateway)
        listening, admin_socket = _bound(gateway)
        cores = sorted(os.sched_getaffinity(0))
        self._slots = gateway.workers or len(cores)
        hooks = Hooks(self._started, self._received, self._gone)
        # As many as the operator says are for the kernel to spread: the cores may be others' too.
        cores = [] if gateway.workers else cores
        self.fleet = Fleet(listening, hooks, self._log, program=self._program, cores=cores)
        self._rollout = Rollout(live, self.fleet, self._patience)
        self._sources = Sources(gateway, self._log)
        admin = Admin(self)
        await admin.start(admin_socket)
        control = await self._controlled(gateway)
        self._log.event("gateway.started", revision=live.revision, listeners=addresses(gateway), workers=self._slots)
        if trouble:
            self._log.event("state.unwritable", detail=trouble)
        await self._sources.follow(self._rollout.live.plan)
        for work in self._sources.work():
            self._run(work)
        self._tell_what_is_live()
        await self._remember_hosts()
        self.fleet.start(self._slots)
        self._run(self._reload_when_asked())
        self._run(self._watch_folder())
        self._run(self._change_token_keys())
        await self._stop.wait()
        await self._leave(listening, admin, control)
        if self._refusal:
            raise CannotServe(self._refusal)

    def _allow_files(self, gateway: Gateway) -> None:
        """What workers that run already may open stays as it was: a restart gives them more."""
        connections = gateway.limits.connections
        needed = files_needed(connections)
        if (allowed := allow_many_files(needed)) < needed:
            detail = (
                f"limits.connections: {connections} takes {needed} files in each worker, and {allowed} may be opened: "
                f"set LimitNOFILE={needed} in the unit (ulimit -n)"
            )
            if (enough := connections_within(allowed)) > 0:
                detail += f", or write connections: {enough}"
            self._log.event("descriptors.few", allowed=allowed, needed=needed, detail=detail)

    async def _controlled(self, gateway: Gateway) -> Control | None:
        """What is in memory has no state folder, and hears signals alone."""
        if gateway.store == "memory":
            return None
        control = Control(Path(gateway.state_folder), self.reloaded, self._asked_of_sessions)
        try:
            await self._start_control(control)
        except CannotServe as refused:
            if not may_pass(refused.__cause__):
                raise
        self._run(self._keep_control(control))
        return control

    async def _start_control(self, control: Control) -> None:
        if await control.start():
            self._log.event("gateway.beside", detail=str(control.folder))

    async def _keep_control(self, control: Control) -> None:
        """On a disk that is full or read-only there is no new name, and a folder that was deleted took it along; until
        there is one again signals are heard. A newer gateway that has left leaves it to us."""
        while not self._stop.is_set():
            await asyncio.sleep(_CONTROL_AGAIN)
            if not control.has_name and not self._stop.is_set():
                with suppress(CannotServe):
                    await self._start_control(control)

    async def _leave(self, listening: Sequence[socket.socket], admin: Admin, control: Control | None) -> None:
        self._log.event("gateway.draining")
        for each in listening:
            each.close()
        if control is not None:
            await control.stop()
        killed = await self.fleet.stop(self._rollout.live.gateway.timeouts.drain)
        await self._sources.close()
        await admin.stop()
        self._log.event("gateway.stopped", workers_killed=killed)

    async def _unless_stopped(self, work: Coroutine[Any, Any, Finished]) -> Finished | None:
        loop = asyncio.get_running_loop()
        task, stopped = loop.create_task(work), loop.create_task(self._stop.wait())
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.wait((task,))
        return None

    # --- reload ---

    async def _reload_when_asked(self) -> None:
        """One at a time: what is asked meanwhile is taken next."""
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            waiting, self._waiting = self._waiting, []
            try:
                verdict = await self._taken()
            except Exception as fault:  # noqa: BLE001 - the old folder stays, and the next reload is heard
                verdict = where(fault)
            self._last_reload = verdict or "ok"
            self._totals.reloaded(not verdict)
            if verdict:
                self._log.event("config.refused", revision=self._rollout.live.revision, detail=verdict)
            else:
                self._log.event("config.loaded", revision=self._rollout.live.revision)
                self._tell_what_is_live()
            told = self._verdict(verdict)
            for each in waiting:
                if not each.done():
                    each.set_result(told)

    def _verdict(self, refusal: str) -> ReloadVerdict:
        live = self._rollout.live
        verdict = "refused" if refusal else "partly" if live.left_out else "live"
        told: ReloadVerdict = {"verdict": verdict, "revision": live.revision, "detail": refusal or live.left_out}
        return told | ({"kept": list(live.kept), "closed": list(live.closed)} if verdict == "partly" else {})

    def _tell_what_is_live(self) -> None:
        """Where it is weaker than it could be; and wrong app files that it does without: the rest is served."""
        live = self._rollout.live
        if weaker := sent_ltpa2(live.plan):
            self._log.event("config.deviation", revision=live.revision, apps=list(weaker))
        if live.left_out:
            self._last_reload = f"partly: {live.left_out}"
            kept, closed = list(live.kept), list(live.closed)
            self._log.event("config.partly", revision=live.revision, kept=kept, closed=closed, detail=live.left_out)

    async def _watch_folder(self) -> None:
        """Whether it is asked for may change with a reload. In a thread: files may lie on a slow disk."""

        async def look() -> bytes:
            live = self._rollout.live
            return await asyncio.to_thread(fingerprint, self._folder) if live.gateway.watch else live.files

        await watch(look, lambda: self._rollout.live.files, self.reload)

    async def _taken(self) -> str:
        """Takes the folder as it is now into every worker, or keeps the old one in all and says why."""
        try:
            candidate = await self._unless_stopped(compile_folder(self._folder, live=self._rollout.live))
            if candidate is None:
                return "told to stop before it was compiled"
            candidate = await self._with_token_keys(candidate)
        except Refused as refused:
            return str(refused)
        if fixed := changed(self._rollout.live.gateway, candidate.gateway):
            return f"{self._folder}/gateway.yaml: {', '.join(fixed)}: restart to change this, it is fixed while running"
        if candidate.gateway.limits.connections > self._rollout.live.gateway.limits.connections:
            self._allow_files(candidate.gateway)
        if refusal := await self._sources.ready(candidate.plan):
            return refusal
        verdict = await self._rollout.take(candidate)
        await self._sources.follow(self._rollout.live.plan)
        await self._remember_hosts()
        return verdict

    async def _with_token_keys(self, live: Live) -> Live:
        """In a thread: keys are made, and the state folder may lie on a slow disk."""
        return await asyncio.to_thread(self._token_keys.added, live, int(time.time()))

    async def _change_token_keys(self) -> None:
        """The keys that were made for applications are changed by a reload of the folder as it is."""
        while True:
            await asyncio.sleep(_KEYS_LOOKED_AT)
            if self._token_keys.due(time.time()):
                self.reload()

    async def _remember_hosts(self) -> None:
        live = self._rollout.live
        try:
            await asyncio.to_thread(remember_hosts, live.gateway, live.plan, live.closed)
        except OSError as error:
            self._log.event("config.not_remembered", detail=f"{live.gateway.state_folder}: {error}")

    # --- workers ---

    def _started(self, worker: Worker) -> None:
        self._run(self._bring_up(worker))

    async def _bring_up(self, worker: Worker) -> None:
        try:
            why = await self._rollout.bring_up(worker)
        except (ChannelLost, TimeoutError) as error:
            worker.kill()
            if isinstance(error, TimeoutError):
                self._log.event("worker.refused", worker=worker.pid, detail="no answer")
            return
        if not why:
            self._has_served = True
            await self._watch(worker)
            return
        self._log.event("worker.refused", worker=worker.pid, detail=why)
        worker.kill()
        if not self._has_served:
            # It is not bad luck: what the first worker cannot do, the next cannot either.
            self._refusal = f"a worker cannot serve: {why}"
            self.stop()

    async def _watch(self, worker: Worker) -> None:
        """To its end. Nobody else notices one that hangs: its sockets are open, and the kernel gives it connections."""
        if await until_silent(worker, self._patience) and not self._stop.is_set():
            self._log.event("worker.silent", worker=worker.pid)
            worker.kill()

    def _received(self, worker: Worker, message: Message) -> None:
        match message.kind:
            case "revoke":
                self._run(self._revoke(worker, message))
            case "metadata":
                self._run(self._refresh_metadata(worker, message))
            case "counters":
                self._totals.keep(worker.pid, message.payload)
            case "seen":
                for other in self.fleet.workers.values():
                    if other is not worker:
                        other.channel.send("seen", addresses=message.fields["addresses"])

    def _gone(self, worker: Worker) -> None:
        self._totals.retire(worker.pid, died=not self._stop.is_set())

    async def _revoke(self, worker: Worker, message: Message) -> None:
        """The worker that asked has done its own part; it hears back when the others have done theirs."""
        others = [other for other in self.fleet.workers.values() if other is not worker]
        answers = await ask(others, "revoke", within=_REVOKED_WITHIN, sessions=message.fields["sessions"])
        if problems := refusals(answers):
            self._log.event("revocation.late", detail="; ".join(problems))
        worker.channel.reply(message, ok=True)

    async def _asked_of_sessions(self, question: dict[str, Any]) -> dict[str, Any]:
        """One worker answers for all: what it ends is told to the others as a sign-out is."""
        for worker in self.fleet.serving:
            try:
                told = await worker.channel.ask("sessions", within=_SESSIONS_WITHIN, question=question)
            except (ChannelLost, TimeoutError):
                continue
            answer: dict[str, Any] = told.fields["answer"]
            return answer
        return {"error": "no worker answers"}

    async def _refresh_metadata(self, worker: Worker, message: Message) -> None:
        await self._sources.metadata.refreshed(message.fields["source"])
        worker.channel.reply(message, ok=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(partial(watched, log=self._log))

    # --- admin.Observed ---

    def readiness(self) -> dict[str, Any]:
        """Ready while at least one worker serves and sessions can be kept; a gateway that drains wants no more."""
        serving = len(self.fleet.serving)
        away, in_grace = self._totals.now(STORE_UNREACHABLE), self._totals.now(STORE_GRACE)
        # A front that sent people elsewhere would find the same store there: those who are signed in go on here.
        keeps = away <= in_grace
        return {
            "ready": serving > 0 and keeps and not self._stop.is_set(),
            "revision": self._rollout.live.revision,
            "workers": self._slots,
            "workers_serving": serving,
            "last_reload": self._last_reload,
            "sessions": ("grace" if in_grace else "ok") if keeps else "unreachable",
        }

    async def exposition(self) -> bytes:
        # Each says what is new before it answers.
        await ask(self.fleet.workers.values(), "counters", within=_COUNTERS_WITHIN)
        totals = self._totals
        live = self._rollout.live
        gauges = Gauges(
            revision=live.revision,
            workers=len(self.fleet.workers),
            reload_successful=totals.reload_successful,
            reloaded_at=totals.reloaded_at,
            kept=len(live.kept),
            closed=len(live.closed),
        )
        own = {("ecluse_log_dropped_total",): self._log.dropped, **self._sources.metadata.counters()}
        return render(add({**live.zeros, **totals.all()}, own), gauges)


def _bound(gateway: Gateway) -> tuple[list[socket.socket], socket.socket]:
    """Every listener and the admin one, or CannotServe and none."""
    bound: list[socket.socket] = []
    try:
        for listener in gateway.listeners:
            bound.append(bind(listener))  # noqa: PERF401 - those before one that fails are closed
        return bound, bind_admin(gateway.admin)
    except CannotServe:
        for each in bound:
            each.close()
        raise
