"""Faults of the gateway outside of requests: written to the log, never to standard error, and never swallowed."""

import asyncio
from collections.abc import Callable
from traceback import extract_tb
from typing import Any

from gateway.ops.log import Log


class CannotServe(Exception):
    """The reason why the gateway does not start, in the operator's words."""


def where(fault: BaseException) -> str:
    """The type of a fault and its place. Omits the text, which may quote data of requests."""
    frames = extract_tb(fault.__traceback__)[-3:]
    return " < ".join([type(fault).__name__, *(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))])


def into_log(log: Log) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """A handler for `loop.set_exception_handler`: logs errors of callbacks and of forgotten tasks."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        place = "" if fault is None else f": {where(fault)}"
        log.event("gateway.fault", detail=f"{context['message']}{place}")

    return handle


def watched(task: asyncio.Task[None], log: Log) -> None:
    """A callback for `add_done_callback`: logs the failure of a task that is not awaited."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.event("gateway.fault", detail=where(fault))
