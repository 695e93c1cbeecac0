from hypothesis import given
from hypothesis import strategies as st

from gateway.ops import counters as module
from gateway.ops.counters import DROPPED_SERIES, OVERHEAD, OVERHEAD_BOUNDS, Counters, Dump, add, decode, empty, encode

KEYS = st.tuples(st.sampled_from(["ecluse_a_total", "ecluse_b_total", "ecluse_stop_max_seconds"]), st.text(max_size=3))
DUMPS = st.dictionaries(KEYS, st.integers(0, 1000).map(float), max_size=6)


def test_each_key_counts_for_itself() -> None:
    counters = Counters()
    for key in (("a", "x"), ("a", "x"), ("a", "y"), ("a",), ("a", "x", "")):
        counters.add(*key)
    assert [counters.values[key] for key in (("a", "x"), ("a", "y"), ("a",), ("a", "x", ""))] == [2, 1, 1, 1]


def test_overhead_falls_into_the_bucket_whose_bound_it_does_not_pass() -> None:
    counters = Counters()
    for seconds in (0.0, 0.000025, 0.0000251, 1.0, 1.1, 60.0):
        counters.overhead(seconds)
    filled = {key[1]: value for key, value in counters.all().items() if key[0] == f"{OVERHEAD}_bucket" and value}
    assert filled == {"2.5e-05": 2, "5e-05": 1, "1.0": 1, "+Inf": 2}
    assert abs(counters.all()[f"{OVERHEAD}_sum",] - 62.1000501) < 1e-9
    assert sorted({*OVERHEAD_BOUNDS}) == [*OVERHEAD_BOUNDS]


def test_a_gauge_is_what_it_was_last_set_to() -> None:
    counters = Counters()
    counters.gauge(3, "ecluse_http_connections")
    counters.gauge(2, "ecluse_http_connections")
    assert counters.values["ecluse_http_connections",] == 2


def test_a_dump_goes_to_the_supervisor_and_back() -> None:
    counters = Counters()
    counters.add("ecluse_http_requests_total", "permis", 'é",\n\ud800')
    counters.overhead(0.0003)
    assert told(counters) == counters.all()
    assert counters.all()[f"{OVERHEAD}_bucket", "0.0005"] == 1
    assert decode(encode(empty())) == {}


def told(counters: Counters) -> Dump:
    return {key: value for part in counters.news() for key, value in decode(part).items()}


def test_only_what_changed_is_told_and_as_it_is_then() -> None:
    counters = Counters()
    counters.add("a", "x")
    counters.gauge(3, "held")
    counters.overhead(0.0003)
    assert told(counters) == counters.all()
    assert told(counters) == {}
    counters.gauge(3, "held")
    counters.count(4, "a", "x")
    counters.overhead(0.0003)
    assert told(counters) == {
        ("a", "x"): 5, (f"{OVERHEAD}_bucket", "0.0005"): 2, (f"{OVERHEAD}_sum",): 0.0006,
    }  # fmt: skip


def test_it_is_told_in_small_parts_and_nothing_is_lost_between_them() -> None:
    counters = Counters()
    for number in range(10 * module._SERIES_IN_A_PART):
        counters.add("a", str(number))
    parts = counters.news()
    first = decode(next(parts))
    # Of what was told already and of what was not yet.
    for number in range(10 * module._SERIES_IN_A_PART):
        counters.add("a", str(number))
    rest = [decode(part) for part in parts]
    assert max(map(len, (first, *rest))) <= module._SERIES_IN_A_PART + len(module._BUCKET_KEYS) + 1
    later = told(counters)
    seen = {**first}
    for part in (*rest, later):
        seen.update(part)
    assert seen == counters.all()


def test_the_number_of_series_is_bounded_and_what_is_beyond_is_counted() -> None:
    counters = Counters()
    for number in range(module._MAX_SERIES + 100):
        counters.add("ecluse_http_requests_total", str(number))
    counters.add("ecluse_http_requests_total", "1")
    assert len(counters.values) == module._MAX_SERIES + 1
    assert counters.values["ecluse_http_requests_total", "1"] == 2
    assert counters.values[DROPPED_SERIES] == 100


def test_dumps_add_up_and_of_two_maxima_the_higher_counts() -> None:
    one: Dump = {("a_total", "x"): 1, ("a_total", "y"): 2, ("stop_max_seconds",): 0.5}
    other: Dump = {("a_total", "x"): 10, ("b_total",): 5, ("stop_max_seconds",): 0.2}
    assert add(one, other) == {("a_total", "x"): 11, ("a_total", "y"): 2, ("b_total",): 5, ("stop_max_seconds",): 0.5}
    assert one == {("a_total", "x"): 1, ("a_total", "y"): 2, ("stop_max_seconds",): 0.5}


@given(DUMPS, DUMPS, DUMPS)
def test_the_order_of_workers_does_not_matter(one: Dump, two: Dump, three: Dump) -> None:
    assert add(one, two) == add(two, one)
    assert add(add(one, two), three) == add(one, add(two, three))
    assert add(one, empty()) == one
