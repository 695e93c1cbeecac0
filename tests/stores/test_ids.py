from collections import Counter

import pytest

from gateway.stores.ids import SHARDS, new_id, shard_of, shard_of_browser
from tests.stores.samples import browser


def test_a_shard_part_is_the_first_character_and_the_rest_is_random() -> None:
    ids = [new_id(shard="x") for _ in range(100)]
    assert {shard_of(id) for id in ids} == {"x"}
    assert len({id[1:] for id in ids}) == 100
    assert (len(new_id(shard="x")), len(new_id(size=16, shard="x")), len(new_id())) == (43, 22, 43)


def test_ids_without_one_fall_everywhere() -> None:
    assert {shard_of(new_id()) for _ in range(5000)} == set(SHARDS)


def test_the_browsers_fall_everywhere_and_each_in_one_place() -> None:
    found = Counter(shard_of_browser(browser(str(number))) for number in range(6400))
    assert set(found) == set(SHARDS)
    assert max(found.values()) < 200
    assert shard_of_browser("binding") == shard_of_browser("binding")


@pytest.mark.parametrize("id", ["", "é", "{t}", "*", "\x00", "\ud800", "\r\n"])
def test_what_is_no_id_of_ours_has_a_place_all_the_same(id: str) -> None:
    assert shard_of(id) == SHARDS[0]
    assert shard_of_browser(id) in SHARDS
