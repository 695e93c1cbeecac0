"""The process that owns the live state: the files as read, the listening sockets, the workers, the admin listener."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from gateway.config.compile.process import fingerprint
from gateway.config.snapshot import Gateway
from gateway.ops.log import Log
from gateway.server.admin import Admin
from gateway.server.caretaker import Caretaker
from gateway.server.channel import ChannelLost, Message
from gateway.server.compiling import Live, Refused, compile_folder
from gateway.server.control import Control, ReloadVerdict
from gateway.server.control_keeper import ControlKeeper
from gateway.server.ends import Ends
from gateway.server.faults import CannotServe, watched, where
from gateway.server.fixed import addresses, why_not
from gateway.server.fleet import PROGRAM, Fleet, Hooks, Worker
from gateway.server.inherited import bound
from gateway.server.keyrings import Keyrings, told_of
from gateway.server.listeners import allow_files
from gateway.server.liveness_probe import until_silent
from gateway.server.observation import Observation
from gateway.server.provider_verdicts import tell_worker, tell_workers
from gateway.server.questions import Questions
from gateway.server.replacement import Refusal, encode_good, refusal, standing_of
from gateway.server.restart import Restart, program_of
from gateway.server.rollout import USUAL_PATIENCE, Patience, Rollout, verdict_of
from gateway.server.service_manager import ServiceManager
from gateway.server.sources import Sources
from gateway.server.state import make_state_folder, remember_hosts
from gateway.server.succession import Link, Links
from gateway.server.taking_over import take_over
from gateway.server.token_keys import TokenKeys
from gateway.server.totals import Totals
from gateway.server.watching import watch

_KEYS_LOOKED_AT = 60.0

Finished = TypeVar("Finished")


class Supervisor:
    """The supervisor of a gateway.

    `program`: the command that starts a worker.
    `replaces`: the gateway takes over from a running gateway of the same state folder, if one runs. Sockets from the
    service manager have the same effect.
    `is_restart`: the running gateway has started this gateway.
    `fewer_hosts`: the operator agrees to lose hosts of the running gateway.
    """

    def __init__(
        self,
        folder: Path,
        log: Log,
        *,
        patience: Patience = USUAL_PATIENCE,
        program: Sequence[str] = PROGRAM,
        manager: ServiceManager | None = None,
        replaces: bool = False,
        is_restart: bool = False,
        fewer_hosts: bool = False,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._fewer_hosts = fewer_hosts
        self._say = say
        self._manager = ServiceManager({}, 0) if manager is None else manager
        self._replaces = replaces
        self._is_restart = is_restart
        self._links = Links(self)
        self._ends = Ends(self._links, log)
        self._all_serve = asyncio.Event()
        self._restart = Restart(program_of(folder), self._manager.environment)
        self._given_up: asyncio.Future[None] | None = None
        self._folder = folder
        self._log = log
        self._patience = patience
        self._program = program
        self._stop = asyncio.Event()
        self._reload_asked = asyncio.Event()
        self._waiting: list[tuple[asyncio.Future[ReloadVerdict], bool]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._totals = Totals()
        self._token_keys = TokenKeys(log)
        self._keyrings = Keyrings(folder)
        self._has_served = False
        self._refusal = ""
        self._slots = 0
        self.fleet: Fleet
        self._rollout: Rollout
        self._sources: Sources

    # --- for signals ---

    def stop(self) -> None:
        """Begins to stop. A second call changes nothing: work under way continues."""
        self._stop.set()

    def reload(self) -> None:
        """Asks for a reload. Several calls before the reload begins lead to one reload."""
        self._reload_asked.set()

    async def reloaded(self, fewer_hosts: bool = False) -> ReloadVerdict:
        """Reloads and returns the verdict of a reload that began after this call. `fewer_hosts`: the operator agrees
        that hosts go."""
        verdict: asyncio.Future[ReloadVerdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((verdict, fewer_hosts))
        self.reload()
        return await verdict

    # --- the life of the gateway ---

    async def run(self) -> None:
        """Serves until `stop`, then drains. Raises Refused for a folder that cannot be taken, CannotServe for a missing
        resource."""
        live = await self._unless_stopped(compile_folder(self._folder))
        if live is None:
            return
        trouble = make_state_folder(live.gateway)
        live = await self._with_token_keys(live)
        gateway = live.gateway
        allow_files(gateway.limits.connections, self._log)
        inherited, elder = await self._links.inherit(
            gateway, self._manager.sockets(), replaces=self._replaces, is_restart=self._is_restart
        )
        self._sources = Sources(gateway, self._log, lambda *told: tell_workers(self.fleet, *told))
        if elder is not None:
            own, read = self._with_token_keys, self._sources.ready
            live = await take_over(elder, live, self._folder, own, read, fewer_hosts=self._fewer_hosts)
            gateway = live.gateway
        self._listening, self._admin_socket = bound(gateway, inherited)
        if left := inherited.close():
            self._log.event("gateway.socket_unused", detail=", ".join(left))
        cores = sorted(os.sched_getaffinity(0))
        self._slots = gateway.workers or len(cores)
        hooks = Hooks(self._started, self._received, self._gone)
        # As many as the operator says are for the kernel to spread: the cores may be others' too.
        cores = [] if gateway.workers else cores
        self.fleet = Fleet(self._listening, hooks, self._log, program=self._program, cores=cores)
        self._ends.use(self.fleet)
        self._rollout = Rollout(live, self.fleet, self._patience)
        self.observation = Observation(
            self.fleet, self._rollout, self._sources, self._totals, self._log,
            slots=self._slots, ends=self._stop.is_set, say=self._say,
        )  # fmt: skip
        self._admin, self._caretaker = Admin(self.observation), Caretaker(gateway)
        if elder is None:
            await self._admin.start(self._admin_socket)
        control = await self._controlled(gateway, elder)
        self._log.event("gateway.started", revision=live.revision, listeners=addresses(gateway), workers=self._slots)
        if trouble:
            self._log.event("state.unwritable", detail=trouble)
        await self._sources.follow(self._rollout.live.plan)
        self.observation.tell_what_is_live()
        await self._remember_hosts()
        self.fleet.start(self._slots)
        for work in (self._reload_when_asked(), self._watch_folder(), self._begin(elder)):
            self.begin(work)
        await self._stop.wait()
        await self._leave(control)
        if self._refusal:
            raise CannotServe(self._refusal)

    async def _controlled(self, gateway: Gateway, elder: Link | None) -> Control | None:
        """Opens the control socket. A gateway with the memory store has no state folder, and hears only signals."""
        if gateway.store == "memory":
            return None
        state = Path(gateway.state_folder)
        questions = Questions(
            self.fleet, self._restart, state=state, leaves=lambda: self._given_up is not None, log=self._log
        )
        control = Control(state, self.reloaded, questions.answered, self._succeeded)
        keeper = ControlKeeper(control, self._log, replaces=elder is not None, ends=self._stop.is_set)
        await keeper.begin()
        self.begin(keeper.run())
        return control

    # --- start and end beside another gateway

    def standing(self) -> dict[str, Any]:
        """succession.Beside."""
        return standing_of(self._rollout.live).as_json()

    def good(self) -> bytes:
        """succession.Beside."""
        return encode_good(self._rollout.live)

    def refused(self, successor: int, code: str, detail: str) -> None:
        """succession.Beside."""
        self._tell_refused(Refusal(detail, code))
        if successor == self._restart.successor:
            self._restart.refused = detail

    async def _begin(self, elder: Link | None) -> None:
        """Waits until every worker serves, then tells the service manager, and lets the older gateway leave."""
        self.begin(self._manager.keep_awake())
        if elder is None:
            self.begin(self._look_after())
        await self._all_serve.wait()
        if elder is not None:
            await elder.have_it_leave(os.getpid())
            await self._admin.start(self._admin_socket)
            self._log.event("gateway.succeeded", detail=f"process {elder.pid}")
            self.begin(self._look_after())
        self._ready()

    def _ready(self) -> None:
        if not self._all_serve.is_set():
            return
        self._manager.ready(f"{self._slots} workers, revision {self._rollout.live.revision[:12]}")

    async def _look_after(self) -> None:
        """Looks after the shared data of the state folder: SAML metadata, data made from tables, looks at providers,
        and the gateway's own keys."""
        await self._caretaker.wait()
        for work in self._sources.work():
            self.begin(work)
        await self._change_keys()

    async def _succeeded(self, connection: socket.socket) -> None:
        await self._links.to_successor(connection, [*self._listening, self._admin_socket])
        await self._ends.hand_over_to_successor()

    async def give_up(self, successor: int) -> None:
        """succession.Beside."""
        if self._given_up is None:
            self._given_up = asyncio.get_running_loop().create_future()
            if successor == self._restart.successor:
                self._manager.succeeded_by(successor)
            self.stop()
        await self._given_up

    async def _leave(self, control: Control | None) -> None:
        self._log.event("gateway.draining")
        self._manager.stopping()
        for each in self._listening:
            each.close()
        if control is not None:
            await control.stop()
        if (left := self._given_up) is not None:
            await self._look_after_nothing()
            left.set_result(None)
        else:
            self._restart.give_up()
        killed = await self.fleet.stop(self._rollout.live.gateway.timeouts.drain)
        if left is None:
            await self._look_after_nothing()
            if self._ends.unwritten:
                self._log.event("revocation.lost", sessions=self._ends.unwritten)
        if (asked := self._given_up) is not None:
            if asked is not left:  # A second request came while the gateway was leaving.
                asked.set_result(None)
            await self._links.wait_for_elder()
        self._links.close()
        if control is not None:
            await control.answered()
        self._log.event("gateway.stopped", workers_killed=killed)

    async def _look_after_nothing(self) -> None:
        await self._sources.close()
        await self._admin.stop()
        self._caretaker.release()

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
        """Reloads one at a time: requests during a reload lead to the next reload."""
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            self._manager.reloading()
            waiting, self._waiting = self._waiting, []
            try:
                refused = await self._taken(fewer_hosts=any(fewer for _, fewer in waiting))
            except Exception as fault:  # noqa: BLE001 - the old folder stays, and the next reload is heard
                refused = Refusal(where(fault))
            if refused.detail:
                refused = replace(refused, detail=refused.detail + await self._without_ended_keys())
            self.observation.last_reload = refused.detail or "ok"
            self._totals.reloaded(not refused.detail)
            if refused.detail:
                self._tell_refused(refused)
            else:
                self._log.event("config.loaded", revision=self._rollout.live.revision)
                self.observation.tell_what_is_live()
            self._ready()
            told = verdict_of(self._rollout.live, refused)
            for each, _ in waiting:
                if not each.done():
                    each.set_result(told)

    def _tell_refused(self, refused: Refusal) -> None:
        code = {"code": refused.code} if refused.code else {}
        self._log.event("config.refused", revision=self._rollout.live.revision, **code, detail=refused.detail)

    async def _watch_folder(self) -> None:
        """Watches the folder while the live plan asks for it, which a reload may change. Reads in a thread, because
        files may lie on a slow disk."""

        async def look() -> bytes:
            live = self._rollout.live
            return await asyncio.to_thread(fingerprint, self._folder) if live.gateway.watch else live.files

        await watch(look, lambda: self._rollout.live.files, self.reload)

    async def _taken(self, *, fewer_hosts: bool) -> Refusal:
        """Takes the present folder into every worker, or keeps the old plan in all workers and returns the reason."""
        try:
            candidate = await self._unless_stopped(compile_folder(self._folder, live=self._rollout.live))
            if candidate is None:
                return Refusal("told to stop before it was compiled")
            candidate = await self._with_token_keys(candidate)
        except Refused as wrong:
            return Refusal(str(wrong))
        live = self._rollout.live
        if why := why_not(live.gateway, candidate.gateway):
            return Refusal(f"{self._folder}/gateway.yaml: {why}")
        refused = await refusal(standing_of(live), candidate, self._sources.ready, fewer_hosts=fewer_hosts)
        if refused.detail:
            return refused
        if candidate.gateway.limits.connections > self._rollout.live.gateway.limits.connections:
            allow_files(candidate.gateway.limits.connections, self._log)
        verdict = await self._rollout.take(candidate)
        await self._sources.follow(self._rollout.live.plan)
        await self._remember_hosts()
        return Refusal(verdict)

    async def _without_ended_keys(self) -> str:
        """Ends the keys whose date has come, even when the rest of the folder is wrong. Returns the text to add to the
        refusal."""
        live, ended = await asyncio.to_thread(self._keyrings.without_ended, self._rollout.live, time.time())
        return told_of(ended, await self._rollout.take(live)) if ended else ""

    async def _with_token_keys(self, live: Live) -> Live:
        """Adds token keys to the plan. Runs in a thread, because the state folder may lie on a slow disk."""
        return await asyncio.to_thread(self._token_keys.added, live, int(time.time()))

    async def _change_keys(self) -> None:
        """Reloads the present folder when keys change: the keys made for applications, and the keys of keyrings."""
        await asyncio.to_thread(self._keyrings.look, self._rollout.live)
        while True:
            await asyncio.sleep(_KEYS_LOOKED_AT)
            now, live = time.time(), self._rollout.live
            if self._token_keys.due(now) or await asyncio.to_thread(self._keyrings.due, live, now):
                self.reload()

    async def _remember_hosts(self) -> None:
        live = self._rollout.live
        try:
            await asyncio.to_thread(remember_hosts, live.gateway, live.plan, live.closed)
        except OSError as error:
            self._log.event("config.not_remembered", detail=f"{live.gateway.state_folder}: {error}")

    # --- workers ---

    def _started(self, worker: Worker) -> None:
        self.begin(self._bring_up(worker))

    async def _bring_up(self, worker: Worker) -> None:
        try:
            await self._ends.hand_over(worker, self._patience.up)
            why = await self._rollout.bring_up(worker)
        except (ChannelLost, TimeoutError) as error:
            worker.kill()
            if isinstance(error, TimeoutError):
                self._log.event("worker.refused", worker=worker.pid, detail="no answer")
            return
        if not why:
            self._has_served = True
            tell_worker(worker, self._sources.looks.verdicts())
            if len(self.fleet.serving) == self._slots:
                self._all_serve.set()
            await self._watch(worker)
            return
        self._log.event("worker.refused", worker=worker.pid, detail=why)
        worker.kill()
        if not self._has_served:
            # No bad luck: a step that fails in the first worker fails in the next worker too.
            self._refusal = f"a worker cannot serve: {why}"
            self.stop()

    async def _watch(self, worker: Worker) -> None:
        """Watches a worker until it ends; kills a worker that hangs. Only the supervisor notices a hang: the worker's
        sockets stay open, and the kernel keeps giving it connections."""
        if await until_silent(worker, self._patience) and not self._stop.is_set():
            self._log.event("worker.silent", worker=worker.pid)
            worker.kill()

    def _received(self, worker: Worker, message: Message) -> None:
        match message.kind:
            case "revoke":
                self.begin(self._ends.revoke(worker, message))
            case "written":
                self._ends.written(worker, message.fields["sessions"])
            case "metadata":
                self.begin(self._refresh_metadata(worker, message))
            case "sign_ins":
                self._sources.looks.heard(message.fields["providers"])
            case "counters":
                self._totals.keep(worker.pid, message.payload)
            case "seen":
                for other in self.fleet.workers.values():
                    if other is not worker:
                        other.channel.send("seen", addresses=message.fields["addresses"])

    def _gone(self, worker: Worker) -> None:
        self._totals.retire(worker.pid, died=not self._stop.is_set())

    async def revoke_here(self, session_ids: Sequence[str], unwritten: Sequence[str]) -> str:
        """succession.Beside."""
        return await self._ends.revoke_here(session_ids, unwritten)

    async def _refresh_metadata(self, worker: Worker, message: Message) -> None:
        await self.refresh_here(message.fields["source"])
        worker.channel.reply(message, ok=True)

    async def refresh_here(self, source: str) -> None:
        """succession.Beside: refreshes the source. While this gateway leaves, its successor does the work."""
        await (self._sources.metadata.refreshed(source) if self._given_up is None else self._links.refresh(source))

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(partial(watched, log=self._log))
