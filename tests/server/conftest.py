"""Workers serve on uvloop, the supervisor runs on plain asyncio: each part is tested on its own loop."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

IN_A_WORKER = {"test_channel", "test_doors", "test_worker"}
IN_THE_SUPERVISOR = {"test_channel"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    name = item.path.stem
    found: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {}
    if name in IN_A_WORKER:
        found["uvloop"] = uvloop.new_event_loop
    if name not in IN_A_WORKER or name in IN_THE_SUPERVISOR:
        found["asyncio"] = asyncio.new_event_loop
    return found
