"""A gateway that starts its successor: what becomes of it, with programs that are no gateway."""

import asyncio
import os
import sys
from pathlib import Path

from gateway.server.restart import Restart, program_of
from tests.patience import until
from tests.walks.gateway import runs


def python(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


WAITS = python("import time; time.sleep(600)")
POLICIES = Path("policies")


async def test_one_that_ends_is_told_of_and_another_may_be_started() -> None:
    restart = Restart(POLICIES, python("import os, sys; sys.exit(int(os.environ['STATUS']))"), {"STATUS": "3"})
    for _ in range(2):
        assert await restart.begin(lambda: False) == (
            "the new one ended with 3, its standard error says why, and so does `ecluse check policies` "
            "where the folder is wrong"
        )
        assert restart.successor == 0


async def test_once_this_gateway_is_told_to_leave_the_successor_is_left_to_itself() -> None:
    restart, told = Restart(POLICIES, WAITS, {}), asyncio.Event()
    begun = asyncio.create_task(restart.begin(told.is_set))
    await until(lambda: restart.successor)
    assert await restart.begin(told.is_set) == "one is under way"
    told.set()
    assert await begun == ""
    assert runs(restart.successor)
    os.kill(restart.successor, 9)
    await asyncio.to_thread(os.waitpid, restart.successor, 0)


async def test_where_this_gateway_is_stopped_its_successor_is_as_well() -> None:
    restart = Restart(POLICIES, WAITS, {})
    restart.give_up()
    begun = asyncio.create_task(restart.begin(lambda: False))
    await until(lambda: restart.successor)
    restart.give_up()
    assert (await begun).startswith("the new one ended with -15")


def test_it_is_the_same_program_on_the_same_folder() -> None:
    assert program_of(POLICIES)[-3:] == ("serve", "--replace", "policies")
