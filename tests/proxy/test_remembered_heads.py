"""What a worker remembers of heads shows in nothing: random heads, hostile ones among them, to applications of many
kinds, on connections that are kept, in a worker that remembers, and on a new connection each, in a worker that
remembers nothing. Byte for byte, the applications get the same, and the client, the log, the counters and the portal.

As test_alike.py, which has real sockets, and no memory that is shared; this one has neither, and so many more heads.
`--hypothesis-profile=random` draws others each time, and ten times as many.
"""

import random
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import settings

from gateway.access import remembered
from gateway.access.remembered import Newcomers
from tests.proxy.drawn_heads import after, again, asked_by_a_front, first, hostile, pages, response
from tests.proxy.many_kinds import HOSTS, PEOPLE, cookie_at
from tests.proxy.remembering import Worker, differing

CLIENTS: Final = 6
HEADS: Final = {"quick": 1000, "random": 15_000}.get(settings.get_current_profile_name(), 1500)
TRUSTED: Final = ("[]", "[127.0.0.1]")


def drawn(seed: int) -> random.Random:
    return random.Random() if settings.get_current_profile_name() == "random" else random.Random(seed)


class Heads:
    """The next request on each of the connections."""

    def __init__(self, draw: random.Random, *, fronted: bool) -> None:
        self._draw, self._fronted = draw, fronted
        self._turns = {way: first(draw) for way in range(CLIENTS)}
        self._pages = pages(draw)
        self._before: dict[int, bytes] = {}

    def next(self, way: int) -> bytes:
        draw, turns = self._draw, self._turns
        turns[way] = after(draw, turns[way]) if draw.random() < 0.95 else first(draw)
        raw = turns[way].raw()
        if draw.random() < 0.6:
            raw = draw.choice(self._pages)
        if self._fronted and draw.random() < 0.1:
            raw = asked_by_a_front(draw)
        if draw.random() < 0.4:
            raw = again(draw, self._before.get(way, raw))
        self._before[way] = raw
        if draw.random() < 0.05:
            raw = hostile(draw, raw)
        if draw.random() < 0.05:
            raw = raw.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
        if draw.random() < 0.03:
            # Behind it, in the same piece.
            raw += turns[draw.randrange(CLIENTS)].raw()
        return raw


async def compare(draw: random.Random, many: int, trusted: str) -> int:
    """How many heads were known."""
    remembers, forgets = Worker(trusted, forgets=False), Worker(trusted, forgets=True)
    coming, known = Heads(draw, fronted=trusted != "[]"), 0
    noted: dict[int, Sequence[object]] = {}
    for number in range(many):
        if draw.random() < 0.006:
            remembers.reload(number)
            forgets.reload(number)
        if draw.random() < 0.01:
            cookie = cookie_at(draw.choice(list(PEOPLE)), draw.randrange(len(HOSTS)))
            remembers.sign_out(cookie)
            forgets.sign_out(cookie)
        way = draw.randrange(CLIENTS)
        raw, responses = coming.next(way), response(draw)
        expected, got = await forgets.exchange(way, raw, responses), await remembers.exchange(way, raw, responses)
        if not got.noted and expected.noted == noted.get(way):
            # They are told where they may be others than those of the request before on the connection.
            got = got._replace(noted=expected.noted)
        if expected.noted:
            noted[way] = expected.noted
        if got != expected:
            pytest.fail(f"request {number} {raw!r}, {responses}: {differing(got, expected)}", pytrace=False)
        known += way in remembers.clients and remembers.clients[way].request._known is not None
    for worker in (remembers, forgets):
        worker.plane.close()
    return known


@pytest.mark.parametrize("trusted", TRUSTED)
async def test_what_is_remembered_shows_nowhere(trusted: str) -> None:
    known = await compare(drawn(0), HEADS, trusted)
    assert known > HEADS / 15, "most heads of browsers need no parser: else this compares nothing"


async def test_nor_where_most_of_it_is_forgotten_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Newcomers.__init__, "__defaults__", (6, 9))
    monkeypatch.setattr(remembered, "_OWN_ROOM", 2)
    await compare(drawn(0), HEADS // 3, "[127.0.0.1]")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 3))
async def test_nor_in_many_more(seed: int) -> None:
    await compare(drawn(seed), 3 * HEADS, TRUSTED[seed % 2])
