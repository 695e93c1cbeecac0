from gateway.model.codes import store_codes
from gateway.ops.counters import Counters
from gateway.stores.reachability import Reachability
from tests.stores.samples import Clock, Heard


def test_a_store_that_fails_and_answers_by_turns_is_told_of_once() -> None:
    """One node of a cluster away, a full disk that is read all the same."""
    clock, heard, counters = Clock(), Heard(), Counters()
    reached = Reachability(heard, counters, clock.monotonic)
    for _ in range(100):
        error = reached.failed("10.0.0.1:6379: does not answer")
        assert (error.code, reached.now) == (store_codes.UNREACHABLE, False)
        clock.pass_by(0.03)
        reached.answered()
        assert reached.now
    assert heard.names() == ["store.unreachable"]
    assert counters.all()["ecluse_session_store_errors_total",] == 100
    clock.pass_by(2)
    reached.answered()
    reached.answered()
    assert heard.names() == ["store.unreachable", "store.recovered"]
    reached.failed("once more")
    assert heard.names()[2:] == ["store.unreachable"]


def test_a_store_that_was_always_there_is_not_told_of() -> None:
    heard = Heard()
    Reachability(heard, None).answered()
    assert heard.names() == []
