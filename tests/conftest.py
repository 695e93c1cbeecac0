"""What holds for every test. Fixtures live beside the tests that use them."""

import pytest
from hypothesis import HealthCheck, settings

# Examples are judged by what they give, never by how long a busy machine took over them.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser is a service too, so that `-m "not service"` leaves it out."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.service)
