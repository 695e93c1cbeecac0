"""The order in which the addresses of an application get requests."""

from collections import Counter
from time import perf_counter

import pytest

from gateway.model.balancing import BalanceBy
from gateway.proxy.upstream.balance import order_of


class Address:
    def __init__(self, number: int, in_flight: int = 0) -> None:
        self.place = f"10.0.0.{number}:8080"
        self.in_flight = in_flight


def addresses(count: int) -> list[Address]:
    return [Address(number) for number in range(count)]


def test_one_after_the_other() -> None:
    order = order_of("round_robin", addresses(3))
    places = [order.first(b"").place for _ in range(6)]
    assert places[:3] == places[3:]
    assert len(set(places)) == 3


def test_the_fewest_under_way_first_and_of_equals_one_after_the_other() -> None:
    some = addresses(4)
    some[1].in_flight = some[2].in_flight = 1
    order = order_of("least_connections", some)
    assert {order.first(b"").place for _ in range(4)} == {some[0].place, some[3].place}
    assert [one.in_flight for one in order.all(b"")] == [0, 0, 1, 1]


def test_the_same_for_the_same_key_in_whatever_order_they_are_written() -> None:
    here, there = order_of("seat", addresses(8)), order_of("seat", addresses(8)[::-1])
    for key in (b"%d" % number for number in range(500)):
        assert here.first(key).place == there.first(key).place == here.first(key).place
        assert len({one.place for one in here.all(key)}) == 8


def test_the_keys_are_spread_over_all() -> None:
    found = order_of("seat", addresses(8))
    counts = Counter(found.first(b"seat %d" % number).place for number in range(8000))
    assert len(counts) == 8
    assert min(counts.values()) > 700
    assert max(counts.values()) < 1300


def test_where_one_is_gone_the_keys_of_the_others_stay() -> None:
    some = addresses(8)
    before, after = order_of("seat", some), order_of("seat", some[:-1])
    for key in (b"%d" % number for number in range(2000)):
        home = before.first(key).place
        if home != some[-1].place:
            assert after.first(key).place == home
        else:
            assert after.first(key).place == before.all(key)[1].place


@pytest.mark.parametrize("balance", ["round_robin", "least_connections", "seat"])
def test_one_of_eight_is_chosen_in_about_a_microsecond(balance: BalanceBy) -> None:
    """The bench tells how long it takes; here only that it is no longer work than it looks."""
    order = order_of(balance, addresses(8))
    order.first(b"some session")
    best = 1.0
    for _ in range(20):
        began = perf_counter()
        for _ in range(1000):
            order.first(b"some session")
        best = min(best, (perf_counter() - began) / 1000)
    assert best < 5e-6
