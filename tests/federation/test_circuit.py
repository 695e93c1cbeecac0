import pytest

from gateway.federation.client import FAILURES, PAUSE, TOLD, Circuit
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.oidc.documents import ProviderResponse


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(circuit: Circuit) -> str:
    with pytest.raises(GatewayError) as error:
        circuit.enter()
    assert error.value.code is login_codes.PROVIDER_UNREACHABLE
    return error.value.detail


def broken(clock: Clock) -> Circuit:
    circuit = Circuit(clock)
    for _ in range(FAILURES):
        circuit.enter()
        circuit.failed()
    return circuit


def test_after_some_failures_in_a_row_it_is_left_alone_for_a_while() -> None:
    clock = Clock()
    circuit = broken(clock)
    assert refused(circuit) == "not called: it did not answer 3 times in a row; called again in 10 s"
    clock.now += PAUSE - 1
    assert refused(circuit).endswith("in 1 s")
    clock.now += 1
    circuit.enter()


def test_an_answer_between_two_failures_starts_the_count_anew() -> None:
    circuit = Circuit(Clock())
    for _ in range(FAILURES * 2):
        circuit.enter()
        circuit.failed()
        circuit.answered()
    circuit.enter()


def test_after_the_pause_one_call_goes_to_see_and_the_others_wait_for_it() -> None:
    clock = Clock()
    circuit = broken(clock)
    clock.now += PAUSE
    circuit.enter()
    refused(circuit)
    circuit.answered()
    circuit.enter()
    circuit.enter()


def test_one_more_failure_is_one_more_pause() -> None:
    clock = Clock()
    circuit = broken(clock)
    clock.now += PAUSE
    circuit.enter()
    circuit.failed()
    assert refused(circuit).startswith("not called: it did not answer 4 times")


def test_a_doubt_counts_for_nothing_and_is_looked_into_once_at_a_time() -> None:
    circuit = Circuit(Clock())
    assert [circuit.doubted() for _ in range(FAILURES * 2)] == [True, *[False] * (FAILURES * 2 - 1)]
    circuit.enter()
    circuit.answered()
    assert circuit.doubted()
    circuit.failed()
    assert circuit.doubted()
    circuit.enter()


def test_people_who_choose_are_told_of_a_silence_for_a_minute() -> None:
    clock = Clock()
    circuit = Circuit(clock)
    assert not circuit.is_silent
    circuit.enter()
    circuit.failed()
    assert circuit.is_silent
    clock.now += TOLD - 1
    assert circuit.is_silent
    clock.now += 1
    assert not circuit.is_silent, "nobody has asked since"
    circuit = broken(clock)
    circuit.answered()
    assert not circuit.is_silent


@pytest.mark.parametrize("status", [502, 503, 504])
def test_one_that_says_that_it_is_away_is_told_of_after_a_single_time_and_asked_as_before(status: int) -> None:
    clock = Clock()
    circuit = Circuit(clock)
    for _ in range(FAILURES * 2):
        circuit.enter()
        circuit.responded(ProviderResponse(status, "", b""))
    assert circuit.is_silent
    circuit.enter()
    circuit.responded(ProviderResponse(404, "", b""))
    assert not circuit.is_silent, "it serves again"
    circuit.responded(ProviderResponse(status, "", b""))
    clock.now += TOLD
    assert not circuit.is_silent, "nobody has asked since"
