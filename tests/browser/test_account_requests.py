"""Chromium sends a request for an account: by its own form, once, in either language."""

from contextlib import closing

import pytest

from gateway.accounts.request_file import RequestFile, requests_path
from gateway.model.account import AccountSettings
from tests.browser.chromium import walked
from tests.portal.installation import ACTES, KEYS, PORTAL, installed

pytestmark = pytest.mark.browser


async def test_a_person_asks_for_their_account() -> None:
    async with installed() as here:
        here.link_accounts("actes", AccountSettings(by=("uid",), ask=(("", "Écrivez à la DSI."),), missing="request"))
        printed = await walked("ask_for_account.mjs", {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, "")})
        with closing(RequestFile(requests_path(here.state), KEYS)) as file:
            (kept,) = file.all()
        assert (kept.reference, kept.asked.text) == (printed.strip(), "Je remplace Paul")
