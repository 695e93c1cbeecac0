"""What holds for every test. Fixtures live beside the tests that use them."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser is a service too, so that `-m "not service"` leaves it out."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.service)
