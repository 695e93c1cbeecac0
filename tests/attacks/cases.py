"""What a case of the corpus is, and how it says that it failed."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attacks.world import World

Run = Callable[["World"], Awaitable[None]]


class Failed(Exception):
    """What was sent, what was expected and what was seen, in words for the person who reads the run."""


@dataclass(frozen=True, slots=True)
class Case:
    """`id`: the line of the corpus and the number in it, `HS01.3`. `meaning`: one line.

    `controlled`: it has to fail where a permissive stand-in takes the gateway's place.
    """

    id: str
    meaning: str
    run: Run
    controlled: bool = True

    @property
    def name(self) -> str:
        return f"{self.id} {self.meaning}"


def uncontrolled(id: str, meaning: str, run: Run) -> Case:
    """A case that shows that something works, or that asks no gateway at all: a stand-in tells nothing of it."""
    return Case(id, meaning, run, controlled=False)


def expect(holds: bool, why: str) -> None:
    """Not `assert`: that is gone under `python -O`, where a part of this runs too (K122)."""
    if not holds:
        raise Failed(why)


def numbered(id: str, rows: Iterable[tuple[str, Run]], *, first: int = 1, controlled: bool = True) -> tuple[Case, ...]:
    """`first`: the number of the first, for what goes on from the corpus's own."""
    return tuple(Case(f"{id}.{number}", meaning, run, controlled) for number, (meaning, run) in enumerate(rows, first))
