"""Chromium sends a form with a file of 20 MB when the session has ended, to PHP, and another from a second tab: they
arrive whole and once.

That nobody else on that browser sends it, tests/walks shows."""

import hashlib
import os
from pathlib import Path

import pytest

from tests.browser.chromium import walked
from tests.walks.place import ONE
from tests.walks.test_kept_posts import before_php

pytestmark = [pytest.mark.browser, pytest.mark.service]


async def test_forms_are_not_lost(tmp_path: Path) -> None:
    content = os.urandom(20 << 20)
    (tmp_path / "plan.pdf").write_bytes(content)
    async with before_php(tmp_path, idle="12s") as (world, application):
        site = {
            "app": world.place.url(ONE, ""),
            "portal": world.place.portal(""),
            "file": str(tmp_path / "plan.pdf"),
            "sha256": hashlib.sha256(content).hexdigest(),
            "pictures": str(tmp_path),
            "provider": world.alpha.url,
        }
        await walked("kept_post.mjs", site)
    assert [one["user"] for one in application.received()] == ["alice"] * 4
