"""Threads that a source holds for ever, and a source that does not answer.

A library that waits without an end takes no directory away for good, and no person takes it away from others."""

import asyncio
from threading import Event

import pytest

from gateway.directories.source import DirectoryAway, FindingAndFaults, InThreads, SourceCircuit
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
            self.let_go.wait(PATIENCE)
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
            with pytest.raises(DirectoryAway, match="an earlier query"):
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
        with pytest.raises(DirectoryAway, match="an earlier query"):
            await asked(source)
        there.let_go.set()
        await until(lambda: not source._owed)
        there.holds = False
        assert await asked(source) == ANSWER, "and those that come back free it"
    finally:
        there.let_go.set()
        await source.close()


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asks(circuit: SourceCircuit, key: str, *, fails: bool = True) -> bool:
    """Whether it was asked."""
    try:
        circuit.enter(key)
    except DirectoryAway:
        return False
    if fails:
        circuit.note_failure(key)
    else:
        circuit.note_answer()
    return True


def test_one_that_answers_about_nobody_is_left_alone_for_a_while() -> None:
    clock = Clock()
    circuit = SourceCircuit(clock)
    assert [asks(circuit, key) for key in "abcd"] == [True, True, True, False]
    clock.now += 5
    assert [asks(circuit, key) for key in "de"] == [True, False], "one goes to see"
    clock.now += 5
    assert [asks(circuit, key, fails=False) for key in "ee"] == [True, True]


def test_one_person_of_whom_it_cannot_say_anything_takes_it_away_from_nobody() -> None:
    circuit = SourceCircuit(Clock())
    assert [asks(circuit, "mallory") for _ in range(12)] == [True] * 12
    assert asks(circuit, "alice", fails=False)


def test_nor_keeps_it_away_when_it_is_back() -> None:
    clock = Clock()
    circuit = SourceCircuit(clock)
    for key in ("mallory", "alice", "bob"):
        asks(circuit, key)
    clock.now += 5
    assert asks(circuit, "mallory")
    assert asks(circuit, "alice", fails=False), "mallory's failure says nothing new"
    assert asks(circuit, "bob", fails=False)


def test_while_one_goes_to_see_the_others_are_told_at_once() -> None:
    clock = Clock()
    circuit = SourceCircuit(clock)
    for key in "abc":
        asks(circuit, key)
    clock.now += 5
    circuit.enter("a")
    circuit.note_failure("b")
    assert not asks(circuit, "c"), "who was asked about before says nothing of who goes to see"


def test_the_keys_that_are_remembered_are_bounded() -> None:
    clock = Clock()
    circuit = SourceCircuit(clock)
    for number in range(200):
        asks(circuit, str(number))
        clock.now += 5
    assert len(circuit._failed) == 64
