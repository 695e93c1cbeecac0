"""Threads that a source holds for ever: a library that waits without an end takes no directory away for good."""

import asyncio
from threading import Event

import pytest

from gateway.directories.source import DirectoryAway, FindingAndFaults, InThreads
from gateway.model.directory import DirectoryFinding
from tests.patience import PATIENCE, until

ANSWER = DirectoryFinding("staff", "", "none"), ()


class Holding:
    """Holds whoever asks while `holds`, until `let_go`."""

    def __init__(self) -> None:
        self.holds = True
        self.let_go = Event()

    def finding(self, key: str, now: int) -> FindingAndFaults:
        if self.holds:
            self.let_go.wait()
        return ANSWER

    def close(self) -> None: ...


async def asked(source: InThreads, within: float = PATIENCE) -> object:
    return await asyncio.wait_for(source.finding("alice", 1), within)


async def held(source: InThreads) -> None:
    with pytest.raises(TimeoutError):
        await asked(source, 0.02)


async def test_threads_that_are_held_are_given_up_after_a_minute_and_not_without_end() -> None:
    now = 0.0
    there = Holding()
    source = InThreads("staff", there, 2, lambda: now)
    try:
        for _ in range(16):
            for _ in range(2):
                await held(source)
            with pytest.raises(DirectoryAway, match="owes"):
                await asked(source)
            now += 61
        there.holds = False
        assert await asked(source) == ANSWER, "it is asked by new threads"
        there.let_go.set()
        await asyncio.sleep(0.05)
        there.holds = True
        there.let_go.clear()
        for _ in range(2):
            await held(source)
        now += 61
        with pytest.raises(DirectoryAway, match="owes"):
            await asked(source)
        there.let_go.set()
        await until(lambda: not source._owed)
        there.holds = False
        assert await asked(source) == ANSWER, "and those that come back free it"
    finally:
        there.let_go.set()
        await source.close()
