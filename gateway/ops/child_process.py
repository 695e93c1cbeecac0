"""Child processes with limits: each child leads a process group, which is killed as a whole."""

import asyncio
import os
import resource
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

Printed = TypeVar("Printed")


class ChildFailed(Exception):
    """The child gave no answer. The text tells the operator the reason."""


async def start(command: Sequence[str]) -> Process:
    """Starts a process with pipes for its standard input and output. Raises ChildFailed."""
    try:
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, process_group=0)
    except OSError as error:
        raise ChildFailed(f"the helper process cannot be started: {error}") from None


def kill(process: Process) -> None:
    """Kills a child of `start`, together with its own children."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def ask_once(
    command: Sequence[str], question: bytes, decode: Callable[[bytes], Printed], *, within: float
) -> Printed:
    """Starts a process, writes `question` to its standard input, and decodes its standard output. Raises ChildFailed.

    `decode`: raises ValueError for a malformed answer.
    `within`: seconds.
    """
    process = await start(command)
    try:
        async with asyncio.timeout(within):
            printed, _ = await process.communicate(question)
        return decode(printed)
    except TimeoutError:
        raise ChildFailed(f"the helper process did not answer within {within:g} s") from None
    except ValueError:
        raise ChildFailed(f"the helper process ended with status {process.returncode}, without an answer") from None
    finally:
        kill(process)
        await process.wait()


def stay_within(*, seconds: float, cpu_seconds: int, memory: int) -> None:
    """Has the kernel end this process at its limits, also inside a library.

    `seconds`: time until SIGALRM.
    `memory`: bytes of private memory (RLIMIT_DATA).
    """
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _lower(resource.RLIMIT_CPU, cpu_seconds)
    _lower(resource.RLIMIT_DATA, memory)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, value: int) -> None:
    """The hard limit may already be lower, if the gateway was started with less."""
    _, hard = resource.getrlimit(what)
    least = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (least, hard))
