"""`ecluse test`: runs the folder's own tests, and prints the differences and the rules that decided in no test."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.explain import rule_json
from gateway.cli.folder import changes, compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound
from gateway.translation.read_back import SentAs
from gateway.trial.cases import load_cases
from gateway.trial.judge import CaseVerdict, Coverage, Difference, coverage, judge
from gateway.trial.junit import junit


@dataclass(frozen=True, slots=True)
class _Outcome:
    verdicts: Sequence[CaseVerdict]
    covered: Coverage

    @property
    def failed(self) -> list[CaseVerdict]:
        return [one for one in self.verdicts if one.differences]


def run(told: Namespace) -> Exit:
    return test(told.folder, junit_file=told.junit, watch=told.watch, as_json=told.as_json)


def test(folder: Path, *, junit_file: Path | None, watch: bool, as_json: bool) -> Exit:
    """Runs the tests. With `watch`, it runs them again after every change, until interrupted."""
    # Watches before the first run: a file may change while the run reads it.
    changed = changes(folder) if watch else ()
    status = _once(folder, junit_file, as_json=as_json)
    try:
        for _ in changed:
            print()
            status = _once(folder, junit_file, as_json=as_json)
    except KeyboardInterrupt:
        pass
    return status


def _once(folder: Path, junit_file: Path | None, *, as_json: bool) -> Exit:
    try:
        outcome = _tested(folder)
    except ProblemsFound as found:
        say_problems(found, as_json=as_json)
        return Exit.FOUND
    if as_json:
        say_json(_as_json(outcome))
    else:
        print("\n".join(_as_text(outcome)), flush=True)
    try:
        if junit_file is not None:
            junit_file.write_text(junit(outcome.verdicts), "utf-8")
    except OSError as error:
        said_to_be_wrong(f"{junit_file}: {error.strerror}")
        return Exit.USAGE
    return Exit.FOUND if outcome.failed else Exit.DONE


def _tested(folder: Path) -> _Outcome:
    """Raises ProblemsFound."""
    files, _, snapshot = compiled(folder)
    cases, problems = load_cases(files, snapshot, time.time())
    if problems:
        raise ProblemsFound(problems)
    verdicts = judge(cases, snapshot)
    return _Outcome(verdicts, coverage(verdicts, snapshot))


# --- for people -------------------------------------------------------------------------------------------------------


def _as_text(outcome: _Outcome) -> Iterator[str]:
    for verdict in outcome.failed:
        place = verdict.case.document.place(("tests", verdict.case.index))
        yield f"{place}: {verdict.case.title}"
        for difference in verdict.differences:
            yield from diff(difference)
        rule = verdict.tried.rule
        yield f"    {verdict.tried.reason}" + ("" if rule is None else f" at {rule.file}:{rule.line} {rule.path}")
        yield ""
    for (file, name), told in _sent_as(outcome.verdicts).items():
        yield f"{file}: {name} is sent in {told.encoding}: {told.bytes}"
    covered = outcome.covered
    for uncovered in covered.uncovered:
        yield f"{uncovered.file}:{uncovered.line}: no test covers {uncovered.path}"
    for uncovered in covered.uncovered_shadows:
        yield f"{uncovered.file}:{uncovered.line}: no test covers the shadow {uncovered.path}"
    yield (
        f"{len(outcome.verdicts)} test(s), {len(outcome.failed)} failed; "
        f"{_share(covered)} of {covered.rules} rule(s){_beside(covered)}"
    )


def _sent_as(verdicts: Sequence[CaseVerdict]) -> dict[tuple[str, str], SentAs]:
    """The first non-ASCII value of each header in tests, by the application's file and the header's name."""
    found: dict[tuple[str, str], SentAs] = {}
    for tried in [verdict.tried for verdict in verdicts]:
        for name, told in tried.sent_as.items():
            found.setdefault(("" if tried.app is None else tried.app.file, name), told)
    return found


def _share(covered: Coverage) -> str:
    """The share of covered rules, rounded down: 100 % means every rule."""
    return f"{int(covered.per_cent)} %"


def _beside(covered: Coverage) -> str:
    if not covered.shadows:
        return ""
    return f", {covered.shadows - len(covered.uncovered_shadows)} of {covered.shadows} shadow rule(s)"


def diff(difference: Difference) -> Iterator[str]:
    yield f"    {difference.key}"
    yield from (f"    - {line}" for line in difference.expected)
    yield from (f"    + {line}" for line in difference.came)


# --- for programs -----------------------------------------------------------------------------------------------------


def _as_json(outcome: _Outcome) -> dict[str, object]:
    return {
        "tests": len(outcome.verdicts),
        "failed": [_failed_json(verdict) for verdict in outcome.failed],
        "sent_as": [
            {"file": file, "header": name, **told._asdict()}
            for (file, name), told in _sent_as(outcome.verdicts).items()
        ],
        "coverage": {
            "rules": outcome.covered.rules,
            "per_cent": outcome.covered.per_cent,
            "uncovered": [rule_json(rule) for rule in outcome.covered.uncovered],
            "shadow_rules": outcome.covered.shadows,
            "uncovered_shadows": [rule_json(rule) for rule in outcome.covered.uncovered_shadows],
        },
    }


def _failed_json(verdict: CaseVerdict) -> dict[str, object]:
    place = verdict.case.document.place(("tests", verdict.case.index))
    return {
        "file": place.file,
        "line": place.line,
        "test": verdict.case.title,
        "rule": rule_json(verdict.tried.rule),
        "reason": verdict.tried.reason,
        "differences": [
            {"key": one.key, "expected": list(one.expected), "came": list(one.came)} for one in verdict.differences
        ],
    }
