import asyncio
import sys
from pathlib import Path

import pytest

from deploy.demo.processes import Child
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

DEAF = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); "
SLEEPS = DEAF + "time.sleep(600)"
WITH_CHILD = DEAF + f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"


async def start(tmp_path: Path, code: str) -> Child:
    return await Child.start("it", [sys.executable, "-c", code], folder=tmp_path, log=tmp_path / "it.log")


async def says(child: Child, text: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while text not in child.log.read_text():
            await asyncio.sleep(0.02)


async def test_it_is_asked_to_stop_first(tmp_path: Path) -> None:
    child = await start(tmp_path, "import time; print('ready', flush=True); time.sleep(600)")
    await says(child, "ready")
    assert child.status is None
    assert await child.stop(PATIENCE) == -15


async def test_what_does_not_stop_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    child = await start(tmp_path, WITH_CHILD)
    async with asyncio.timeout(PATIENCE):
        while len(pids := child.log.read_text().split()) < 2:
            await asyncio.sleep(0.02)
    assert await child.stop(0.2) == -9
    async with asyncio.timeout(PATIENCE):
        while any(_runs(int(pid)) for pid in pids):
            await asyncio.sleep(0.02)


async def test_one_that_has_ended_keeps_its_status(tmp_path: Path) -> None:
    child = await start(tmp_path, "raise SystemExit(3)")
    assert await child.ended() == 3
    assert await child.stop(1) == 3
    assert child.status == 3


async def test_the_process_that_it_leaves_in_its_place_is_followed_to_its_end(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}])"
    child = await start(tmp_path, code)
    assert await child.ended() == 0
    await says(child, "\n")
    successor = int(child.log.read_text())
    child.follow(successor)
    assert (child.pid, child.status) == (successor, None)
    assert await child.stop(0.2) == 0
    assert not _runs(successor)


async def test_ctrl_c_stops_the_process_left_in_its_place_at_once(tmp_path: Path) -> None:
    """The task that watched for its end is cancelled in the same turn of the loop."""
    leaves = "import time; print('ready', flush=True); time.sleep(600)"
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {leaves!r}]).pid, flush=True)"
    child = await start(tmp_path, code)
    assert await child.ended() == 0
    await says(child, "ready")
    successor = int(child.log.read_text().replace("ready", ""))
    child.follow(successor)
    watching = asyncio.create_task(child.ended())
    await asyncio.sleep(0)
    watching.cancel()
    async with asyncio.timeout(PATIENCE):
        assert await child.stop(2 * PATIENCE) == 0
    assert not _runs(successor)


async def test_what_cannot_be_started_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing-here"):
        await Child.start("it", ["/nothing-here"], folder=tmp_path, log=tmp_path / "it.log")


def _runs(pid: int) -> bool:
    """A process that is gone, or only waits for its parent to be told, does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
