import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import SeatLimits
from gateway.stores.memory import MemoryStore
from gateway.stores.records import PARALLEL_TABS, AddSession, RecordStore, SeatKey, Touch, Write
from gateway.stores.sealing import StoreKeys
from gateway.stores.stepwise import tag_of
from tests.stores.samples import JEANNE, KEYS, NOW, OTHER_KEYS, PAIE, PERMIS, PORTAL, Around, Clock, Worker, transaction
from tests.stores.sharded import Sharded


async def load(worker: Worker, cookie: bytes, host: str = PORTAL) -> str | None:
    seat = await worker.sessions.load(host, cookie)
    return None if seat is None else seat.identity.subject


# --- sign-in and the cookie


async def test_a_person_signs_in_and_is_known_by_the_cookie(worker: Worker) -> None:
    cookie = await worker.sign_in()
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    assert (seat.identity, seat.tenant, seat.host, seat.cookie) == (JEANNE, "21590350100017", PORTAL, cookie)
    assert seat.live
    assert seat.session_id == cookie.split(b".")[0].decode()


async def test_the_whole_session_is_read_by_whoever_holds_the_cookie(worker: Worker) -> None:
    cookie = await worker.sign_in()
    session = await worker.sessions.opened(PORTAL, cookie)
    assert session is not None
    assert (session.identity, session.id_token, session.sid) == (JEANNE, "id.token.jws", "sid-of-the-provider")
    assert await worker.sessions.opened(PERMIS, cookie) is None
    await worker.sessions.end_browser(PORTAL, cookie)
    assert await worker.sessions.opened(PORTAL, cookie) is None


async def test_the_cookie_is_a_session_id_and_a_secret_of_128_and_256_random_bits(worker: Worker) -> None:
    cookies = {await worker.sign_in() for _ in range(50)}
    parts = [cookie.split(b".") for cookie in cookies]
    assert {(len(id), len(secret)) for id, secret in parts} == {(22, 43)}
    assert len({id for id, _ in parts}) == len({secret for _, secret in parts}) == 50


async def test_every_sign_in_is_a_new_session_with_a_new_secret(worker: Worker) -> None:
    # Attack SE01: what was presented is never taken on.
    first = await worker.sign_in()
    second = await worker.sign_in(replaces=first)
    assert not {*first.split(b".")} & {*second.split(b".")}


async def changed(cookie: bytes) -> list[bytes]:
    id, secret = cookie.split(b".")
    flipped = bytes([secret[0] ^ 1]) + secret[1:]
    last = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [id + b"." + secret[:-1] + bytes([other]) for other in last if other != secret[-1]]
    return [
        *twins,
        id.swapcase() + b"." + secret,
        id + b"." + flipped,
        id + b"." + secret.swapcase(),
        id + b"." + secret[:-1],
        id + b"." + secret + b"A",
        id + secret,
        id + b"..",
        b".",
        b"",
        cookie + b"\n",
        cookie + b"\x00",
        b" " + cookie,
        b"*" * 22 + b"." + secret,
        b"' OR 1=1 --".ljust(22) + b"." + secret,
        b"\xff" * 66,
        b"A" * 1_000_000,
    ]


async def test_no_changed_cookie_is_read(worker: Worker) -> None:
    # Attacks SE04 and K112; the last character of a secret has four spellings that decode alike: one is right.
    cookie = await worker.sign_in()
    for wrong in await changed(cookie):
        assert await load(worker, wrong) is None
        assert worker.sessions.cached(PORTAL, wrong) is None
    assert await load(worker, cookie) == JEANNE.subject


async def test_a_cookie_of_one_host_is_nothing_on_another(worker: Worker) -> None:
    cookie = await worker.sign_in()
    assert await load(worker, cookie, PERMIS) is None
    assert await load(worker, cookie, PORTAL) == JEANNE.subject
    assert await load(worker, cookie, PERMIS) is None
    assert worker.sessions.cached(PERMIS, cookie) is None
    assert worker.sessions.cached(PORTAL, cookie) is not None


async def test_the_secret_of_one_seat_does_not_open_another_of_the_same_session(worker: Worker) -> None:
    on_portal = await worker.sign_in()
    on_app = await worker.enter(on_portal)
    assert await load(worker, on_app, PERMIS) == JEANNE.subject
    assert await load(worker, on_app, PORTAL) is None
    assert await load(worker, on_portal, PERMIS) is None


async def test_another_worker_on_the_store_knows_the_cookie(store: RecordStore, clock: Clock) -> None:
    cookie = await Worker(store, clock).sign_in()
    assert await load(Worker(store, clock), cookie) == JEANNE.subject


# --- this worker's memory


