"""From rules to a decision: deny by default; a deny wins; a sign-in is asked for only if it could help."""

from dataclasses import replace
from typing import Final

from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.identity import Identity
from gateway.policy.conditions import PART_STEPS, Condition, evaluate, settle, too_costly
from gateway.policy.facts import Facts
from gateway.policy.routes import Match
from gateway.policy.rules import Rule
from gateway.policy.truth import FALSE, TRUE, UNKNOWN

_RULE_STEPS: Final = 400
"""Steps (policy.budget) of copying a rule, its condition excluded."""


def decide(match: Match | None, method: str, identity: Identity | None, facts: Facts | None = None) -> Decision:
    """The decision for one person. `match` None: no rule covers the path. `facts` None: only the method is known.

    Never raises. Certain refusals come before unknown results: a person whom a rule refuses is not sent to sign in
    first.
    """
    if match is None:
        return Deny(None, policy_codes.NO_RULE)
    facts = facts or Facts(method)
    unknown: Deny | Challenge | None = None
    for rule, condition in _denies(match, method):
        truth = evaluate(condition, identity, facts) if facts.afford(PART_STEPS) else UNKNOWN
        if truth is TRUE:
            return Deny(rule.ref, rule.denied_as, rule.refusal)
        if truth is UNKNOWN and unknown is None:
            unknown = _cannot_tell(rule, condition, identity, facts)
        if unknown is not None and facts.is_over_budget:
            return unknown
    deciding = next((rule for rule in match.rules if rule.covers(method)), None)
    if deciding is None:
        # We do not fall back on the rule of a wider path: the most specific path decides, for every method.
        return Deny(match.rules[0].ref, policy_codes.METHOD, match.rules[0].refusal)
    if deciding.allow is None or (truth := evaluate(deciding.allow, identity, facts)) is FALSE:
        return Deny(deciding.ref, policy_codes.NOT_ALLOWED, deciding.refusal)
    if unknown is not None:
        return unknown
    if truth is UNKNOWN:
        return _cannot_tell(deciding, deciding.allow, identity, facts)
    return Allow(deciding.ref, policy_codes.ALLOWED)


def settled(match: Match, method: str, identity: Identity | None, facts: Facts) -> Match:
    """The rules, with every condition that does not depend on the request decided. `decide` then runs per request.

    Once the budget is spent, the remaining rules stay as they are: `decide` has its own budget.
    """
    rules = tuple(
        replace(rule, allow=settle(rule.allow, identity, facts))
        if rule.allow is not None and rule.covers(method) and facts.afford(_RULE_STEPS)
        else rule
        for rule in match.rules
    )
    denies = tuple(
        replace(rule, deny=settle(deny, identity, facts)) if facts.afford(_RULE_STEPS) else rule
        for rule, deny in _denies(match, method)
    )
    return Match(match.pattern, rules, denies)


def _denies(match: Match, method: str) -> list[tuple[Rule, Condition]]:
    return [(rule, rule.deny) for rule in match.denies if rule.deny is not None and rule.covers(method)]


def _cannot_tell(rule: Rule, condition: Condition, identity: Identity | None, facts: Facts) -> Deny | Challenge:
    if identity is None and condition.of_identity:
        return Challenge(rule.ref, session_codes.REQUIRED)
    if why := too_costly(condition, identity, facts):
        return Deny(rule.ref, policy_codes.EXPRESSION, rule.refusal, why)
    return Deny(rule.ref, policy_codes.UNKNOWN, rule.refusal)
