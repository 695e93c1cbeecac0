import asyncio
import subprocess
import sys

import pytest

from tests.patience import bounded, killed_if_late

ENDLESS = "import time; print('begun', flush=True); time.sleep(600)"


async def test_a_test_that_waits_for_what_never_comes_ends_by_itself() -> None:
    with pytest.raises(TimeoutError):
        await bounded(asyncio.Event().wait, within=0.01)()


async def test_every_test_that_takes_seconds_is_bounded_so() -> None:
    task = asyncio.current_task()
    assert task is not None
    around = [frame.f_code.co_qualname for frame in task.get_stack()]
    assert bounded(asyncio.sleep, 1.0).__code__.co_qualname in around  # type: ignore[attr-defined]


def test_a_process_that_says_nothing_more_is_read_to_its_end() -> None:
    with subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, text=True) as process:
        with killed_if_late(process) as printed:
            assert printed.readline() == "begun\n"
        with killed_if_late(process, within=0.01) as printed:
            assert printed.readline() == ""
    assert process.returncode == -9
