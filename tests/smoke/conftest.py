"""One demo for all of these tests, which walk through it over real HTTP."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.stack import Demo
from tests.smoke.world import World

HERE = Path(__file__).parent
# They come last: they read the log and the store of all others, and stop the gateway.
LAST = HERE / "test_operations.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.service)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
    items.sort(key=lambda item: item.path == LAST)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    folder, ports = tmp_path_factory.mktemp("demo"), free_ports()
    copy_policies(folder, ports)
    # The walks change rules on purpose, and the example's own tests would refuse that.
    shutil.rmtree(folder / "policies" / "tests")
    async with Demo(folder, ports) as demo:
        yield demo


@pytest_asyncio.fixture(loop_scope="session")
async def world(demo: Demo) -> AsyncIterator[World]:
    world = World(demo)
    yield world
    await world.leave()
