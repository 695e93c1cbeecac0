"""A child process that answers a single question: standard input carries the question, standard output the answer."""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

Printed = TypeVar("Printed")


class NoOutcome(Exception):
    """The process gave no outcome. The text tells the operator the reason."""


async def ask_once(
    command: Sequence[str], question: bytes, decode: Callable[[bytes], Printed], *, within: float, reads: str
) -> Printed:
    """Starts the process, writes `question`, and returns the decoded answer. Raises NoOutcome.

    `decode`: raises ValueError, TypeError or LookupError for a malformed answer.
    `within`: seconds, after which the process is killed together with its children.
    `reads`: the pronoun, in the reason, for the input of the process.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, process_group=0)
    except OSError as error:
        raise NoOutcome(f"the process that reads {reads} cannot be started: {error}") from None
    try:
        async with asyncio.timeout(within):
            printed, _ = await process.communicate(question)
        return decode(printed)
    except (TimeoutError, ValueError, TypeError, LookupError):
        status = process.returncode
        why = f"the process that read {reads} ended with status {status}, or said nothing in time"
        raise NoOutcome(why) from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