async def test_a_seat_that_was_made_is_kept(worker: Worker) -> None:
    cookie = await worker.sign_in()
    on_app = await worker.enter(cookie)
    seat = worker.sessions.cached(PORTAL, cookie)
    assert seat is not None
    assert seat is await worker.sessions.load(PORTAL, cookie)
    assert worker.sessions.cached(PERMIS, on_app) is await worker.sessions.load(PERMIS, on_app)
    assert worker.sessions.held == 2


async def test_a_seat_that_was_read_is_kept(store: RecordStore, clock: Clock) -> None:
    cookie = await Worker(store, clock).sign_in()
    worker = Worker(store, clock)
    assert worker.sessions.cached(PORTAL, cookie) is None
    seat = await worker.sessions.load(PORTAL, cookie)
    assert worker.sessions.cached(PORTAL, cookie) is seat
    assert await worker.sessions.load(PORTAL, cookie) is seat
    assert worker.sessions.held == 1


async def test_a_session_that_is_ended_while_it_is_written_is_not_kept(clock: Clock) -> None:
    class EndsAtOnce(MemoryStore):
        async def perform(self, writes: Sequence[Write], now: int) -> bool:
            done = await super().perform(writes, now)
            worker.sessions.revoke([each.session.id for each in writes if isinstance(each, AddSession)])
            return done

    worker = Worker(EndsAtOnce(), clock)
    assert worker.sessions.cached(PORTAL, await worker.sign_in()) is None


async def test_memory_is_bounded_and_keeps_what_was_used_last(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock, cached_seats=3)
    cookies = [await worker.sign_in(f"browser {number}") for number in range(3)]
    for cookie in cookies:
        await load(worker, cookie)
    first = worker.sessions.cached(PORTAL, cookies[0])
    assert first is not None
    worker.sessions.touch(first, clock.monotonic())
    fourth = await worker.sign_in("browser 4")
    await load(worker, fourth)
    assert [worker.sessions.cached(PORTAL, cookie) is not None for cookie in cookies] == [True, False, True]
    assert worker.sessions.held == 3


