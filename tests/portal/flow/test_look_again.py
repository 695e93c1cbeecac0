"""What directories say of people who are signed in, looked up again apart from requests and while they are here."""

import asyncio
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from gateway.directories.index import index_path
from gateway.directories.indexing import make_index
from gateway.identity.directories import known_with
from gateway.model.directory import Directory, FileSource, GivenAttribute, KeyPart
from gateway.model.session import Seat
from gateway.stores.sessions.sessions import Sessions
from tests.patience import PATIENCE
from tests.portal.installation import ACTES, KEYS, Installation

SOURCE = FileSource("", "csv")
KEY = (KeyPart("uid", "subject", providers=("metropole",)),)
OFFICES = GivenAttribute("office", "office")


class Table:
    """The directory of an installation, whose file the test writes."""

    def __init__(self, here: Installation, **changes: Any) -> None:
        self.here = here
        self.folder = Path(here.state) / "directories"
        self.folder.mkdir()
        path = Path(here.state) / "offices.csv"
        made = Directory("offices", "f1", FileSource(str(path), "csv"), KEY, (OFFICES,), "one", "refuse", 0, 2.0, 600)
        self.directory = replace(made, **changes)
        here.snapshot = replace(here.snapshot, directories={"offices": self.directory})
        self.asked = 0

    def says(self, *rows: str) -> None:
        Path(self.directory.file.path).write_text("\n".join(("uid,office", *rows, "")))
        make_index(self.directory, self.folder, int(self.here.clock.now()))

    def is_away(self) -> None:
        index_path(self.folder, self.directory).unlink()

    async def seat(self, sessions: Sessions | None = None) -> Seat:
        browser = self.here.browser()
        await browser.get(self.here.url(ACTES))
        cookie = browser.jar[ACTES]["__Host-ecluse"].encode()
        found = await (sessions or self.here.sessions).load(ACTES, cookie)
        assert found is not None
        return found

    def office(self, seat: Seat) -> object:
        known = known_with(seat.identity, (self.directory,), self.here.clock.now())
        return "unknown" if "office" in known.left_out else known.attributes.get("office")


async def looked(here: Installation, *seats: Seat) -> None:
    assert here.renewal is not None
    await asyncio.gather(*(here.renewal.renew(seat) for seat in seats))


async def test_it_is_asked_ahead_of_the_end_of_what_it_said_and_what_has_changed_is_judged_at_once(
    here: Installation,
) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    assert table.office(seat) == ("maire",)
    assert 410 < seat.refresh_at - here.clock.monotonic() < 545
    seat.outcomes[1] = "kept"
    table.says("alice,adjoint")
    await looked(here, seat)
    assert table.office(seat) == ("maire",), "it is not due"
    here.clock.ahead = 550
    await looked(here, seat)
    assert table.office(seat) == ("adjoint",)
    assert here.changed == [seat]
    assert seat.outcomes == {}
    assert seat.refresh_at > here.clock.monotonic() + 410
    kept = await here.sessions.opened(ACTES, seat.cookie)
    assert kept is not None
    assert kept.identity == seat.identity


async def test_where_nothing_has_changed_nothing_is_judged(here: Installation) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    before = seat.identity
    here.clock.ahead = 550
    await looked(here, seat)
    assert (seat.identity is before, here.changed) == (True, [])
    assert seat.refresh_at > here.clock.monotonic() + 410


async def test_a_use_of_the_seat_sets_it_going_once_and_nobody_is_looked_up_who_is_away(here: Installation) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    due: list[Seat] = []
    here.sessions.when_due(due.append, lambda session: 0.0)
    here.sessions.touch(seat, here.clock.monotonic())
    here.clock.ahead = 550
    assert due == []
    for _ in range(50):
        here.sessions.touch(seat, here.clock.monotonic())
    assert due == [seat]


