"""A worker's side of the channel: prepare, commit, revoke, drain. The composition root makes the serving part."""

import asyncio
import socket
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from gateway.config.compile.build import build_steps
from gateway.config.snapshot import Snapshot
from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.ops.log import Log
from gateway.server import garbage
from gateway.server.channel import Channel, ChannelLost, Message
from gateway.server.faults import watched
from gateway.server.loop_stalls import StallProbe
from gateway.server.tls import ListenerContexts, tls_contexts

_PUSH_EVERY = 1.0
# Building a snapshot takes a seventh of a serving worker's time at most: CPU seconds of work, then seconds of rest.
_BUILT_AT_ONCE = 0.0005
_RESTED = 0.003

_REVOKED_WITHIN = 3.0

# A person waits in front of an empty page meanwhile.
_METADATA_WITHIN = 15.0

# Every worker has read the tail of the store's revocation list by then.
_TAIL_WITHIN = 1.0

# Seconds for a worker that is told to leave before it has a snapshot with the configured value.
_DRAIN_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A snapshot that the worker can take at once, because every step that can fail has been tried.

    `tls`: the certificates of each listener.
    """

    snapshot: Snapshot
    tls: tuple[ListenerContexts | None, ...]


class Serving(Protocol):
    """The serving part of a worker, made by the composition root."""

    async def prepare(self, candidate: Candidate) -> None:
        """Prepares the data that requests will need under the snapshot, without delaying a request. The snapshot may
        never be taken."""

    async def take(self, candidate: Candidate) -> None:
        """Takes the snapshot into use. The first snapshot also opens the stores and begins to accept."""

    def revoke(self, session_ids: tuple[str, ...], unwritten: tuple[str, ...]) -> None:
        """Ends the sessions in the worker. `unwritten`: the sessions among `session_ids` whose end the store does not
        have."""

    def unwritten(self, session_ids: tuple[str, ...]) -> tuple[str, ...]:
        """The given sessions whose end is in memory only."""

    def written(self, session_ids: tuple[str, ...]) -> None:
        """Notes that another worker has written the ends of the sessions."""

    async def oversee(self, question: dict[str, Any]) -> dict[str, Any]:
        """Answers an operator's question about sessions (stores.sessions.oversight)."""

    def look_up(self, session_ids: tuple[str, ...] | None) -> None:
        """Asks directories again about the people of the sessions (None: of every session). The order is already
        written."""

    def counters(self) -> Iterator[bytes]:
        """The changes of counters since the last call, in parts; the loop runs other tasks between two parts. A part
        may be empty."""

    def news(self) -> list[str]:
        """The addresses from which a signed-in person was seen since the last call."""

    def heard(self, addresses: list[str]) -> None:
        """Takes over the news of another worker."""

    def sign_ins(self) -> Mapping[str, SignInNews]:
        """News of sign-ins since the last call, by provider: people sent there and people who came back."""

    async def looked_at(self, provider: str, verdict: ProviderVerdict, *, tells_nodes: bool) -> None:
        """Takes over the verdict on a provider. `tells_nodes`: whether the worker tells the other nodes."""

    def loop_stopped(self, seconds: float) -> None: ...

    async def drain(self, within: float) -> None: ...


