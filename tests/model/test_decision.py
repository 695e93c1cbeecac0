from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny, RuleRef

RULE = RuleRef("policies/apps/permis.yaml", 18, "/admin/**")


def test_a_decision_is_one_of_three() -> None:
    assert set(get_args(Decision)) == {Allow, Deny, Challenge}


def test_decisions_are_values() -> None:
    assert Deny(None, policy_codes.NO_RULE) == Deny(None, policy_codes.NO_RULE, "")
    assert Challenge(RULE, session_codes.REQUIRED) != Deny(RULE, session_codes.REQUIRED)
    assert len({Allow(RULE, policy_codes.ALLOWED), Allow(RuleRef(RULE.file, 18, RULE.path), policy_codes.ALLOWED)}) == 1


def test_no_decision_is_changed_once_made() -> None:
    for decision in (
        Allow(RULE, policy_codes.ALLOWED),
        Deny(RULE, policy_codes.NO_RULE),
        Challenge(RULE, session_codes.REQUIRED),
    ):
        with pytest.raises(FrozenInstanceError):
            decision.rule = None
