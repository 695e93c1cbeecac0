from gateway.stores.seats import SeatCache
from tests.growth import steps


def cache() -> SeatCache:
    return SeatCache(100, lambda cookie: b"")


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
