"""Runs every rule over a folder, and leaves out what comments ignore: `# ecluse-ignore: EC101 reason`."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from gateway.config.problems import Problem
from gateway.config.yaml.reader import YamlDocument
from gateway.lint.rules import ABOUT_IGNORES, NO_REASON, RULES, UNUSED
from gateway.lint.subject import Subject

_IGNORE = re.compile(r"(?:^|\s)#\s*ecluse-ignore:\s*(EC[0-9]{3}(?:\s*,\s*EC[0-9]{3})*)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class _Ignore:
    """`line`: of the comment. `covers`: the line that the comment ignores."""

    document: YamlDocument
    line: int
    covers: int
    codes: tuple[str, ...]
    reason: str


def lint(subject: Subject, codes: Collection[str] = ()) -> list[Finding]:
    """Problems in the order of places. `codes`: only the rules with these codes; empty: all rules, and problems of
    ignores."""
    rules = [rule for rule in RULES.values() if not codes or rule.code in codes]
    found = [Finding(rule.code, problem) for rule in rules for problem in rule.check(subject)]
    ignores = [ignore for document in _documents(subject) for ignore in _ignores(document)]
    ignored = {(ignore.document.file, ignore.covers, code) for ignore in ignores for code in ignore.codes}
    kept = [one for one in found if _key(one) not in ignored]
    about = [] if codes else _about(ignores, {_key(one) for one in found})
    return sorted([*kept, *about], key=_place)


def _documents(subject: Subject) -> Iterator[YamlDocument]:
    folder = subject.folder
    if folder.gateway is not None:
        yield folder.gateway.document
    yield from (loaded.document for loaded in folder.providers)
    yield from (loaded.document for loaded in (*folder.apps, *folder.shadows))
    yield from (loaded.document for loaded in folder.shared)


def _ignores(document: YamlDocument) -> Iterator[_Ignore]:
    """A comment on a line of its own covers the next line without a comment."""
    for line in range(1, document.lines + 1):
        if found := _IGNORE.search(document.source(line)):
            covers = line
            while document.source(covers).lstrip().startswith("#"):
                covers += 1
            codes = tuple(code.strip() for code in found[1].split(","))
            yield _Ignore(document, line, covers, codes, found[2].strip())


def _about(ignores: Iterable[_Ignore], found: set[tuple[str, int, str]]) -> Iterator[Finding]:
    for ignore in ignores:
        for code in ignore.codes:
            if (ignore.document.file, ignore.covers, code) not in found:
                yield _finding(UNUSED, ignore, f"{code} is not found there: {ABOUT_IGNORES[UNUSED][1]}")
        if not ignore.reason:
            yield _finding(NO_REASON, ignore, ABOUT_IGNORES[NO_REASON][1])


def _finding(code: str, ignore: _Ignore, say: str) -> Finding:
    column = ignore.document.source(ignore.line).index("#")
    return Finding(code, Problem(ignore.document.at((ignore.line - 1, column)), "", say))


def _key(finding: Finding) -> tuple[str, int, str]:
    return finding.problem.place.file, finding.problem.place.line, finding.code


def _place(finding: Finding) -> tuple[str, int, int, str]:
    place = finding.problem.place
    return place.file, place.line, place.column, finding.code
