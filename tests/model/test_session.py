import weakref

import pytest

from gateway.model.identity import Identity
from gateway.model.session import Seat, SeatLimits, Session

SOMEBODY = Identity("metropole", "https://op.example", "s-1", {})


def seat() -> Seat:
    return Seat(b"id.secret", "permis.example", "id", SOMEBODY, None, 1800.0, 100.0, 200.0, 0.0)


def test_a_new_seat_is_live_and_nothing_is_compiled_for_it_yet() -> None:
    new = seat()
    assert new.live
    assert new.revision == ""
    assert new.outcomes == {}
    assert new.outcomes is not seat().outcomes
    assert (new.deadline, new.hard_deadline, new.idle, new.touched) == (100.0, 200.0, 1800.0, 0.0)


def test_a_seat_is_flat_and_can_be_followed_without_being_kept() -> None:
    one = seat()
    assert not hasattr(one, "__dict__")
    with pytest.raises(AttributeError):
        one.extra = 1
    followed = weakref.ref(one)
    del one
    assert followed() is None


def test_two_seats_are_never_equal_for_each_is_one_entry() -> None:
    assert seat() != seat()


def test_a_session_is_a_value_and_an_app_sets_no_limit_unless_it_says_so() -> None:
    session = Session("id", SOMEBODY, "21590350100017", 1, 2, 1800)
    assert session == Session("id", SOMEBODY, "21590350100017", 1, 2, 1800, None, None)
    assert SeatLimits() == SeatLimits(idle=None, absolute=None)
