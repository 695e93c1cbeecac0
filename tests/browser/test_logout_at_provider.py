"""Chromium signs out at the provider too, in both ways in which people are sent there.

Only a browser shows it: a redirect to another host after a form is held against the form-action of the form's page.
"""

import asyncio
import json
import shutil
from typing import Literal

import pytest

from gateway.config.snapshot import Logout
from gateway.model.provider import ProviderLogout
from tests.browser.test_walks import WALKS, WITHIN
from tests.portal.installation import ACTES, PORTAL, installed

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("method", ["get", "post"])
async def test_from_the_button_to_the_provider_and_back(method: Literal["get", "post"]) -> None:
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    async with installed() as here:
        here.metropole.end_session = True
        here.change("actes", logout=Logout(scope="global"))
        here.change_provider("metropole", logout=ProviderLogout(method))
        site = {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, ""), "executablePath": chromium}
        process = await asyncio.create_subprocess_exec(
            "node", str(WALKS / "logout_at_provider.mjs"), json.dumps(site), stderr=asyncio.subprocess.PIPE
        )
        try:
            _, said = await asyncio.wait_for(process.communicate(), WITHIN)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, said.decode()
