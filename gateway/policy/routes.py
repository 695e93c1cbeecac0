"""The rules of a path: the most specific pattern decides, and every matching pattern may deny."""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.model.codes import policy_codes
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.policy.budget import MOST_STEPS
from gateway.policy.conditions import Condition
from gateway.policy.patterns import (
    AnyOne,
    ExpressionSegment,
    Literal,
    Pattern,
    Rest,
    Segment,
    compile_expression,
    folded,
    parse_pattern,
)
from gateway.policy.rules import Rule, meet
from gateway.policy.values import most_match_steps

Conflict = tuple[Rule, Rule, str]

# Overlapping deny patterns can match in many combinations. This bounds how many are kept for one pattern.
_KEPT_COMBINATIONS = 1024
_RULES_IN_A_STEP = 100


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """`rules`: the rules of the deciding pattern.
    `denies`: the deny rules of the matching patterns, the most specific first.
    `turns_on_request`: the decision can differ between two requests of one person for one path and method.

    Compared and hashed by identity. One object stands for a combination of patterns, so (match, method) is a key.
    """

    pattern: str
    rules: tuple[Rule, ...]
    denies: tuple[Rule, ...]
    turns_on_request: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "turns_on_request", any(condition.of_request for _, condition in self.conditions()))

    def conditions(self) -> Iterator[tuple[Rule, Condition]]:
        """The deciding conditions: `allow` of the deciding pattern's rules, and `deny` of every matching pattern."""
        for rule in self.rules:
            if rule.allow is not None:
                yield rule, rule.allow
        for rule in self.denies:
            if rule.deny is not None:
                yield rule, rule.deny


class _Leaf:
    """The end of a pattern: its rules, and the matches already made.

    `sole`: the match where no other pattern denies. Most leaves have no other match.
    Further matches are found by the leaves whose deny rules apply too."""

    __slots__ = ("matches", "rules", "sole")

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.matches: dict[tuple[_Leaf, ...], Match] | None = None
        self.sole: Match | None = None

    def match(self, denied_by: tuple["_Leaf", ...]) -> Match:
        if not denied_by:
            if self.sole is None:
                self.sole = Match(self.rules[0].pattern.text, self.rules, ())
            return self.sole
        if self.matches is None:
            self.matches = {}
        matches = self.matches
        found = matches.get(denied_by)
        if found is None:
            if len(matches) >= _KEPT_COMBINATIONS:
                del matches[next(iter(matches))]
            denies = tuple(rule for leaf in denied_by for rule in leaf.rules)
            found = matches[denied_by] = Match(self.rules[0].pattern.text, self.rules, denies)
        return found


# Most nodes are the last of their path: they share this, which stays empty.
_NO_LITERALS: "dict[str, _Node]" = {}


