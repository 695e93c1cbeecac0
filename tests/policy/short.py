"""Rules, identities and tables in one line each, and the slow reading of patterns that the tree is held against."""

import re
from itertools import count

from hypothesis import strategies as st

from gateway.model.decision import RuleRef
from gateway.model.identity import Identity
from gateway.policy.conditions import Anyone, Condition
from gateway.policy.patterns import parse_pattern
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule

_lines = count(1)
ANYONE = Anyone()


def rule(
    path: str,
    allow: Condition | None = ANYONE,
    *,
    deny: Condition | None = None,
    methods: set[str] | None = None,
    refusal: str = "",
    shadow: bool = False,
    line: int = 0,
) -> Rule:
    ref = RuleRef("policies/apps/permis.yaml", line or next(_lines), path)
    named = None if methods is None else frozenset(methods)
    return Rule(ref, parse_pattern(path), named, allow, deny, refusal, shadow)


def table(*rules: Rule, case_insensitive: bool = False) -> RouteTable:
    return RouteTable.build(rules, case_insensitive)


def split(path: str) -> tuple[str, ...]:
    return tuple(path[1:].split("/"))


def person(left_out: frozenset[str] = frozenset(), **attributes: tuple[str, ...]) -> Identity:
    return Identity("metropole", "https://op.metropole.example", "s-1", attributes, left_out)


PIECES = ["a", "b", "~[ab]", "*"]
PATTERNS = st.lists(st.sampled_from(PIECES), max_size=4).flatmap(
    lambda pieces: st.sampled_from(["/" + "/".join([*pieces, "**"]), "/" + "/".join(pieces or [""])])
)
PATHS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=5).flatmap(
    lambda pieces: st.sampled_from(["/" + "/".join(pieces), "/" + "/".join([*pieces, ""])])
)
RANKS = {"~[ab]": 1, "*": 2, "**": 3}


def covers(pattern: str, path: str) -> bool:
    body, rest = (pattern[:-3], "(/[^/]*)*") if pattern.endswith("/**") else (pattern, "")
    pieces = ["[ab]" if piece == "~[ab]" else "[^/]*" if piece == "*" else piece for piece in body.split("/")]
    return re.fullmatch("/".join(pieces) + rest, path) is not None


def by_brute_force(patterns: set[str], path: str) -> list[str]:
    matching = [pattern for pattern in patterns if covers(pattern, path)]
    return sorted(matching, key=lambda pattern: [RANKS.get(piece, 0) for piece in pattern[1:].split("/")])
