"""What is frozen is never looked at again: garbage among it would stay for ever."""

import gc
import weakref
from collections.abc import Callable, Iterator

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


def test_where_little_is_new_nothing_is_looked_at() -> None:
    garbage.begin()
    gc.collect()
    circle, frozen = left_behind(), gc.get_freeze_count()
    garbage.settle_what_grew()
    assert (circle() is not None, gc.get_freeze_count()) == (True, frozen)
