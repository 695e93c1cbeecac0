"""The explanation of a decision: the rules that matter, with the truth of each condition.

The trace reads the fields of conditions, so a new kind of condition needs no code here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from gateway.model.decision import RuleRef
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATES
from gateway.policy.conditions import GROUPS, Claim, Condition, Group, When, evaluate, too_costly
from gateway.policy.facts import NO_FACTS, Facts
from gateway.policy.persons import Mandate, Tenant
from gateway.policy.request_conditions import Network
from gateway.policy.routes import Match
from gateway.policy.rules import Rule
from gateway.policy.truth import Truth

Say = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class TracedCondition:
    """A condition in words, with its truth and the person's values it was compared with. `parts`: of a combination."""

    text: str
    truth: Truth
    why: str
    parts: tuple["TracedCondition", ...] = ()


@dataclass(frozen=True, slots=True)
class TracedRule:
    rule: RuleRef
    say: Say
    step: TracedCondition


def trace(
    match: Match | None, method: str, identity: Identity | None, facts: Facts | None = None
) -> tuple[TracedRule, ...]:
    """The rules that matter, in the order of `decide`: every deny, then the allow of the deciding path."""
    if match is None:
        return ()
    facts = facts or Facts(method)
    return tuple(
        TracedRule(rule.ref, say, explain(condition, identity, facts))
        for rule, say, condition in _asked(match)
        if rule.covers(method)
    )


def explain(condition: Condition, identity: Identity | None, facts: Facts = NO_FACTS) -> TracedCondition:
    steps = tuple(explain(part, identity, facts) for part in parts(condition))
    truth = evaluate(condition, identity, facts)
    return TracedCondition(in_words(condition), truth, "" if steps else _why(condition, truth, identity, facts), steps)


def in_words(condition: Condition) -> str:
    """`group administrateurs`, `claim mail suffix @metropole.example`. For a combination, only its keyword."""
    if any(True for _ in parts(condition)):
        return _name(condition)
    return " ".join((_name(condition), *_fields(condition)))


def whole_in_words(condition: Condition) -> str:
    """Like `in_words`, with the parts of a combination: `any (group a; not (group b))`."""
    within = "; ".join(whole_in_words(part) for part in parts(condition))
    return f"{in_words(condition)} ({within})" if within else in_words(condition)


def _asked(match: Match) -> Iterator[tuple[Rule, Say, Condition]]:
    for rule in match.denies:
        if rule.deny is not None:
            yield rule, "deny", rule.deny
    for rule in match.rules:
        if rule.allow is not None:
            yield rule, "allow", rule.allow


def parts(condition: Any) -> Iterator[Condition]:
    """The conditions in a combination."""
    for field in fields(condition):
        value = getattr(condition, field.name)
        yield from (part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Condition))


def _name(value: object) -> str:
    """`SignedIn` is signed_in, `Any_` any."""
    letters = (f"_{letter.lower()}" if letter.isupper() else letter for letter in type(value).__name__)
    return "".join(letters).strip("_")


def _fields(value: Any) -> Iterator[str]:
    for field in fields(value):
        if field.repr:
            yield from _words(getattr(value, field.name))


def _words(value: object) -> Iterator[str]:
    if value is None:
        return
    if is_dataclass(value):
        yield _name(value)
        yield from _fields(value)
    elif isinstance(value, frozenset):
        yield ", ".join(sorted(map(str, value)))
    elif isinstance(value, tuple):
        yield ", ".join(" ".join(_words(member)) for member in value)
    else:
        yield str(value)


def _why(condition: Condition, truth: Truth, identity: Identity | None, facts: Facts) -> str:
    """The values that were compared; empty if the condition itself says enough."""
    if isinstance(condition, Network):
        return "the client's address is not told" if truth is Truth.UNKNOWN else ""
    if identity is None:
        return "nobody is signed in" if truth is Truth.UNKNOWN and condition.of_identity else ""
    match condition:
        case When():
            return too_costly(condition, identity, facts)
        case Group():
            return _held(GROUPS, identity)
        case Mandate():
            return _held(MANDATES, identity)
        case Claim(name):
            return _held(name, identity)
        case Tenant():
            return "no organisation here" if facts.tenant is None else f"acts for {facts.tenant}"
        case _:
            return ""


def _held(name: str, identity: Identity) -> str:
    if name in identity.left_out:
        return f"{name}: left out by {identity.provider}"
    values = identity.attributes.get(name)
    return f"no {name} here" if values is None else f"{name}: {', '.join(values)}"
