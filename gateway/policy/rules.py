"""An access rule of an app file, and the rules as they would be with every shadow rule in force."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.model.codes import policy_codes
from gateway.model.codes.code import Code
from gateway.model.decision import RuleRef
from gateway.model.theme import Words
from gateway.policy.conditions import Condition
from gateway.policy.patterns import Pattern, Segment, folded


@dataclass(frozen=True, slots=True)
class Rule:
    """`methods` None: every method.
    `allow` None: the rule admits no person.
    `refusal`: the text for people whom the rule refuses.
    `denied_as`: the code of the refusal if `deny` holds.
    """

    ref: RuleRef
    pattern: Pattern
    methods: frozenset[str] | None
    allow: Condition | None
    deny: Condition | None
    refusal: Words = ""
    shadow: bool = False
    denied_as: Code = policy_codes.DENIED

    def covers(self, method: str) -> bool:
        """GET includes HEAD (RFC 9110 9.3.2: the same, without the content)."""
        methods = self.methods
        return methods is None or method in methods or (method == "HEAD" and "GET" in methods)


def meet(one: Rule, other: Rule) -> frozenset[str] | None:
    """Returns the common methods of `one` and `other`. None: every method."""
    if one.methods is None or other.methods is None:
        return one.methods if other.methods is None else other.methods
    return _with_head(one.methods) & _with_head(other.methods)


def _with_head(methods: frozenset[str]) -> frozenset[str]:
    return methods | {"HEAD"} if "GET" in methods else methods


def unveiled(rules: Iterable[Rule], methods: Iterable[str], case_insensitive: bool) -> list[Rule]:
    """The rules as if the shadow rules were live, in the order of the files; empty if there is no shadow rule.

    A shadow rule replaces the live rules on its pattern, for the methods of the shadow rule.
    `methods`: the methods that exist.
    """
    given = list(rules)
    shadows = [rule for rule in given if rule.shadow]
    if not shadows:
        return []
    every = frozenset(methods)
    taken: dict[tuple[Segment, ...], set[str]] = {}
    for rule in shadows:
        taken.setdefault(folded(rule.pattern, case_insensitive).segments, set()).update(_named(rule, every))
    left = [_without(rule, taken.get(folded(rule.pattern, case_insensitive).segments), every) for rule in given]
    return [rule for rule in left if rule is not None]


def _without(rule: Rule, taken: set[str] | None, every: frozenset[str]) -> Rule | None:
    if rule.shadow:
        return replace(rule, shadow=False)
    if taken is None:
        return rule
    rest = _named(rule, every) - taken
    return replace(rule, methods=frozenset(rest)) if rest else None


def _named(rule: Rule, every: frozenset[str]) -> frozenset[str]:
    """The methods one by one, with HEAD where there is GET."""
    methods: Sequence[str] | frozenset[str] = every if rule.methods is None else rule.methods
    return frozenset(methods) | ({"HEAD"} if "GET" in methods else frozenset())
