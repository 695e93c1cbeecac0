"""The table of `make nodes`, by hand."""

from collections import Counter
from dataclasses import replace

import pytest

from tests.nodes.matrix import HEAD, PAGE, Run, row, written
from tests.nodes.servers import Nine, Trio

WELL = Run(Counter({200: 100}), 0, 0, 0, 0, without=0.5, recovered=0.0)
ILL = Run(Counter({200: 90, 503: 6, 0: 4}), 0, 0, 0, 0, without=3.26, recovered=4.0)
PLACE = "before\n<!-- make nodes: cluster -->\n<!-- cluster -->\nafter\n"


def test_a_row_has_what_was_seen_in_all_runs_and_the_longest_times() -> None:
    assert row("it fell", [WELL, ILL]) == "| it fell | 4 × no answer, 6 × 503 of 200 requests | 3.3 s | 4.0 s |"
    assert row("it fell", [WELL]) == "| it fell | nothing of 100 requests | 0.5 s | at once |"


@pytest.mark.parametrize(
    ("harmed", "words"),
    [
        ({"asked_to_sign_in": 2}, "2 sent to sign in"),
        ({"mixed_up": 1}, "1 mixed up"),
        ({"lost": 3}, "3 sessions lost"),
        ({"replayed": 1}, "1 replays accepted"),
    ],
)
def test_what_may_never_come_of_a_fault_stands_in_its_row(harmed: dict[str, int], words: str) -> None:
    run = replace(WELL, **harmed)
    assert run.harm == words
    assert f"; **{words}** |" in row("it fell", [WELL, run])
    assert not WELL.harm


def test_rows_take_the_place_of_those_of_the_same_faults() -> None:
    once = written(PLACE, "cluster", ["| one | a |", "| two | b |"])
    again = written(once, "cluster", ["| two | c |"])
    assert again == f"before\n<!-- make nodes: cluster -->\n{HEAD}| one | a |\n| two | c |\n<!-- cluster -->\nafter\n"


def test_the_page_has_a_place_for_each_kind_of_servers() -> None:
    page = PAGE.read_text("utf-8")
    for store in (Trio, Nine):
        assert "| it fell |" in written(page, store.name, ["| it fell |"])
    with pytest.raises(ValueError, match="no place for elsewhere"):
        written(page, "elsewhere", [])
