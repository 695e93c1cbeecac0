import secrets
from dataclasses import replace

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Entry, SeatLimits, Session
from gateway.stores.codec import StoredSession
from gateway.stores.records import AddSeat, SeatRecord, SessionRecord
from gateway.stores.sealing import (
    KEY_BYTES,
    Envelopes,
    NewSeat,
    Opened,
    StoreKeys,
    carried_at,
    new_id,
    read_cookie,
    with_seat,
)
from tests.stores.samples import JEANNE, KEYS, NOW, PERMIS, PORTAL

ENVELOPES = Envelopes(StoreKeys(KEYS), secrets.token_bytes)


def made(host: str = PORTAL) -> tuple[SessionRecord, NewSeat]:
    session = Session(new_id(size=16, shard="s"), JEANNE, None, NOW, NOW + 43200, 1800)
    key = secrets.token_bytes(KEY_BYTES)
    record = ENVELOPES.seal_session(StoredSession(session, "browser"), key)
    return record, ENVELOPES.new_seat(entry_to(session, key), host=host, app="", limits=SeatLimits(), now=NOW)


def entry_to(session: Session, key: bytes) -> Entry:
    return Entry(session.id, key, session.identity.provider, session.expires_at, "browser")


def opened(cookie: bytes, session: SessionRecord, seat: SeatRecord, host: str = PORTAL) -> Opened:
    presented = read_cookie(cookie)
    assert presented is not None
    return ENVELOPES.open_seat(host, presented, session, seat)


def refused(cookie: bytes, session: SessionRecord, seat: SeatRecord, host: str = PORTAL) -> bool:
    with pytest.raises(GatewayError) as caught:
        opened(cookie, session, seat, host)
    return caught.value.code is store_codes.UNREADABLE


def test_a_cookie_finds_and_opens_its_seat_and_session() -> None:
    session, (cookie, seat) = made()
    presented = read_cookie(cookie)
    assert presented is not None
    assert presented.key == seat.key
    assert opened(cookie, session, seat).stored.session.identity == JEANNE


def test_a_seat_of_another_session_or_host_does_not_open() -> None:
    (session, (cookie, seat)), (other_session, (other_cookie, other_seat)) = made(), made()
    assert refused(cookie, other_session, seat)
    assert refused(cookie, session, other_seat)
    assert refused(cookie, other_session, other_seat)
    assert refused(other_cookie, session, seat)
    assert refused(cookie, session, seat, PERMIS)
    assert refused(cookie, session, replace(seat, host=PERMIS), PERMIS)


def test_two_sessions_of_one_person_share_no_key() -> None:
    (one, first), (other, second) = made(), made()
    assert (
        opened(first.cookie, one, first.record).session_key != opened(second.cookie, other, second.record).session_key
    )


@pytest.mark.parametrize(
    ("limits", "expires_in", "idle"),
    [
        (SeatLimits(), 43200, 43200),
        (SeatLimits(absolute=900), 900, 900),
        (SeatLimits(absolute=90000), 43200, 43200),
        (SeatLimits(idle=300), 43200, 300),
        (SeatLimits(idle=300, absolute=900), 900, 300),
    ],
)
def test_a_seats_limits_are_the_shorter_ones(limits: SeatLimits, expires_in: int, idle: int) -> None:
    session = Session(new_id(size=16, shard="s"), JEANNE, None, NOW, NOW + 43200, 1800)
    seat = ENVELOPES.new_seat(entry_to(session, bytes(32)), host=PORTAL, app="", limits=limits, now=NOW).record
    assert (seat.expires_at, seat.idle, seat.ends_at) == (NOW + expires_in, idle, NOW + idle)


def test_a_session_that_is_shorter_than_its_idle_limit_ends_with_its_absolute_one() -> None:
    session = Session(new_id(size=16, shard="s"), JEANNE, None, NOW, NOW + 600, 1800)
    assert ENVELOPES.seal_session(StoredSession(session, "browser"), bytes(32)).ends_at == NOW + 600


def test_a_ticket_carries_a_seat_beside_what_is_sealed() -> None:
    _, (_, seat) = made()
    carried, sealed = carried_at(with_seat(AddSeat(seat, (b"one", b"two")), b"\1sealed"), NOW + 60)
    assert carried == AddSeat(replace(seat, ends_at=min(seat.expires_at, NOW + 60 + seat.idle)), (b"one", b"two"))
    assert (sealed, carried_at(b"\1sealed", NOW)) == (b"\1sealed", (None, b"\1sealed"))