@pytest.mark.slow
async def test_ten_thousand_mixed_reads_give_each_its_own(store: RecordStore, clock: Clock) -> None:
    # Attack K081.
    worker = Worker(store, clock, cached_seats=20)
    people = [replace(JEANNE, subject=f"subject {number}") for number in range(50)]
    cookies = [await worker.sign_in(person.subject, identity=person) for person in people]

    async def read(number: int) -> bool:
        which = (number * number + number // 500) % 50
        cookie, subject = cookies[which], people[which].subject
        seat = worker.sessions.cached(PORTAL, cookie) or await worker.sessions.load(PORTAL, cookie)
        return seat is not None and seat.identity.subject == subject

    for start in range(0, 10_000, 500):
        assert all(await asyncio.gather(*(read(number) for number in range(start, start + 500))))


@pytest.mark.slow
async def test_an_abandoned_read_or_write_gives_nobody_another_persons_answer(store: RecordStore, clock: Clock) -> None:
    # Attack K210.
    worker = Worker(store, clock)
    people = [replace(JEANNE, subject=f"subject {number}") for number in range(20)]
    cookies = [await worker.sign_in(person.subject, identity=person) for person in people]
    for round in range(40):
        tasks = [asyncio.create_task(worker.code(cookie)) for cookie in cookies]
        await asyncio.sleep(0)
        for number, task in enumerate(tasks):
            if (number + round) % 3 == 0:
                task.cancel()
        codes = await asyncio.gather(*tasks, return_exceptions=True)
        for cookie, code in zip(cookies, codes, strict=True):
            if isinstance(code, str) and round % 20 == 0:
                hand_over = await worker.sessions.hand_overs.take(code)
                assert hand_over is not None
                assert hand_over.value.session_id.encode() == cookie.split(b".")[0]


# --- lifetimes


async def test_a_seat_left_alone_ends_at_the_idle_limit(worker: Worker, clock: Clock) -> None:
    cookie = await worker.sign_in(idle=1800)
    await load(worker, cookie)
    clock.pass_by(1799)
    assert worker.sessions.cached(PORTAL, cookie) is not None
    clock.pass_by(1)
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert await load(worker, cookie) is None


async def test_use_moves_the_idle_limit_in_memory_and_in_the_store(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock)
    cookie = await worker.sign_in(idle=1800)
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    clock.pass_by(1700)
    worker.sessions.touch(seat, clock.monotonic())
    await worker.sessions.write_touches()
    clock.pass_by(1700)
    assert worker.sessions.cached(PORTAL, cookie) is seat
    assert await load(Worker(store, clock), cookie) == JEANNE.subject


async def test_nothing_moves_the_absolute_limit(worker: Worker, clock: Clock) -> None:
    cookie = await worker.sign_in(idle=1800, absolute=3600)
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    for _ in range(4):
        clock.pass_by(899)
        worker.sessions.touch(seat, clock.monotonic())
        await worker.sessions.write_touches()
    assert worker.sessions.cached(PORTAL, cookie) is seat
    clock.pass_by(4)
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert await load(worker, cookie) is None


async def test_a_seat_that_has_ended_is_not_touched_back(worker: Worker, clock: Clock) -> None:
    cookie = await worker.sign_in(idle=1800)
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    clock.pass_by(1800)
    worker.sessions.touch(seat, clock.monotonic())
    await worker.sessions.write_touches()
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert await load(worker, cookie) is None


async def test_work_in_one_app_keeps_the_whole_session(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock)
    on_portal = await worker.sign_in(idle=1800)
    on_app = await worker.enter(on_portal)
    assert await load(worker, on_portal) is not None
    seat = await worker.sessions.load(PERMIS, on_app)
    assert seat is not None
    for _ in range(3):
        clock.pass_by(1700)
        worker.sessions.touch(seat, clock.monotonic())
        await worker.sessions.write_touches()
    # The portal's seat was not used for longer than the limit: this worker's memory asks the store.
    assert worker.sessions.cached(PORTAL, on_portal) is None
    assert await load(worker, on_portal) == JEANNE.subject
    assert worker.sessions.cached(PORTAL, on_portal) is not None


async def test_several_workers_touches_do_not_shorten_each_other(store: RecordStore, clock: Clock) -> None:
    one, other = Worker(store, clock), Worker(store, clock)
    cookie = await one.sign_in(idle=1800)
    seats = [await worker.sessions.load(PORTAL, cookie) for worker in (one, other)]
    clock.pass_by(100)
    other.sessions.touch(seats[1], clock.monotonic())  # type: ignore[arg-type]
    clock.pass_by(1000)
    one.sessions.touch(seats[0], clock.monotonic())  # type: ignore[arg-type]
    await one.sessions.write_touches()
    await other.sessions.write_touches()
    clock.pass_by(1700)
    assert await load(Worker(store, clock), cookie) == JEANNE.subject


async def test_a_seat_in_use_is_written_at_most_each_minute_or_ten_times_within_its_idle_limit(
    store: RecordStore, clock: Clock
) -> None:
    class Counted(Around):
        async def touch(self, touches: Sequence[Touch]) -> None:
            written.append(clock.now())
            await self.store.touch(touches)

    worker = Worker(Counted(store), clock)
    for idle, gap in ((1800, 60), (100, 10)):
        written: list[int] = []
        cookie = await worker.sign_in(idle=idle)
        seat = await worker.sessions.load(PORTAL, cookie)
        assert seat is not None
        for _ in range(300):
            clock.pass_by(1)
            worker.sessions.touch(seat, clock.monotonic())
            await worker.sessions.write_touches()
        gaps = {later - earlier for earlier, later in pairwise(written)}
        assert gaps == {gap}


async def test_touches_that_could_not_be_written_are_written_later(store: RecordStore, clock: Clock) -> None:
    class Failing(Around):
        failing = True

        async def touch(self, touches: Sequence[Touch]) -> None:
            if self.failing:
                raise GatewayError(store_codes.UNREACHABLE)
            await self.store.touch(touches)

    failing = Failing(store)
    worker = Worker(failing, clock)
    cookie = await worker.sign_in(idle=1800)
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    clock.pass_by(1000)
    worker.sessions.touch(seat, clock.monotonic())
    with pytest.raises(GatewayError):
        await worker.sessions.write_touches()
    failing.failing = False
    await worker.sessions.write_touches()
    clock.pass_by(1000)
    assert await load(Worker(store, clock), cookie) == JEANNE.subject


async def test_an_app_may_set_shorter_limits_for_its_seats(worker: Worker, clock: Clock) -> None:
    on_portal = await worker.sign_in(idle=1800)
    on_app = await worker.enter(on_portal, limits=SeatLimits(idle=300, absolute=900))
    seat = await worker.sessions.load(PERMIS, on_app)
    assert seat is not None
    clock.pass_by(299)
    worker.sessions.touch(seat, clock.monotonic())
    await worker.sessions.write_touches()
    clock.pass_by(299)
    worker.sessions.touch(seat, clock.monotonic())
    await worker.sessions.write_touches()
    clock.pass_by(299)
    assert worker.sessions.cached(PERMIS, on_app) is not None
    worker.sessions.touch(seat, clock.monotonic())
    clock.pass_by(3)
    assert worker.sessions.cached(PERMIS, on_app) is None
    assert await load(worker, on_app, PERMIS) is None
    assert await load(worker, on_portal) == JEANNE.subject


async def test_an_app_seat_left_alone_ends_though_the_session_goes_on(worker: Worker, clock: Clock) -> None:
    on_portal = await worker.sign_in(idle=1800)
    on_app = await worker.enter(on_portal, limits=SeatLimits(idle=300))
    clock.pass_by(300)
    assert await load(worker, on_app, PERMIS) is None
    assert await load(worker, on_portal) == JEANNE.subject


async def test_no_seat_outlives_its_session(worker: Worker, clock: Clock) -> None:
    on_portal = await worker.sign_in(idle=1800, absolute=3600)
    on_app = await worker.enter(on_portal, limits=SeatLimits(idle=7200, absolute=7200))
    seat = await worker.sessions.load(PERMIS, on_app)
    assert seat is not None
    clock.pass_by(1700)
    worker.sessions.touch(seat, clock.monotonic())
    assert seat.idle == 1800
    clock.pass_by(1900)
    assert worker.sessions.cached(PERMIS, on_app) is None
    assert await load(worker, on_app, PERMIS) is None


@pytest.mark.parametrize("step", [-3600, 3600, 10 * 365 * 86400])
async def test_setting_the_machines_clock_ends_no_seat_in_memory_and_lengthens_none(
    worker: Worker, clock: Clock, step: int
) -> None:
    # Attack RF07.
    cookie = await worker.sign_in(idle=1800)
    await load(worker, cookie)
    clock.step(step)
    clock.pass_by(1799)
    assert worker.sessions.cached(PORTAL, cookie) is not None
    clock.pass_by(1)
    assert worker.sessions.cached(PORTAL, cookie) is None


# --- the hand-over


async def test_the_hand_over_says_what_enter_needs(worker: Worker) -> None:
    cookie = await worker.sign_in()
    code = await worker.code(cookie)
    assert code is not None
    assert len(code) == 43
    taken = await worker.sessions.hand_overs.take(code)
    assert taken is not None
    hand_over, asked = taken.value, transaction()
    assert (hand_over.app, hand_over.host, hand_over.binding) == (asked.app, asked.host, asked.binding)
    assert hand_over.return_target == asked.return_target
    assert (hand_over.provider, hand_over.created_at) == ("metropole", NOW)


async def test_a_code_is_good_once_for_thirty_seconds(worker: Worker, clock: Clock) -> None:
    cookie = await worker.sign_in()
    once, late, last = [await worker.code(cookie) or "" for _ in range(3)]
    assert await worker.sessions.hand_overs.take(once) is not None
    assert await worker.sessions.hand_overs.take(once) is None
    clock.pass_by(29)
    assert await worker.sessions.hand_overs.take(last) is not None
    clock.pass_by(1)
    assert await worker.sessions.hand_overs.take(late) is None


@pytest.mark.parametrize("code", ["", "A" * 43, "é", "\ud800", "x" * 100_000, "' OR 1=1 --", "\x00"])
async def test_a_made_up_code_is_nothing(worker: Worker, code: str) -> None:
    assert await worker.sessions.hand_overs.take(code) is None


async def test_a_seat_that_is_gone_gives_no_code(worker: Worker) -> None:
    cookie = await worker.sign_in()
    assert await worker.code(cookie, PERMIS) is None
    await worker.sessions.end_browser(PORTAL, cookie)
    assert await worker.code(cookie) is None


async def test_a_code_gives_no_seat_once_its_session_has_ended(worker: Worker, clock: Clock) -> None:
    cookie = await worker.sign_in()
    first = await worker.sessions.hand_overs.take(await worker.code(cookie) or "")
    code = await worker.code(cookie) or ""
    assert first is not None
    # Told by another worker, before the store's own answer.
    worker.sessions.revoke([first.value.session_id])
    assert await worker.sessions.take_seat(first, replaces=None) is None
    await Worker(worker.store, clock).sessions.end([first.value.session_id])
    second = await Worker(worker.store, clock).sessions.hand_overs.take(code)
    assert second is not None
    assert second.session is None
    assert await Worker(worker.store, clock).sessions.take_seat(second, replaces=None) is None


async def test_the_seat_of_a_code_is_there_when_the_code_is_taken_and_counts_from_then(
    worker: Worker, clock: Clock
) -> None:
    cookie = await worker.sign_in()
    code = await worker.code(cookie, limits=SeatLimits(idle=60)) or ""
    clock.pass_by(20)
    taken = await worker.sessions.hand_overs.take(code)
    assert taken is not None
    seat, another = taken.value.cookie.encode(), Worker(worker.store, clock)
    assert await worker.sessions.take_seat(taken, replaces=None) == seat
    assert worker.sessions.cached(PERMIS, seat) is not None
    clock.pass_by(59)
    assert worker.sessions.cached(PERMIS, seat) is not None
    assert await another.sessions.load(PERMIS, seat) is not None
    clock.pass_by(1)
    assert worker.sessions.cached(PERMIS, seat) is None
    assert await another.sessions.load(PERMIS, seat) is None


async def test_a_seat_whose_code_was_for_another_browser_ends(worker: Worker, clock: Clock) -> None:
    taken = await worker.sessions.hand_overs.take(await worker.code(await worker.sign_in()) or "")
    assert taken is not None
    await worker.sessions.leave_seat(taken)
    assert await worker.sessions.load(PERMIS, taken.value.cookie.encode()) is not None
    clock.pass_by(PARALLEL_TABS)
    assert await worker.sessions.load(PERMIS, taken.value.cookie.encode()) is None


async def test_a_hand_over_with_another_key_gives_no_seat(worker: Worker) -> None:
    cookie = await worker.sign_in()
    taken = await worker.sessions.hand_overs.take(await worker.code(cookie) or "")
    assert taken is not None
    forged = taken._replace(value=replace(taken.value, session_key=bytes(32)))
    assert await worker.sessions.take_seat(forged, replaces=None) is None
    assert worker.log.names() == ["store.unreadable"]


async def test_one_session_has_a_bounded_number_of_open_codes(worker: Worker) -> None:
    cookie = await worker.sign_in()
    codes = [await worker.code(cookie) or "" for _ in range(60)]
    taken = [await worker.sessions.hand_overs.take(code) is not None for code in codes]
    assert taken == [False] * 10 + [True] * 50


# --- seats that replace seats


async def test_a_new_seat_ends_the_older_one_of_this_browser_on_this_host(worker: Worker, clock: Clock) -> None:
    on_portal = await worker.sign_in()
    older = await worker.enter(on_portal)
    await load(worker, older, PERMIS)
    clock.pass_by(60)
    newer = await worker.enter(on_portal, replaces=older)
    assert worker.sessions.cached(PERMIS, older) is None
    assert await load(worker, older, PERMIS) is None
    assert await load(worker, newer, PERMIS) == JEANNE.subject
    clock.pass_by(60)
    newest = await worker.enter(on_portal)
    assert await load(worker, newer, PERMIS) is None
    assert await load(worker, newest, PERMIS) == JEANNE.subject


async def test_ten_tabs_that_enter_at_once_all_get_through(worker: Worker, clock: Clock) -> None:
    on_portal = await worker.sign_in()
    seats = await asyncio.gather(*(worker.enter(on_portal) for _ in range(10)))
    assert [await load(worker, seat, PERMIS) for seat in seats] == [JEANNE.subject] * 10
    clock.pass_by(PARALLEL_TABS)
    alive = [await load(worker, seat, PERMIS) for seat in seats]
    assert alive.count(JEANNE.subject) == 1
    assert [worker.sessions.cached(PERMIS, seat) is not None for seat in seats].count(True) == 1


async def test_a_sign_in_ends_the_seat_presented_whosever_session_it_was(worker: Worker, clock: Clock) -> None:
    # Attack SE01: a seat planted in the browser does not stay beside the new one.
    planted = await worker.sign_in("a stranger's browser", identity=replace(JEANNE, subject="stranger"))
    clock.pass_by(60)
    own = await worker.sign_in(replaces=planted)
    assert await load(worker, planted) is None
    assert await load(worker, own) == JEANNE.subject


async def test_a_second_sign_in_of_a_browser_takes_the_portal_and_leaves_the_apps_their_seats(
    worker: Worker, clock: Clock
) -> None:
    first = await worker.sign_in()
    on_app = await worker.enter(first)
    clock.pass_by(60)
    second = await worker.sign_in(identity=replace(JEANNE, provider="departement", subject="other"), replaces=first)
    assert await load(worker, first) is None
    assert await load(worker, second) == "other"
    assert await load(worker, on_app, PERMIS) == JEANNE.subject
    assert len(await worker.sessions.end_browser(PORTAL, second)) == 2
    assert await load(Worker(worker.store, clock), on_app, PERMIS) is None


# --- ends


async def test_the_sessions_of_a_browser_are_listed_and_ended_together(worker: Worker, clock: Clock) -> None:
    first = await worker.sign_in()
    await worker.enter(first)
    await worker.enter(first, host=PAIE)
    clock.pass_by(1)
    second = await worker.sign_in(identity=replace(JEANNE, provider="departement"))
    elsewhere = await worker.sign_in("another browser")
    listed = await worker.sessions.of_browser(PORTAL, second)
    assert [(session.provider, session.apps) for session in listed] == [
        ("metropole", ("paie", "permis")),
        ("departement", ()),
    ]
    ended = await worker.sessions.end_browser(PORTAL, second)
    assert {*ended} == {session.id for session in listed}
    assert await worker.sessions.of_browser(PORTAL, second) == ()
    assert await worker.sessions.end_browser(PORTAL, second) == ()
    assert await load(worker, elsewhere) == JEANNE.subject


async def test_a_seat_on_an_app_ends_the_whole_browser_too(worker: Worker) -> None:
    on_portal = await worker.sign_in()
    on_app = await worker.enter(on_portal)
    assert await worker.sessions.end_browser(PERMIS, on_portal) == ()
    assert len(await worker.sessions.end_browser(PERMIS, on_app)) == 1
    assert await load(worker, on_portal) is None


async def test_every_session_of_a_person_ends_without_any_cookie(worker: Worker) -> None:
    cookies = [await worker.sign_in(f"browser {number}") for number in range(3)]
    other = await worker.sign_in(identity=replace(JEANNE, subject="another"))
    same_name = await worker.sign_in(identity=replace(JEANNE, issuer="https://op.departement.example"))
    found = await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)
    assert len(found) == 3
    assert await worker.sessions.end(found) == found
    assert [await load(worker, cookie) for cookie in cookies] == [None] * 3
    assert await load(worker, other) == "another"
    assert await load(worker, same_name) == JEANNE.subject
    assert await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject) == ()


