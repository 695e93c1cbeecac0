"""Many streams, judged anew a few in each turn of the loop. What judging comes to: test_dataplane.py, invariant 12."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.access.outcome import NEVER, CompiledDecision, Forward, Outcome, Prepared, Refuse
from gateway.model.codes import policy_codes
from gateway.model.decision import Allow, RuleRef
from gateway.model.session import Seat
from gateway.proxy import revalidation
from gateway.proxy.lasting import LastingClient
from gateway.proxy.revalidation import Revalidation
from tests.proxy.applications import application
from tests.proxy.clock import Clock
from tests.proxy.gateways import ask, gateway
from tests.proxy.stand_ins import identity, seat


class Turns(Clock):
    """A loop that counts its turns, and what is done in each."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.turn = 0
        self.waiting: list[tuple[Any, ...]] = []
        self.seen: Counter[int] = Counter()
        self.judged: Counter[int] = Counter()

    def call_soon(self, callback: Any, *args: Any) -> None:
        self.waiting.append((callback, *args))

    async def passes(self, seconds: float) -> None:
        self.turn += 1
        await super().passes(seconds)

    def to_the_end(self) -> None:
        while self.waiting:
            due, self.waiting = self.waiting, []
            self.turn += 1
            for callback, *args in due:
                callback(*args)


class Stream:
    """A connection as revalidation.py sees it. `lasts`: it is under a rule that turns on the time."""

    def __init__(self, turns: Turns, who: Seat | None, *, lasts: bool) -> None:
        self._turns = turns
        self.lasts = lasts
        self.upstream = object() if who else None
        self.active = self.request = self
        self.seat = who

    @property
    def under_way(self) -> bool:
        self._turns.seen[self._turns.turn] += 1
        return self.upstream is not None

    def rejudge(self) -> None:
        self._turns.judged[self._turns.turn] += 1


class FaultyStream(Stream):
    """One that has to be judged by something that has a fault."""

    def __init__(self, turns: Turns, who: Seat | None, *, lasts: bool) -> None:
        super().__init__(turns, who, lasts=lasts)
        self.faults: list[str] = []

    def rejudge(self) -> None:
        raise ZeroDivisionError

    def faulted(self, fault: Exception) -> None:
        self.faults.append(type(fault).__name__)


def forward(until: float) -> Forward:
    rule = Allow(RuleRef("policies/apps/permis.yaml", 1, "/**"), policy_codes.ALLOWED)
    return Forward(CompiledDecision(rule), rule, Prepared(b"", b""), until)


WHO, OTHER = (seat("permis.localhost", identity(uid=uid)) for uid in ("jdupont", "amartin"))


@pytest.fixture
def of_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def may_change(stream: Any) -> bool:
        return stream.under_way and stream.lasts

    monkeypatch.setattr(revalidation, "may_change", may_change)
    monkeypatch.setattr(revalidation, "rejudge", lambda stream: stream.rejudge())
    # Not what is tried here.
    monkeypatch.setattr(revalidation, "keep_to_seat", lambda stream, within: None)
    return


def streams(turns: Turns) -> list[Stream]:
    """10,000 under way, every tenth under a rule that turns on the time; 5,000 of another person; 5,000 connections
    that wait."""
    lasting = [Stream(turns, WHO, lasts=number % 10 == 0) for number in range(10_000)]
    return lasting + [Stream(turns, who, lasts=False) for who in (OTHER, None) for _ in range(5000)]


@pytest.mark.usefixtures("of_time")
@pytest.mark.parametrize(
    ("what", "seen", "judged"), [("time", 15_000, 1000), ("all", 20_000, 15_000), ("who", 20_000, 10_000)]
)
async def test_each_turn_sees_to_a_few_and_all_are_seen_to(what: str, seen: int, judged: int) -> None:
    turns = Turns()
    here = Revalidation(turns, streams(turns))  # type: ignore[arg-type]
    if what == "time":
        await turns.passes(5)
    elif what == "all":
        here.rejudge_all()
    else:
        here.rejudge_seat(WHO)
    turns.to_the_end()
    assert (turns.seen.total(), turns.judged.total()) == (seen, judged)
    assert max(turns.seen.values()) <= revalidation._SEEN_AT_ONCE
    assert max(turns.judged.values()) <= revalidation._JUDGED_AT_ONCE


@pytest.mark.usefixtures("of_time")
async def test_a_round_that_takes_longer_is_not_overtaken_by_the_next() -> None:
    turns = Turns()
    Revalidation(turns, [Stream(turns, WHO, lasts=True) for _ in range(100)])  # type: ignore[arg-type]
    await turns.passes(20)
    assert len(turns.waiting) == 1
    turns.to_the_end()
    assert turns.judged.total() == 100
    await turns.passes(5)
    turns.to_the_end()
    assert turns.judged.total() == 200


@pytest.mark.usefixtures("of_time")
async def test_who_cannot_be_judged_is_cut_off_and_stops_no_round() -> None:
    turns = Turns()
    faulty, others = FaultyStream(turns, WHO, lasts=True), [Stream(turns, WHO, lasts=True) for _ in range(50)]
    Revalidation(turns, [*others[:40], faulty, *others[40:]])  # type: ignore[arg-type]
    for _ in range(2):
        await turns.passes(5)
        turns.to_the_end()
    assert faulty.faults == ["ZeroDivisionError"] * 2
    assert turns.judged.total() == 100


async def test_after_its_end_nobody_is_judged() -> None:
    turns = Turns()
    here = Revalidation(turns, [Stream(turns, WHO, lasts=True)])  # type: ignore[arg-type]
    here.stop()
    await turns.passes(20)
    assert not turns.seen


async def test_others_are_answered_while_streams_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revalidation, "_JUDGED_AT_ONCE", 1)
    events = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
    judged = 0
    judge = revalidation.rejudge

    def counting(client: LastingClient) -> None:
        nonlocal judged
        judged += 1
        judge(client)

    monkeypatch.setattr(revalidation, "rejudge", counting)
    async with application(then=events) as app, gateway(app) as gate:
        cookie, refused = gate.sign_in(), await gate.client()
        for _ in range(100):
            (await gate.client()).send(ask(b"GET /a", cookie))
            await app.request()
        gate.plane.snapshot_swapped()
        assert (await refused.ask(ask(b"GET /admin/a", cookie))).status == 403
        assert 0 < judged < 100
        await gate.until(lambda: judged == 100)


@pytest.mark.parametrize(
    ("kept", "looked_at"),
    [
        (None, True),
        (forward(NEVER), False),
        (forward(1000.0), True),
        (Refuse(policy_codes.NOT_ALLOWED), True),
        (Refuse(policy_codes.NOT_ALLOWED, valid_until=1000.0), True),
    ],
    ids=["forgotten", "for good", "until a mandate ends", "refused since", "refused until another begins"],
)
def test_what_has_an_end_or_was_refused_since_is_judged_again(kept: Outcome | None, looked_at: bool) -> None:
    """Another request of the same person may have come behind the border, and found it out."""
    who = seat("permis.localhost", identity(uid="a"))
    if kept is not None:
        who.outcomes[7] = kept
    asked: Any = SimpleNamespace(seat=who, lane=None, line=SimpleNamespace(key=7))
    assert revalidation.may_change(asked) is looked_at
