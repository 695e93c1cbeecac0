"""Two sets of rules that take turns: which of them may have answered a request."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """`then` becomes the live set somewhere between `asked` and `told` (monotonic seconds)."""

    asked: float
    told: float
    then: int


def possible(began: float, ended: float, windows: Iterable[Window], first: int = 0) -> set[int]:
    """The sets that were live at some moment of this request. `first`: the one before all windows."""
    live = {first}
    for window in windows:
        if began >= window.told:
            live = {window.then}
        elif ended >= window.asked:
            live.add(window.then)
    return live
