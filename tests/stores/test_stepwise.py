"""Which writes are one step, and that nothing is written for what was used before."""

from gateway.stores.records import (
    AddSession,
    MarkKey,
    PutTicket,
    RaiseMark,
    RecordStore,
    Spend,
    Ticket,
    TicketKey,
    UseOnce,
    Write,
)
from gateway.stores.sealing import SHARDS
from gateway.stores.stepwise import in_steps, tag_of
from tests.stores.conftest import on_every_store
from tests.stores.samples import NOTHING, NOW, first_use, put_ticket, seat_record, session_record


def mark(tag: str, number: int = 1) -> RaiseMark:
    return RaiseMark(MarkKey(tag, b"m"), number, NOW + 60)


def use(tag: str) -> UseOnce:
    """In a cluster its place is that of `tag` (redis.steps.cluster_tag_of)."""
    return UseOnce(bytes([SHARDS.index(tag)]) + b"key", NOW + 60)


def spent(tag: str) -> Spend:
    return Spend(TicketKey(tag, "saml", b"l"))


def given(tag: str) -> PutTicket:
    return PutTicket(Ticket(TicketKey(tag, "code", b"l"), b"sealed", b"network-1", NOW + 60), 10, 10)


def in_a_cluster(write: Write) -> str:
    return SHARDS[write.key[0]] if isinstance(write, UseOnce) else tag_of(write)


def tags(*writes: Write) -> list[tuple[str, int]]:
    return [(tag, len(step)) for tag, step in in_steps(writes, in_a_cluster)]


def test_each_tag_is_one_step_in_the_order_in_which_it_comes_first() -> None:
    assert tags(mark("A"), mark("B"), mark("A", 2), mark("C")) == [("A", 2), ("B", 1), ("C", 1)]
    assert tags() == []


def test_what_is_given_behind_a_use_is_in_no_step_before_it() -> None:
    assert tags(mark("A"), use("B"), given("A")) == [("A", 1), ("B", 1), ("A", 1)]
    assert tags(use("B"), given("A"), given("B")) == [("B", 2), ("A", 1)]
    assert tags(mark("A"), use("B"), use("C"), given("B"), given("A")) == [
        *[("A", 1), ("B", 1), ("C", 1)],
        *[("B", 1), ("A", 1)],
    ]


def test_all_else_makes_no_step_more() -> None:
    writes = (mark("A"), use("A"), given("A"))
    assert in_steps(writes, in_a_cluster) == [("A", list(writes))]
    assert tags(mark("A"), use("B"), spent("A"), mark("A", 2), given("C")) == [("A", 3), ("B", 1), ("C", 1)]
    assert tags(mark("A"), use("B"), use("A"), given("B"), given("A")) == [("A", 2), ("B", 2), ("A", 1)]


@on_every_store
async def test_a_sign_in_by_an_assertion_that_was_used_writes_no_session(store: RecordStore) -> None:
    """All but the assertion is of one tag, as in a sign-in by SAML: what it was parked under, and its session."""
    session, seat = session_record("A1"), seat_record("A1")
    parked, assertion = spent("A"), use("B")
    assert await first_use(store, assertion.key, NOW + 60, NOW)
    await put_ticket(store, Ticket(parked.key, b"sealed", b"network-1", NOW + 60), per_group=10, in_all=10)
    add = AddSession(session, seat, NOTHING)
    assert await store.perform_until([parked, assertion, add], NOW) == assertion
    assert await store.read_session("A1", NOW) is None
    assert await store.peek_ticket(parked.key, NOW) is None, "it is used up all the same"


@on_every_store
async def test_what_another_request_has_taken_uses_up_nothing_that_comes_after_it(store: RecordStore) -> None:
    gone, assertion = Spend(TicketKey("A", "saml", b"gone")), use("B")
    assert await store.perform_until([gone, assertion, mark("A")], NOW) == gone
    assert not await store.is_used(assertion, NOW)
