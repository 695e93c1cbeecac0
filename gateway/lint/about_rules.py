"""Rules about access rules whose effect differs from their author's intent."""

from collections.abc import Iterator

from gateway.config.check.translate import names_a_secret
from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile
from gateway.lint.subject import Of, Subject
from gateway.policy.conditions import (
    All,
    Any_,
    Anyone,
    Condition,
    Not,
    SignedIn,
    evaluate,
)
from gateway.policy.patterns import AnyOne, ExpressionSegment, Literal, Pattern, Rest, Segment
from gateway.policy.request_conditions import Header, Query
from gateway.policy.rules import Rule, meet
from gateway.policy.trace import in_words, parts
from gateway.policy.truth import Truth
from gateway.policy.values import Equals, Within

_EVERYTHING = frozenset({".*", ".+", "[^/]*", "[^/]+"})
_SPECIAL = frozenset(r".^$*+?()[]{}|\\")


def _each(subject: Subject) -> Iterator[tuple[Of[AppFile], int, Rule]]:
    """The rules of every application, with shadow rules, which are meant to become live."""
    for app in (*subject.apps, *subject.shadows):
        for index, rule in subject.with_shadows(app):
            yield app, index, rule


def public_by_default(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.pattern.segments == (Rest(),) and isinstance(rule.allow, Anyone):
            yield app.at("access", index, "allow", say="every path that no other rule names is public")


def public_inside_private(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        rules = subject.rules(app)
        for index, rule in rules:
            if not isinstance(rule.allow, Anyone):
                continue
            for _, wider in rules:
                guarded = wider.allow is not None and not isinstance(wider.allow, Anyone)
                if guarded and len(wider.pattern.segments) > 1 and _is_below(rule.pattern, wider.pattern):
                    say = f"this is public, and {wider.pattern.text} around it is not"
                    yield app.at("access", index, "path", say=say)
                    break


def signed_in_inside_fewer(subject: Subject) -> Iterator[Problem]:
    """A path that admits more people than the path above: `/admin` is for a group, `/admin/export` for every signed-in
    person."""
    for app in subject.apps:
        rules = subject.rules(app)
        for index, rule in rules:
            if not isinstance(rule.allow, SignedIn) or rule.deny is not None:
                continue
            above = [other for _, other in rules if meet(rule, other) != frozenset() and _is_above(other, rule)]
            # The nearest rule above counts: it shows that the author chose to open the path, or not.
            nearest = max(above, key=lambda other: len(other.pattern.segments), default=rule)
            if nearest.deny is not None or not isinstance(nearest.allow, SignedIn | Anyone):
                say = f"this is for everybody who is signed in, but {nearest.pattern.text} above it is not"
                yield app.at("access", index, "path", say=say)


def exact_path_only(subject: Subject) -> Iterator[Problem]:
    """`/admin` is guarded; `/admin/` and the paths below are not."""
    for app in subject.apps:
        rules = subject.rules(app)
        written = {rule.pattern.segments for _, rule in rules}
        for index, rule in rules:
            last = rule.pattern.segments[-1]
            below = (*rule.pattern.segments, Rest())
            if not isinstance(last, Literal) or not last.text or below in written or isinstance(rule.allow, Anyone):
                continue
            if any(_is_below(Pattern("", below), other.pattern) and _lets_all_in(other) for _, other in rules):
                write = f"{rule.pattern.text}/**"
                yield app.at(
                    "access", index, "path", say="the paths below this path are public", write=f"write {write}"
                )


def never_reached(subject: Subject) -> Iterator[Problem]:
    for app in subject.apps:
        rules = subject.rules(app)
        everything = {
            rule.pattern.segments[:place]
            for _, rule in rules
            for place, segment in enumerate(rule.pattern.segments)
            if isinstance(segment, ExpressionSegment) and segment.source in _EVERYTHING and rule.methods is None
            and len(rule.pattern.segments) == place + 1
        }  # fmt: skip
        for index, rule in rules:
            segments = rule.pattern.segments
            if isinstance(segments[0], Literal) and segments[0].text.lower() == "_ecluse":
                yield app.at("access", index, "path", say="these paths are the gateway's own: no application sees them")
            elif isinstance(segments[-1], AnyOne) and segments[:-1] in everything:
                yield app.at("access", index, "path", say="an expression that matches everything comes before `*`")


def head_beside_get(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.methods is not None and {"GET", "HEAD"} <= rule.methods:
            place = (app.model.access[index].methods or []).index("HEAD")
            yield app.at("access", index, "methods", place, say="GET includes HEAD", write="leave HEAD out")


def deny_never_fires(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.deny is not None and _constant(rule.deny) is Truth.FALSE:
            yield app.at("access", index, "deny", say="this is never true, so it refuses nobody")


def deny_always_fires(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.deny is not None and rule.allow is not None and _constant(rule.deny) is Truth.TRUE:
            yield app.at("access", index, "allow", say="the deny beside it refuses everybody, so this admits nobody")


def allow_never_holds(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.allow is not None and _constant(rule.allow) is Truth.FALSE:
            yield app.at("access", index, "allow", say="this is never true, so it admits nobody")


def refusal_never_read(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        if rule.refusal and rule.deny is None and rule.methods is None and isinstance(rule.allow, Anyone):
            yield app.at("access", index, "refusal", say="this rule refuses nobody, so nobody reads this text")


def everybody_but(subject: Subject) -> Iterator[Problem]:
    """An `allow` that names only excluded people."""
    for app, index, rule in _each(subject):
        if rule.allow is not None and _only_nots(rule.allow):
            say = "this admits everybody else, including people of a provider added tomorrow"
            yield app.at("access", index, "allow", say=say, write="name the people to admit, and put this into deny")


def anyone_among_others(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
            if condition is not None and any(_has_anyone(one) for one in _within(condition)):
                yield app.at(
                    "access",
                    index,
                    word,
                    say="`anyone` among other conditions makes them useless, or is useless itself",
                )


def said_twice(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
            for one in _within(condition) if condition is not None else ():
                members = list(parts(one))
                if twice := next((part for part in members if members.count(part) > 1), None):
                    yield app.at("access", index, word, say=f"one condition is listed twice: {in_words(twice)}")


def expression_of_a_literal(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        for segment in rule.pattern.segments:
            if isinstance(segment, ExpressionSegment) and not _SPECIAL & set(segment.source):
                say = f"`~{segment.source}` is an expression that matches only this name"
                yield app.at("access", index, "path", say=say, write=f"write {segment.source}")


def anchors_in_an_expression(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        for segment in rule.pattern.segments:
            if isinstance(segment, ExpressionSegment) and (
                segment.source.startswith("^") or segment.source.endswith("$")
            ):
                say = "an expression covers its whole segment, so `^` and `$` have no effect"
                yield app.at("access", index, "path", say=say, write="leave them out")


def case_that_never_comes(subject: Subject) -> Iterator[Problem]:
    """Rules that differ only by case: an application that ignores case serves both paths under each rule."""
    for app in subject.apps:
        if app.model.paths.case == "insensitive":
            continue
        seen: dict[str, str] = {}
        for index, rule in subject.rules(app):
            first = seen.setdefault(rule.pattern.text.lower(), rule.pattern.text)
            if first != rule.pattern.text:
                say = f"this differs from {first} only by case"
                write = "if the application ignores case, write paths: {case: insensitive}"
                yield app.at("access", index, "path", say=say, write=write)


def _is_below(narrow: Pattern, wide: Pattern) -> bool:
    """Whether `wide`, which ends with `**`, covers every path of `narrow`. Compares literals only."""
    if narrow.segments == wide.segments or not isinstance(wide.segments[-1], Rest):
        return False
    head = wide.segments[:-1]
    return len(narrow.segments) > len(head) and all(map(_covers, head, narrow.segments))


def _is_above(wide: Rule, narrow: Rule) -> bool:
    """`/admin/**`, and `/admin` as well; not `/`, `/**` and `/*/**`, which cover the rest of the application."""
    segments = wide.pattern.segments
    if isinstance(last := segments[-1], Literal) and last.text:
        segments = (*segments, Rest())
    named = any(isinstance(segment, Literal) and segment.text for segment in segments)
    return wide.allow is not None and named and _is_below(narrow.pattern, Pattern("", segments))


def _covers(wide: Segment, narrow: Segment) -> bool:
    return wide == narrow or (isinstance(wide, AnyOne) and not isinstance(narrow, Rest))


def _lets_all_in(rule: Rule) -> bool:
    return isinstance(rule.allow, Anyone)


def _constant(condition: Condition) -> Truth | None:
    """The constant result of a condition; None where a person or a request makes a difference."""
    if condition.of_identity or condition.of_request:
        return None
    truth = evaluate(condition, None)
    return None if truth is Truth.UNKNOWN else truth


def _only_nots(condition: Condition) -> bool:
    match condition:
        case Not(inner):
            return inner.of_identity
        case All(members) | Any_(members):
            return all(map(_only_nots, members))
        case _:
            return False


def secret_in_a_condition(subject: Subject) -> Iterator[Problem]:
    for app, index, rule in _each(subject):
        for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
            for one in _within(condition) if condition is not None else ():
                if not isinstance(one, Header | Query) or not isinstance(one.test, Equals | Within):
                    continue
                if names_a_secret(one.name):
                    say = f"the value of {one.name} is readable in this file, and in the output of explain"
                    yield app.at("access", index, word, say=say, write="let programs bring an access token: api")


def _within(condition: Condition) -> Iterator[Condition]:
    yield condition
    for part in parts(condition):
        yield from _within(part)


def _has_anyone(condition: Condition) -> bool:
    members = list(parts(condition))
    return len(members) > 1 and any(isinstance(member, Anyone) for member in members)
