import pytest

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.trial.cases import load_cases
from gateway.trial.judge import CaseVerdict, Coverage, Difference, coverage, judge, problems_of
from tests.config.samples import PERMIS, sample_files
from tests.trial.samples import TESTS

PAUL = "version: 1\npeople: {paul: {provider: metropole, attributes: {uid: paul}}}\ntests:\n  - "


def judged(text: str, more_rules: str = "") -> tuple[list[CaseVerdict], Coverage]:
    files = sample_files({"tests/permis.yaml": text, "apps/permis.yaml": PERMIS + more_rules})
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


SHADOW = "  - {path: /admin/**, allow: signed_in, shadow: true}\n"


@pytest.mark.parametrize(
    ("shadow", "expected", "differences"),
    [
        (SHADOW, "decision: deny", []),
        (SHADOW, "decision: deny, shadow: allow", []),
        (SHADOW, "decision: deny, shadow: deny", [Difference("shadow", ("deny",), ("allow",))]),
        (SHADOW, "decision: allow, shadow: allow", [Difference("decision", ("allow",), ("deny",))]),
        ("", "decision: deny, shadow: allow", [Difference("shadow", ("allow",), ("none",))]),
    ],
)
def test_what_a_shadow_answers_can_be_a_test_too(shadow: str, expected: str, differences: list[Difference]) -> None:
    (verdict,), _ = judged(f"{PAUL}{{request: GET http://permis.localhost/admin/, as: paul, {expected}}}\n", shadow)
    assert list(verdict.differences) == differences


def test_a_shadow_rule_is_covered_by_a_test_alone_that_says_what_it_answers() -> None:
    test = f"{PAUL}{{request: GET http://permis.localhost/admin/, as: paul, decision: deny"
    _, silent = judged(f"{test}}}\n", SHADOW)
    assert (silent.rules, silent.shadows, [rule.path for rule in silent.uncovered_shadows]) == (3, 1, ["/admin/**"])
    _, said = judged(f"{test}, shadow: allow}}\n", SHADOW)
    assert (said.rules, said.shadows, said.uncovered_shadows) == (3, 1, ())
    assert [rule.path for rule in said.uncovered] == [rule.path for rule in silent.uncovered] == ["/public/**", "/**"]
