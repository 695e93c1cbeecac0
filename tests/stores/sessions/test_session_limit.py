"""In how many browsers a person is signed in at once."""

import asyncio
from dataclasses import replace

import pytest

from gateway.model.identity import Established, Identity
from gateway.stores.records import RecordStore
from gateway.stores.sealing import StoreKeys
from gateway.stores.sessions.new_session import NewSession
from gateway.stores.sessions.session_limit import SessionLimit
from tests.stores.samples import JEANNE, KEYS, NO_LIMITS, PORTAL, Clock, Worker, browser

NEWER = ("k2", b"n" * 32)


def limit_of(worker: Worker, keys: tuple[tuple[str, bytes], ...] = KEYS) -> SessionLimit:
    return SessionLimit(worker.store, worker.sessions, StoreKeys(keys), now=worker.clock.now)  # type: ignore[arg-type]


async def made(worker: Worker, where: str, identity: Identity = JEANNE) -> NewSession:
    session = await worker.sessions.new_session(
        host=PORTAL,
        person=Established(identity, None),
        browser=browser(where),
        idle=1800,
        absolute=43200,
        id_token=None,
        sid=None,
        replaces=None,
        limits=NO_LIMITS,
    )
    await worker.sessions.add(session)
    return session


async def signed_in(worker: Worker, where: str, most: int, identity: Identity = JEANNE) -> bytes:
    """A second later than all before it."""
    worker.clock.pass_by(1)
    session = await made(worker, where, identity)
    worker.sessions.revoke(await limit_of(worker).end_oldest(session, most, buried=False))
    return session.cookie


async def live(worker: Worker, cookies: list[bytes]) -> list[bool]:
    worker.sessions.forget()
    return [await worker.sessions.load(PORTAL, cookie) is not None for cookie in cookies]


async def test_the_oldest_go_and_the_newest_stay(worker: Worker) -> None:
    cookies = [await signed_in(worker, f"browser {number}", 2) for number in range(4)]
    assert await live(worker, cookies) == [False, False, True, True]
    limit = limit_of(worker)
    assert [await limit.has_ended(cookie) for cookie in cookies] == [True, True, False, False]


async def test_a_lower_limit_counts_from_the_next_sign_in_on(worker: Worker) -> None:
    cookies = [await signed_in(worker, f"browser {number}", 9) for number in range(4)]
    assert await live(worker, cookies) == [True] * 4
    cookies.append(await signed_in(worker, "another", 1))
    assert await live(worker, cookies) == [False] * 4 + [True]


async def test_a_browser_counts_once_by_its_newest_session(worker: Worker) -> None:
    """A stronger sign-in is one more session of the same browser, whose applications may still be in the older one."""
    at_home, at_work = await signed_in(worker, "home", 2), await signed_in(worker, "work", 2)
    again = await signed_in(worker, "home", 2)
    assert (await limit_of(worker).has_ended(at_home), await live(worker, [at_work, again])) == (False, [True, True])
    assert len(await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)) == 3
    elsewhere = await signed_in(worker, "a telephone", 2)
    assert await live(worker, [at_work, again, elsewhere]) == [False, True, True]


async def test_all_that_a_browser_has_goes_together(worker: Worker) -> None:
    twice = [await signed_in(worker, "home", 1) for _ in range(2)]
    await signed_in(worker, "work", 1)
    limit = limit_of(worker)
    assert [await limit.has_ended(cookie) for cookie in twice] == [True, True]
    assert len(await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)) == 1


async def test_nobody_else_is_counted(worker: Worker) -> None:
    others = [
        await signed_in(worker, "hers", 1, replace(JEANNE, subject="another")),
        await signed_in(worker, "theirs", 1, replace(JEANNE, issuer="https://another.example")),
    ]
    await signed_in(worker, "mine", 1)
    assert await live(worker, others) == [True, True]


async def test_an_end_of_another_kind_is_none_of_the_limit(worker: Worker) -> None:
    cookie = await signed_in(worker, "home", 1)
    worker.sessions.revoke(await worker.sessions.end_browser(PORTAL, cookie))
    assert not await limit_of(worker).has_ended(cookie)
    assert not await limit_of(worker).has_ended(b"made up")


@pytest.mark.parametrize("most", [1, 3])
async def test_of_many_at_once_one_too_many_stays_at_the_most_and_nobody_ends_themself(
    worker: Worker, most: int
) -> None:
    """All of them in the same second: which one is the oldest is chance, but the same for everybody."""
    worker.clock.pass_by(1)

    async def sign_in(number: int) -> tuple[str, tuple[str, ...]]:
        session = await made(worker, f"browser {number}")
        return session.session.id, await limit_of(worker).end_oldest(session, most, buried=False)

    ended = dict(await asyncio.gather(*map(sign_in, range(8))))
    left = await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)
    assert most <= len(left) <= most + 1
    assert not [own for own, gone in ended.items() if own in gone]
    assert set(ended) - set(left) == {id for gone in ended.values() for id in gone}


async def test_gateways_that_use_two_keys_side_by_side_tell_each_others_people(
    store: RecordStore, clock: Clock
) -> None:
    here, there = (Worker(store, clock, keys=keys) for keys in ((NEWER, *KEYS), (*KEYS, NEWER)))
    cookie = await signed_in(here, "home", 1)
    clock.pass_by(1)
    later = await made(there, "work")
    assert len(await limit_of(there, (*KEYS, NEWER)).end_oldest(later, 1, buried=False)) == 1
    assert await limit_of(here, (NEWER, *KEYS)).has_ended(cookie)
