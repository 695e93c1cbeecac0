"""Keeps the name of the control socket. A full or read-only disk has no room for the name, and a deleted folder takes
the name along."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from gateway.ops.log import Log
from gateway.server.control import Control
from gateway.server.faults import CannotServe
from gateway.server.state import may_pass

_AGAIN = 5.0


class ControlKeeper:
    """Keeps the name of a control socket.

    `replaces`: the gateway beside this gateway is about to leave, so the log does not report it.
    `ends`: whether this gateway leaves, and so has given up the name."""

    def __init__(self, control: Control, log: Log, *, replaces: bool, ends: Callable[[], bool]) -> None:
        self._ends = ends
        self._control = control
        self._log = log
        self._replaces = replaces

    async def begin(self) -> None:
        """Takes the name. Raises CannotServe, except for trouble of the disk that may pass."""
        try:
            await self._start()
        except CannotServe as refused:
            if not may_pass(refused.__cause__):
                raise

    async def run(self) -> None:
        """Takes the name again whenever it is missing, until the gateway ends. Without the name, the gateway still
        hears signals. A newer gateway that has left leaves the name to this gateway."""
        while not self._ends():
            await asyncio.sleep(_AGAIN)
            if not self._control.has_name and not self._ends():
                with suppress(CannotServe):
                    await self._start()

    async def _start(self) -> None:
        if await self._control.start() and not self._replaces:
            self._log.event("gateway.beside", detail=str(self._control.folder))
