from collections.abc import AsyncIterator

import pytest

from tests.portal.saml.region import Region, region_installed


@pytest.fixture
async def region() -> AsyncIterator[Region]:
    async with region_installed() as installed:
        yield installed
