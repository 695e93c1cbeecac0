"""A gateway for each file of tests, and whatever stands around it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

from tests.attacks.world import Stage, World


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    optimised = getattr(request.module, "OPTIMISED", False)
    async with Stage(tmp_path_factory.mktemp("attacks"), optimised=optimised) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def world(stage: Stage) -> AsyncIterator[World]:
    yield stage.world
    await stage.world.close_all()
