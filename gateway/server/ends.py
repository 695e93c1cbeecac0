"""Ends of sessions: every worker of this gateway and the gateway beside it learn of an end before the client gets an
answer.

The supervisor keeps the ends that the store could not take until a worker has written them. A worker that starts learns
of these ends before it listens."""

import asyncio
from collections.abc import Iterable, Sequence

from gateway.ops.log import Log
from gateway.server.channel import Message
from gateway.server.fleet import Fleet, Worker, ask, refusals
from gateway.server.succession import Links

_REVOKED_WITHIN = 1.0


class Ends:
    def __init__(self, links: Links, log: Log) -> None:
        self._links = links
        self._log = log
        self._unwritten: dict[str, None] = {}
        self._fleet: Fleet | None = None

    def use(self, fleet: Fleet) -> None:
        self._fleet = fleet

    @property
    def unwritten(self) -> int:
        """The number of sessions whose end is in memory only."""
        return len(self._unwritten)

    async def revoke(self, worker: Worker, message: Message) -> None:
        """Revokes the sessions in the other workers and gateways. The asking worker has already revoked the sessions,
        and gets its reply when the others have."""
        sessions, unwritten = message.fields["sessions"], message.fields["unwritten"]
        self._learn(unwritten)
        here, elsewhere = await asyncio.gather(
            self._tell(sessions, unwritten, but=worker), self._links.revoke(sessions, unwritten)
        )
        if problems := [why for why in (here, *elsewhere) if why]:
            self._log.event("revocation.late", detail="; ".join(problems))
        worker.channel.reply(message, ok=True)

    async def revoke_here(self, sessions: Sequence[str], unwritten: Sequence[str]) -> str:
        """succession.Beside."""
        self._learn(unwritten)
        return await self._tell(sessions, unwritten)

    def written(self, worker: Worker, sessions: Sequence[str]) -> None:
        """Notes that `worker` has written the ends of the sessions, and tells the other workers."""
        for id in sessions:
            self._unwritten.pop(id, None)
        for other in self._others(worker):
            other.channel.send("written", sessions=sessions)

    async def hand_over(self, worker: Worker, within: float) -> None:
        """Hands the unwritten ends to a worker that starts. Raises ChannelLost or TimeoutError."""
        if ids := list(self._unwritten):
            await worker.channel.ask("revoke", within=within, sessions=ids, unwritten=ids)

    async def hand_over_to_successor(self) -> None:
        if ids := list(self._unwritten):
            await self._links.revoke(ids, ids)

    def _learn(self, unwritten: Iterable[str]) -> None:
        self._unwritten.update(dict.fromkeys(unwritten))

    async def _tell(self, sessions: Sequence[str], unwritten: Sequence[str], but: Worker | None = None) -> str:
        others, within = self._others(but), _REVOKED_WITHIN
        return "; ".join(refusals(await ask(others, "revoke", within=within, sessions=sessions, unwritten=unwritten)))

    def _others(self, worker: Worker | None) -> list[Worker]:
        return [] if self._fleet is None else [one for one in self._fleet.workers.values() if one is not worker]
