"""The rules as they would be if every shadow rule were live, in the place of what it stands for."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.policy.patterns import Segment, folded
from gateway.policy.rules import Rule


def unveiled(rules: Iterable[Rule], methods: Iterable[str], case_insensitive: bool) -> list[Rule]:
    """A shadow rule takes the place of the live rules on its pattern, for the methods that it names. `methods`: all
    that there are. In the order of the files; empty where there is no shadow rule."""
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
    """Each method by itself: GET includes HEAD."""
    methods: Sequence[str] | frozenset[str] = every if rule.methods is None else rule.methods
    return frozenset(methods) | ({"HEAD"} if "GET" in methods else frozenset())
