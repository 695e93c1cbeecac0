"""Chromium before the demo as `make demo HOST=...` shows it."""

from pathlib import Path

import pytest

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.shown import shown
from deploy.demo.stack import PORTAL_HOST, Demo
from tests.browser.chromium import walked

pytestmark = pytest.mark.browser


async def test_people_sign_in_at_the_demo_that_is_shown_by_tls(tmp_path: Path) -> None:
    ports = free_ports()
    copy_policies(tmp_path, ports)
    async with Demo(tmp_path, ports, ldap=False, site=shown(tmp_path, "localhost", ports)) as demo:
        origins = {name: demo.origin(f"{name}.localhost") for name in ("elections", "examens")}
        await walked("shown_by_tls.mjs", {**origins, "portal": demo.origin(PORTAL_HOST), "story": demo.story})
        assert "gateway.fault" not in demo.gateway.log.read_text()
