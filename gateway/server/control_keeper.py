"""The control socket's name, kept: on a disk that is full or read-only there is no new one, and a folder that was
deleted took it along."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from gateway.ops.log import Log
from gateway.server.control import Control
from gateway.server.faults import CannotServe
from gateway.server.state import may_pass

_AGAIN = 5.0


class ControlKeeper:
    """`replaces`: the gateway that runs beside us is about to leave, which is nothing to be told of. `ends`: whether
    ours does, which has given up its name then."""

    def __init__(self, control: Control, log: Log, *, replaces: bool, ends: Callable[[], bool]) -> None:
        self._ends = ends
        self._control = control
        self._log = log
        self._replaces = replaces

    async def begin(self) -> None:
        """Raises CannotServe, but not for what may pass."""
        try:
            await self._start()
        except CannotServe as refused:
            if not may_pass(refused.__cause__):
                raise

    async def run(self) -> None:
        """Until the gateway ends. Where there is no name signals are heard. A newer gateway that has left leaves it to
        us."""
        while not self._ends():
            await asyncio.sleep(_AGAIN)
            if not self._control.has_name and not self._ends():
                with suppress(CannotServe):
                    await self._start()

    async def _start(self) -> None:
        if await self._control.start() and not self._replaces:
            self._log.event("gateway.beside", detail=str(self._control.folder))
