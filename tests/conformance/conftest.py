from collections.abc import AsyncIterator

import pytest

from tests.portal.installation import Installation, installed


@pytest.fixture
async def here() -> AsyncIterator[Installation]:
    async with installed() as here:
        yield here
