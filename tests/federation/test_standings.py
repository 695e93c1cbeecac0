"""What a worker makes of what it is told: by its own supervisor, and by other nodes through the store."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.federation.standings import OWN_LOOK_COUNTS, Standings
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Words:
    """federation.standings.OtherNodes, by a list. `asked`: how often each was read."""

    said: set[str] = field(default_factory=set)
    told: list[tuple[str, bool]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    fails: bool = False

    async def tell(self, provider: str, *, away: bool) -> None:
        self._reach()
        self.told.append((provider, away))

    async def away(self, providers: Iterable[str]) -> frozenset[str]:
        self._reach()
        names = list(providers)
        self.asked += names
        return frozenset(self.said & {*names})

    def _reach(self) -> None:
        if self.fails:
            raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")


async def test_another_node_s_word_counts_where_this_one_has_not_looked_of_late() -> None:
    clock, words = Clock(), Words({"op"})
    standings = Standings(clock, words)
    assert not standings.is_away("op")
    await standings.learn(["op", "other"])
    assert (standings.is_away("op"), standings.is_away("other")) == (True, False)
    standings.told("op", "up")
    assert not standings.is_away("op"), "our own look is newer than any word"
    clock.now += OWN_LOOK_COUNTS
    assert standings.is_away("op")
    standings.told("op", "unknown")
    assert standings.is_away("op")
    words.said.clear()
    await standings.learn(["op"])
    assert not standings.is_away("op")


async def test_our_own_verdict_stands_whatever_others_say() -> None:
    standings = Standings(Clock(), Words())
    standings.told("op", "away")
    await standings.learn(["op"])
    assert standings.is_away("op")


def test_a_provider_is_back_once() -> None:
    standings = Standings(Clock())
    told = ("up", "away", "away", "up", "up", "away", "unknown", "up")
    assert [standings.told("op", verdict) for verdict in told] == [False, False, False, True, *[False] * 4]  # type: ignore[arg-type]


async def test_the_store_is_read_once_for_many_pages() -> None:
    clock, words = Clock(), Words()
    standings = Standings(clock, words)
    for _ in range(100):
        await standings.learn(["op", "op"])
    assert words.asked == ["op"]
    clock.now += 2
    await standings.learn(["op"])
    assert words.asked == ["op", "op"]
    words.asked.clear()
    await standings.learn(f"p{number}" for number in range(3000))
    assert len(words.asked) == 50, "as many as a page shows"


async def test_a_store_that_cannot_say_holds_nobody_back() -> None:
    words = Words({"op"}, fails=True)
    standings = Standings(Clock(), words)
    await standings.learn(["op"])
    assert not standings.is_away("op")
    await standings.tell_other_nodes("op", "away")


async def test_what_looks_found_is_told_to_other_nodes() -> None:
    words = Words()
    standings = Standings(Clock(), words)
    await standings.tell_other_nodes("op", "away")
    await standings.tell_other_nodes("op", "unknown")
    await standings.tell_other_nodes("op", "up")
    assert words.told == [("op", True), ("op", False)]
    await Standings(Clock()).tell_other_nodes("op", "away")


def test_who_is_sent_after_the_last_one_came_back_is_missing() -> None:
    clock = Clock()
    clock.now = 100.0
    standings = Standings(clock)
    standings.sent("op", "https://op/1")
    standings.came_back("op", 10.0)
    standings.came_back("op", 40.0)
    standings.sent("op", "https://op/2")
    standings.sent("op", "https://op/2")
    assert standings.news() == {"op": {"back": 90.0, "sent": 2, "address": "https://op/2"}}
    assert standings.news() == {}


def test_that_nobody_could_be_sent_is_told_without_an_address() -> None:
    standings = Standings(Clock())
    standings.sent("op", "")
    assert standings.news() == {"op": {"sent": 1}}


def test_nobody_is_asked_about_where_nothing_can_be_known() -> None:
    standings = Standings(Clock())
    assert not standings.may_know
    for verdict, known in (("up", False), ("away", True), ("up", False)):
        standings.told("op", verdict)  # type: ignore[arg-type]
        assert standings.may_know == known
    assert Standings(Clock(), Words()).may_know
