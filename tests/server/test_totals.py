from gateway.ops.counters import encode
from gateway.server.totals import Totals, total

REQUESTS = ("ecluse_http_requests_total", "one", "2xx")
CONNECTIONS = ("ecluse_http_connections",)
BUCKET, SUM = ("ecluse_overhead_seconds_bucket", "0.001"), ("ecluse_overhead_seconds_sum",)
STOP = ("ecluse_event_loop_stop_max_seconds",)
DEATHS = ("ecluse_worker_deaths_total",)


def dump(requests: int, connections: int = 1, stop: float = 0.001) -> bytes:
    return encode({REQUESTS: requests, CONNECTIONS: connections, BUCKET: requests, SUM: 0.5, STOP: stop})


def test_the_living_are_added_up_and_the_longest_stop_counts() -> None:
    totals = Totals()
    totals.keep(1, dump(10, stop=0.002))
    totals.keep(2, dump(5, stop=0.009))
    totals.keep(2, dump(6, stop=0.003))
    found = total(totals.copied())
    assert (found[REQUESTS], found[CONNECTIONS], found[STOP]) == (16, 2, 0.003)


def test_what_a_worker_does_not_tell_again_is_as_it_was() -> None:
    totals = Totals()
    totals.keep(1, dump(10))
    totals.keep(1, encode({CONNECTIONS: 4}))
    totals.keep(1, encode({}))
    found = total(totals.copied())
    assert (found[REQUESTS], found[CONNECTIONS]) == (10, 4)


def test_a_total_never_goes_back_when_a_worker_dies_and_what_it_held_is_gone() -> None:
    totals = Totals()
    totals.keep(1, dump(10, connections=7, stop=0.5))
    totals.keep(2, dump(5, connections=1))
    totals.retire(1, died=True)
    found = total(totals.copied())
    assert (found[REQUESTS], found[BUCKET], found[SUM]) == (15, 15, 1.0)
    assert (found[CONNECTIONS], found[STOP], found[DEATHS]) == (1, 0.001, 1)
    totals.retire(2, died=True)
    assert total(totals.copied())[REQUESTS] == 15
    assert total(totals.copied())[DEATHS] == 2


def test_who_was_told_to_leave_did_not_die() -> None:
    totals = Totals()
    totals.keep(1, dump(10))
    totals.retire(1, died=False)
    assert DEATHS not in total(totals.copied())
    assert total(totals.copied())[REQUESTS] == 10


def test_a_worker_that_never_said_anything_leaves_nothing() -> None:
    totals = Totals()
    totals.retire(1, died=False)
    assert total(totals.copied()) == {}


def test_only_a_good_reload_moves_its_moment() -> None:
    totals = Totals()
    before = totals.reloaded_at
    totals.reloaded(False)
    assert (totals.reload_successful, totals.reloaded_at) == (False, before)
    totals.reloaded(True)
    assert totals.reload_successful
    assert totals.reloaded_at >= before
