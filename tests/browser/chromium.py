"""Chromium, walked by a file of walks/, which says itself what it expects."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

WALKS = Path(__file__).with_name("walks")
_WITHIN = 420.0


async def walked(name: str, site: Mapping[str, str]) -> str:
    """What the walk prints. AssertionError, with what Chromium showed, if it goes otherwise than the file says."""
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: run `make test` once"
    told = json.dumps({**site, "executablePath": chromium})
    process = await asyncio.create_subprocess_exec(
        "node", str(WALKS / name), told, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        printed, said = await asyncio.wait_for(process.communicate(), _WITHIN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return printed.decode()
