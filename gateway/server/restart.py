"""Starts the successor of the gateway: the program that is now on disk, in the same service."""

import asyncio
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Final

# Compiling may take two minutes, and workers their time to come up.
_SUCCEEDED_WITHIN = 180.0
_LOOKED_EVERY = 0.1
# An option of `serve`: the operator agrees to lose hosts.
YES: Final = "--yes"
# In the environment of a successor: the descriptor of its standard error once it serves.
_OWN_ERROR: Final = "ECLUSE_STANDARD_ERROR"
_STANDARD_ERROR: Final = 2
# Bytes of the successor's output in an answer, from the end, where the reason is.
_MOST_SAID: Final = 16_384
_READ_AT_ONCE: Final = 65_536
_PASSED_ON_WITHIN: Final = 1.0


def program_of(folder: Path) -> tuple[str, ...]:
    # -P: as a worker is started (fleet.PROGRAM).
    return sys.executable, "-P", "-m", "gateway", "serve", "--replace", str(folder)


class Restart:
    """The restart of a gateway.

    `environment`: the variables that the service manager gave this process, and that its successor needs too.
    `successor`: the id of the successor's process; 0 without a successor.
    `refused`: the reason why the successor may not replace this gateway."""

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment
        self.successor = 0
        self.refused = ""
        self._is_under_way = False

    async def begin(self, leaves: Callable[[], bool], *, fewer_hosts: bool = False) -> str:
        """Starts a successor. Returns an empty text once the successor has told the gateway to leave (`leaves`), else
        the reason why the gateway goes on.

        `fewer_hosts`: the operator agrees to lose hosts."""
        if self._is_under_way:
            return "a restart is already under way"
        self._is_under_way, self.refused = True, ""
        said = _StandardError()
        try:
            self.successor = await asyncio.to_thread(
                self._start, self._command + ((YES,) if fewer_hosts else ()), said.write_end
            )
            said.close_write_end()
            why = await self._ended(leaves, said)
            return self.refused or why
        finally:
            await asyncio.to_thread(said.pass_on)
            said.close()
            if not leaves():
                self._is_under_way, self.successor = False, 0

    async def _ended(self, leaves: Callable[[], bool], said: "_StandardError") -> str:
        """Waits for the successor. Returns an empty text once the gateway is to leave, else how the successor ended,
        with its output."""
        try:
            async with asyncio.timeout(_SUCCEEDED_WITHIN):
                while not leaves():
                    status = _status_of(self.successor)
                    said.read()
                    if status is not None:
                        return f"the successor {_end_of(status)}{said}"
                    await asyncio.sleep(_LOOKED_EVERY)
                return ""
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.kill(self.successor, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, self.successor, 0)
            return f"the successor did not serve within {_SUCCEEDED_WITHIN:.0f} seconds{said}"

    def give_up(self) -> None:
        """Stops the successor, because the service stops."""
        if self.successor:
            with suppress(ProcessLookupError):
                os.kill(self.successor, signal.SIGTERM)

    def _start(self, command: tuple[str, ...], said: int) -> int:
        """Starts the successor, whose standard error is `said` until it serves. The successor is no child process of
        the loop: the loop would kill it at its own end."""
        own = os.dup(_STANDARD_ERROR)
        os.set_inheritable(own, True)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, said, _STANDARD_ERROR),
        ]
        environment = {**os.environ, **self._environment, _OWN_ERROR: str(own)}
        try:
            return os.posix_spawn(command[0], command, environment, file_actions=actions)
        finally:
            os.close(own)


class _StandardError:
    """The output of a successor before it serves, or of its end. str() is the end of the output, for an answer."""

    def __init__(self) -> None:
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._said = bytearray()

    def read(self) -> None:
        with suppress(BlockingIOError):
            while more := os.read(self._read_end, _READ_AT_ONCE):
                self._said += more

    def pass_on(self) -> None:
        """Writes the output to the standard error of this gateway, where the successor would have written it. A stopped
        terminal (Ctrl-S), or a full pipe without a reader, holds up only a thread."""
        self.read()
        thread = Thread(target=_say, args=(bytes(self._said),), daemon=True)
        thread.start()
        thread.join(_PASSED_ON_WITHIN)

    def close_write_end(self) -> None:
        os.close(self.write_end)
        self.write_end = -1

    def close(self) -> None:
        os.close(self._read_end)
        if self.write_end >= 0:
            self.close_write_end()

    def __str__(self) -> str:
        text = self._said[-_MOST_SAID:].decode(errors="replace").strip()
        return f":\n{text}" if text else ", without a message"


def _say(text: bytes) -> None:
    with suppress(OSError):
        os.write(_STANDARD_ERROR, text)


@contextmanager
def own_standard_error(environment: MutableMapping[str, str]) -> Iterator[bool]:
    """Yields whether a predecessor started this gateway, by `environment`, and then restores the gateway's own standard
    error. If an exception leaves the block, further output goes to the predecessor, if it still listens."""
    own = environment.pop(_OWN_ERROR, "")
    if not own.isdecimal():
        yield False
        return
    starter = os.dup(_STANDARD_ERROR)
    os.dup2(int(own), _STANDARD_ERROR)
    os.close(int(own))
    try:
        yield True
    except BaseException:
        if _is_read(starter):
            os.dup2(starter, _STANDARD_ERROR)
        raise
    finally:
        os.close(starter)


def _is_read(pipe: int) -> bool:
    """Whether the other end of the pipe is open."""
    poll = select.poll()
    poll.register(pipe, 0)
    return not poll.poll(0)


def _end_of(status: int) -> str:
    return f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with {status}"


def _status_of(child: int) -> int | None:
    """The exit status of the child; None while the child runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None
