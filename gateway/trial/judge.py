"""Compares the results of the cases with the expectations of their tests, and finds the rules that no test decided."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.config.problems import Problem, key_path
from gateway.config.snapshot import Snapshot
from gateway.model.codes import policy_codes
from gateway.model.decision import RuleRef
from gateway.trial.cases import Case
from gateway.trial.trial import Tried, try_request


@dataclass(frozen=True, slots=True)
class Difference:
    """`key`: of the test. `expected`, `came`: lines in the words of the test file."""

    key: str
    expected: tuple[str, ...]
    came: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    case: Case
    tried: Tried
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The enforced rules, and the enforced rules that decided in no test, in the order of the files.

    `shadows`, `uncovered_shadows`: the same for shadow rules, which a test covers only by expecting their answer.
    """

    rules: int
    uncovered: tuple[RuleRef, ...]
    shadows: int = 0
    uncovered_shadows: tuple[RuleRef, ...] = ()

    @property
    def per_cent(self) -> float:
        return 100.0 if not self.rules else 100.0 * (self.rules - len(self.uncovered)) / self.rules


def judge(cases: Iterable[Case], snapshot: Snapshot) -> list[CaseVerdict]:
    return [_verdict(case, try_request(snapshot, case.request, case.person, case.circumstances)) for case in cases]


def _verdict(case: Case, tried: Tried) -> CaseVerdict:
    return CaseVerdict(case, tried, tuple(_differences(case, tried)))


def _differences(case: Case, tried: Tried) -> Iterator[Difference]:
    test = case.test
    rule = "none" if tried.rule is None else tried.rule.path
    for key, expected, came in (
        ("decision", test.decision, tried.outcome),
        ("reason", test.reason, tried.reason),
        ("rule", test.rule, rule),
    ):
        if expected is not None and expected != came:
            yield Difference(key, (expected,), (came,))
    beside = tuple(shadow.outcome for shadow in tried.shadows)
    if test.shadow is not None and set(beside) != {test.shadow}:
        yield Difference("shadow", (test.shadow,), beside or ("none",))
    for key, wanted, told in (("headers", test.headers, tried.headers), ("cookies", test.cookies, tried.cookies)):
        if wanted is not None and wanted != told:
            yield Difference(key, _lines(wanted, told), _lines(told, wanted))


def _lines(these: Mapping[str, str], others: Mapping[str, str]) -> tuple[str, ...]:
    """The elements of `these` missing from `others`."""
    return tuple(f"{name}: {value}" for name, value in these.items() if others.get(name) != value)


def coverage(verdicts: Sequence[CaseVerdict], snapshot: Snapshot) -> Coverage:
    """A rule is covered by a test whose request the rule decides. A refusal of the method is not a decision of the
    rule.
    """
    apps = snapshot.apps.values()
    live = {rule.ref for app in apps for rule in app.routes.rules()}
    shadows = {rule.ref for app in apps for shadow in app.shadows for rule in shadow.routes.rules()} - live
    asked = (shadow for one in verdicts if one.case.test.shadow is not None for shadow in one.tried.shadows)
    met, met_beside = _deciding(one.tried for one in verdicts), _deciding(asked)
    return Coverage(len(live), _in_order(live - met), len(shadows), _in_order(shadows - met_beside))


def _deciding(tried: Iterable[Tried]) -> set[RuleRef | None]:
    return {one.rule for one in tried if one.reason != policy_codes.METHOD.id}


def _in_order(rules: Iterable[RuleRef]) -> tuple[RuleRef, ...]:
    return tuple(sorted(rules, key=lambda ref: (ref.file, ref.line)))


def problems_of(verdicts: Iterable[CaseVerdict]) -> Iterator[Problem]:
    """Failed tests as problems of the folder, each at the place of the expectation."""
    for verdict in verdicts:
        for difference in verdict.differences:
            case = verdict.case
            path = ("tests", case.index, difference.key)
            expected, came = (", ".join(lines) or "nothing more" for lines in (difference.expected, difference.came))
            message = f"this test fails: {case.title}: {expected} expected, {came} came"
            yield Problem(case.document.place(path), key_path(path), message, _by(verdict.tried))


def _by(tried: Tried) -> str:
    place = "" if tried.rule is None else f" at {tried.rule.file}:{tried.rule.line}"
    return f"{tried.reason}{place}"
