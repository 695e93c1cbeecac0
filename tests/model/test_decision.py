from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from gateway.model.codes import POLICY_ALLOWED, POLICY_NO_RULE, SIGN_IN_REQUIRED
from gateway.model.decision import Allow, Challenge, Decision, Deny, RuleRef

RULE = RuleRef("policies/apps/permis.yaml", 18, "/admin/**")


def test_a_decision_is_one_of_three() -> None:
    assert set(get_args(Decision)) == {Allow, Deny, Challenge}


def test_decisions_are_values() -> None:
    assert Deny(None, POLICY_NO_RULE) == Deny(None, POLICY_NO_RULE, "")
    assert Challenge(RULE, SIGN_IN_REQUIRED) != Deny(RULE, SIGN_IN_REQUIRED)
    assert len({Allow(RULE, POLICY_ALLOWED), Allow(RuleRef(RULE.file, 18, RULE.path), POLICY_ALLOWED)}) == 1


def test_no_decision_is_changed_once_made() -> None:
    for decision in (Allow(RULE, POLICY_ALLOWED), Deny(RULE, POLICY_NO_RULE), Challenge(RULE, SIGN_IN_REQUIRED)):
        with pytest.raises(FrozenInstanceError):
            decision.rule = None
