"""OPT: K122. No check of ours is an assert: the gateway is attacked again as it runs under `python -O`."""

import asyncio
import re
import sys

from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.world import ROOT, World
from tests.patience import PATIENCE

GROUPS = ("PC", "OC")


async def without_asserts(world: World) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.attacks",
        *GROUPS,
        "--optimised",
        "--bare",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 10 * PATIENCE)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    told = output.decode("utf-8", "replace")
    found = re.search(r"^(\d+) passed, 0 failed$", told, re.MULTILINE)
    expect(found is not None and int(found[1]) > 200, f"under -O: {told[-1500:]}")


CASES: tuple[Case, ...] = (uncontrolled("K122", f"{', '.join(GROUPS)} again, under python -O", without_asserts),)