async def test_the_sessions_under_a_providers_session_id_end_without_any_cookie(worker: Worker) -> None:
    ours = await worker.sign_in(sid="sid-1")
    others = [
        await worker.sign_in(sid="sid-2"),
        await worker.sign_in(sid=None),
        await worker.sign_in(sid="sid-1", identity=replace(JEANNE, issuer="https://op.departement.example")),
    ]
    (found,) = await worker.sessions.of_sid(JEANNE.issuer, "sid-1")
    await worker.sessions.end([found.id])
    assert await load(worker, ours) is None
    assert None not in [await load(worker, cookie) for cookie in others]


async def test_the_store_tells_when_the_provider_issued_what_a_session_is_made_of(worker: Worker) -> None:
    """Beside the seal, for a provider's sign-out comes without any cookie; and whose it is, as a keyed hash."""
    await worker.sign_in("dated", issued_at=NOW - 7)
    await worker.sign_in("as an older release kept it")
    found = await worker.sessions.of_subject(JEANNE.issuer, JEANNE.subject)
    assert {one.issued_at for one in found} == {NOW - 7, None}
    assert {one.person for one in found} == {StoreKeys(KEYS).index("subject", JEANNE.issuer, JEANNE.subject)}


async def test_a_shard_that_is_out_of_reach_keeps_no_session_of_another_alive(clock: Clock) -> None:
    class WithoutOne(Sharded):
        async def perform(self, writes: Sequence[Write], now: int) -> bool:
            if lost in {tag_of(write) for write in writes}:
                raise GatewayError(store_codes.UNREACHABLE, f"{lost} is out of reach")
            return await super().perform(writes, now)

    store, lost = WithoutOne(), ""
    worker = Worker(store, clock)
    cookies = [await worker.sign_in(f"browser {number}") for number in range(5)]
    assert len({cookie[:1] for cookie in cookies}) > 1
    found = await worker.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)
    lost = cookies[2][:1].decode()
    assert len(await worker.sessions.end(found)) == 5
    with pytest.raises(GatewayError) as caught:
        worker.sessions.unwritten.require_written(found)
    assert caught.value.code is store_codes.UNREACHABLE
    assert [await load(worker, cookie) for cookie in cookies] == [None] * 5, "here all of them have ended"
    dead = [await load(Worker(store, clock), cookie) is None for cookie in cookies]
    assert dead == [cookie[:1] != cookies[2][:1] for cookie in cookies]
    lost = ""
    assert len(await worker.sessions.end(found)) == 5
    worker.sessions.unwritten.require_written(found)
    assert [await load(Worker(store, clock), cookie) for cookie in cookies] == [None] * 5


