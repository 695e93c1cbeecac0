"""The metrics of a running gateway, from the text that its admin address gives."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from tests.patience import PATIENCE

_PAUSE = 0.05
_SAMPLE = re.compile(r"^(ecluse_\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


def samples_in(text: str) -> dict[str, float]:
    """By name and labels as exposed, and by name alone their sum."""
    found: dict[str, float] = {}
    for name, labels, value in _SAMPLE.findall(text):
        found[name + labels] = float(value)
        if labels:
            found[name] = found.get(name, 0) + float(value)
    return found


async def measured(
    read: Callable[[], Awaitable[dict[str, float]]], holds: Callable[[dict[str, float]], object]
) -> dict[str, float]:
    """The metrics once they are so: a worker that is slow to answer is told of a moment later. AssertionError if they
    never are."""
    metrics: dict[str, float] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds(metrics := await read()):
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise AssertionError(f"never so: {metrics}") from None
    return metrics
