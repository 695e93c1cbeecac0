import sys
from dataclasses import replace

from gateway.model.directory import DirectoryFinding
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.stores.sessions.seats import BYTES_A_SEAT, SeatCache, held_bytes
from tests.growth import steps


def cache() -> SeatCache:
    return SeatCache(100)


def test_an_end_costs_the_same_however_many_ended_in_the_minute_before() -> None:
    quiet, busy = cache(), cache()
    for number in range(5000):
        busy.end_sessions([f"s{number}"], 1000.0)
    assert steps(lambda: busy.end_sessions(["last"], 1030.0)) == steps(lambda: quiet.end_sessions(["last"], 1030.0))


def test_an_end_is_remembered_for_a_minute_from_when_it_was_told_of_last() -> None:
    seats = cache()
    seats.end_sessions(["once", "again"], 1000.0)
    seats.end_sessions(["again"], 1050.0)
    seats.end_sessions([], 1060.0)
    assert [id in seats.ended for id in ("once", "again")] == [True, True]
    seats.end_sessions([], 1061.0)
    assert [id in seats.ended for id in ("once", "again")] == [False, True]
    seats.end_sessions([], 1111.0)
    assert "again" not in seats.ended
    assert not seats._ends


def seat(number: int, attributes: dict[str, tuple[str, ...]]) -> Seat:
    identity = Identity("acme", "https://acme.example", f"subject {number}", attributes)
    return Seat(b"cookie %d" % number, "permis.example", f"s{number}", identity, None, 60.0, 60.0, 60.0, 0.0)


def large(number: int, characters: int) -> Seat:
    return seat(number, {"entitlements": ("é" * characters,)})


def test_people_with_twenty_attributes_are_all_kept() -> None:
    seats = cache()
    for number in range(100):
        seats.put(seat(number, {f"attribute {each}": (f"a value of {number} {each}, x",) for each in range(20)}))
    assert len(seats.seats) == 100
    seats.put(seat(100, {}))
    assert len(seats.seats) == 100


def test_people_with_large_attributes_take_no_more_than_all_may() -> None:
    seats = cache()
    for number in range(100):
        seats.put(large(number, 20_000))
        assert seats.bytes == sum(held_bytes(each) for each in seats.seats.values()) <= 100 * BYTES_A_SEAT
    assert 10 < len(seats.seats) < 30
    assert list(seats.seats)[-1] == b"cookie 99"
    for cookie in list(seats.seats):
        seats.drop(cookie)
    assert seats.bytes == 0


def test_one_person_puts_out_no_more_than_they_need() -> None:
    seats = cache()
    for number in range(100):
        seats.put(large(number, 4_000))
    before = list(seats.seats)
    assert before
    one = large(100, 40_000)
    seats.put(one)
    left = list(seats.seats)
    gone = len(before) + 1 - len(left)
    assert left == [*before[gone:], one.cookie]
    assert seats.bytes + held_bytes(large(0, 4_000)) > 100 * BYTES_A_SEAT


def test_a_person_who_is_larger_than_all_may_be_puts_nobody_out_and_is_ended_all_the_same() -> None:
    seats = cache()
    seats.put(seat(0, {}))
    huge = large(1, 1_000_000)
    seats.put(huge)
    assert [*seats.seats] == [b"cookie 0"]
    assert seats.end_sessions(["s1"], 1000.0) == (huge,)
    assert not huge.live


def test_what_becomes_known_of_a_person_counts_with_the_next_touch() -> None:
    seats = cache()
    held = [large(number, 4_000) for number in range(100)]
    for each in held:
        seats.put(each)
    before = [*seats.seats]
    grown = seats.seats[before[0]]
    finding = DirectoryFinding("agents", "f", "found", {"notes": ("x" * 100_000,)})
    grown.identity = replace(grown.identity, findings=(finding,))
    seats.touched(grown)
    assert [*seats.seats][-1] == grown.cookie
    assert seats.bytes == sum(held_bytes(each) for each in seats.seats.values()) <= 100 * BYTES_A_SEAT
    assert len(seats.seats) < len(before)


def test_a_person_who_becomes_larger_than_all_may_be_goes_alone() -> None:
    seats = cache()
    held = [seat(number, {}) for number in range(3)]
    for each in held:
        seats.put(each)
    held[1].identity = large(1, 1_000_000).identity
    seats.touched(held[1])
    assert [*seats.seats.values()] == [held[0], held[2]]


def test_what_is_said_of_a_person_is_weighed_without_a_call_for_each_text() -> None:
    """Which a look at an abstract class is: it was the dearest part of putting a person into memory."""

    def calls(texts: int) -> int:
        weighed, called = seat(0, {"groups": tuple(f"group {number}" for number in range(texts))}), list[str]()
        sys.setprofile(lambda frame, event, _: called.append(event) if event == "call" else None)
        try:
            held_bytes(weighed)
        finally:
            sys.setprofile(None)
        return len(called)

    assert calls(40) == calls(2)