async def test_fifty_seats_of_two_workers_ask_once(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    other = Sessions(here.store, KEYS, now=here.clock.seconds, monotonic=here.clock.monotonic)
    elsewhere = await other.load(ACTES, seat.cookie)
    assert elsewhere is not None
    table.says("alice,adjoint")
    here.clock.ahead = 550
    asked = []
    directories = here.portal._services.directories  # type: ignore[attr-defined]
    real = directories.look_up

    async def counted(*args: Any, **named: Any) -> Any:
        asked.append(args)
        await asyncio.sleep(0.01)
        return await real(*args, **named)

    monkeypatch.setattr(directories, "look_up", counted)
    await looked(here, *[seat, elsewhere] * 25)
    assert len(asked) == 1
    here.clock.ahead += 3
    await looked(here, seat, elsewhere)
    assert (table.office(seat), table.office(elsewhere)) == (("adjoint",), ("adjoint",))
    assert len(asked) == 1, "the other worker finds what came of it"


async def test_a_session_begun_while_it_was_away_mends_itself(here: Installation) -> None:
    table = Table(here)
    seat = await table.seat()
    assert table.office(seat) == "unknown"
    assert 0 < seat.refresh_at - here.clock.monotonic() < 21
    here.clock.ahead = 21
    await looked(here, seat)
    assert table.office(seat) == "unknown"
    table.says("alice,maire")
    here.clock.ahead = 42
    await looked(here, seat)
    assert table.office(seat) == ("maire",)
    assert here.changed == [seat]


async def test_the_longer_it_is_away_the_less_often_it_is_asked(here: Installation) -> None:
    table = Table(here, away="last", last=86_400)
    table.says("alice,maire")
    seat = await table.seat()
    table.is_away()
    here.clock.ahead = 550
    pauses = []
    for _ in range(17):
        await looked(here, seat)
        pauses.append(seat.refresh_at - here.clock.monotonic())
        here.clock.ahead += ceil(pauses[-1])
    assert table.office(seat) == ("maire",)
    # A caller holds it for twenty seconds, and others ask within them what came of it.
    # It was due between 10 and 130 s before.
    assert max(pauses[:2]) < 42
    assert min(pauses[-2:]) > 59
    assert max(pauses) <= 60
    table.says("alice,adjoint")
    await looked(here, seat)
    assert table.office(seat) == ("adjoint",)
    assert seat.refresh_at > here.clock.monotonic() + 400


@pytest.mark.parametrize(
    ("away", "last", "counts"),
    [("refuse", 0, 600), ("without", 0, 600), ("last", 1200, 1200)],
)
async def test_what_it_said_counts_to_the_end_of_its_lifetime_where_it_is_away(
    here: Installation, away: Any, last: int, counts: int
) -> None:
    table = Table(here, away=away, last=last)
    table.says("alice,maire")
    seat = await table.seat()
    table.is_away()
    here.clock.ahead = 550
    await looked(here, seat)
    assert table.office(seat) == ("maire",)
    here.clock.ahead = counts - 5
    await looked(here, seat)
    assert table.office(seat) == ("maire",)
    here.clock.ahead = counts + 16
    await looked(here, seat)
    assert table.office(seat) == "unknown"


@pytest.mark.parametrize(("gone", "live"), [("keep", True), ("end", False)])
async def test_who_has_left_the_directory_loses_the_session_where_its_file_says_so(
    here: Installation, gone: Any, live: bool
) -> None:
    table = Table(here, gone=gone)
    table.says("alice,maire")
    seat = await table.seat()
    table.says("bob,maire")
    here.clock.ahead = 550
    await looked(here, seat)
    assert seat.live is live
    assert table.office(seat) == (None if live else ("maire",))
    assert here.revoker.told == ([] if live else [(seat.session_id,)])
    assert here.codes() == ([] if live else ["directory.gone"])


async def test_who_was_removed_during_an_outage_loses_the_session_when_it_is_over(here: Installation) -> None:
    table = Table(here, gone="end", away="without")
    table.says("alice,maire")
    seat = await table.seat()
    table.is_away()
    for ahead in (700, 800, 900):
        here.clock.ahead = ahead
        await looked(here, seat)
        assert (seat.live, table.office(seat)) == (True, "unknown")
    table.says("bob,maire")
    here.clock.ahead = 1000
    await looked(here, seat)
    assert not seat.live
    assert here.codes() == ["directory.file", "directory.gone"]


async def test_so_does_who_comes_back_after_a_pause_that_an_outage_was_in(here: Installation) -> None:
    table = Table(here, gone="end", away="without")
    table.says("alice,maire")
    seat = await table.seat()
    here.sessions.touch(seat, here.clock.monotonic())
    table.is_away()
    here.clock.ahead = 1000
    found = await here.sessions.load_shared(ACTES, seat.cookie)
    assert found is not None
    table.says("bob,maire")
    here.clock.ahead = 1100
    await looked(here, found)
    assert not found.live
    assert here.codes() == ["directory.file", "directory.gone"]


async def test_what_a_host_does_not_wait_for_is_not_forgotten_there(here: Installation) -> None:
    """No application of the host listens to this directory."""
    table = Table(here, gone="end", away="without")
    table.says("alice,maire")
    seat = await table.seat()
    session = await here.sessions.opened(ACTES, seat.cookie)
    table.is_away()
    here.clock.ahead = 1000
    assert here.look_again is not None
    assert session is not None
    after = await here.look_again.anew(ACTES, seat.cookie, session)
    assert after is not None
    assert [(one.state, one.was_found) for one in after.identity.findings] == [("away", True)]


async def test_who_was_never_in_it_stays_and_a_source_that_is_away_ends_nobody(here: Installation) -> None:
    table = Table(here, gone="end")
    table.says("bob,maire")
    seat = await table.seat()
    here.clock.ahead = 550
    await looked(here, seat)
    assert seat.live
    table.is_away()
    here.clock.ahead = 1400
    await looked(here, seat)
    assert seat.live


async def test_a_directory_that_asks_otherwise_by_now_is_asked_at_once(here: Installation) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    table.directory = replace(table.directory, fingerprint="f2")
    here.snapshot = replace(here.snapshot, directories={"offices": table.directory})
    table.says("alice,adjoint")
    assert table.office(seat) == "unknown"
    await looked(here, seat)
    assert table.office(seat) == ("adjoint",)


@pytest.mark.parametrize(("gone", "live"), [("keep", True), ("end", False)])
async def test_the_first_use_after_a_pause_waits_for_what_counts_no_longer(
    here: Installation, gone: Any, live: bool
) -> None:
    table = Table(here, gone=gone)
    table.says("alice,maire")
    seat = await table.seat()
    here.sessions.touch(seat, here.clock.monotonic())
    table.says("bob,maire")
    here.clock.ahead = 580
    assert here.sessions.cached(ACTES, seat.cookie) is seat
    here.clock.ahead = 620
    assert here.sessions.cached(ACTES, seat.cookie) is None, "the seat is read anew"
    found = await here.sessions.load_shared(ACTES, seat.cookie)
    assert (found is not None, seat.live) == (live, live)
    if found is not None:
        assert table.office(found) is None
        assert here.sessions.cached(ACTES, seat.cookie) is found
        assert here.changed == [seat], "what streams is judged by it, too"
    else:
        assert here.codes() == ["directory.gone"]


async def test_another_worker_that_reads_the_seat_after_a_pause_waits_as_well(here: Installation) -> None:
    table = Table(here, gone="end")
    table.says("alice,maire")
    seat = await table.seat()
    other = Sessions(here.store, KEYS, now=here.clock.seconds, monotonic=here.clock.monotonic)
    assert here.look_again is not None
    other.use_known_of_people(here.look_again)
    table.says("bob,maire")
    here.clock.ahead = 620
    loaded = await asyncio.gather(other.load(ACTES, seat.cookie), here.sessions.load(ACTES, seat.cookie))
    assert loaded == [None, None]


async def test_what_counts_no_longer_is_unknown_where_it_is_away_and_a_look_up_moves_the_end_on(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(here, gone="end")
    table.says("alice,maire")
    seat = await table.seat()
    here.sessions.touch(seat, here.clock.monotonic())
    here.clock.ahead = 550
    await looked(here, seat)
    here.clock.ahead = 1100
    assert here.sessions.cached(ACTES, seat.cookie) is seat, "it was asked again meanwhile"
    table.is_away()
    here.clock.ahead = 1200
    found = await here.sessions.load(ACTES, seat.cookie)
    assert (found, table.office(seat)) == (seat, "unknown")
    # Another worker asks, and dies: nobody goes by what it would have heard.
    table.says("alice,maire")
    here.clock.ahead = 1300
    await looked(here, seat)
    assert table.office(seat) == ("maire",)
    monkeypatch.setattr("gateway.portal.flow.look_again._STEP", 1.0)
    stamp = str(max(finding.at for finding in seat.identity.findings))
    here.sessions.touch(seat, here.clock.monotonic())
    await here.sessions.write_touches()
    here.clock.ahead = 1950
    assert await here.transactions.first_use("directories", seat.session_id, stamp, until=int(here.clock.now()) + 20)
    found = await here.sessions.load(ACTES, seat.cookie)
    assert (found, table.office(seat)) == (seat, "unknown")


async def test_a_directory_that_is_stuck_holds_no_request_of_an_application_that_does_not_list_it(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(here)
    other = replace(table.directory, name="other", gives=(GivenAttribute("town", "office"),))
    here.snapshot = replace(here.snapshot, directories={"offices": table.directory, "other": other})
    here.change("actes", directories=(table.directory,))
    table.says("alice,maire")
    make_index(other, table.folder, int(here.clock.now()))
    seat = await table.seat()
    here.sessions.touch(seat, here.clock.monotonic())

    def town(found: Seat) -> object:
        known = known_with(found.identity, (other,), here.clock.now())
        return "unknown" if "town" in known.left_out else known.attributes.get("town")

    assert town(seat) == ("maire",)
    answers = asyncio.Event()
    directories = here.portal._services.directories  # type: ignore[attr-defined]
    real = directories._finding

    async def stuck(directory: Directory, *args: Any) -> Any:
        if directory.name == "other":
            await answers.wait()
        return await real(directory, *args)

    monkeypatch.setattr(directories, "_finding", stuck)
    table.says("alice,adjoint")
    make_index(other, table.folder, int(here.clock.now()))
    here.clock.ahead = 620
    async with asyncio.timeout(PATIENCE):
        found = await here.sessions.load_shared(ACTES, seat.cookie)
    assert found is not None
    assert (table.office(found), town(found)) == (("adjoint",), "unknown"), "what it said counts no longer"
    # Once it answers, it is heard apart from requests.
    answers.set()
    here.clock.ahead = 642
    await looked(here, found)
    assert (table.office(found), town(found)) == (("adjoint",), ("adjoint",))


async def test_an_order_of_the_operator_has_them_looked_up_at_their_next_request(here: Installation) -> None:
    table = Table(here)
    table.says("alice,maire")
    seat = await table.seat()
    assert here.orders is not None
    table.says("bob,maire")
    here.clock.ahead = 20
    await looked(here, seat)
    assert table.office(seat) == ("maire",), "it is not due"
    here.orders.give([seat.session_id], int(here.clock.now()))
    here.sessions.due_now(["another"])
    assert seat.refresh_at > here.clock.monotonic()
    here.sessions.due_now([seat.session_id])
    assert seat.refresh_at <= here.clock.monotonic()
    here.clock.ahead = 22
    await looked(here, seat)
    assert table.office(seat) is None
    assert seat.refresh_at > here.clock.monotonic() + 410, "once"


async def test_an_order_for_all_is_carried_out_over_some_seconds_and_by_whoever_reads_the_seat_later(
    here: Installation,
) -> None:
    table = Table(here)
    table.says("alice,maire")
    seats = [await table.seat() for _ in range(4)]
    assert here.orders is not None
    here.clock.ahead = 20
    here.orders.give(None, int(here.clock.now()))
    here.sessions.due_now(None)
    moments = {seat.refresh_at for seat in seats}
    assert len(moments) == 4, "one after the other"
    assert max(moments) <= here.clock.monotonic() + 10
    here.sessions.forget()
    again = await here.sessions.load(ACTES, seats[0].cookie)
    assert again is not None
    assert again.refresh_at <= here.clock.monotonic()
