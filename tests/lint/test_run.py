import pytest

from gateway.lint.run import lint
from gateway.lint.subject import subject
from tests.config.samples import PERMIS, sample_files

PUBLIC = "  - {path: /**, allow: anyone}\n"
HEAD = PERMIS.partition("access:")[0] + "access:\n"


def found(rules: str) -> list[str]:
    """What is found in the application's file, with its line in it."""
    files = sample_files({"apps/permis.yaml": HEAD + rules})
    first = HEAD.count("\n")
    return [
        f"{one.code}:{one.problem.place.line - first}"
        for one in lint(subject(files, 0.0))
        if one.problem.place.file == "policies/apps/permis.yaml"
    ]


@pytest.mark.parametrize(
    ("rules", "codes"),
    [
        (PUBLIC, ["EC101:1"]),
        (PUBLIC.rstrip() + "  # ecluse-ignore: EC101 a catalogue, public by law\n", []),
        ("  # ecluse-ignore: EC101 a catalogue,\n  # public by law\n" + PUBLIC, []),
        ("  # ecluse-ignore: EC999, EC101 a catalogue, public by law\n" + PUBLIC, ["EC001:1"]),
        ("  # ecluse-ignore: EC101\n" + PUBLIC, ["EC002:1"]),
        ("  # ecluse-ignore: EC102 not this one\n" + PUBLIC, ["EC001:1", "EC101:2"]),
        (PUBLIC + "  # ecluse-ignore: EC101 below it\n", ["EC101:1", "EC001:2"]),
        ("  # EC101 is what is meant here\n" + PUBLIC, ["EC101:2"]),
    ],
)
def test_a_comment_ignores_what_it_names_where_it_stands_and_says_why(rules: str, codes: list[str]) -> None:
    assert found(rules) == codes


def test_findings_come_in_the_order_of_places() -> None:
    findings = lint(subject(sample_files(), 0.0))
    places = [(one.problem.place.file, one.problem.place.line) for one in findings]
    assert places == sorted(places)
    assert places
