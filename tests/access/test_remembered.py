"""What is remembered of requests: one goes for each that comes, and a stranger's flood costs strangers alone."""

import pytest

from gateway.access import request_line
from gateway.access.remembered import Newcomers, Remembered
from gateway.access.request_line import MatchKey, added_key
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway


class Thing:
    def __init__(self, *, let_in: bool = False) -> None:
        self.let_in = let_in


def test_of_newcomers_the_oldest_goes_and_no_other() -> None:
    table: Remembered[int, Thing] = Remembered(Newcomers(most=3), most=10)
    for number in range(5):
        table.add(number, Thing())
    assert list(table.values) == [2, 3, 4]


def test_what_somebody_signed_in_asked_for_is_kept_and_of_that_the_oldest_goes() -> None:
    table: Remembered[int, Thing] = Remembered(Newcomers(most=1), most=3)
    for number in range(6):
        table.add(number, Thing(let_in=number != 2))
    # 5 is new, 2 was a stranger's, and 0 the oldest of four that were kept.
    assert list(table.values) == [1, 3, 4, 5]


def test_what_is_there_already_is_not_remembered_twice() -> None:
    newcomers = Newcomers(most=2)
    table: Remembered[int, Thing] = Remembered(newcomers, most=10)
    first = Thing()
    for thing in (first, Thing(), Thing()):
        table.add(1, thing)
    assert (table.values, len(newcomers.queue)) == ({1: first}, 1)


def test_a_table_that_finds_no_room_takes_it_from_itself_and_has_a_little_of_its_own() -> None:
    newcomers = Newcomers(most=0, most_kept=50)
    first: Remembered[int, Thing] = Remembered(newcomers, most=100)
    second: Remembered[int, Thing] = Remembered(newcomers, most=100)
    for number in range(100):
        first.add(number, Thing(let_in=True))
    assert (len(first.values), newcomers.kept) == (50, 50)
    for number in range(100):
        second.add(number, Thing(let_in=True))
    assert (len(first.values), list(second.values)) == (50, list(range(68, 100)))
    assert newcomers.kept == 82


async def test_a_strangers_flood_evicts_nothing_of_somebody_signed_in() -> None:
    """Invariant 15: of each table, more than it holds."""
    async with application() as upstream, gateway(upstream) as gate:
        cookie, client = gate.sign_in(uid="jdupont"), await gate.client()
        theirs = [b"/app/%d?id=1" % number for number in range(50)]
        for target in theirs:
            assert (await client.ask(ask(b"GET " + target, cookie))).status == 200
        lane = gate.plane.tables.lanes[0]
        for number in range(10_000):
            lane.read_line(b"GET /public/%d?x HTTP/1.1" % number)
        lines = [b"GET " + target + b" HTTP/1.1" for target in theirs]
        assert lane.lines.keys() >= set(lines)
        assert lane._paths.values.keys() >= {line.partition(b"?")[0] for line in lines}
        # Of the strangers' own, the last ones.
        assert b"GET /public/9999?x HTTP/1.1" in lane.lines
        assert b"GET /public/0?x HTTP/1.1" not in lane.lines


async def test_nor_what_was_decided_of_them_however_many_rules_strangers_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 15: what is decided is kept by a key of the rules that match. A person's next request, to a path that
    nobody has asked for, finds it again behind more keys of strangers than a worker has room for."""
    monkeypatch.setattr(request_line, "_KEYS", 20)
    rules = "".join(f"  - {{path: /public/{number}/**, allow: anyone}}\n" for number in range(60))
    async with application() as upstream, gateway(upstream, app=rules) as gate:
        cookie, client = gate.sign_in(uid="jdupont"), await gate.client()
        assert (await client.ask(ask(b"GET /app/1", cookie))).status == 200
        (seat,) = gate.sessions.hot.values()
        decided = len(seat.outcomes)
        for number in range(60):
            assert (await gate.once(ask(b"GET /public/%d/a" % number))).status == 200
        assert (await client.ask(ask(b"GET /app/2", cookie))).status == 200
        assert len(seat.outcomes) == decided
        # Of the strangers' own, no more than there is room for.
        (lane,) = gate.plane.tables.lanes
        assert len(lane._keys) == 20


def test_where_all_keys_are_of_people_a_strangers_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_line, "_KEYS", 20)
    keys: dict[tuple[object, ...], MatchKey] = {}
    theirs = [added_key(keys, (number,)) for number in range(20)]
    for key in theirs:
        key.let_in = True
    assert not added_key(keys, (20,)).let_in
    assert set(keys.values()) == set(theirs)
    theirs[0].let_in = False
    for number in range(21, 25):
        added_key(keys, (number,))
    assert (len(keys), set(theirs[1:]) - set(keys.values()), theirs[0] in keys.values()) == (20, set(), False)
