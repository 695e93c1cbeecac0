"""Sessions of people at applications: sealed with their own, and gone with it."""

import pytest

from gateway.formlogin.spec import ApplicationSession
from gateway.model.session import Seat
from gateway.stores.applications.application_sessions import ApplicationSessions
from tests.stores.samples import KEYS, PERMIS, PORTAL, Worker

SESSION = ApplicationSession("f1", "helene", b"GRRSESSID=\xe9\xff; b=")


@pytest.fixture
def kept(worker: Worker) -> ApplicationSessions:
    return kept_by(worker)


def kept_by(worker: Worker) -> ApplicationSessions:
    return ApplicationSessions(worker.store, KEYS, worker.sessions, log=worker.log, now=worker.clock.now)


async def seat_of(worker: Worker, cookie: bytes, host: str = PORTAL) -> Seat:
    seat = await worker.sessions.load(host, cookie)
    assert seat is not None
    return seat


async def test_it_is_one_persons_at_one_application(worker: Worker, kept: ApplicationSessions) -> None:
    cookie = await worker.sign_in()
    seat, other = await seat_of(worker, cookie), await seat_of(worker, await worker.sign_in("another browser"))
    assert await kept.read(seat, "grr") is None
    await kept.keep(seat, "grr", SESSION)
    assert await kept.read(seat, "grr") == SESSION
    assert (await kept.read(seat, "rh"), await kept.read(other, "grr")) == (None, None)
    beside = await seat_of(worker, await worker.enter(cookie), PERMIS)
    assert await kept.read(beside, "grr") == SESSION, "every seat of the session has it"


async def test_the_last_one_counts_in_every_worker(worker: Worker, kept: ApplicationSessions) -> None:
    seat = await seat_of(worker, await worker.sign_in())
    await kept.keep(seat, "grr", SESSION)
    anew = ApplicationSession("f1", "helene", b"GRRSESSID=other")
    await kept_by(worker).keep(seat, "grr", anew)
    assert await kept.read(seat, "grr") == anew


async def test_it_opens_for_nobody_once_the_session_has_ended(worker: Worker, kept: ApplicationSessions) -> None:
    seat = await seat_of(worker, await worker.sign_in())
    await kept.keep(seat, "grr", SESSION)
    await worker.sessions.end([seat.session_id])
    assert await kept.read(seat, "grr") is None
    await kept.keep(seat, "grr", SESSION)
    assert await kept.read(seat, "grr") is None