async def test_parts_of_an_index_do_not_run_into_each_other(worker: Worker) -> None:
    # Attack K031: `a` + `bc` is not `ab` + `c`.
    cookie = await worker.sign_in(identity=replace(JEANNE, issuer="https://op/a", subject="bc"))
    assert await worker.sessions.ids_of_subject("https://op/ab", "c") == ()
    assert await worker.sessions.of_sid("https://op/a", "bc") == ()
    assert await load(worker, cookie) == "bc"


async def test_a_revoked_session_is_dead_in_memory_at_once(worker: Worker) -> None:
    on_portal = await worker.sign_in()
    on_app = await worker.enter(on_portal)
    seats = [await worker.sessions.load(PORTAL, on_portal), await worker.sessions.load(PERMIS, on_app)]
    other = await worker.sign_in("another browser")
    await load(worker, other)
    killed = worker.sessions.revoke([seats[0].session_id, "unknown"])  # type: ignore[union-attr]
    assert {*killed} == {*seats}
    assert not any(seat.live for seat in killed)
    assert worker.sessions.cached(PORTAL, on_portal) is None
    assert worker.sessions.cached(PERMIS, on_app) is None
    assert worker.sessions.cached(PORTAL, other) is not None
    assert worker.sessions.revoke([seats[0].session_id]) == ()  # type: ignore[union-attr]


