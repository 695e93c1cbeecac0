"""Keyrings: which key is in use and which are accepted at a time, and how rotation and retirement change that."""

import json
from typing import Any

import pytest

from gateway.config.keyring import (
    Keyring,
    NoKeyring,
    RingKey,
    in_force,
    in_use,
    keyring_text,
    read_keyring,
    retired,
    rotated,
    with_key,
)

NOW, DAY = 1_800_000_000, 86400


def key(id: str, since: int = 0, until: int | None = None) -> RingKey:
    return RingKey(id, NOW + since, None if until is None else NOW + until, {"secret": f"secret of {id} " * 4})


def ring(*keys: RingKey) -> Keyring:
    return Keyring("store", keys)


def ids(found: Keyring) -> list[str]:
    return [one.id for one in found.keys]


def test_the_one_that_began_last_is_in_use_and_every_other_that_has_not_ended_is_accepted() -> None:
    some = ring(key("old", -9, 5), key("over", -8, 0), key("used", -2), key("next", 3))
    assert ids(in_force(some, NOW)) == ["used", "next", "old"]
    assert ids(in_force(some, NOW + 2)) == ["used", "next", "old"]
    assert ids(in_force(some, NOW + 3)) == ["next", "used", "old"]
    assert ids(in_force(some, NOW + 5)) == ["next", "used"]


def test_a_key_is_never_used_before_its_date_even_where_it_is_the_only_one() -> None:
    assert ids(in_force(ring(key("next", 1)), NOW)) == []
    assert ids(in_force(ring(key("next", 1), key("over", -1, 0)), NOW)) == []
    assert in_use(ring(), NOW) is None


def test_a_rotation_adds_a_key_that_is_known_at_once_and_ends_the_others_after_it() -> None:
    after = rotated(ring(key("a", -9), key("b", -8, 10), key("over", -9, 0)), key("c", 60), 100, NOW)
    assert [(one.id, one.until and one.until - NOW) for one in after.keys] == [("a", 160), ("b", 10), ("c", None)]
    assert ids(in_force(after, NOW)) == ["b", "c", "a"]
    assert ids(in_force(after, NOW + 60)) == ["c", "a"]
    assert ids(in_force(after, NOW + 160)) == ["c"]


def test_what_is_added_takes_what_is_over_out() -> None:
    assert ids(with_key(ring(key("over", -9, 0), key("a", -5)), key("b"), NOW)) == ["a", "b"]


def test_the_key_in_use_is_retired_only_where_another_follows_it_by_then() -> None:
    some = ring(key("a", -9), key("b", 60))
    for at in (0, 59):
        with pytest.raises(NoKeyring, match="a is the key in use, and none follows it by then: rotate first"):
            retired(some, "a", NOW + at, NOW)
    assert ids(in_force(retired(some, "a", NOW + 60, NOW), NOW + 60)) == ["b"]
    assert ids(in_force(retired(some, "b", NOW, NOW), NOW)) == ["a"]
    with pytest.raises(NoKeyring, match="there is no key c"):
        retired(some, "c", NOW, NOW)


def test_a_rotation_that_is_taken_back_leaves_the_key_in_use_without_an_end() -> None:
    before = rotated(ring(key("a", -9), key("b", -5)), key("c", 60), 100, NOW)
    after = retired(before, "c", NOW, NOW)
    assert {one.id: one.until for one in after.keys} == {"a": NOW + 160, "b": None, "c": NOW}
    assert ids(in_force(after, NOW + 10 * DAY)) == ["b"]
    # It has begun by then, and another one waits: the end stays.
    assert {one.id: one.until for one in retired(before, "a", NOW, NOW).keys}["b"] == NOW + 160
    waits = ring(key("a", -9, 200), key("b", 60), key("c", 90))
    assert {one.id: one.until for one in retired(waits, "b", NOW, NOW).keys}["a"] == NOW + 200


def test_a_file_is_read_as_it_was_written() -> None:
    some = ring(key("a", 0, DAY), key("b", 3))
    assert read_keyring(keyring_text(some)) == some
    assert b'"from": "2027-01-15T08:00:00Z"' in keyring_text(some)
    assert "secret of" not in repr(some)


def changed(**members: Any) -> bytes:
    told = {"id": "a", "from": "2027-01-15T08:00:00Z", "secret": "s", **members}
    return json.dumps({"keyring": "store", "keys": [{k: v for k, v in told.items() if v is not None}]}).encode()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff", "this is no keyring"),
        (b"[]", "this is no keyring"),
        (b"[" * 100_000, "this is no keyring"),
        (b'{"keyring": "other", "keys": []}', "this is no keyring"),
        (b'{"keyring": "store", "keys": {}}', "this is no keyring"),
        (b'{"keyring": "store", "keys": [1]}', "key 1 has not the members of a store key"),
        (changed(secret=None), "key 1 has not the members"),
        (changed(other="x"), "key 1 has not the members"),
        (changed(secret=1), "a member that is no text"),
        (changed(id="a b"), "no id as it can be"),
        (changed(id=""), "no id as it can be"),
        (changed(until="tomorrow"), "key 1: a date is written 2026-12-01T08:00:00Z"),
        (keyring_text(ring(key("a"), key("a"))), "an id is there twice"),
        (keyring_text(ring(*(key(f"k{n}") for n in range(17)))), "more than 16 keys"),
    ],
)
def test_what_is_no_keyring_is_refused_without_what_is_in_it(content: bytes, why: str) -> None:
    with pytest.raises(NoKeyring, match=why):
        read_keyring(content)
