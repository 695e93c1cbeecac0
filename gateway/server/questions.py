"""Answers the questions at the control socket, besides a reload: a restart, an operator's questions about sessions, and
orders to ask directories again."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.directories.orders import LookUpOrders
from gateway.ops.log import Log
from gateway.server.control import RESTART
from gateway.server.fleet import Fleet, ask, ask_any, refusals
from gateway.server.restart import Restart

_SESSIONS_WITHIN = 20.0
_TOLD_WITHIN = 5.0
# Of one question.
LOOKED_UP_AT_ONCE = 100


class Questions:
    """`state`: the state folder.
    `leaves`: whether this gateway has been told to give up its place."""

    def __init__(self, fleet: Fleet, restart: Restart, *, state: Path, leaves: Callable[[], bool], log: Log) -> None:
        self._fleet = fleet
        self._restart = restart
        self._orders = LookUpOrders(state)
        self._leaves = leaves
        self._log = log
        # Two parallel changes of the file would lose an order.
        self._one = asyncio.Lock()

    async def answered(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to a question. A single worker answers questions about sessions. The other workers learn of ended
        sessions in the same way as of a sign-out."""
        operator = str(question.get("operator", ""))
        if question.get("what") == RESTART["what"]:
            why = await self._restart.begin(self._leaves, fewer_hosts=question.get("yes") is True)
            return {"error": why} if why else {"process": self._restart.successor}
        if question.get("what") == "look_up":
            return await self._look_up(question, operator)
        told = await ask_any(self._fleet.serving, "sessions", within=_SESSIONS_WITHIN, question=question)
        return {"error": "no worker answers"} if told is None else dict(told.fields["answer"])

    async def _look_up(self, question: dict[str, Any], operator: str) -> dict[str, Any]:
        match question:
            case {"what": "look_up", "all": True}:
                return await self._ordered(None, operator)
            case {"what": "look_up", "ids": [*ids]} if len(ids) <= LOOKED_UP_AT_ONCE and _are_texts(ids):
                return await self._ordered(ids, operator)
        return {"error": "not a question about look-ups"}

    async def _ordered(self, session_ids: list[str] | None, operator: str) -> dict[str, Any]:
        """Orders look-ups. The order is in force in every worker before the answer; a worker that starts later reads
        the order."""
        async with self._one:
            try:
                await asyncio.to_thread(self._orders.give, session_ids, int(time.time()))
            except OSError as error:
                return {"error": f"the state folder cannot be written: {error.strerror}"}
        workers = self._fleet.workers.values()
        late = refusals(await ask(workers, "look_up", within=_TOLD_WITHIN, sessions=session_ids))
        number = "all" if session_ids is None else len(session_ids)
        people = [] if session_ids is None else await self._people(session_ids)
        for person, sessions in Counter(people).items():
            self._log.event("directory.refresh", operator=operator, person=person, sessions=sessions)
        if not people:
            self._log.event("directory.refresh", operator=operator, sessions=number)
        return {"error": "; ".join(late)} if late else {"ordered": number}

    async def _people(self, session_ids: list[str]) -> list[str]:
        """The people of the sessions, by their names in the log; empty if no worker answers."""
        question = {"what": "list", "where": {"ids": session_ids}, "after": ""}
        told = await ask_any(self._fleet.serving, "sessions", within=_SESSIONS_WITHIN, question=question)
        found = [] if told is None else told.fields["answer"].get("sessions", [])
        return [str(session["person"]) for session in found]


def _are_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)