async def test_a_seat_that_memory_let_go_but_a_connection_holds_is_killed_too(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock, cached_seats=1)
    cookie = await worker.sign_in()
    held = await worker.sessions.load(PORTAL, cookie)
    assert held is not None
    await load(worker, await worker.sign_in("another browser"))
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert worker.sessions.revoke([held.session_id]) == (held,)
    assert not held.live


async def test_a_seat_that_the_store_does_not_know_any_more_dies_with_the_next_read(worker: Worker) -> None:
    cookie = await worker.sign_in()
    seat = await worker.sessions.load(PORTAL, cookie)
    assert seat is not None
    await worker.sessions.end([seat.session_id])
    assert worker.sessions.cached(PORTAL, cookie) is seat
    assert await worker.sessions.load(PORTAL, cookie) is None
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert not seat.live


async def test_a_seat_that_nothing_holds_is_freed(store: RecordStore, clock: Clock) -> None:
    worker = Worker(store, clock, cached_seats=1)
    for number in range(20):
        await load(worker, await worker.sign_in(f"browser {number}"))
    gc.collect()
    assert len(worker.sessions._cache._dropped) == 0


async def test_a_read_that_was_on_its_way_does_not_bring_a_revoked_session_back(
    store: RecordStore, clock: Clock
) -> None:
    reading, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Around):
        async def read_seat(self, key: SeatKey, now: int) -> object:
            found = await self.store.read_seat(key, now)
            reading.set()
            await go_on.wait()
            return found

    worker = Worker(Slow(store), clock)
    cookie = await worker.sign_in()
    read = asyncio.create_task(worker.sessions.load(PORTAL, cookie))
    await reading.wait()
    worker.sessions.revoke([cookie.split(b".")[0].decode()])
    go_on.set()
    assert await read is None
    assert worker.sessions.cached(PORTAL, cookie) is None


