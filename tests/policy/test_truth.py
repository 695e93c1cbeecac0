import itertools

import pytest

from gateway.policy.truth import Truth, agreed, any_of, negated, truth_of

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN


def test_true_decides_any_and_only_what_agrees_is_agreed() -> None:
    for one, other in itertools.product(Truth, repeat=2):
        both = {one, other}
        assert any_of((one, other)) is (TRUE if TRUE in both else UNKNOWN if UNKNOWN in both else FALSE)
        assert agreed((one, other)) is (one if one is other else UNKNOWN)


@pytest.mark.parametrize(("one", "other"), [(TRUE, FALSE), (FALSE, TRUE), (UNKNOWN, UNKNOWN)])
def test_what_is_unknown_stays_unknown(one: Truth, other: Truth) -> None:
    assert negated(one) is other


def test_a_boolean_is_never_unknown() -> None:
    assert (truth_of(True), truth_of(False)) == (TRUE, FALSE)
