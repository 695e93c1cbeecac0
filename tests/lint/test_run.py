from dataclasses import replace

import pytest

from gateway.lint.run import lint
from gateway.lint.subject import subject
from tests.config.samples import METROPOLE, PERMIS, sample_files

PUBLIC = "  - {path: /**, allow: anyone}\n"
HEAD = PERMIS.partition("access:")[0] + "label: Permis\naccess:\n"


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


def test_a_folder_that_is_named_by_a_longer_path_is_looked_at_as_well() -> None:
    """Rules name their file below the folder's own name: `ecluse lint /srv/policies` found nothing in any of them."""
    here = sample_files({"apps/permis.yaml": HEAD + PUBLIC + "  - {path: /a, methods: [POST], allow: signed_in}\n"})
    there = replace(here, folder="/srv/ecluse/policies")
    codes = [[one.code for one in lint(subject(files, 0.0))] for files in (here, there)]
    assert codes[0] == codes[1]
    assert {"EC101", "EC317"} <= set(codes[0])


def test_findings_come_in_the_order_of_places() -> None:
    findings = lint(subject(sample_files(), 0.0))
    places = [(one.problem.place.file, one.problem.place.line) for one in findings]
    assert places == sorted(places)
    assert places


SHARED = """\
version: 1
conditions:
  executif: {any: [{mandate: [maire, mair]}, {shared: bureau}]}
  bureau: {any: [{group: elus}, {group: eluss}]}
  nobody-names-me: {group: elvs}
"""
MANDATES = METROPOLE.replace("  uai: uai\n", "  uai: uai\n  mandates: mandates\n").replace(
    "asserts: {", "asserts: {attributes: {groups: [elus], mandates: [maire]}, "
)


NOBODY = "no provider of any application that names this may assert"
MAIR = f"EC202 3:conditions.executif.any[0].mandate: {NOBODY} mandates: mair"
ELUSS = f"EC201 4:conditions.bureau.any[1].group: {NOBODY} the group eluss"


def shared(text: str = SHARED, other_provider: str = "") -> list[str]:
    app = HEAD + "  - {path: /x, allow: {shared: executif}}\n"
    files = {"apps/permis.yaml": app, "shared/personnes.yaml": text, "providers/metropole.yaml": MANDATES}
    if other_provider:
        files["providers/autre.yaml"] = other_provider
        files["apps/autre.yaml"] = app.replace("permis", "autre").replace("[metropole]", "[autre]")
    secrets = {"file:../certs/autre.secret": b"0123456789abcdef0123456789abcdef"}
    return [
        f"{one.code} {one.problem.place.line}:{one.problem.key}: {one.problem.message}"
        for one in lint(subject(sample_files(files, secrets), 0.0))
        if one.problem.place.file == "policies/shared/personnes.yaml"
    ]


def test_what_is_said_once_for_all_is_looked_at_as_what_is_said_in_place() -> None:
    assert shared() == [MAIR, ELUSS]


def test_of_a_shared_condition_one_application_that_can_meet_it_is_enough() -> None:
    other = MANDATES.replace("metropole", "autre").replace("[elus]", "[elus, eluss]").replace(":9400", ":9409")
    assert shared(other_provider=other) == [MAIR]


def test_a_comment_in_a_shared_file_is_heard() -> None:
    ignored = SHARED.replace("eluss}]}", "eluss}]}  # ecluse-ignore: EC201 they come in 2027")
    assert shared(ignored) == [MAIR]


def test_a_shadow_rule_and_a_shadow_file_are_looked_at_too() -> None:
    files = {
        "apps/permis.yaml": HEAD
        + "  - {path: /x, allow: signed_in}\n  - {path: /x, allow: {not: anyone}, shadow: true}\n",
        "apps/ombre.yaml": HEAD.replace("access:", "shadow: true\naccess:") + "  - {path: /y, allow: {group: elvs}}\n",
        "providers/metropole.yaml": MANDATES,
    }
    found = {(one.code, one.problem.place.file) for one in lint(subject(sample_files(files), 0.0))}
    assert {("EC108", "policies/apps/permis.yaml"), ("EC201", "policies/apps/ombre.yaml")} <= found
