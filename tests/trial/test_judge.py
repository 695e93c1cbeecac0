import pytest

from gateway.config.build import build
from gateway.config.compile import compile_files
from gateway.trial.cases import load_cases
from gateway.trial.judge import Coverage, Difference, Verdict, coverage, judge, problems_of
from tests.config.samples import sample_files
from tests.trial.samples import TESTS

PAUL = "version: 1\npeople: {paul: {provider: metropole, attributes: {uid: paul}}}\ntests:\n  - "


def judged(text: str) -> tuple[list[Verdict], Coverage]:
    files = sample_files({"tests/permis.yaml": text})
    snapshot = build(compile_files(files).plan)
    cases, problems = load_cases(files, snapshot, 0.0)
    assert not problems
    verdicts = judge(cases, snapshot)
    return verdicts, coverage(verdicts, snapshot)


def test_what_comes_as_expected_has_no_differences() -> None:
    verdicts, covered = judged(TESTS)
    assert [one.differences for one in verdicts] == [()] * 8
    assert covered == Coverage(3, ())
    assert covered.per_cent == 100.0


@pytest.mark.parametrize(
    ("expected", "differences"),
    [
        ("decision: deny", [Difference("decision", ("deny",), ("allow",))]),
        ("decision: allow, reason: policy.denied", [Difference("reason", ("policy.denied",), ("policy.allowed",))]),
        ("decision: allow, rule: /admin/**", [Difference("rule", ("/admin/**",), ("/**",))]),
        ("decision: allow, headers: {}", [Difference("headers", (), ("X-Remote-User: paul",))]),
        (
            "decision: allow, headers: {X-Remote-User: Paul, X-Mail: a}",
            [Difference("headers", ("X-Remote-User: Paul", "X-Mail: a"), ("X-Remote-User: paul",))],
        ),
        ("decision: allow, cookies: {A: b}", [Difference("cookies", ("A: b",), ())]),
        ("decision: allow, headers: {X-Remote-User: paul}, cookies: {}", []),
    ],
)
def test_what_comes_otherwise_is_told_line_by_line(expected: str, differences: list[Difference]) -> None:
    (verdict,), _ = judged(f"{PAUL}{{request: GET http://permis.localhost/, as: paul, {expected}}}\n")
    assert list(verdict.differences) == differences


def test_a_rule_that_decided_nothing_is_not_covered() -> None:
    _, covered = judged(f"{PAUL}{{request: GET http://permis.localhost/public/, decision: allow}}\n")
    assert [(rule.line, rule.path) for rule in covered.uncovered] == [(11, "/admin/**"), (12, "/**")]
    assert round(covered.per_cent) == 33
    assert Coverage(0, ()).per_cent == 100.0


def test_that_a_rule_lacks_the_method_covers_it_not() -> None:
    app = "apps/permis.yaml"
    changed = sample_files()
    text = changed.texts[app].decode().replace("/**, allow: signed_in", "/**, methods: [GET], allow: signed_in")
    tests = "version: 1\ntests: [{request: POST http://permis.localhost/, decision: deny, reason: policy.method}]\n"
    files = sample_files({app: text, "tests/a.yaml": tests})
    snapshot = build(compile_files(files).plan)
    verdicts = judge(load_cases(files, snapshot, 0.0)[0], snapshot)
    assert verdicts[0].differences == ()
    assert len(coverage(verdicts, snapshot).uncovered) == 3


def test_a_failed_test_as_a_problem_of_the_folder() -> None:
    verdicts, _ = judged(f"{PAUL}{{request: GET http://permis.localhost/, as: paul, decision: deny, headers: {{}}}}\n")
    assert [problem.render().partition("\n")[0] for problem in problems_of(verdicts)] == [
        (
            "policies/tests/permis.yaml:4:65: tests[0].decision: this test fails: "
            "GET http://permis.localhost/ as paul: deny expected, allow came "
            "(policy.allowed at policies/apps/permis.yaml:12)"
        ),
        (
            "policies/tests/permis.yaml:4:80: tests[0].headers: this test fails: "
            "GET http://permis.localhost/ as paul: nothing more expected, X-Remote-User: paul came "
            "(policy.allowed at policies/apps/permis.yaml:12)"
        ),
    ]
