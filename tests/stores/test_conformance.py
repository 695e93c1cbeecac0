"""What records.RecordStore promises, asked of every kind of store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.stores.records import (
    ENDED_KEPT,
    PARALLEL_TABS,
    TOMBSTONE_KEPT,
    AddSeat,
    AddSession,
    EndSeat,
    JarKey,
    PutTicketOfEnd,
    RaiseEndMark,
    RaiseLastingMark,
    RaiseMark,
    RecordStore,
    RequireNoMark,
    RevokeSession,
    SealedNote,
    SeatKey,
    SeatRecord,
    Spend,
    TakenTicket,
    Ticket,
    Tombstone,
    Touch,
    UseOnce,
    Write,
)
from gateway.stores.revocation.list_of_ends import Ended
from gateway.stores.sealing import SHARDS, with_seat
from gateway.stores.tickets.tickets import unix_now
from tests.stores.conftest import on_every_store
from tests.stores.samples import (
    NOTHING,
    NOW,
    PERMIS,
    PORTAL,
    add_seat,
    add_session,
    end,
    first_use,
    mark_key,
    put_ticket,
    raise_mark,
    seat_record,
    session_record,
    spend,
    ticket,
    ticket_key,
)

pytestmark = on_every_store

KEY = SeatKey("s1", b"l1")


# --- sessions and seats


async def test_a_session_is_read_through_its_seat(store: RecordStore) -> None:
    session, seat = session_record(), seat_record()
    await add_session(store, session, seat, NOTHING, NOW)
    assert await store.read_seat(KEY, NOW) == (session, seat)
    assert await store.read_session("s1", NOW) == session


async def test_what_was_never_there_is_absent(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    for key in (
        SeatKey("s1", b"l2"),
        SeatKey("s2", b"l1"),
        SeatKey("", b""),
        SeatKey("S1", b"l1"),
        SeatKey("s%", b"l1"),
    ):
        assert await store.read_seat(key, NOW) is None
    assert await store.read_session("s2", NOW) is None


async def test_a_second_seat_opens_the_same_session(store: RecordStore) -> None:
    session, on_app = session_record(), seat_record(lookup=b"l2", host=PERMIS, app="permis")
    await add_session(store, session, seat_record(), NOTHING, NOW)
    assert await add_seat(store, on_app, NOTHING, NOW)
    assert await store.read_seat(on_app.key, NOW) == (session, on_app)


async def test_no_seat_is_added_to_a_session_that_has_ended(store: RecordStore) -> None:
    on_app = seat_record(lookup=b"l2", host=PERMIS)
    assert not await add_seat(store, on_app, NOTHING, NOW)
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    assert not await add_seat(store, on_app, NOTHING, NOW + 100)
    await end(store, ["s1"], NOW)
    assert not await add_seat(store, on_app, NOTHING, NOW)
    assert await store.read_seat(on_app.key, NOW) is None


async def test_limits_are_those_of_the_read_and_no_cleaner_has_a_part_in_them(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    assert await store.read_seat(KEY, NOW + 99) is not None
    assert await store.read_seat(KEY, NOW + 100) is None
    assert await store.read_session("s1", NOW + 100) is None


async def test_a_seat_has_limits_of_its_own(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(idle=50), NOTHING, NOW)
    assert await store.read_seat(KEY, NOW + 49) is not None
    assert await store.read_seat(KEY, NOW + 50) is None
    assert await store.read_session("s1", NOW + 50) is not None


async def test_a_touch_moves_both_idle_limits_on(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(idle=60), NOTHING, NOW)
    await store.touch([Touch(KEY, NOW + 50)])
    assert await store.read_seat(KEY, NOW + 109) is not None
    assert await store.read_seat(KEY, NOW + 110) is None
    assert await store.read_session("s1", NOW + 149) is not None
    assert await store.read_session("s1", NOW + 150) is None


async def test_an_older_touch_that_comes_later_shortens_nothing(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(idle=100), NOTHING, NOW)
    await store.touch([Touch(KEY, NOW + 50)])
    await store.touch([Touch(KEY, NOW + 20), Touch(KEY, NOW - 1000)])
    assert await store.read_seat(KEY, NOW + 149) is not None


async def test_no_touch_passes_the_absolute_limit(store: RecordStore) -> None:
    session = replace(session_record(), expires_at=NOW + 2000)
    seat = replace(seat_record(idle=1800), expires_at=NOW + 1900)
    await add_session(store, session, seat, NOTHING, NOW)
    await store.touch([Touch(KEY, NOW + 1799)])
    assert await store.read_seat(KEY, NOW + 1900) is None
    assert await store.read_session("s1", NOW + 2000) is None


async def test_a_touch_brings_nothing_back(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await end(store, ["s1"], NOW)
    await store.touch([Touch(KEY, NOW + 1), Touch(SeatKey("s9", b"l9"), NOW + 1)])
    assert await store.read_seat(KEY, NOW + 1) is None


async def test_a_new_seat_is_use_of_its_session(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record(lookup=b"l2", host=PERMIS, now=NOW + 90), NOTHING, NOW + 90)
    assert await store.read_session("s1", NOW + 189) is not None


# --- seats that others replace


async def replaced(store: RecordStore, age: int, add: Callable[[SeatRecord], list[Write]]) -> int:
    """The seconds that the seat `l2` on PERMIS has left when a new one is made there at this age of it."""
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record(lookup=b"l2", host=PERMIS), NOTHING, NOW)
    assert await store.perform(add(seat_record(lookup=b"l3", host=PERMIS, now=NOW + age)), NOW + age)
    at = NOW + age
    while await store.read_seat(SeatKey("s1", b"l2"), at) is not None and at < NOW + age + 20:
        at += 1
    return at - NOW - age


BROWSER = (b"older key", b"browser-1")


def presented(seat: SeatRecord) -> list[Write]:
    return [AddSeat(seat, NOTHING), EndSeat(SeatKey("s1", b"l2"), PERMIS)]


def of_the_browser(seat: SeatRecord) -> list[Write]:
    return [AddSeat(seat, BROWSER)]


async def test_the_seat_presented_ends_at_once(store: RecordStore) -> None:
    assert await replaced(store, 60, presented) == 0


async def test_the_seats_of_this_browser_on_this_host_end_though_none_was_presented(store: RecordStore) -> None:
    assert await replaced(store, 60, of_the_browser) == 0


async def test_a_seat_made_a_moment_ago_by_a_parallel_tab_ends_a_moment_later(store: RecordStore) -> None:
    assert await replaced(store, 1, of_the_browser) == PARALLEL_TABS - 1


async def test_seats_elsewhere_and_of_other_browsers_stay(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_session(store, session_record("s2", browser_index=b"browser-2"), seat_record("s2", b"l2"), NOTHING, NOW)
    later = NOW + 60
    await add_seat(store, seat_record(lookup=b"l3", host=PERMIS), BROWSER, later)
    await add_session(store, session_record("s3"), seat_record("s3", b"l4"), NOTHING, later)
    await store.perform([EndSeat(SeatKey("s2", b"no"), PORTAL)], later)
    for key in (KEY, SeatKey("s2", b"l2"), SeatKey("s1", b"l3"), SeatKey("s3", b"l4")):
        assert await store.read_seat(key, later) is not None


async def test_a_sign_in_ends_the_seats_that_this_browser_has_on_its_host(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record(lookup=b"l2", host=PERMIS), NOTHING, NOW)
    later = NOW + 60
    add = AddSession(session_record("s2", now=later), seat_record("s2", b"l3", now=later), BROWSER)
    assert await store.perform([add, EndSeat(SeatKey("s9", b"no"), PORTAL)], later)
    assert await store.read_seat(KEY, later) is None
    for key in (SeatKey("s1", b"l2"), SeatKey("s2", b"l3")):
        assert await store.read_seat(key, later) is not None


async def test_a_seat_presented_on_another_host_than_its_own_stays(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await store.perform([EndSeat(KEY, PERMIS)], NOW + 60)
    assert await store.read_seat(KEY, NOW + 60) is not None


async def test_a_replaced_seat_stands_in_the_list_with_its_hour_and_no_touch_brings_it_back(store: RecordStore) -> None:
    cursor = (await store.ended_since(None)).cursor
    await replaced(store, 1, presented)
    tail = await store.ended_since(cursor)
    assert tail.complete
    assert tail.ended == (Ended("s1", b"l2", NOW + PARALLEL_TABS),)
    await store.touch([Touch(SeatKey("s1", b"l2"), NOW + 4)])
    assert await store.read_seat(SeatKey("s1", b"l2"), NOW + PARALLEL_TABS) is None


# --- found without a cookie


async def test_sessions_are_found_by_each_index_under_any_of_its_values(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    other = replace(session_record("s2", now=NOW + 1), sid_index=None, subject_index=b"subject-2")
    await add_session(store, other, seat_record("s2"), NOTHING, NOW)

    async def ids(index: str, *values: bytes) -> list[str]:
        return [session.id for session in await store.find(index, values, NOW)]  # type: ignore[arg-type]

    assert await ids("subject", b"subject-1") == ["s1"]
    assert await ids("subject", b"subject-2", b"subject-1") == ["s1", "s2"]
    assert await ids("sid", b"sid-1") == ["s1"]
    assert await ids("browser", b"browser-1") == ["s1", "s2"]
    assert await ids("browser", b"browser-9") == []
    assert await ids("browser") == []


async def test_a_summary_names_the_apps_with_a_live_seat(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    for lookup, app, idle in (
        (b"l2", "permis", 900),
        (b"l3", "paie", 900),
        (b"l4", "permis", 900),
        (b"l5", "gone", 10),
    ):
        await add_seat(store, seat_record(lookup=lookup, host=f"{app}.localhost", app=app, idle=idle), NOTHING, NOW)
    (summary,) = await store.find("browser", [b"browser-1"], NOW + 10)
    assert (summary.id, summary.provider, summary.apps) == ("s1", "metropole", ("paie", "permis"))
    assert (summary.created_at, summary.expires_at) == (NOW, NOW + 43200)


async def test_what_has_expired_is_not_found(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    assert await store.find("browser", [b"browser-1"], NOW + 100) == ()


async def test_every_session_that_lives_is_on_some_page(store: RecordStore) -> None:
    made = [f"{shard}-{number}" for number in range(5) for shard in SHARDS]
    for id in made:
        await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)
    await add_session(store, session_record("over", idle=10), seat_record("over"), NOTHING, NOW)
    listed, after, pages = set[str](), "", 0
    while pages == 0 or after:
        page = await store.list_sessions(after, NOW + 10)
        listed, after, pages = listed | {session.id for session in page.sessions}, page.after, pages + 1
    assert listed == set(made)
    assert pages > 1, "so many are no one page"


async def test_sessions_are_told_of_by_their_ids(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    await add_session(store, replace(session_record("t2"), tenant=None), seat_record("t2"), NOTHING, NOW)
    told = {session.id: session for session in await store.summaries(["s1", "t2", "none", "s1"], NOW)}
    assert set(told) == {"s1", "t2"}
    assert (told["s1"].ends_at, told["s1"].tenant, told["t2"].tenant) == (NOW + 100, session_record().tenant, None)
    assert [session.id for session in await store.summaries(["s1", "t2"], NOW + 100)] == ["t2"]
    assert await store.summaries([], NOW) == ()


# --- ends, and the list of them


async def test_the_end_of_a_session_ends_every_seat_and_enters_the_list(store: RecordStore) -> None:
    cursor = (await store.ended_since(None)).cursor
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record(lookup=b"l2", host=PERMIS), NOTHING, NOW)
    await add_session(store, session_record("s2"), seat_record("s2"), NOTHING, NOW)
    await end(store, ["s1", "never-there"], NOW + 5)
    assert await store.read_seat(KEY, NOW + 5) is None
    assert await store.read_seat(SeatKey("s1", b"l2"), NOW + 5) is None
    assert await store.read_seat(SeatKey("s2", b"l1"), NOW + 5) is not None
    tail = await store.ended_since(cursor)
    # In no order where there are several lists.
    assert sorted(end.session_id for end in tail.ended) == ["never-there", "s1"]
    assert {(end.lookup, end.at) for end in tail.ended} == {(None, NOW + 5)}


async def test_a_step_whose_condition_does_not_hold_is_not_done_and_none_after_it(store: RecordStore) -> None:
    token, other = UseOnce(b"token", NOW + 60), UseOnce(b"other", NOW + 60)
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_session(store, session_record("z2"), seat_record("z2"), NOTHING, NOW)
    assert await store.perform([RevokeSession("s1"), token], NOW)
    assert not await store.perform([other, token, RevokeSession("z2")], NOW)
    assert await store.read_session("s1", NOW) is None
    assert await store.read_session("z2", NOW) is not None
    assert [await store.is_used(use, NOW) for use in (token, other, UseOnce(b"third", NOW + 60))] == [
        True,
        True,
        False,
    ]
    assert not await store.is_used(token, NOW + 60)
    assert await store.perform([token, RevokeSession("z2")], NOW + 60)
    assert await store.read_session("z2", NOW + 60) is None


async def test_what_is_older_than_the_store_may_have_been_used(store: RecordStore) -> None:
    """Its age is by the machine's own clock, or its server's."""
    now = unix_now()
    assert await store.is_used(UseOnce(b"token", now + 60, issued=1), now)
    assert not await store.perform([UseOnce(b"token", now + 60, issued=1)], now)
    assert not await store.is_used(UseOnce(b"token", now + 60, issued=now + 1), now)


async def test_the_list_is_read_on_from_where_a_reader_stood(store: RecordStore) -> None:
    first = await store.ended_since(None)
    assert (first.ended, first.complete) == ((), False)
    await end(store, ["a"], NOW)
    second = await store.ended_since(first.cursor)
    await end(store, ["b"], NOW)
    third = await store.ended_since(second.cursor)
    fourth = await store.ended_since(third.cursor)
    assert [[entry.session_id for entry in tail.ended] for tail in (second, third, fourth)] == [["a"], ["b"], []]
    assert all(tail.complete for tail in (second, third, fourth))


async def test_a_reader_that_comes_after_entries_were_purged_is_told_so(store: RecordStore) -> None:
    start = (await store.ended_since(None)).cursor
    await end(store, ["a"], NOW)
    after = (await store.ended_since(start)).cursor
    await store.purge(NOW + ENDED_KEPT)
    assert not (await store.ended_since(start)).complete
    assert (await store.ended_since(after)).complete


async def test_a_reader_that_knows_another_store_is_told_so(store: RecordStore) -> None:
    cursor = (await store.ended_since(None)).cursor
    assert not (await store.ended_since(cursor._replace(epoch="another"))).complete
    assert not (await store.ended_since(cursor._replace(position=cursor.position + 7))).complete


async def test_a_thousand_sessions_end_together(store: RecordStore) -> None:
    ids = [f"s{number}" for number in range(1000)]
    await asyncio.gather(*(add_session(store, session_record(id), seat_record(id), NOTHING, NOW) for id in ids))
    found = await store.find("subject", [b"subject-1"], NOW)
    await end(store, [session.id for session in found], NOW)
    assert await store.find("subject", [b"subject-1"], NOW) == ()


# --- tickets


BOUNDS = {"per_group": 3, "in_all": 5}


async def test_a_ticket_is_peeked_at_often_and_taken_once(store: RecordStore) -> None:
    await put_ticket(store, ticket(1), **BOUNDS)
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) == b"sealed 1"
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) == b"sealed 1"
    assert await store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW) == b"sealed 1"
    assert await store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW) is None
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) is None


async def test_who_spends_a_ticket_writes_what_follows_from_it(store: RecordStore) -> None:
    await put_ticket(store, ticket(1), **BOUNDS)
    await put_ticket(store, ticket(2, life=30), **BOUNDS)

    def arrival(id: str) -> list[Write]:
        return [AddSession(session_record(id), seat_record(id), NOTHING), RaiseMark(mark_key(b"rounds"), 1, NOW + 60)]

    assert not await spend(store, ticket_key("transaction", b"ticket 3"), arrival("s3"), NOW)
    assert not await spend(store, ticket_key("transaction", b"ticket 2"), arrival("s2"), NOW + 30)
    assert await store.mark(mark_key(b"rounds"), NOW) == 0
    spent = await asyncio.gather(
        *(spend(store, ticket_key("transaction", b"ticket 1"), arrival(f"s{number}"), NOW) for number in range(50))
    )
    assert spent.count(True) == 1
    found = await store.find("subject", [b"subject-1"], NOW)
    assert [session.id for session in found] == [f"s{spent.index(True)}"]
    assert await store.mark(mark_key(b"rounds"), NOW) == 1
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW) is None


async def test_a_ticket_goes_to_one_of_many_who_ask_at_once(store: RecordStore) -> None:
    await put_ticket(store, ticket(1), **BOUNDS)
    answers = await asyncio.gather(*(store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW) for _ in range(50)))
    assert (answers.count(b"sealed 1"), answers.count(None)) == (1, 49)


async def test_a_ticket_is_of_its_kind_only(store: RecordStore) -> None:
    await put_ticket(store, ticket(1), **BOUNDS)
    assert await store.take_ticket(ticket_key("login", b"ticket 1"), NOW) is None
    assert await store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW) == b"sealed 1"


def ticket_with_seat(number: int, seat: SeatRecord, browser_indexes: tuple[bytes, ...] = NOTHING) -> Ticket:
    """In the shard of its session, as a hand-over code is."""
    carried = with_seat(AddSeat(seat, browser_indexes), b"\1sealed")
    return Ticket(ticket_key("code", b"ticket %d" % number)._replace(shard="s"), carried, b"s1", NOW + 30)


async def test_a_ticket_that_carries_a_seat_adds_it_to_the_session_once(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record(lookup=b"l2", host=PERMIS), NOTHING, NOW)
    seat = seat_record(lookup=b"l3", host=PERMIS, app="permis", idle=900)
    code = ticket_with_seat(1, seat, BROWSER)
    await put_ticket(store, code, **BOUNDS)
    assert await store.read_seat(seat.key, NOW) is None
    later = NOW + 20
    answers = await asyncio.gather(*(store.take_with_seat(code.key, later) for _ in range(10)))
    (taken,) = [answer for answer in answers if answer is not None]
    added, session = replace(seat, ends_at=later + 900), replace(session_record(idle=100), ends_at=later + 100)
    assert taken == TakenTicket(b"\1sealed", added, session)
    assert await store.read_seat(seat.key, later) == (session, added)
    assert await store.read_seat(SeatKey("s1", b"l2"), later) is None, "the browser's seat before it"


async def test_a_ticket_that_carries_a_seat_expires_as_others_do(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    code = ticket_with_seat(1, seat_record(lookup=b"l2", host=PERMIS))
    await put_ticket(store, code, **BOUNDS)
    assert await store.take_with_seat(code.key, NOW + 30) is None
    assert await store.read_seat(SeatKey("s1", b"l2"), NOW + 30) is None


async def test_a_ticket_whose_session_has_ended_is_taken_without_its_seat(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    codes = [ticket_with_seat(number, seat_record(lookup=b"l%d" % number, host=PERMIS)) for number in (2, 3)]
    for code in codes:
        await put_ticket(store, code, **BOUNDS)
    assert await store.take_ticket(codes[0].key, NOW) == codes[0].sealed
    await end(store, ["s1"], NOW)
    assert await store.take_with_seat(codes[1].key, NOW) == TakenTicket(b"\1sealed", None, None)
    assert await store.take_with_seat(codes[1].key, NOW) is None


async def test_a_ticket_without_a_seat_is_taken_as_it_is(store: RecordStore) -> None:
    plain = replace(ticket(1), sealed=b"\1sealed")
    await put_ticket(store, plain, **BOUNDS)
    assert await store.take_with_seat(plain.key, NOW) == TakenTicket(b"\1sealed", None, None)
    assert await store.take_with_seat(plain.key, NOW) is None


async def test_a_ticket_of_a_sign_out_is_taken_once_too(store: RecordStore) -> None:
    assert await store.perform([PutTicketOfEnd(ticket(1, kind="logout"), **BOUNDS)], NOW)
    answers = [await store.take_ticket(ticket_key("logout", b"ticket 1"), NOW, ends=True) for _ in range(2)]
    assert answers == [b"sealed 1", None]


async def test_a_spent_ticket_is_gone_and_spending_it_again_is_refused(store: RecordStore) -> None:
    await put_ticket(store, ticket(1), **BOUNDS)
    step = Spend(ticket_key("transaction", b"ticket 1"))
    assert [await store.perform_until([step], NOW) for _ in range(2)] == [None, step]
    assert await store.peek_ticket(step.key, NOW) is None


async def test_a_ticket_expires_without_a_cleaner(store: RecordStore) -> None:
    await put_ticket(store, ticket(1, life=30), **BOUNDS)
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW + 29) is not None
    assert await store.peek_ticket(ticket_key("transaction", b"ticket 1"), NOW + 30) is None
    assert await store.take_ticket(ticket_key("transaction", b"ticket 1"), NOW + 30) is None


async def open_tickets(store: RecordStore, kind: str = "transaction") -> list[int]:
    return [n for n in range(20) if await store.peek_ticket(ticket_key(kind, b"ticket %d" % n), NOW) is not None]


async def test_beyond_its_bound_a_client_loses_its_oldest(store: RecordStore) -> None:
    await put_ticket(store, ticket(0, group=b"network-2"), **BOUNDS)
    for number in range(1, 6):
        await put_ticket(store, ticket(number), **BOUNDS)
    assert await open_tickets(store) == [0, 3, 4, 5]


async def test_beyond_the_bound_of_all_the_oldest_go(store: RecordStore) -> None:
    for number in range(8):
        await put_ticket(store, ticket(number, group=b"network %d" % number), **BOUNDS)
    assert await open_tickets(store) == [3, 4, 5, 6, 7]


async def test_bounds_count_what_is_there_and_each_kind_for_itself(store: RecordStore) -> None:
    for number in range(5):
        await put_ticket(store, ticket(number, group=b"network %d" % number), **BOUNDS)
        await put_ticket(store, ticket(number, kind="login", group=b"network %d" % number), **BOUNDS)
    for number in range(3):
        await store.take_ticket(ticket_key("transaction", b"ticket %d" % number), NOW)
    for number in range(5, 8):
        await put_ticket(store, ticket(number, group=b"network %d" % number), **BOUNDS)
    assert await open_tickets(store) == [3, 4, 5, 6, 7]
    assert await open_tickets(store, "login") == [0, 1, 2, 3, 4]


async def test_a_ticket_put_twice_is_one(store: RecordStore) -> None:
    for _ in range(10):
        await put_ticket(store, ticket(1), **BOUNDS)
    await put_ticket(store, ticket(2), **BOUNDS)
    await put_ticket(store, ticket(3), **BOUNDS)
    assert await open_tickets(store) == [1, 2, 3]


# --- single values


async def test_a_value_is_used_first_once_until_it_expires(store: RecordStore) -> None:
    assert await first_use(store, b"assertion", NOW + 300, NOW)
    assert not await first_use(store, b"assertion", NOW + 300, NOW)
    assert not await first_use(store, b"assertion", NOW + 600, NOW + 299)
    assert await first_use(store, b"another", NOW + 300, NOW)
    assert await first_use(store, b"assertion", NOW + 600, NOW + 300)


async def test_a_value_is_used_first_by_one_of_many(store: RecordStore) -> None:
    answers = await asyncio.gather(*(first_use(store, b"assertion", NOW + 300, NOW) for _ in range(50)))
    assert answers.count(True) == 1


async def test_a_mark_only_rises_until_it_expires(store: RecordStore) -> None:
    assert await store.mark(mark_key(b"rounds"), NOW) == 0
    await raise_mark(store, b"rounds", 2, NOW + 60, NOW)
    await raise_mark(store, b"rounds", 1, NOW + 90, NOW + 30)
    assert await store.mark(mark_key(b"rounds"), NOW + 89) == 2
    assert await store.mark(mark_key(b"rounds"), NOW + 90) == 0
    await raise_mark(store, b"rounds", 1, NOW + 150, NOW + 90)
    assert await store.mark(mark_key(b"rounds"), NOW + 90) == 1


async def test_marks_of_every_kind_only_rise(store: RecordStore) -> None:
    for kind in (RaiseLastingMark, RaiseEndMark):
        key = mark_key(kind.__name__.encode())
        for number in (2, 1):
            assert await store.perform([kind(key, number, NOW + 60)], NOW)
        assert [await store.mark(key, at) for at in (NOW + 59, NOW + 60)] == [2, 0]


async def test_where_a_session_ended_and_why_is_one_step(store: RecordStore) -> None:
    cursor = (await store.ended_since(None)).cursor
    await add_session(store, session_record("t1"), seat_record("t1"), NOTHING, NOW)
    assert await store.perform([RevokeSession("t1"), RaiseEndMark(mark_key(b"why"), 3, NOW + 60)], NOW)
    assert await store.read_session("t1", NOW) is None
    assert [end.session_id for end in (await store.ended_since(cursor)).ended] == ["t1"]
    assert await store.mark(mark_key(b"why"), NOW) == 3


async def test_what_requires_no_mark_is_done_where_the_key_has_none(store: RecordStore) -> None:
    none, other = RequireNoMark(mark_key(b"rounds")), mark_key(b"other")
    assert await store.perform_until([none, RaiseMark(other, 1, NOW + 600)], NOW) is None
    assert await store.mark(other, NOW) == 1
    await raise_mark(store, b"rounds", 1, NOW + 60, NOW)
    assert await store.perform_until([none, RaiseMark(other, 2, NOW + 600)], NOW + 59) == none
    assert await store.mark(other, NOW + 59) == 1
    assert await store.perform_until([none, RaiseMark(other, 2, NOW + 600)], NOW + 60) is None


async def test_a_mark_is_cleared(store: RecordStore) -> None:
    await raise_mark(store, b"rounds", 1, NOW + 60, NOW)
    await raise_mark(store, b"other", 1, NOW + 60, NOW)
    await store.clear_mark(mark_key(b"rounds"), NOW)
    assert (await store.mark(mark_key(b"rounds"), NOW), await store.mark(mark_key(b"other"), NOW)) == (0, 1)


async def test_a_purge_takes_what_has_expired_and_nothing_else(store: RecordStore) -> None:
    await add_session(store, session_record(idle=10), seat_record(), NOTHING, NOW)
    await add_session(store, session_record("s2"), seat_record("s2", host=PORTAL), NOTHING, NOW)
    await put_ticket(store, ticket(1, life=10), **BOUNDS)
    await put_ticket(store, ticket(2), **BOUNDS)
    await first_use(store, b"old", NOW + 10, NOW)
    await first_use(store, b"new", NOW + 1000, NOW)
    await store.purge(NOW + 10)
    assert await store.read_session("s1", NOW) is None
    assert await store.read_seat(KEY, NOW) is None
    assert await store.read_seat(SeatKey("s2", b"l1"), NOW) is not None
    assert await open_tickets(store) == [2]
    assert await first_use(store, b"old", NOW + 10, NOW)
    assert not await first_use(store, b"new", NOW + 1000, NOW)


async def test_what_is_sealed_is_replaced_where_it_is_what_was_read(store: RecordStore) -> None:
    session = session_record("s1")
    await add_session(store, session, seat_record(), NOTHING, NOW)
    assert not await store.replace_sealed("s1", b"something else", b"newer", NOW)
    assert not await store.replace_sealed("s2", session.sealed, b"newer", NOW)
    assert not await store.replace_sealed("s1", session.sealed, b"newer", session.ends_at)
    assert await store.replace_sealed("s1", session.sealed, b"newer", NOW)
    assert not await store.replace_sealed("s1", session.sealed, b"newest", NOW)
    read = await store.read_session("s1", NOW)
    assert read == replace(session, sealed=b"newer")


# --- jars


async def test_a_jar_is_kept_with_its_session_for_one_host(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await add_session(store, session_record("s2"), seat_record("s2"), NOTHING, NOW)
    jar = JarKey("s1", PORTAL)
    assert await store.read_jar(jar, NOW) is None
    assert await store.replace_jar(jar, None, b"first", NOW)
    assert await store.read_jar(jar, NOW) == b"first"
    for other in (JarKey("s1", PERMIS), JarKey("s2", PORTAL)):
        assert await store.read_jar(other, NOW) is None
    assert await store.read_session("s1", NOW) == session_record()


async def test_a_jar_is_replaced_where_it_is_what_was_read(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    jar = JarKey("s1", PORTAL)
    assert not await store.replace_jar(jar, b"first", b"newer", NOW)
    answers = await asyncio.gather(*(store.replace_jar(jar, None, b"of %d" % number, NOW) for number in range(10)))
    assert answers.count(True) == 1
    kept = b"of %d" % answers.index(True)
    assert await store.read_jar(jar, NOW) == kept
    assert not await store.replace_jar(jar, None, b"newer", NOW)
    assert not await store.replace_jar(jar, b"something else", b"newer", NOW)
    assert await store.replace_jar(jar, kept, b"newer", NOW)
    assert await store.read_jar(jar, NOW) == b"newer"


async def test_a_jar_ends_with_its_session(store: RecordStore) -> None:
    for id in ("s1", "t2"):
        await add_session(store, session_record(id, idle=100), seat_record(id), NOTHING, NOW)
        assert await store.replace_jar(JarKey(id, PORTAL), None, b"sealed", NOW)
    assert await store.read_jar(JarKey("t2", PORTAL), NOW + 100) is None
    assert not await store.replace_jar(JarKey("t2", PORTAL), b"sealed", b"newer", NOW + 100)
    await end(store, ["s1"], NOW)
    await store.purge(NOW + 100)
    for id in ("s1", "t2"):
        assert await store.read_jar(JarKey(id, PORTAL), NOW) is None
        assert not await store.replace_jar(JarKey(id, PORTAL), None, b"sealed", NOW)


# --- notes for applications at the end of a session


def note(session_id: str = "s1", host: str = PERMIS, *, whose: bytes = b"") -> SealedNote:
    return SealedNote(session_id, host, f"sealed for {session_id} at {host}".encode(), whose)


def listed(notes: tuple[SealedNote, ...]) -> set[tuple[str, str, bytes]]:
    return {(each.session_id, each.host, each.sealed) for each in notes}


async def test_notes_are_taken_once_when_their_session_has_ended(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    other = session_record("t2", browser_index=b"browser-2")
    await add_session(store, other, seat_record("t2"), NOTHING, NOW)
    for each in (note(), note(host=PORTAL), note("t2")):
        assert await store.perform([each], NOW)
    assert await store.take_notes(10, NOW) == ()
    await end(store, ["s1"], NOW)
    first = await store.take_notes(1, NOW)
    answers = await asyncio.gather(*(store.take_notes(10, NOW) for _ in range(5)))
    taken = [first, *(answer for answer in answers if answer)]
    assert [len(each) for each in taken] == [1, 1]
    assert listed(taken[0] + taken[1]) == listed((note(), note(host=PORTAL)))


@pytest.mark.parametrize(("seconds", "purged"), [(100, True), (43200, False)])
async def test_notes_are_taken_when_time_has_ended_their_session(
    store: RecordStore, seconds: int, *, purged: bool
) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    assert await store.perform([note()], NOW)
    assert await store.take_notes(10, NOW + 99) == ()
    if purged:
        await store.purge(NOW + seconds)
    assert listed(await store.take_notes(10, NOW + seconds)) == listed((note(),))


async def test_a_note_of_a_session_that_was_used_since_waits_for_its_end(store: RecordStore) -> None:
    await add_session(store, session_record(idle=100), seat_record(), NOTHING, NOW)
    assert await store.perform([note()], NOW)
    await store.touch([Touch(KEY, NOW + 90)])
    assert await store.take_notes(10, NOW + 100) == ()
    await store.purge(NOW + 190)
    assert listed(await store.take_notes(10, NOW + 190)) == listed((note(),))


async def test_no_note_is_kept_of_a_session_that_is_gone(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(), NOTHING, NOW)
    await end(store, ["s1"], NOW)
    assert await store.perform([note()], NOW)
    assert await store.take_notes(10, NOW) == ()


async def test_a_later_note_of_the_browser_replaces_one_of_the_same_person(store: RecordStore) -> None:
    for id in ("s1", "s2"):
        await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)
    await store.perform([replace(note(whose=b"jeanne"), sealed=b"older")], NOW)
    await store.perform([note(whose=b"jeanne")], NOW)
    await store.perform([note(host=PORTAL), note("s2", whose=b"jeanne")], NOW)
    assert await store.take_notes(10, NOW) == ()
    await end(store, ["s1", "s2"], NOW)
    assert listed(await store.take_notes(10, NOW)) == listed((note("s2"), note(host=PORTAL)))


async def test_a_later_note_of_the_browser_makes_one_of_another_person_due(store: RecordStore) -> None:
    for id in ("s1", "s2"):
        await add_session(store, session_record(id), seat_record(id), NOTHING, NOW)
    await store.perform([note(whose=b"jeanne"), note(host=PORTAL, whose=b"jeanne")], NOW)
    await store.perform([note("s2", whose=b"paul")], NOW)
    assert listed(await store.take_notes(10, NOW)) == listed((note(),))
    assert await store.take_notes(10, NOW) == ()
    assert await store.read_session("s1", NOW) is not None


# --- tombstones


async def test_a_seat_that_has_ended_leaves_a_tombstone(store: RecordStore) -> None:
    """Whether or not it was cleared away, until its time is over."""
    session = session_record(idle=10)
    await add_session(store, session, seat_record(), NOTHING, NOW)
    assert await store.tombstone(KEY, NOW + 9) is None, "it lives"
    stone = Tombstone(PORTAL, session.subject_index, session.tenant, NOW + 10 + TOMBSTONE_KEPT)
    assert await store.tombstone(KEY, NOW + 10) == stone
    await store.purge(NOW + 20, bury=True)
    assert await store.read_seat(KEY, NOW) is None
    assert await store.tombstone(KEY, NOW + 20) == stone
    assert await store.tombstone(SeatKey("s1", b"l2"), NOW + 20) is None
    assert await store.tombstone(KEY, stone.until) is None
    await store.purge(stone.until, bury=True)
    assert await store.tombstone(KEY, NOW + 20) is None


async def test_one_that_ends_by_a_limit_of_its_own_leaves_one_too(store: RecordStore) -> None:
    await add_session(store, session_record(), seat_record(idle=10), NOTHING, NOW)
    for _ in range(2):
        stone = await store.tombstone(KEY, NOW + 10)
        assert stone is not None
        assert stone.until == NOW + 10 + TOMBSTONE_KEPT
        await store.purge(NOW + 10, bury=True)
    assert await store.read_session("s1", NOW) is not None


async def test_a_session_that_was_ended_leaves_none(store: RecordStore) -> None:
    """Nor does one whose seat had ended and was buried before."""
    await add_session(store, session_record(), seat_record(idle=10), NOTHING, NOW)
    await store.purge(NOW + 10, bury=True)
    await end(store, ["s1"], NOW + 11)
    assert await store.tombstone(KEY, NOW + 11) is None


async def test_one_that_was_ended_as_if_by_a_limit_leaves_one(store: RecordStore) -> None:
    """From its end on. One whose seat had ended before stays as it was."""
    await store.purge(NOW, bury=True)
    session = session_record()
    await add_session(store, session, seat_record(), NOTHING, NOW)
    await add_seat(store, seat_record("s1", b"l2", host=PERMIS, idle=10), NOTHING, NOW)
    await store.purge(NOW + 10, bury=True)
    for at in (NOW + 100, NOW + 200):
        # A message that is sent again ends nothing more.
        assert await store.perform([RevokeSession("s1", buried=True)], at)
    assert await store.read_session("s1", NOW) is None
    assert await store.read_seat(KEY, NOW) is None
    until = NOW + 100 + TOMBSTONE_KEPT
    assert await store.tombstone(KEY, NOW + 200) == Tombstone(PORTAL, session.subject_index, session.tenant, until)
    before = await store.tombstone(SeatKey("s1", b"l2"), NOW + 200)
    assert before is not None
    assert (before.host, before.until) == (PERMIS, NOW + 10 + TOMBSTONE_KEPT)
    assert await store.tombstone(KEY, until) is None
    await end(store, ["s1"], NOW + 300)
    assert await store.tombstone(KEY, NOW + 300) is None


async def test_where_nothing_is_buried_no_tombstone_is_left(store: RecordStore) -> None:
    await add_session(store, session_record(idle=10), seat_record(), NOTHING, NOW)
    await store.purge(NOW + 10)
    assert await store.tombstone(KEY, NOW + 10) is None


# --- whether it answers


async def test_a_store_that_answers_a_probe_is_reachable(store: RecordStore) -> None:
    await store.probe()
    assert store.reachable
