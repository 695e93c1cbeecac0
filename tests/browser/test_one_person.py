"""Chromium becomes another person on the portal, with the first person's pages open on two applications."""

import pytest

from gateway.model.provider import AttributeSource
from tests.browser.chromium import walked
from tests.portal.installation import ACTES, PERMIS, PORTAL, installed

pytestmark = pytest.mark.browser


async def test_another_account_on_the_portal_is_another_account_everywhere() -> None:
    async with installed() as here:
        here.change_provider("metropole", attributes={"uid": AttributeSource(("preferred_username",))})
        here.change("permis", providers=("metropole",))
        site = {"actes": ACTES, "permis": PERMIS, "portal": PORTAL}
        urls = {name: here.url(host, "") for name, host in site.items()}
        await walked("one_person.mjs", {**urls, "provider": here.metropole.issuer})
