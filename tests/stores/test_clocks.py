from gateway.stores.clocks import BELIEVED_AFTER, Horizon, Steps
from tests.stores.samples import NOW, Clock


def test_what_may_be_deleted_moves_on_with_the_time() -> None:
    clock = Clock()
    horizon = Horizon(clock.now, clock.monotonic)
    for minute in range(1, 200):
        clock.pass_by(60)
        assert horizon.look() == NOW + 60 * minute


def test_a_jump_ahead_is_believed_when_it_has_lasted() -> None:
    clock = Clock()
    horizon = Horizon(clock.now, clock.monotonic)
    clock.step(86400)
    passed = 0
    while passed < BELIEVED_AFTER:
        assert horizon.look() == NOW + passed
        clock.pass_by(60)
        passed += 60
    assert horizon.look() == NOW + 86400 + passed
    clock.pass_by(60)
    assert horizon.look() == NOW + 86400 + passed + 60


def test_one_that_was_taken_back_was_none() -> None:
    clock = Clock()
    horizon = Horizon(clock.now, clock.monotonic)
    for _ in range(5):
        clock.step(86400)
        clock.pass_by(BELIEVED_AFTER / 2)
        assert horizon.look() < NOW + 86400
        clock.step(-86400)
        clock.pass_by(60)
        horizon.look()


def test_a_clock_set_back_is_followed() -> None:
    clock = Clock()
    horizon = Horizon(clock.now, clock.monotonic)
    clock.step(-7200)
    assert horizon.look() == NOW - 7200


def test_steps_are_told_once_and_small_ones_not_at_all() -> None:
    clock = Clock()
    steps = Steps(clock.now, clock.monotonic)
    clock.pass_by(60)
    clock.step(1)
    assert steps.since() == 0.0
    clock.step(3600)
    assert round(steps.since()) in (3600, 3601)
    assert steps.since() == 0.0
    clock.step(-10)
    assert round(steps.since()) == -10
