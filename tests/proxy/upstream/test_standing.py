"""When an address is left out, tried, and let in again."""

from gateway.model.balancing import CircuitSettings
from gateway.proxy.upstream.standing import RetryBudget, Standing


def out(failures: int = 2, pause: float = 10.0) -> Standing:
    """Put out at 0."""
    standing = Standing(CircuitSettings(failures, pause))
    assert [standing.failed(0.0) for _ in range(failures)] == [0.0] * (failures - 1) + [pause]
    return standing


def test_failures_on_end_put_it_out() -> None:
    standing = out()
    assert standing.is_out()
    assert not standing.may_take(9.9)


def test_a_success_between_begins_the_count_anew() -> None:
    standing = Standing(CircuitSettings(2, 10.0))
    standing.failed(0.0)
    assert not standing.succeeded()
    assert standing.failed(0.0) == 0.0
    assert not standing.is_out()


def test_after_its_pause_one_request_tries_it_and_no_second_one_beside_it() -> None:
    standing = out()
    assert standing.may_take(10.0)
    standing.taken()
    assert not standing.may_take(10.0)
    assert standing.succeeded()
    assert standing.clear
    assert standing.may_take(10.0)


def test_a_try_that_fails_puts_it_out_for_twice_as_long_two_minutes_at_most() -> None:
    standing, now, pauses = out(), 10.0, []
    for _ in range(6):
        standing.taken()
        pauses.append(standing.failed(now))
        assert not standing.may_take(now + pauses[-1] - 0.1)
        now += pauses[-1]
    assert pauses == [20.0, 40.0, 80.0, 120.0, 120.0, 120.0]
    standing.succeeded()
    assert [standing.failed(now) for _ in range(2)] == [0.0, 10.0]


def test_a_try_whose_client_left_says_nothing_and_the_next_request_tries() -> None:
    standing = out()
    standing.taken()
    standing.left()
    assert standing.is_out()
    assert standing.may_take(10.0)


def test_requests_that_were_under_way_when_it_was_put_out_do_not_make_it_longer() -> None:
    standing = out()
    assert standing.failed(5.0) == 0.0
    assert standing.may_take(10.0)


def test_checks_put_it_out_after_so_many_on_end_and_let_it_in_by_one_that_is_good() -> None:
    standing = Standing(None)
    assert not standing.unhealthy(2)
    assert not standing.healthy(), "it was never out"
    assert [standing.unhealthy(2) for _ in range(3)] == [False, True, False]
    assert standing.is_out()
    assert not standing.may_take(1e9)
    assert standing.healthy()
    assert standing.clear
    assert standing.may_take(0.0)


def test_a_request_that_was_under_way_lets_no_unhealthy_one_in() -> None:
    standing = Standing(None)
    standing.unhealthy(1)
    assert not standing.succeeded()
    assert not standing.clear
    assert not standing.may_take(1e9)


def test_a_good_check_of_one_that_was_never_unhealthy_ends_no_circuit() -> None:
    """Its page may answer where nothing else does."""
    standing = out()
    assert not standing.healthy()
    assert not standing.may_take(9.9)


def test_a_budget_has_a_few_at_once_and_then_a_share_of_what_is_asked() -> None:
    budget = RetryBudget(10)
    assert sum(budget.take() for _ in range(100)) == 10
    for _ in range(1000):
        budget.asked()
        budget.take()
    assert sum(budget.take() for _ in range(100)) <= 1
    for _ in range(1000):
        budget.asked()
    assert sum(budget.take() for _ in range(100)) == 10, "what is not used is not saved up"


def test_no_share_is_no_retry() -> None:
    budget = RetryBudget(0)
    budget.asked()
    assert not budget.take()


def shares(standing: Standing, now: float) -> int:
    """Of a hundred requests."""
    return sum(standing.has_turn(now) for _ in range(100))


def test_one_that_is_in_again_gets_ever_more() -> None:
    standing = Standing(CircuitSettings(1, 10.0), slow_start=20.0)
    assert shares(standing, 0.0) == 100
    standing.failed(0.0)
    standing.taken()
    assert standing.succeeded(10.0)
    assert not standing.clear
    assert standing.may_take(10.0)
    assert [shares(standing, now) for now in (10.0, 15.0, 20.0, 25.0)] == [10, 25, 50, 75]
    assert not standing.succeeded(29.9)
    assert not standing.clear
    assert not standing.succeeded(30.0)
    assert standing.clear
    assert shares(standing, 30.0) == 100


def test_so_does_one_that_a_health_check_lets_in() -> None:
    standing = Standing(None, slow_start=20.0)
    standing.unhealthy(1)
    assert standing.healthy(10.0)
    assert not standing.clear
    assert shares(standing, 20.0) == 50


def test_without_it_it_gets_all_at_once() -> None:
    standing = out()
    assert standing.succeeded(10.0)
    assert standing.clear
    assert shares(standing, 10.0) == 100
