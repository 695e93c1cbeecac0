"""What applications are told at the end of a session: sealed, little, and gone with it."""

from dataclasses import replace

import pytest

from gateway.model.session import SignOutNote
from gateway.stores import codec
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.records import RecordStore
from tests.stores.samples import KEYS, OTHER_KEYS, PERMIS, PORTAL, Clock, Heard, Worker


@pytest.fixture
def notes(store: RecordStore, clock: Clock) -> SignOutNotes:
    return SignOutNotes(store, KEYS, now=clock.now, monotonic=clock.monotonic)


def id_of(cookie: bytes) -> str:
    return cookie.partition(b".")[0].decode()


def note(cookie: bytes, host: str = PERMIS, login: bytes = b"h\xe9l\xe8ne") -> SignOutNote:
    return SignOutNote(id_of(cookie), host, "permis", login, b"JSESSIONID=a; PHPSESSID=b")


async def test_it_is_taken_once_and_after_the_end_alone(worker: Worker, notes: SignOutNotes) -> None:
    cookie, other = await worker.sign_in(), await worker.sign_in("another browser")
    await notes.keep([note(cookie), note(other), note(cookie, PORTAL)])
    assert await notes.take(10) == ()
    await worker.sessions.end([id_of(cookie)])
    first, second = await notes.take(1), await notes.take(10)
    assert {one.host for one in first + second} == {PERMIS, PORTAL}
    assert note(cookie) in first + second
    assert await notes.take(10) == ()
    assert await worker.sessions.load(PORTAL, other) is not None


@pytest.mark.parametrize("seconds", [1800, 43200])
async def test_time_ends_a_session_too(worker: Worker, notes: SignOutNotes, clock: Clock, seconds: int) -> None:
    cookie = await worker.sign_in()
    await notes.keep([note(cookie)])
    clock.pass_by(seconds)
    await worker.store.purge(clock.now())
    assert await notes.take(10) == (note(cookie),)


async def test_where_the_purge_is_late_the_absolute_limit_is_enough(
    worker: Worker, notes: SignOutNotes, clock: Clock
) -> None:
    cookie = await worker.sign_in()
    await notes.keep([note(cookie)])
    clock.pass_by(43200)
    assert await notes.take(10) == (note(cookie),)


async def test_a_clock_that_jumps_ahead_is_no_end(worker: Worker, notes: SignOutNotes, clock: Clock) -> None:
    cookie = await worker.sign_in()
    await notes.keep([note(cookie)])
    clock.step(86400)
    assert await notes.take(10) == ()
    clock.step(-86400)
    assert await worker.sessions.load(PORTAL, cookie) is not None
    clock.pass_by(43200)
    assert await notes.take(10) == (note(cookie),)


async def test_of_a_session_that_is_gone_nothing_is_kept(worker: Worker, notes: SignOutNotes) -> None:
    cookie = await worker.sign_in()
    await worker.sessions.end([id_of(cookie)])
    await notes.keep([note(cookie)])
    assert await notes.take(10) == ()


async def test_the_last_one_counts_and_a_newer_session_of_the_browser(worker: Worker, notes: SignOutNotes) -> None:
    older = await worker.sign_in()
    await notes.keep([note(older)])
    await notes.keep([note(older, login=b"later"), note(older, PORTAL)])
    newer = await worker.sign_in()
    await notes.keep([note(newer)])
    await worker.sessions.end([id_of(older), id_of(newer)])
    found = await notes.take(10)
    assert sorted(found, key=lambda one: one.host) == sorted(
        [note(newer), note(older, PORTAL)], key=lambda one: one.host
    )


async def test_a_seat_that_another_persons_has_replaced_is_told_of_at_once(worker: Worker, notes: SignOutNotes) -> None:
    """The session of the person before lives on elsewhere; at this host, another one is in its place."""
    before, other = await worker.sign_in(), await worker.sign_in("another browser")
    of_jeanne = replace(note(before), whose=("issuer", "jeanne"))
    await notes.keep([of_jeanne, replace(note(before, PORTAL), whose=("issuer", "jeanne"))])
    await notes.keep([replace(note(other), whose=("issuer", "paul"))])
    assert await notes.take(10) == ()
    after = await worker.sign_in()
    await notes.keep([replace(note(after), whose=("issuer", "jeanne"))])
    assert await notes.take(10) == ()
    last = await worker.sign_in()
    await notes.keep([replace(note(last), whose=("issuer", "paul"))])
    assert await notes.take(10) == (note(after),)
    assert await notes.take(10) == ()


async def test_it_opens_in_its_place_alone_and_under_its_key(worker: Worker, notes: SignOutNotes, clock: Clock) -> None:
    """Invariant 8: a store that was written to cannot send one person's login under another's session."""
    cookie, other = await worker.sign_in(), await worker.sign_in("another browser")
    sealed = notes._sealed(note(cookie))
    assert b"JSESSIONID" not in sealed.sealed
    await worker.store.perform([replace(sealed, session_id=id_of(other))], clock.now())
    await worker.sessions.end([id_of(other)])
    assert await notes.take(10) == ()
    await notes.keep([note(cookie)])
    await worker.sessions.end([id_of(cookie)])
    assert await SignOutNotes(worker.store, OTHER_KEYS, now=clock.now, monotonic=clock.monotonic).take(10) == ()


async def test_a_retired_store_key_still_opens_while_it_is_listed(
    worker: Worker, notes: SignOutNotes, clock: Clock
) -> None:
    cookie = await worker.sign_in()
    await notes.keep([note(cookie)])
    await worker.sessions.end([id_of(cookie)])
    assert await SignOutNotes(worker.store, OTHER_KEYS + KEYS, now=clock.now, monotonic=clock.monotonic).take(10) == (
        note(cookie),
    )


async def test_one_that_this_release_does_not_read_is_told_of_once_an_hour_and_holds_up_no_other(
    worker: Worker, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    notes = SignOutNotes(worker.store, KEYS, log=heard, now=clock.now, monotonic=clock.monotonic)
    cookie, later_cookie = await worker.sign_in(), await worker.sign_in("another browser")
    dump = codec._dump
    with monkeypatch.context() as later:
        later.setattr(codec, "_dump", lambda values: dump({**values, "later": 1}))
        await notes.keep([note(cookie), note(cookie, "b.localhost")])
        await notes.keep([note(later_cookie)])
    await notes.keep([note(cookie, PORTAL)])
    await worker.sessions.end([id_of(cookie)])
    assert await notes.take(10) == (note(cookie, PORTAL),)
    assert heard.names() == ["store.unreadable"]
    assert "(TypeError): its application is not told of the end of that session; to have" in str(heard.events[0])
    clock.pass_by(3600)
    await worker.sessions.end([id_of(later_cookie)])
    assert await notes.take(10) == ()
    assert heard.names() == ["store.unreadable"] * 2
