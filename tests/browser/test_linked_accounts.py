"""Chromium links a person's account of an application with a login form: browsers hold a page's policy of forms against
the redirects that follow, which no other client of the tests does."""

from pathlib import Path

import pytest

from tests.browser.chromium import walked
from tests.interop.test_linked_accounts import behind
from tests.walks.place import ONE

pytestmark = [pytest.mark.browser, pytest.mark.service]

SECRET = "un secret d'Alice"


async def test_a_person_links_their_account_and_writes_its_new_password(tmp_path: Path) -> None:
    async with behind(tmp_path, "{by: [uid], ask: Ask GRR., missing: link}") as grr:
        grr.password("a.liddell", SECRET)
        await walked("link_account.mjs", {"app": grr.place.url(ONE, ""), "folder": str(grr.folder), "password": SECRET})
        assert set(grr.logins) == {"a.liddell"}
        grr.world.gateway.is_clean()
