import pytest

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.trial.cases import Case, load_cases
from tests.config.samples import sample_files
from tests.trial.samples import TESTS

NOW = 1_800_000_000.0


def loaded(**texts: str) -> tuple[list[Case], list[str]]:
    files = sample_files({f"tests/{name}.yaml": text for name, text in texts.items()})
    cases, problems = load_cases(files, build(compile_files(files).plan), NOW)
    return cases, [problem.render().partition("\n")[0] for problem in problems]


def test_each_request_by_each_person_is_a_case() -> None:
    cases, problems = loaded(permis=TESTS)
    assert problems == []
    assert [case.title for case in cases][:5] == [
        "everybody reads the public pages: GET http://permis.localhost/public/ as nobody",
        "everybody reads the public pages: GET http://permis.localhost/public/ as paul",
        "everybody reads the public pages: HEAD http://permis.localhost/public/a as nobody",
        "everybody reads the public pages: HEAD http://permis.localhost/public/a as paul",
        "GET http://permis.localhost/admin/ as zoe",
    ]
    assert [case.index for case in cases] == [0, 0, 0, 0, 1, 2, 3, 4]
    assert cases[0].person is None
    assert cases[1].person is not None
    assert cases[1].person.identity.attributes == {"uid": ("paul",), "groups": ("ONDE",)}
    assert cases[0].circumstances.now == NOW


def test_people_are_known_to_the_tests_of_every_file() -> None:
    people = "version: 1\npeople:\n  paul: {provider: metropole}\n"
    tests = "version: 1\ntests: [{request: GET http://permis.localhost/, as: paul, decision: allow}]\n"
    cases, problems = loaded(people=people, a=tests)
    assert (len(cases), problems) == (1, [])


ONE = "version: 1\ntests:\n  - {request: GET http://permis.localhost/, decision: allow, "


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "version: 1\npeople: {nobody: {provider: metropole}}\n",
            "2:10: people.nobody: nobody is who is not signed in (give this person another name)",
        ),
        (
            "version: 1\npeople: {a: {provider: metropol}}\n",
            "2:10: people.a: no provider has this name (did you mean metropole?)",
        ),
        (
            ONE + "as: pual}\n",
            "3:66: tests[0].as: no person has this name (describe them under people:, in any file of tests/)",
        ),
        (ONE + "at: 2026-11-24}\n", "3:66: tests[0].at: this is not a time with its zone "),
        (ONE + "at: tomorrow}\n", "3:66: tests[0].at: this is not a time with its zone "),
        (ONE + "client: localhost}\n", "3:70: tests[0].client: this is not an IP address"),
        (ONE + "rool: /**}\n", "3:62: tests[0].rool: unknown key (known here: "),
        (
            "version: 1\ntests: [{request: /admin, decision: alow}]\n",
            (
                "2:37: tests[0].decision: this must be one of allow, deny, challenge, refuse, own, logout "
                "(did you mean allow?)"
            ),
        ),
        (
            "version: 1\ntests: [{request: /admin, decision: allow}]\n",
            "2:19: tests[0].request: a request is a method and a whole address",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(text: str, problem: str) -> None:
    _, (found,) = loaded(permis=text)
    assert found.startswith(f"policies/tests/permis.yaml:{problem}"), found


def test_two_people_of_one_name() -> None:
    people = "version: 1\npeople:\n  paul: {provider: metropole}\n"
    _, problems = loaded(a=people, b=people)
    assert problems == ["policies/tests/b.yaml:3:3: people.paul: two people have this name"]
