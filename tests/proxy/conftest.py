"""Where transports and their habits matter, a test runs on uvloop, which serves, and on plain asyncio."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

ON_BOTH = {
    "test_body", "test_client", "test_dataplane", "test_pool", "test_reading", "test_timers",
    "test_traps", "test_upstream",
}  # fmt: skip


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem in ON_BOTH:
        return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
    return {"uvloop": uvloop.new_event_loop}
