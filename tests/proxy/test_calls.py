"""What a warm request costs, counted in calls of Python functions: the same number on every machine."""

import os
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.ops.log import Log
from tests.bench import fronts
from tests.bench.browsers import browsing
from tests.bench.dialects import PLAIN, REWRITTEN, TOLD, warm
from tests.bench.lane import ANSWER, HOST, SAME, Bench, Case, by_turns, cookie_of
from tests.bench.numbers import Numbered, Turns, hosts, people, rules, sessions
from tests.calls import Calls, traced

MOST, MOST_OF_A_DECISION = 20, 25
BROWSERS, PAGES = 8, 10
# Of all requests of the mix, and of people by turns: the numbers measured. They go down with what makes them cheaper,
# never up.
MOST_OF_THE_MIX = 13_392
MOST_BY_TURNS = 125_886


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    log = Log(os.open(os.devnull, os.O_WRONLY))
    yield log
    log.close()


def warm_get(log: Log) -> Calls:
    """The fourth on its connection; the application always answers the same."""
    case = Case("get", [SAME])
    bench = Bench(case, log)
    bench.slice([(SAME, ANSWER)] * 3)
    with traced() as calls:
        bench.slice([(SAME, ANSWER)])
    bench.check(case)
    bench.plane.close()
    return calls


async def test_a_warm_get_is_at_most_20_calls(log: Log) -> None:
    calls = warm_get(log)
    assert len(calls.names) <= MOST, "\n".join(calls.names)
    assert calls.names == warm_get(log).names


@pytest.mark.parametrize("kind", fronts.KINDS)
async def test_a_fronts_question_is_at_most_25_calls(kind: str, log: Log) -> None:
    bench = fronts.asked(kind, log)
    with traced() as calls:
        bench.client.data_received(fronts.question(kind))
    fronts.check(bench)
    bench.plane.close()
    assert len(calls.names) <= MOST_OF_A_DECISION, "\n".join(calls.names)


async def test_headers_a_token_and_rewriting_add_no_call(log: Log) -> None:
    """What is told is ready bytes, and a head without an address is like any other that was seen before."""
    names = {}
    for case in (PLAIN, TOLD, REWRITTEN):
        async with warm(case, log) as bench:
            with traced() as calls:
                bench.slice([(SAME, ANSWER)])
            names[id(case)] = calls.names
    assert names[id(PLAIN)] == names[id(TOLD)] == names[id(REWRITTEN)]


async def test_what_browsers_send_costs_no_more_calls_than_measured(log: Log) -> None:
    """One after the other, each on its own connection; the first page of each, with its parts, is not counted."""
    bench, total = Bench(Case("browsers", [SAME]), log), 0
    for number in range(BROWSERS):
        sent = browsing(number, f"{HOST}:8080", f"__Host-ecluse={cookie_of(number).decode()}", "/app/", PAGES)
        pairs, each = [(request, ANSWER) for request in sent], len(sent) // PAGES
        bench.connect()
        bench.slice(pairs[:each])
        with traced() as calls:
            bench.slice(pairs[each:])
        bench.check(Case("browsers", sent))
        total += len(calls.names)
    bench.plane.close()
    assert total <= MOST_OF_THE_MIX, f"{total}, which is {total / BROWSERS / (PAGES - 1) / each:.1f} a request"


async def test_people_by_turns_cost_no_more_calls_than_measured(log: Log) -> None:
    """As behind a front, on 32 connections; each of 512 comes with their page and all that belongs to it. The first
    time, which is not counted, the worker gets to know them."""
    case = by_turns()
    bench, pairs = Bench(case, log), case.pairs()
    bench.slice_of_many(case.ways, pairs)
    with traced() as calls:
        bench.slice_of_many(case.ways, pairs)
    bench.check(case)
    bench.plane.close()
    total = len(calls.names)
    assert total <= MOST_BY_TURNS, f"{total}, which is {total / len(pairs):.1f} a request"


@pytest.mark.parametrize(
    ("numbered", "few", "many"),
    [pytest.param(hosts, 2, 5000, marks=pytest.mark.slow), (rules, 2, 2000), (people, 2, 512), (sessions, 2, 600)],
)
async def test_with_many_by_turns_a_request_costs_as_many_calls_as_with_few(
    numbered: Callable[[int], Numbered], few: int, many: int, log: Log
) -> None:
    """Nothing of many hosts, rules or people is forgotten from one turn to the next."""

    def calls(number: int) -> float:
        turns = Turns(numbered(number), log)
        turns.turn()
        with traced() as calls:
            turns.turn()
        turns.plane.close()
        return len(calls.names) / number

    assert calls(many) <= calls(few) + 0.1
