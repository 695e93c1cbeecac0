from collections.abc import AsyncIterator

import pytest

from tests.portal.installation import Installation, installed


@pytest.fixture
async def here() -> AsyncIterator[Installation]:
    """Portal and apps each on their own host."""
    async with installed() as installation:
        yield installation


@pytest.fixture
async def one_host() -> AsyncIterator[Installation]:
    """Portal and app on one host, a second app on its own."""
    async with installed(one_host=True) as installation:
        yield installation
