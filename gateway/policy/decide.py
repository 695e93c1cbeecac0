"""Rules to a decision: deny by default, a deny wins, and a sign-in is asked for only where it could help."""

from gateway.model.codes import (
    POLICY_ALLOWED,
    POLICY_DENIED,
    POLICY_METHOD,
    POLICY_NO_RULE,
    POLICY_NOT_ALLOWED,
    POLICY_UNKNOWN,
    SIGN_IN_REQUIRED,
)
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.identity import Identity
from gateway.policy.conditions import Condition, Truth, evaluate, turns_on_identity
from gateway.policy.routes import Match
from gateway.policy.rules import Rule


def decide(match: Match | None, method: str, identity: Identity | None) -> Decision:
    """Never raises. What is certain comes before what is unknown, so that nobody signs in for a sure refusal."""
    if match is None:
        return Deny(None, POLICY_NO_RULE)
    unknown: Deny | Challenge | None = None
    for rule, condition in _denies(match, method):
        truth = evaluate(condition, identity)
        if truth is Truth.TRUE:
            return Deny(rule.ref, POLICY_DENIED, rule.refusal)
        if truth is Truth.UNKNOWN and unknown is None:
            unknown = _cannot_tell(rule, condition, identity)
    deciding = next((rule for rule in match.rules if rule.covers(method)), None)
    if deciding is None:
        # Never a wider path's rule: the most specific path decides, for every method.
        return Deny(match.rules[0].ref, POLICY_METHOD, match.rules[0].refusal)
    if deciding.allow is None or (truth := evaluate(deciding.allow, identity)) is Truth.FALSE:
        return Deny(deciding.ref, POLICY_NOT_ALLOWED, deciding.refusal)
    if unknown is not None:
        return unknown
    if truth is Truth.UNKNOWN:
        return _cannot_tell(deciding, deciding.allow, identity)
    return Allow(deciding.ref, POLICY_ALLOWED)


def _denies(match: Match, method: str) -> list[tuple[Rule, Condition]]:
    return [(rule, rule.deny) for rule in match.denies if rule.deny is not None and rule.covers(method)]


def _cannot_tell(rule: Rule, condition: Condition, identity: Identity | None) -> Deny | Challenge:
    if identity is None and turns_on_identity(condition):
        return Challenge(rule.ref, SIGN_IN_REQUIRED)
    return Deny(rule.ref, POLICY_UNKNOWN, rule.refusal)
