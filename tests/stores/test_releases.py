"""Two releases that follow each other serve one store side by side: each reads what the other writes.

A release adds its line to RELEASES before the next one begins; what is being made is always the last line.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest

from gateway import __version__
from gateway.stores.sealing import READABLE, VERSION


class Release(NamedTuple):
    """The version of records that it writes, and those that it reads."""

    name: str
    writes: int
    reads: frozenset[int]


# Nothing is released yet.
RELEASES: tuple[Release, ...] = ()
BEING_MADE = Release(__version__, VERSION, READABLE)


def troubles(releases: Sequence[Release]) -> list[str]:
    found = [f"{one.name} does not read what it writes" for one in releases if one.writes not in one.reads]
    for before, after in pairwise(releases):
        if after.writes not in before.reads:
            found.append(f"{before.name} cannot read what {after.name} writes beside it")
        if before.writes not in after.reads:
            found.append(f"{after.name} cannot read what {before.name} writes beside it")
    return found


def test_each_release_reads_what_the_one_before_and_the_one_after_it_write() -> None:
    assert troubles([*RELEASES, BEING_MADE]) == []


def of(number: int, writes: int, reads: set[int]) -> Release:
    return Release(str(number), writes, frozenset(reads))


@pytest.mark.parametrize(
    ("releases", "found"),
    [
        ([of(1, 2, {1, 2}), of(2, 2, {2, 3}), of(3, 3, {2, 3})], []),
        ([of(1, 2, {2}), of(2, 3, {2, 3})], ["1 cannot read what 2 writes beside it"]),
        ([of(1, 2, {2, 3}), of(2, 3, {3})], ["2 cannot read what 1 writes beside it"]),
        ([of(1, 2, {1})], ["1 does not read what it writes"]),
    ],
)
def test_a_version_is_read_one_release_before_it_is_written(releases: list[Release], found: list[str]) -> None:
    assert troubles(releases) == found
