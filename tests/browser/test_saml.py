"""Chromium before the demo's SAML provider, whose page is left open for three minutes.

Nobody waits: the gateway's clock is moved (tests/walks/clock), while the provider and Chromium keep theirs.
"""

import os
from pathlib import Path

import pytest

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.stack import Demo
from tests.browser.test_walks import walked

pytestmark = pytest.mark.browser
CLOCK = Path(__file__).parents[1] / "walks/clock"


async def test_a_page_left_open_for_three_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved, ports = tmp_path / "clock", free_ports()
    moved.write_text("0")
    monkeypatch.setenv("PYTHONPATH", f"{CLOCK}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.setenv("ECLUSE_TEST_CLOCK", str(moved))
    copy_policies(tmp_path, ports)
    async with Demo(tmp_path, ports) as demo:
        await walked(demo, "saml.mjs", region=demo.issuer("region"), clock=str(moved))
        assert moved.read_text() == "180"
        assert "gateway.fault" not in demo.gateway.log.read_text()
