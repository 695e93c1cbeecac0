"""Chromium signs out at the provider too, in both ways in which people are sent there.

Only a browser shows it: a redirect to another host after a form is held against the form-action of the form's page.
"""

from typing import Literal

import pytest

from gateway.config.snapshot import Logout
from gateway.model.provider import ProviderLogout
from tests.browser.chromium import walked
from tests.portal.installation import ACTES, PORTAL, installed

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("method", ["get", "post"])
async def test_from_the_button_to_the_provider_and_back(method: Literal["get", "post"]) -> None:
    async with installed() as here:
        here.metropole.end_session = True
        here.change("actes", logout=Logout(scope="global"))
        here.change_provider("metropole", logout=ProviderLogout(method))
        await walked("logout_at_provider.mjs", {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, "")})