class Forgetting(Around):
    """Its worker learns while a seat is read that the store is another one. `late`: only once the read has ended."""

    def __init__(self, store: RecordStore, *, times: int = 1, late: bool = False) -> None:
        super().__init__(store)
        self.worker: Worker | None = None
        self.left, self.late, self.read = times, late, 0

    async def read_seat(self, key: SeatKey, now: int) -> object:
        found = await self.store.read_seat(key, now)
        self.read += 1
        if self.worker is not None and self.left:
            self.left -= 1
            if self.late:
                asyncio.get_running_loop().call_soon(self.worker.sessions.forget)
            else:
                self.worker.sessions.forget()
        return found


async def test_a_request_that_waits_for_a_seat_is_let_in_though_the_worker_forgets_its_seats_at_that_moment(
    store: RecordStore, clock: Clock
) -> None:
    forgetting = Forgetting(store, late=True)
    cookie = await Worker(store, clock).sign_in()
    forgetting.worker = worker = Worker(forgetting, clock)
    seat = await worker.sessions.load_shared(PORTAL, cookie)
    assert forgetting.left == 0
    assert seat is not None
    assert seat.live
    assert worker.sessions.cached(PORTAL, cookie) is seat


async def test_what_was_read_before_the_worker_forgot_its_seats_is_read_again(store: RecordStore, clock: Clock) -> None:
    forgetting = Forgetting(store)
    cookie = await Worker(store, clock).sign_in()
    forgetting.worker = worker = Worker(forgetting, clock)
    assert await load(worker, cookie) == "subject-of-jeanne"
    assert forgetting.read == 2


async def test_a_store_that_is_replaced_at_every_read_lets_nobody_in(store: RecordStore, clock: Clock) -> None:
    forgetting = Forgetting(store, times=100)
    cookie = await Worker(store, clock).sign_in()
    forgetting.worker = worker = Worker(forgetting, clock)
    with pytest.raises(GatewayError) as refused:
        await load(worker, cookie)
    assert refused.value.code is store_codes.UNREACHABLE
    assert worker.sessions.cached(PORTAL, cookie) is None


async def test_a_seat_that_was_made_before_the_worker_forgot_its_seats_is_not_kept(
    store: RecordStore, clock: Clock
) -> None:
    class Replaced(Around):
        async def perform(self, writes: Sequence[Write], now: int) -> bool:
            done = await self.store.perform(writes, now)
            worker.sessions.forget()
            return done

    worker = Worker(Replaced(store), clock)
    cookie = await worker.sign_in()
    assert worker.sessions.cached(PORTAL, cookie) is None
    assert await load(worker, cookie) == "subject-of-jeanne"


