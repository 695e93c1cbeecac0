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
    gc.unfreeze()
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


def test_where_little_is_new_nothing_is_looked_at() -> None:
    garbage.begin()
    gc.collect()
    circle, frozen = left_behind(), gc.get_freeze_count()
    garbage.settle_what_grew()
    assert (circle() is not None, gc.get_freeze_count()) == (True, frozen)
