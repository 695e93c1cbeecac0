import asyncio
import json
import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from gateway.ops.log import Log
from gateway.server.faults import into_log, watched, where
from tests.patience import until


class Lines:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "log"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT)
        self.log = Log(self._file, strict=True)

    async def one(self) -> dict[str, str]:
        await until(lambda: self._path.read_text().endswith("\n"))
        (line,) = self._path.read_text().splitlines()
        told: dict[str, str] = json.loads(line)
        return told

    def close(self) -> None:
        self.log.close()
        os.close(self._file)


@pytest.fixture
async def lines(tmp_path: Path) -> AsyncIterator[Lines]:
    lines = Lines(tmp_path)
    yield lines
    lines.close()


def fails() -> None:
    raise RuntimeError("the cookie was 123")


async def failing() -> None:
    fails()


def test_a_fault_is_told_by_its_place_and_never_by_its_text() -> None:
    try:
        fails()
    except RuntimeError as fault:
        told = where(fault)
    assert told.startswith("RuntimeError < fails:")
    assert "123" not in told
    assert where(ValueError("never raised")) == "ValueError"


async def test_a_callback_that_fails_is_in_the_log_and_not_on_standard_error(
    lines: Lines, capfd: pytest.CaptureFixture[str]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(into_log(lines.log))
    loop.call_soon(fails)
    told = await lines.one()
    assert told["event"] == "gateway.fault"
    assert "RuntimeError < fails:" in told["detail"]
    assert "123" not in told["detail"]
    assert capfd.readouterr() == ("", "")


async def test_a_task_that_nobody_awaits_says_how_it_failed(lines: Lines) -> None:
    task = asyncio.create_task(failing())
    task.add_done_callback(partial(watched, log=lines.log))
    told = await lines.one()
    assert (told["event"], told["detail"].startswith("RuntimeError < fails:")) == ("gateway.fault", True)


async def test_a_task_that_ends_well_or_is_cancelled_says_nothing(lines: Lines, tmp_path: Path) -> None:
    for task in (asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(60))):
        task.add_done_callback(partial(watched, log=lines.log))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.05)
    assert (tmp_path / "log").read_text() == ""