class WorkerControl:
    def __init__(self, served: Serving, log: Log) -> None:
        self._served = served
        self._log = log
        self._serves = False
        self._candidate: Candidate | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._channel = Channel(self._received, self.leave)
        self._tasks: set[asyncio.Task[None]] = set()
        self._leave = asyncio.Event()
        self._telling = asyncio.Lock()
        self._drain_within = _DRAIN_WITHIN

    async def run(self, control: socket.socket) -> None:
        """Runs until told to leave, or until the supervisor is gone."""
        control.setblocking(False)
        await self._channel.open(control)
        self._run(self._push())
        with garbage.settling(asyncio.get_running_loop().call_soon_threadsafe):
            await self._leave.wait()
        await self._served.drain(self._drain_within)
        await self._tell_counters()
        self._channel.close()

    def leave(self) -> None:
        self._leave.set()

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        """ports.Revoker: revokes in this worker at once; returns when the supervisor has the other workers'
        confirmation."""
        unwritten = self._served.unwritten(session_ids)
        self._served.revoke(session_ids, unwritten)
        asked = time.monotonic()
        try:
            await self._channel.ask("revoke", within=_REVOKED_WITHIN, sessions=session_ids, unwritten=unwritten)
        except (ChannelLost, TimeoutError):
            await asyncio.sleep(max(0.0, asked + _TAIL_WITHIN - time.monotonic()))

    def written(self, session_ids: Sequence[str]) -> None:
        """Reports that the worker has written the ends of sessions that had ended in memory only."""
        self._channel.send("written", sessions=session_ids)

    async def refresh_metadata(self, source_id: str) -> None:
        """federation.saml.MetadataRefresher: asks the supervisor, whose helper refreshes the metadata for all
        workers."""
        with suppress(ChannelLost, TimeoutError):
            await self._channel.ask("metadata", within=_METADATA_WITHIN, source=source_id)

    def _received(self, message: Message) -> None:  # noqa: C901 - one case for each message of the channel
        match message.kind:
            case "prepare":
                self._forget_candidate()
                self._preparing = self._run(self._prepare(message))
            case "commit":
                self._run(self._commit(message))
            case "abort":
                self._forget_candidate()
                self._channel.reply(message, ok=True)
            case "revoke":
                self._served.revoke(tuple(message.fields["sessions"]), tuple(message.fields["unwritten"]))
                self._channel.reply(message, ok=True)
            case "written":
                self._served.written(tuple(message.fields["sessions"]))
            case "look_up":
                meant = message.fields["sessions"]
                self._served.look_up(None if meant is None else tuple(meant))
                self._channel.reply(message, ok=True)
            case "counters":
                self._run(self._reply_counters(message))
            case "seen":
                self._served.heard(message.fields["addresses"])
            case "provider":
                of_it = message.fields
                self._run(self._served.looked_at(of_it["provider"], of_it["verdict"], tells_nodes=of_it["tells_nodes"]))
            case "sessions":
                self._run(self._oversee(message))
            case "alive":
                self._channel.reply(message, ok=True)
            case "drain":
                self._drain_within = message.fields["within"]
                self.leave()

    def _forget_candidate(self) -> None:
        self._candidate = None
        if self._preparing is not None:
            self._preparing.cancel()

    async def _prepare(self, message: Message) -> None:
        """Builds the snapshot in steps of under 2 ms; requests go on between the steps."""
        try:
            candidate = await _built(message.payload, rested=_RESTED if self._serves else 0.0)
            await self._served.prepare(candidate)
            self._candidate = candidate
        except Exception as error:  # noqa: BLE001 - after any fault, the previous snapshot stays (invariant 13)
            self._channel.reply(message, ok=False, detail=repr(error))
        else:
            self._channel.reply(message, ok=True)

    async def _commit(self, message: Message) -> None:
        candidate, self._candidate = self._candidate, None
        if candidate is None or candidate.snapshot.revision != message.fields["revision"]:
            self._channel.reply(message, ok=False, detail="no plan is prepared under this revision")
            return
        try:
            await self._served.take(candidate)
        except Exception as error:  # noqa: BLE001 - reported to the supervisor, which ends the worker
            self._channel.reply(message, ok=False, detail=repr(error))
            return
        if not self._serves:
            # Until here a stop of the loop delayed no client: the worker did not accept.
            StallProbe(asyncio.get_running_loop(), self._served.loop_stopped).look()
        self._serves = True
        self._drain_within = candidate.snapshot.gateway.timeouts.drain
        garbage.settle()
        # Readiness depends on the counters: a worker that cannot keep sessions must never seem to keep them.
        await self._reply_counters(message)

    async def _oversee(self, message: Message) -> None:
        self._channel.reply(message, answer=await self._served.oversee(message.fields["question"]))

    async def _push(self) -> None:
        while True:
            await asyncio.sleep(_PUSH_EVERY)
            await self._tell_counters()
            if news := self._served.news():
                self._channel.send("seen", addresses=news)
            if sign_ins := self._served.sign_ins():
                self._channel.send("sign_ins", providers=sign_ins)

    async def _tell_counters(self) -> None:
        # One call at a time: a reply must follow the counters that a parallel call is sending.
        async with self._telling:
            for part in self._served.counters():
                if part:
                    self._channel.send("counters", part)
                await asyncio.sleep(0)

    async def _reply_counters(self, message: Message) -> None:
        """Replies after sending the worker's counters."""
        await self._tell_counters()
        self._channel.reply(message, ok=True)

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(partial(watched, log=self._log))
        return task


async def _built(plan: bytes, rested: float) -> Candidate:
    steps = build_steps(plan)
    garbage.settle()
    began = time.thread_time()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            snapshot: Snapshot = done.value
            # In a thread: a certificate takes a quarter of a millisecond.
            return Candidate(snapshot, await asyncio.to_thread(tls_contexts, snapshot.gateway.listeners))
        if time.thread_time() - began >= _BUILT_AT_ONCE:
            garbage.built()
            await asyncio.sleep(rested)
            garbage.rested()
            began = time.thread_time()
