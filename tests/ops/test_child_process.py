"""A child answers one question, within its time, or the operator is told why not."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from gateway.ops.child_process import ChildFailed, ask_once
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.asyncio


async def asked(*command: str, within: float = PATIENCE) -> object:
    return await ask_once(command, b"7\n", json.loads, within=within)


async def test_it_reads_the_question_and_its_output_is_the_answer() -> None:
    assert await asked(sys.executable, "-c", "print([int(input()) + 1])") == [8]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("/no/such/program",), "the helper process cannot be started: .*No such file"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "ended with status 3, without an answer"),
        ((sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"), "ended with status -9, without an answer"),
        ((sys.executable, "-c", "print('nonsense')"), "ended with status 0, without an answer"),
    ],
)
async def test_a_child_without_an_answer_says_why(command: tuple[str, ...], why: str) -> None:
    with pytest.raises(ChildFailed, match=why):
        await asked(*command)


async def test_a_child_that_hangs_is_not_waited_for() -> None:
    with pytest.raises(ChildFailed, match=r"did not answer within 0\.1 s"):
        await asked("/bin/sh", "-c", "exec sleep 600", within=0.1)


async def test_a_child_whose_answer_is_no_longer_wanted_is_killed_together_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hangs = f"sleep 600 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; wait"
    waiting = asyncio.create_task(asked("/bin/sh", "-c", hangs))
    await until(pids.exists)
    waiting.cancel()
    await asyncio.wait([waiting])
    await until(lambda: not any(map(_runs, pids.read_text().split())))


def _runs(pid: str) -> bool:
    """A killed grandchild may be a zombie, until its new parent has looked."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
