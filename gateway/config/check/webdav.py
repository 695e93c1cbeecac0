"""Checks the WebDAV methods of an app file against its rules. Rules name only methods that the application accepts, and
rules cannot see the paths in a WebDAV body."""

from collections.abc import Iterator

from gateway.config.problems import Problem
from gateway.config.schema.app import AppFile, RuleSection
from gateway.config.yaml.reader import YamlDocument
from gateway.policy.patterns import Literal, Pattern, Rest, folded
from gateway.wire.framing import METHODS
from gateway.wire.webdav import IN_BODIES


def check_methods(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    for index, rule in enumerate(model.access):
        for place, method in enumerate(rule.methods or ()):
            if method.encode("ascii") not in METHODS and method not in model.methods:
                message = f"no {method} request ever reaches this application"
                yield document.problem(
                    ("access", index, "methods", place), message, f"methods: [{method}] in this file"
                )
    for place, method in enumerate(model.methods):
        if method.encode("ascii") in IN_BODIES:
            yield from _one_decision_below(document, model, method, ("methods", place))


def _one_decision_below(
    document: YamlDocument, model: AppFile, method: str, path: tuple[str | int, ...]
) -> Iterator[Problem]:
    """Refuses a method if rules decide differently below a path where it is let in: its body names paths that the
    gateway does not read."""
    for one, rule in enumerate(model.access):
        if rule.allow is None or not _covers(rule, method):
            continue
        for other, beneath in enumerate(model.access):
            if beneath.path != rule.path and _says(beneath) != _says(rule) and _is_below(rule, beneath, model):
                message = f"a {method} names paths in its body, and below {rule.path.text} rules decide otherwise"
                others = (
                    ("it is let in", document.place(("access", one, "path"))),
                    ("and", document.place(("access", other, "path"))),
                )
                hint = f"let {method} in where no rule below differs, or leave it out of methods"
                yield document.problem(path, message, hint, others=others)
                return


def _covers(rule: RuleSection, method: str) -> bool:
    return rule.methods is None or method in rule.methods


def _says(rule: RuleSection) -> tuple[object, ...]:
    return rule.allow, rule.deny, rule.shadow, frozenset(rule.methods or ())


def _is_below(rule: RuleSection, other: RuleSection, model: AppFile) -> bool:
    """Whether the other rule may decide on a path below a path of this rule."""
    case_insensitive = model.paths.case == "insensitive"
    wide, narrow = folded(rule.path, case_insensitive), folded(other.path, case_insensitive)
    if not _may_meet(_prefix(wide), narrow):
        return False
    # `/**` does not decide below `/dav/**`, unless it denies.
    is_wider = len(narrow.segments) <= len(wide.segments) and isinstance(narrow.segments[-1], Rest)
    return not (is_wider and isinstance(wide.segments[-1], Rest)) or other.deny is not None


def _prefix(pattern: Pattern) -> tuple[object, ...]:
    segments = pattern.segments
    ends = isinstance(segments[-1], Rest) or segments[-1] == Literal("")
    return segments[:-1] if ends else segments


def _may_meet(prefix: tuple[object, ...], pattern: Pattern) -> bool:
    for place, segment in enumerate(prefix):
        if place >= len(pattern.segments):
            return False
        other = pattern.segments[place]
        if isinstance(other, Rest):
            return True
        if isinstance(segment, Literal) and isinstance(other, Literal) and segment != other:
            return False
    return len(pattern.segments) > len(prefix)
