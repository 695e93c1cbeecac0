"""Chromium before the demo. Each file of walks/ is one walk and says itself what it expects."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.place import copy_policies, free_ports
from deploy.demo.stack import PORTAL_HOST, Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

WALKS = Path(__file__).with_name("walks")
WITHIN = 300.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    folder, ports = tmp_path_factory.mktemp("demo"), free_ports()
    copy_policies(folder, ports)
    async with Demo(folder, ports) as running:
        yield running


async def walked(demo: Demo, name: str, **more: str) -> str:
    """What the walk prints. AssertionError, with what Chromium showed, if it goes otherwise than the file says."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    site = {
        "permis": demo.origin("permis.localhost"),
        "subventions": demo.origin("subventions.localhost"),
        "portal": demo.origin(PORTAL_HOST),
        "provider": demo.issuer("metropole"),
        "executablePath": chromium,
        **more,
    }
    process = await asyncio.create_subprocess_exec(
        "node", str(WALKS / name), json.dumps(site), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        printed, said = await asyncio.wait_for(process.communicate(), WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return printed.decode()


@pytest.mark.parametrize(
    "name", ["sign_in", "ten_tabs", "back_and_reload", "form_without_session", "logout", "frame", "background"]
)
async def test_walk(demo: Demo, name: str) -> None:
    await walked(demo, f"{name}.mjs")


async def test_the_reference_on_a_denied_page_is_in_the_log(demo: Demo) -> None:
    reference = json.loads(await walked(demo, "denied.mjs"))["reference"]
    lines = [json.loads(line) for line in demo.gateway.log.read_text().splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line.get("request_id") == reference)
    assert (line["event"], line["app"], line["code"]) == ("access.denied", "permis", "policy.not_allowed")
    assert line["rule"].startswith("policies/apps/permis.yaml:")


async def test_no_walk_met_a_fault(demo: Demo) -> None:
    """The last test of this file."""
    assert "gateway.fault" not in demo.gateway.log.read_text()
