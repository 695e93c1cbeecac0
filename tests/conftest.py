"""What holds for every test. Fixtures live beside the tests that use them."""

import pytest
from hypothesis import HealthCheck, settings

# Always the same examples, however long one takes: whether a change is good must not hang on chance or on what else the
# machine does. `make quick` takes fewer of them; `pytest --hypothesis-profile=random` looks for others.
_TIMELESS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fixed", _TIMELESS, derandomize=True)
settings.register_profile("quick", _TIMELESS, derandomize=True, max_examples=30)
settings.register_profile("random", _TIMELESS)
settings.load_profile("fixed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser is a service too, so that `-m "not service"` leaves it out."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.service)
