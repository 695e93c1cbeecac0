"""A gateway that starts its own successor: the same program as it is on disk now, in the same service."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

# Compiling may take two minutes, and workers their time to come up.
_SUCCEEDED_WITHIN = 180.0
_LOOKED_EVERY = 0.1
# Of `serve`: the operator means that hosts go.
YES: Final = "--yes"


def program_of(folder: Path) -> tuple[str, ...]:
    # -P: as a worker is started (fleet.PROGRAM).
    return sys.executable, "-P", "-m", "gateway", "serve", "--replace", str(folder)


class Restart:
    """`environment`: what the service manager gave this process, and its successor needs as well. `successor`: the
    process that was started, 0 where there is none. `refused`: why it may not take this gateway's place."""

    def __init__(self, folder: Path, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._command = command
        self._environment = environment
        self.successor = 0
        self.refused = ""

    async def begin(self, leaves: Callable[[], bool], *, fewer_hosts: bool = False) -> str:
        """Empty once the successor has told this gateway to leave (`leaves`); else why this gateway goes on.
        `fewer_hosts`: the operator means that hosts go."""
        if self.successor:
            return "one is under way"
        self.refused = ""
        self.successor = await asyncio.to_thread(self._start, self._command + ((YES,) if fewer_hosts else ()))
        try:
            async with asyncio.timeout(_SUCCEEDED_WITHIN):
                while not leaves():
                    if (status := _status_of(self.successor)) is not None:
                        return self.refused or (
                            f"the new one ended with {status}, its standard error says why, and so does "
                            f"`ecluse check {shlex.quote(str(self._folder))}` where the folder is wrong"
                        )
                    await asyncio.sleep(_LOOKED_EVERY)
                return ""
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.kill(self.successor, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, self.successor, 0)
            return f"the new one did not serve within {_SUCCEEDED_WITHIN:.0f} seconds"
        finally:
            if not leaves():
                self.successor = 0

    def give_up(self) -> None:
        """This gateway was told to stop, and with it whoever was to take its place."""
        if self.successor:
            with suppress(ProcessLookupError):
                os.kill(self.successor, signal.SIGTERM)

    def _start(self, command: tuple[str, ...]) -> int:
        """Not as a child of the loop, which would end it with itself."""
        nothing = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
        environment = {**os.environ, **self._environment}
        return os.posix_spawn(command[0], command, environment, file_actions=[nothing])


def _status_of(child: int) -> int | None:
    """None while it runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None
