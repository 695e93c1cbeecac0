"""What is frozen is never looked at again: garbage among it would stay for ever."""

import gc
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from gateway.server import garbage


class Circle:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    gc.disable()
    yield
    gc.enable()
    gc.set_threshold(*thresholds)


def left_behind() -> weakref.ref[Circle]:
    return weakref.ref(Circle())


def rested_and_built() -> None:
    garbage.rested()
    garbage.built()


@pytest.mark.parametrize("freezes", [garbage.settle, rested_and_built])
def test_garbage_is_collected_before_what_is_there_is_frozen(freezes: Callable[[], None]) -> None:
    circle, frozen = left_behind(), gc.get_freeze_count()
    assert circle() is not None
    freezes()
    assert circle() is None
    assert gc.get_freeze_count() > frozen


@pytest.mark.parametrize("library", ["as it is", "without the call"])
def test_what_was_freed_goes_back_where_the_library_of_c_can(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    there = SimpleNamespace(malloc_trim=asked.append) if library == "as it is" else SimpleNamespace()
    monkeypatch.setattr(garbage.ctypes, "CDLL", lambda _: there)
    garbage.settle_at_start()
    assert asked == ([0] if library == "as it is" else [])


def test_what_grows_within_one_second_is_never_looked_at_all_at_once() -> None:
    """The loop stands still for as long as it takes: 50,000 objects of first visits were 15 ms."""
    garbage.begin()
    garbage.settle()
    due: list[Callable[[], None]] = []
    frozen, kept, seen = gc.get_freeze_count(), [Circle()], []
    with garbage.settling(due.append):
        gc.enable()
        while len(kept) < 60_000:
            kept.append(Circle())
            if due:
                # The loop's next turn, in which more may have come.
                kept += [Circle() for _ in range(100)]
                seen.append(len(gc.get_objects()))
                due.pop()()
        gc.disable()
    assert len(seen) >= 5
    assert max(seen) < 12_000
    assert gc.get_freeze_count() - frozen >= 50_000


def test_a_settling_brings_no_other_and_ends_with_its_worker() -> None:
    due: list[Callable[[], None]] = []
    before = len(gc.callbacks)
    with garbage.settling(due.append):
        garbage.settle()
        garbage.rested()
        assert due == []
        gc.collect(0)
        assert due == [garbage.settle]
    gc.collect(0)
    assert (len(due), len(gc.callbacks)) == (1, before)
