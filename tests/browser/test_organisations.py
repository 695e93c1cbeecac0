"""Chromium finds an organisation as its name is typed, and without a script."""

from pathlib import Path

import pytest

from tests.browser.chromium import walked
from tests.portal.installation import PERMIS, PORTAL, installed
from tests.portal.test_organisations import with_organisations

pytestmark = pytest.mark.browser


async def test_an_organisation_is_found_as_its_name_is_typed(tmp_path: Path) -> None:
    async with installed() as here:
        with_organisations(here)
        site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, ""), "pictures": str(tmp_path)}
        await walked("organisations.mjs", site)
        # Nothing of what is typed is logged.
        assert "saint" not in str(here.logged()).lower()
