"""What the row counts as misjudged: it could not fail otherwise."""

from dataclasses import replace

import pytest

from tests.bench.reloads import _misjudged, _swap
from tests.bench.steady import Answered
from tests.walks.revisions import Window

# The second version comes between 10 and 12, and first answers at 11.5.
WINDOW = Window(10.0, 12.0, 1)


def even(began: float, ended: float, status: int) -> Answered:
    """The first version lets in, the second refuses."""
    return Answered("/even/page", began, ended, status)


@pytest.mark.parametrize(
    ("answered", "wrong"),
    [
        (even(9.0, 9.1, 200), 0),
        (even(9.0, 9.1, 403), 1),
        (even(10.5, 10.6, 200), 0),
        (even(10.5, 10.6, 403), 0),
        (even(12.5, 12.6, 403), 0),
        (even(12.5, 12.6, 200), 1),
        (even(9.9, 12.6, 200), 0),
        (even(12.5, 12.6, 502), 1),
        (replace(even(12.5, 12.6, 403), target="/odd/page"), 1),
        (replace(even(9.0, 9.1, 403), target="/private/page"), 1),
        (replace(even(9.0, 9.1, 200), target="/private/page"), 0),
    ],
)
def test_an_answer_is_wrong_that_no_version_live_during_its_request_would_give(answered: Answered, wrong: int) -> None:
    assert _misjudged([answered], [WINDOW], 0) == wrong


def test_a_swap_lasts_from_the_first_newer_answer_to_the_last_older_one() -> None:
    done = [even(10.1, 10.2, 200), even(11.4, 11.5, 403), even(11.5, 11.7, 200), even(11.8, 11.9, 403)]
    assert _swap(done, WINDOW) == (11.5, 11.7)
    assert _swap([even(10.1, 10.2, 200)], WINDOW) == (12.0, 12.0)
