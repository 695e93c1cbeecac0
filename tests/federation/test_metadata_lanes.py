"""The queue before the metadata helper, by its own model and clock: 5,000 sources, ten of them hostile."""

import heapq
import random

import pytest

from gateway.federation.metadata_lanes import FetchLane, Lanes, is_slow, lane_of, limits_of

SOURCES = 5000
HOSTILE = 10
# A source that its server says is fresh for an hour, as the keeper spreads it.
FRESH = 3600.0
HEALTHY_SECONDS = 0.5
AGGREGATES = 20
HEALTHY_AGGREGATE_SECONDS = 10.0
RETRY = 60.0


def usual(*ids: str) -> Lanes:
    lanes = Lanes()
    for id in ids:
        lanes.add(id, "usual")
    return lanes


def test_four_at_once_in_the_order_that_they_came() -> None:
    lanes = usual(*"abcdef")
    assert lanes.start() == [(id, "usual") for id in "abcd"]
    assert lanes.start() == []
    lanes.ended("b")
    assert lanes.start() == [("e", "usual")]


def test_who_is_waited_for_goes_first() -> None:
    lanes = usual(*"abcdef")
    lanes.hurry("f")
    lanes.add("g", "usual", hurried=True)
    assert [id for id, _ in lanes.start()] == ["f", "g", "a", "b"]


def test_each_lane_has_its_own_room() -> None:
    lanes = usual(*"abcde")
    for id, lane in (("L", "large"), ("M", "large"), ("S", "slow"), ("T", "slow")):
        lanes.add(id, lane)  # type: ignore[arg-type]
    assert [id for id, _ in lanes.start()] == [*"abcd", "L", "S"]


def test_what_is_dropped_has_no_turn() -> None:
    lanes = usual("a", "b")
    lanes.hurry("b")
    assert lanes.drop("a")
    assert lanes.drop("b")
    assert not lanes.drop("c")
    assert lanes.start() == []


@pytest.mark.parametrize(
    ("aggregate", "overran", "lane"), [(False, False, "usual"), (True, False, "large"), (True, True, "slow")]
)
def test_lanes(aggregate: bool, overran: bool, lane: FetchLane) -> None:
    assert lane_of(aggregate=aggregate, overran=overran) == lane


class World:
    """What the keeper does, on a clock of its own; `late`: of each healthy try, how long after it was due it ended."""

    def __init__(self, hostile_seconds: float, *, one_lane: bool = False, aggregates: bool = False) -> None:
        chance = random.Random(0)
        self.aggregates = aggregates
        self.healthy_seconds = HEALTHY_AGGREGATE_SECONDS if aggregates else HEALTHY_SECONDS
        sources = AGGREGATES if aggregates else SOURCES
        self.now = 0.0
        self.lanes = Lanes()
        self.chance, self.hostile_seconds, self.one_lane = chance, hostile_seconds, one_lane
        first, last = (600.0, 660.0) if aggregates else (0.0, FRESH)
        self.due = [(chance.uniform(first, last), str(number)) for number in range(HOSTILE, sources)]
        # All of them at the worst moment: together.
        self.due += [(600.0, str(number)) for number in range(HOSTILE)]
        heapq.heapify(self.due)
        self.due_at: dict[str, float] = {}
        self.running: list[tuple[float, str, float]] = []
        self.overruns: dict[str, int] = {}
        self.late: list[float] = []

    def run(self, until: float) -> None:
        while self.now < until:
            for id, _ in self.lanes.start():
                took = self.hostile_seconds if int(id) < HOSTILE else self.healthy_seconds
                heapq.heappush(self.running, (self.now + took, id, took))
            ends = self.running[0][0] if self.running else float("inf")
            self.now = min(self.due[0][0] if self.due else float("inf"), ends)
            if ends <= self.now:
                self._end(*heapq.heappop(self.running))
            else:
                due, id = heapq.heappop(self.due)
                self.due_at[id] = due
                overran = bool(self.overruns.get(id)) and not self.one_lane
                self.lanes.add(id, lane_of(aggregate=self.aggregates, overran=overran))

    def _end(self, ends: float, id: str, took: float) -> None:
        self.lanes.ended(id)
        wait = FRESH * self.chance.uniform(0.75, 1.0)
        if int(id) >= HOSTILE:
            self.late.append(ends - self.due_at[id])
        else:
            self.overruns[id] = self.overruns.get(id, 0) + is_slow(took, aggregate=self.aggregates)
            # At most as often as the keeper asks again: the growing pauses are left out, to be hard.
            wait = RETRY
        heapq.heappush(self.due, (ends + wait, id))


def test_a_healthy_source_is_fetched_within_30_seconds_of_being_due_whatever_ten_hostile_ones_do() -> None:
    world = World(limits_of("usual", aggregate=False).seconds)
    world.run(2 * FRESH)
    assert len(world.late) > SOURCES
    assert max(world.late) < 30


def test_a_healthy_aggregate_is_fetched_within_six_minutes_of_being_due_whatever_ten_hostile_ones_do() -> None:
    """Ten of 24 s, once; the healthy ones that came meanwhile share the lane of one."""
    world = World(limits_of("large", aggregate=True).seconds, aggregates=True)
    world.run(2 * FRESH)
    assert len(world.late) > AGGREGATES - HOSTILE
    assert max(world.late) < 360
    assert sorted(world.late)[HOSTILE - AGGREGATES - 1] < 60, "once"


def test_with_the_time_of_the_slow_lane_it_would_not_be() -> None:
    world = World(limits_of("slow", aggregate=True).seconds, aggregates=True)
    world.run(4 * FRESH)
    assert max(world.late) > 3600


def test_in_one_lane_it_would_not_be() -> None:
    world = World(45.0, one_lane=True)
    world.run(2 * FRESH)
    assert max(world.late) > 30
