"""What holds for every test. Fixtures live beside the tests that use them."""

import gc
import inspect
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests.order import LongestFirst, longest_first
from tests.patience import PATIENCE, bounded

# Always the same examples, however long one takes: whether a change is good must not hang on chance or on what else the
# machine does. `make quick` takes fewer of them; `pytest --hypothesis-profile=random` looks for others.
_TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", _TIMELESS, derandomize=True)
settings.register_profile("quick", _TIMELESS, derandomize=True, max_examples=30)
settings.register_profile("random", _TIMELESS)
settings.load_profile("fixed")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    return LongestFirst(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects without the garbage collector: 30,000 tests are hardly garbage, and walking over them again and again is
    half of the time. Freezes them afterwards, so that a collection during a test walks over what tests made."""
    gc.disable()
    try:
        result = yield
        gc.collect()
        gc.freeze()
        return result
    finally:
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A browser is a service too, so that `-m "not service"` leaves it out. What is neither a service nor slow takes
    seconds: where it waits for what never comes it ends long before the timeout of pyproject.toml, and says where."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.service)
        takes_long = item.get_closest_marker("service") or item.get_closest_marker("slow")
        if not takes_long and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = bounded(item.obj, 3 * PATIENCE)
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: longest_first(item.nodeid))
