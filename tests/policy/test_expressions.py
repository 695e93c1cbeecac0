import pytest

from gateway.model.identity import Identity
from gateway.policy.conditions import Not, evaluate, turns_on_identity, turns_on_request
from gateway.policy.expressions import When
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth, negated


class Constant:
    def __init__(self, value: Truth) -> None:
        self.value = value

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return self.value


@pytest.mark.parametrize("value", list(Truth))
def test_an_expression_is_a_condition_as_any_other(value: Truth) -> None:
    when = When("x", Constant(value), of_identity=True, of_request=False)
    assert evaluate(when, None) is value
    assert evaluate(Not(when), None) is negated(value)
    assert (turns_on_identity(Not(when)), turns_on_request(Not(when))) == (True, False)