# --- store keys


async def test_a_retired_store_key_still_opens_while_it_is_listed_and_ends_its_sessions_when_it_is_not(
    store: RecordStore, clock: Clock
) -> None:
    old = Worker(store, clock)
    cookie = await old.sign_in()
    code = await old.code(cookie)
    rotated = Worker(store, clock, keys=OTHER_KEYS + KEYS)
    assert await load(rotated, cookie) == JEANNE.subject
    on_app = await rotated.enter(cookie)
    assert len(await rotated.sessions.of_browser(PORTAL, cookie)) == 1
    after = Worker(store, clock, keys=OTHER_KEYS)
    assert await load(after, cookie) is None
    # Made under the new key, but in a session that could not be found any more to be ended.
    assert await load(after, on_app, PERMIS) is None
    assert await after.sessions.hand_overs.take(code or "") is None


async def test_seats_in_memory_die_with_the_key_that_sealed_them_or_their_session(
    store: RecordStore, clock: Clock
) -> None:
    old = Worker(store, clock)
    cookie = await old.sign_in()
    worker = Worker(store, clock, keys=OTHER_KEYS + KEYS)
    on_app, newer = await worker.enter(cookie), await worker.sign_in("another browser")
    first, second, third = [
        await worker.sessions.load(host, one) for host, one in ((PORTAL, cookie), (PERMIS, on_app), (PORTAL, newer))
    ]
    assert first is not None
    assert second is not None
    assert third is not None
    assert worker.sessions.retire({"k0"}) == ()
    assert set(map(id, worker.sessions.retire({"k1"}))) == {id(first), id(second)}
    assert (first.live, second.live, third.live) == (False, False, True)


async def test_sessions_made_under_either_key_are_found(store: RecordStore, clock: Clock) -> None:
    await Worker(store, clock).sign_in()
    rotated = Worker(store, clock, keys=OTHER_KEYS + KEYS)
    cookie = await rotated.sign_in()
    assert len(await rotated.sessions.of_browser(PORTAL, cookie)) == 2
    assert len(await rotated.sessions.ids_of_subject(JEANNE.issuer, JEANNE.subject)) == 2


async def test_a_cookie_of_an_installation_with_another_key_of_that_name_opens_nothing(
    store: RecordStore, clock: Clock
) -> None:
    # Attack SE01: the store and the cookie are not enough without the store key.
    cookie = await Worker(store, clock).sign_in()
    other = Worker(store, clock, keys=((KEYS[0][0], OTHER_KEYS[0][1]),))
    assert await load(other, cookie) is None
    assert other.log.names() == ["store.unreadable"]


async def test_what_does_not_open_is_told_again_after_an_hour_of_the_clock_that_sessions_count_by(
    store: RecordStore, clock: Clock
) -> None:
    cookies = [await Worker(store, clock).sign_in(absolute=10**6, idle=10**6) for _ in range(3)]
    other = Worker(store, clock, keys=((KEYS[0][0], OTHER_KEYS[0][1]),))
    told = []
    for cookie, later in zip(cookies, (0, 3599, 1), strict=True):
        clock.pass_by(later)
        assert await load(other, cookie) is None
        told.append(len(other.log.events))
    assert told == [1, 1, 2]


async def test_a_store_key_that_is_too_short_is_refused(store: RecordStore, clock: Clock) -> None:
    with pytest.raises(GatewayError, match="under 32 bytes"):
        Worker(store, clock, keys=(("k1", b"short"),))


async def test_a_sign_in_that_brings_a_seat_belongs_to_the_browser_of_that_seat(worker: Worker) -> None:
    """Two tabs at the first visit may each be given a binding: a sign-out ends what either of them signed in."""
    first = await worker.sign_in("the first binding")
    there = await worker.enter(first)
    second = await worker.sign_in("the second binding", replaces=first)
    ended = await worker.sessions.end_browser(PORTAL, second)
    worker.sessions.revoke(ended)
    assert len(ended) == 2
    assert await load(worker, there, PERMIS) is None


async def test_a_sign_in_that_brings_a_seat_of_nobody_belongs_to_its_own_browser(worker: Worker) -> None:
    first = await worker.sign_in("the first binding")
    worker.sessions.revoke(await worker.sessions.end_browser(PORTAL, first))
    second = await worker.sign_in("the second binding", replaces=first)
    third = await worker.sign_in("the second binding")
    assert len(await worker.sessions.end_browser(PORTAL, third)) == 2
    assert await load(worker, second) is None
