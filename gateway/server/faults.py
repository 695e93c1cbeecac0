"""Faults of our own outside any request: said in the log, never on standard error, and never swallowed."""

import asyncio
from collections.abc import Callable
from traceback import extract_tb
from typing import Any

from gateway.ops.log import Log


class CannotServe(Exception):
    """Why the gateway does not start, in the operator's words."""


def where(fault: BaseException) -> str:
    """The type of a fault and its place. Not its text: that can quote what was being handled."""
    frames = extract_tb(fault.__traceback__)[-3:]
    return " < ".join([type(fault).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))])


def into_log(log: Log) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """For `loop.set_exception_handler`: what a callback or a forgotten task raised."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        place = "" if fault is None else f": {where(fault)}"
        log.event("gateway.fault", detail=f"{context['message']}{place}")

    return handle


def watched(task: asyncio.Task[None], log: Log) -> None:
    """For `add_done_callback`: a task that nobody awaits says how it failed."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.event("gateway.fault", detail=where(fault))
