"""A gateway that starts its successor: what becomes of it, with programs that are no gateway."""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from gateway.server.restart import Restart, program_of
from tests.patience import PATIENCE, until
from tests.running import runs


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


WAITS = python("import time; time.sleep(600)")
POLICIES = Path("policies")


async def test_one_that_ends_is_told_of_with_what_it_said_and_another_may_be_started(
    capfd: pytest.CaptureFixture[str],
) -> None:
    restart = Restart(python("import os, sys; sys.exit(os.environ['STATUS'])"), {"STATUS": "no such address"})
    for _ in range(2):
        assert await restart.begin(lambda: False) == "the successor ended with 1:\nno such address"
        assert restart.successor == 0
        # Where a start by hand says it.
        assert capfd.readouterr().err == "no such address\n"
    assert await Restart(python("import sys; sys.exit(3)"), {}).begin(lambda: False) == (
        "the successor ended with 3, without a message"
    )


async def test_one_that_says_more_than_a_pipe_holds_is_no_hang_and_the_end_of_it_is_told() -> None:
    restart = Restart(python("import sys; print('x' * 1_000_000, file=sys.stderr); sys.exit('why')"), {})
    told = await restart.begin(lambda: False)
    assert told.endswith("x\nwhy")
    assert len(told) < 20_000


async def test_a_standard_error_that_nobody_reads_does_not_hold_up_the_answer() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    with suppress(BlockingIOError):
        while os.write(write_end, bytes(4096)):
            pass
    os.set_blocking(write_end, True)
    before = os.dup(2)
    os.dup2(write_end, 2)
    try:
        async with asyncio.timeout(PATIENCE):
            told = await Restart(python("import sys; sys.exit('why')"), {}).begin(lambda: False)
    finally:
        os.dup2(before, 2)
        for each in (before, write_end, read_end):
            os.close(each)
    assert told == "the successor ended with 1:\nwhy"


SERVES = """
import os, sys
from gateway.server.restart import own_standard_error
try:
    with own_standard_error(os.environ):
        print("while it serves", file=sys.stderr)
        sys.stderr.flush()
        if "WAITS" in os.environ:
            os.read(int(os.environ["WAITS"]), 1)
        raise OSError
except OSError:
    sys.exit(f"why it ended, {[name for name in os.environ if 'STANDARD_ERROR' in name]}")
"""


async def test_one_that_serves_has_a_standard_error_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    told = await Restart(python(SERVES), {}).begin(lambda: False)
    assert told == "the successor ended with 1:\nwhy it ended, []"
    assert capfd.readouterr().err == "while it serves\nwhy it ended, []\n"


async def test_what_a_successor_says_once_nobody_listens_is_in_its_own_standard_error(
    capfd: pytest.CaptureFixture[str],
) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    restart, leaves = Restart(python(SERVES), {"WAITS": str(read_end)}), asyncio.Event()
    begun = asyncio.create_task(restart.begin(leaves.is_set))
    said = ""

    def serves() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return "while it serves" in said

    await until(serves)
    leaves.set()
    assert await begun == ""
    os.write(write_end, b"!")
    await asyncio.to_thread(os.waitpid, restart.successor, 0)
    assert capfd.readouterr().err == "why it ended, []\n"
    os.close(read_end)
    os.close(write_end)


async def test_of_two_that_are_asked_for_at_once_one_is_started() -> None:
    restart = Restart(WAITS, {})
    begun = [asyncio.create_task(restart.begin(lambda: False)) for _ in range(2)]
    await until(lambda: restart.successor)
    done, _ = await asyncio.wait(begun, return_when=asyncio.FIRST_COMPLETED)
    assert [each.result() for each in done] == ["a restart is already under way"]
    restart.give_up()
    assert {await each for each in begun} == {
        "a restart is already under way",
        "the successor was ended by SIGTERM, without a message",
    }


async def test_once_this_gateway_is_told_to_leave_the_successor_is_left_to_itself() -> None:
    restart, told = Restart(WAITS, {}), asyncio.Event()
    begun = asyncio.create_task(restart.begin(told.is_set))
    await until(lambda: restart.successor)
    assert await restart.begin(told.is_set) == "a restart is already under way"
    told.set()
    assert await begun == ""
    assert runs(restart.successor)
    os.kill(restart.successor, 9)
    await asyncio.to_thread(os.waitpid, restart.successor, 0)


async def test_where_this_gateway_is_stopped_its_successor_is_as_well() -> None:
    restart = Restart(WAITS, {})
    restart.give_up()
    begun = asyncio.create_task(restart.begin(lambda: False))
    await until(lambda: restart.successor)
    restart.give_up()
    assert await begun == "the successor was ended by SIGTERM, without a message"


def test_it_is_the_same_program_on_the_same_folder() -> None:
    assert program_of(POLICIES)[-3:] == ("serve", "--replace", "policies")