class _Node:
    """A node in the tree of patterns.

    `compiled`: the RE2 object of the expression that stands here; `expression`: the node behind it.
    `end`, `rest`: the pattern that ends here, without and with `**`.
    """

    __slots__ = ("compiled", "end", "expression", "literals", "one", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = _NO_LITERALS
        self.compiled: Any = None
        self.expression: _Node | None = None
        self.one: _Node | None = None
        self.rest: _Leaf | None = None
        self.end: _Leaf | None = None


# Most walks meet no expression: they share this, which stays empty.
_NO_KNOWN: dict[tuple[bytes, int], bool] = {}


class _Walk:
    """One path on the way through a tree. The path may meet an expression at many nodes: an expression is matched once
    for a segment. All matches together take MOST_STEPS at most.

    `segments`: as in wire.target.
    """

    __slots__ = ("_known", "_left", "_segments")

    def __init__(self, segments: tuple[str, ...]) -> None:
        self._segments = segments
        self._left = MOST_STEPS
        self._known: dict[tuple[bytes, int], bool] = _NO_KNOWN

    def by_expression(self, node: _Node, at: int) -> _Node | None:
        """The node behind the expression of this node, if the segment matches. Raises
        GatewayError(policy_codes.EXPRESSION)."""
        if self._known is _NO_KNOWN:
            self._known = {}
        key = node.compiled.pattern, at
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._matches(node.compiled, self._segments[at].encode())
        return node.expression if known else None

    def _matches(self, compiled: Any, segment: bytes) -> bool:
        self._left -= most_match_steps(compiled.programsize, len(segment))
        if self._left < 0:
            detail = f"the `~` expressions of this path could take over {MOST_STEPS:,} steps (some 10 ms) together"
            raise GatewayError(policy_codes.EXPRESSION, detail)
        return compiled.fullmatch(segment) is not None


_NO_WALK = _Walk(())


class RouteTable:
    """The rules of one app, by path. `has_expressions`: a pattern has a `~` segment."""

    __slots__ = ("_denies", "_has_expressions", "_rules")

    def __init__(self, rules: _Node, denies: _Node | None, *, has_expressions: bool) -> None:
        self._rules = rules
        self._denies = denies
        self._has_expressions = has_expressions

    @classmethod
    def build(cls, rules: Iterable[Rule], case_insensitive: bool) -> "RouteTable":
        """Raises GatewayError(policy_codes.CONFLICT) if `conflicts` finds any: an ambiguous table never serves."""
        live = _in_order(rules)
        for one, other, why in conflicts(live, case_insensitive):
            raise GatewayError(policy_codes.CONFLICT, f"{_place(one)} and {_place(other)}: {why}")
        steps = cls.build_steps(live, case_insensitive)
        while True:
            try:
                next(steps)
            except StopIteration as done:
                table: RouteTable = done.value
                return table

    @classmethod
    def build_steps(
        cls, rules: Iterable[Rule], case_insensitive: bool, closed: Iterable[Rule] = ()
    ) -> Generator[None, None, "RouteTable"]:
        """As `build`, for rules in the order of their file and without conflicts. Yields after every 100 rules.

        `closed`: rules that only refuse. Where a closed rule refuses nobody, the rules of a wider pattern decide.
        """
        tree, denies, has_expressions = _Node(), None, False
        for number, rule in enumerate(rules, 1):
            if rule.shadow:
                continue
            has_expressions = has_expressions or ExpressionSegment in map(type, rule.pattern.segments)
            _grow(tree, rule, case_insensitive)
            if rule.deny is not None:
                denies = denies or _Node()
                _grow(denies, rule, case_insensitive)
            if number % _RULES_IN_A_STEP == 0:
                yield
        for rule in closed:
            has_expressions = has_expressions or ExpressionSegment in map(type, rule.pattern.segments)
            denies = denies or _Node()
            _grow(denies, rule, case_insensitive)
        return cls(tree, denies, has_expressions=has_expressions)

    def find(self, segments: tuple[str, ...]) -> Match | None:
        """`segments`: as in wire.target, decoded once, and in lower case if the application ignores case.

        Raises GatewayError(policy_codes.EXPRESSION) for a path whose long segments take the expressions too long.
        """
        walk = _Walk(segments) if self._has_expressions else _NO_WALK
        leaf = _first(self._rules, segments, 0, walk)
        if leaf is None:
            return None
        if self._denies is None:
            return leaf.match(())
        return leaf.match(tuple(_every(self._denies, segments, 0, walk)))

    def matching(self, segments: tuple[str, ...]) -> tuple[Rule, ...]:
        """The rules of every pattern that matches; those of the deciding pattern come first."""
        return tuple(rule for leaf in _every(self._rules, segments, 0, _Walk(segments)) for rule in leaf.rules)

    def beneath(self, segments: tuple[str, ...]) -> tuple[Match | None, ...]:
        """The matches that decide on the paths below `segments`; None in the result: some path below has no rule.

        The first match has the deny rules of the whole subtree: a person whom a deny rule refuses on one path is
        refused. Later matches have no deny rules: each deny rule is evaluated once.
        """
        prefix = segments[:-1] if segments[-1] == "" else segments
        walk = _Walk(prefix)
        leaves, is_covered = _reachable(self._rules, prefix, 0, walk)
        denies = () if self._denies is None else tuple(dict.fromkeys(_reachable_denies(self._denies, prefix, 0, walk)))
        matches: tuple[Match | None, ...] = tuple(leaf.match(()) for leaf in dict.fromkeys(leaves))
        if leaves:
            matches = (leaves[0].match(denies), *matches[1:])
        return matches if is_covered else (*matches, None)

    def rules(self) -> Iterator[Rule]:
        """All rules, in no particular order."""
        return _below(self._rules)


def conflicts(rules: Iterable[Rule], case_insensitive: bool) -> list[Conflict]:
    """Finds ambiguous rules: on the same pattern for the same method, or with different `~re` in the same place."""
    found: list[Conflict] = []
    by_pattern: dict[tuple[Segment, ...], list[Rule]] = {}
    by_place: dict[tuple[Segment, ...], tuple[str, Rule]] = {}
    for rule in _in_order(rules):
        segments = folded(rule.pattern, case_insensitive).segments
        same_pattern = by_pattern.setdefault(segments, [])
        found += _same_methods(rule, same_pattern)
        same_pattern.append(rule)
        found += _other_expression(rule, segments, by_place)
    return found


def _same_methods(rule: Rule, earlier: list[Rule]) -> Iterator[Conflict]:
    for other in earlier:
        shared = meet(other, rule)
        if shared is None or shared:
            methods = "all methods" if shared is None else ", ".join(sorted(shared))
            yield other, rule, f"both decide {methods} on `{rule.pattern.text}`"
            return


def _other_expression(
    rule: Rule, segments: tuple[Segment, ...], by_place: dict[tuple[Segment, ...], tuple[str, Rule]]
) -> Iterator[Conflict]:
    for place, segment in enumerate(segments):
        if isinstance(segment, ExpressionSegment):
            source, other = by_place.setdefault(segments[:place], (segment.source, rule))
            if source != segment.source:
                yield other, rule, f"`~{source}` and `~{segment.source}` stand at one place: neither goes first"


def _in_order(rules: Iterable[Rule]) -> list[Rule]:
    """The live rules by their position in the files: the order of `rules` changes nothing."""
    live = (rule for rule in rules if not rule.shadow)
    return sorted(live, key=lambda rule: (rule.ref.file, rule.ref.line, rule.pattern.text))


def _place(rule: Rule) -> str:
    return f"{rule.ref.file}:{rule.ref.line}"


def _grow(root: _Node, rule: Rule, case_insensitive: bool) -> None:
    leaf = _leaf(root, folded(rule.pattern, case_insensitive), case_insensitive)
    leaf.rules += (rule,)


def _leaf(root: _Node, pattern: Pattern, case_insensitive: bool) -> _Leaf:
    node = root
    for segment in pattern.segments:
        match segment:
            case Literal():
                if node.literals is _NO_LITERALS:
                    node.literals = {}
                node = node.literals.setdefault(segment.text, _Node())
            case ExpressionSegment():
                if node.expression is None:
                    node.expression = _Node()
                    node.compiled = compile_expression(segment.source, case_insensitive)
                node = node.expression
            case AnyOne():
                node.one = node.one or _Node()
                node = node.one
            case Rest():
                node.rest = node.rest or _Leaf()
                return node.rest
    node.end = node.end or _Leaf()
    return node.end


def _first(node: _Node, segments: tuple[str, ...], at: int, walk: _Walk) -> _Leaf | None:
    """The most specific pattern that matches the whole path. The search backtracks where a branch fails."""
    if at == len(segments):
        return node.end or node.rest
    segment = segments[at]
    child = node.literals.get(segment)
    if child is not None and (leaf := _first(child, segments, at + 1, walk)) is not None:
        return leaf
    if node.compiled is not None:
        child = walk.by_expression(node, at)
        if child is not None and (leaf := _first(child, segments, at + 1, walk)) is not None:
            return leaf
    if node.one is not None and (leaf := _first(node.one, segments, at + 1, walk)) is not None:
        return leaf
    return node.rest


def _every(node: _Node, segments: tuple[str, ...], at: int, walk: _Walk) -> Iterator[_Leaf]:
    """Every pattern that matches the whole path, the most specific first."""
    if at == len(segments):
        if node.end is not None:
            yield node.end
    else:
        segment = segments[at]
        child = node.literals.get(segment)
        if child is not None:
            yield from _every(child, segments, at + 1, walk)
        if node.compiled is not None:
            child = walk.by_expression(node, at)
            if child is not None:
                yield from _every(child, segments, at + 1, walk)
        if node.one is not None:
            yield from _every(node.one, segments, at + 1, walk)
    if node.rest is not None:
        yield node.rest


def _reachable(node: _Node, segments: tuple[str, ...], at: int, walk: _Walk) -> tuple[list[_Leaf], bool]:
    """The leaves that decide on paths below, and whether every path below has a deciding leaf."""
    if at == len(segments):
        return list(_leaves(node)), node.rest is not None
    found: list[_Leaf] = []
    for child in _children(node, segments, at, walk):
        leaves, is_covered = _reachable(child, segments, at + 1, walk)
        found += leaves
        if is_covered:
            return found, True
    return (found, False) if node.rest is None else ([*found, node.rest], True)


def _reachable_denies(node: _Node, segments: tuple[str, ...], at: int, walk: _Walk) -> Iterator[_Leaf]:
    if at == len(segments):
        yield from _leaves(node)
        return
    for child in _children(node, segments, at, walk):
        yield from _reachable_denies(child, segments, at + 1, walk)
    if node.rest is not None:
        yield node.rest


def _children(node: _Node, segments: tuple[str, ...], at: int, walk: _Walk) -> Iterator[_Node]:
    """Where a segment leads, the most specific first."""
    child = node.literals.get(segments[at])
    if child is not None:
        yield child
    if node.compiled is not None:
        child = walk.by_expression(node, at)
        if child is not None:
            yield child
    if node.one is not None:
        yield node.one


def _leaves(node: _Node) -> Iterator[_Leaf]:
    for leaf in (node.end, node.rest):
        if leaf is not None:
            yield leaf
    for child in (*node.literals.values(), node.expression, node.one):
        if child is not None:
            yield from _leaves(child)


def _below(node: _Node) -> Iterator[Rule]:
    return (rule for leaf in _leaves(node) for rule in leaf.rules)


@dataclass(frozen=True, slots=True)
class PathSet:
    """Path patterns that decide nothing: a path is in the set or not. Raises GatewayError(POLICY_CONFLICT) as
    `RouteTable.build`.

    `find`: RouteTable.find of a table of these patterns.
    """

    patterns: tuple[str, ...] = ()
    case_insensitive: bool = False
    find: Callable[[tuple[str, ...]], Match | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parsed = [(text, parse_pattern(text, named=True)) for text in self.patterns]
        rules = [Rule(RuleRef("", 0, text), pattern, None, None, None) for text, pattern in parsed]
        object.__setattr__(self, "find", RouteTable.build(rules, self.case_insensitive).find)


NO_PATHS: Final = PathSet()
