"""`ecluse test`: differences, coverage, JUnit, and again after a change."""

import json
import subprocess
from pathlib import Path
from xml.dom import minidom

import pytest

from tests.cli.test_main import ECLUSE, called
from tests.patience import killed_if_late
from tests.walks.place import Place

pytestmark = pytest.mark.slow

ACCESS = "  - {path: /public/**, allow: anyone}\n  - {path: /admin/**, allow: {group: chefs}}\n"
TESTS = """\
version: 1
people:
  paul: {provider: alpha, attributes: {uid: paul, groups: agents}}
tests:
  - {request: GET http://one.localhost/public/, decision: allow}
  - name: <chefs> alone
    request: GET http://one.localhost/admin/
    as: [nobody, paul]
    decision: deny
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = Place(tmp_path)
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    place.write_app("one", "one.localhost", access=ACCESS)
    (place.policies / "tests").mkdir()
    place.write("tests/one.yaml", TESTS)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "policies/tests/one.yaml").write_text(text)


FAILED = """\
policies/tests/one.yaml:6:5: <chefs> alone: GET http://one.localhost/admin/ as nobody
    decision
    - deny
    + challenge
    session.required at policies/apps/one.yaml:9 /admin/**

3 test(s), 1 failed; 100 % of 2 rule(s)
"""


def test_what_differs_is_shown_line_by_line(folder: Path) -> None:
    told = called("test", at=folder)
    assert (told.returncode, told.stdout, told.stderr) == (1, FAILED, "")


def test_that_all_pass_and_which_rules_no_test_has_decide(folder: Path) -> None:
    write(folder, TESTS.partition("  - name")[0])
    told = called("test", "policies", at=folder)
    assert (told.returncode, told.stdout) == (
        0,
        "policies/apps/one.yaml:9: no test covers /admin/**\n1 test(s), 0 failed; 50 % of 2 rule(s)\n",
    )


def test_in_which_bytes_a_header_is_sent_that_is_not_ascii(folder: Path) -> None:
    """The text of a test says nothing of it."""
    app = folder / "policies/apps/one.yaml"
    app.write_text(app.read_text().replace("{from: uid}", "{from: uid}, X-Service: {value: Préfecture}"))
    test = "request: GET http://one.localhost/public/, as: paul, decision: allow"
    headers = "headers: {X-Remote-User: paul, X-Service: Préfecture}"
    write(folder, f"{TESTS.partition('  - name')[0]}  - {{{test}, {headers}}}\n")
    told = called("test", at=folder)
    assert r"policies/apps/one.yaml: X-Service is sent in utf8: Pr\xc3\xa9fecture" in told.stdout.splitlines()
    assert "2 test(s), 0 failed" in told.stdout
    (found,) = json.loads(called("test", "--output", "json", at=folder).stdout)["sent_as"]
    assert found == {
        "file": "policies/apps/one.yaml", "header": "X-Service", "encoding": "utf8", "bytes": r"Pr\xc3\xa9fecture",
    }  # fmt: skip


def test_for_programs(folder: Path) -> None:
    told = called("test", "--output", "json", at=folder)
    found = json.loads(told.stdout)
    assert told.returncode == 1
    assert found["tests"] == 3
    assert found["coverage"] == {
        "rules": 2, "per_cent": 100.0, "uncovered": [], "shadow_rules": 0, "uncovered_shadows": [],
    }  # fmt: skip
    (failed,) = found["failed"]
    assert (failed["file"], failed["line"]) == ("policies/tests/one.yaml", 6)
    assert failed["differences"] == [{"key": "decision", "expected": ["deny"], "came": ["challenge"]}]


def test_for_continuous_integration(folder: Path) -> None:
    called("test", "--junit", "told.xml", at=folder)
    (suite,) = minidom.parseString((folder / "told.xml").read_bytes()).getElementsByTagName("testsuite")
    assert (suite.getAttribute("tests"), suite.getAttribute("failures")) == ("3", "1")
    cases = suite.getElementsByTagName("testcase")
    assert cases[1].getAttribute("name") == "<chefs> alone: GET http://one.localhost/admin/ as nobody"
    (failure,) = suite.getElementsByTagName("failure")
    assert failure.firstChild is not None
    assert failure.firstChild.nodeValue == "decision\n- deny\n+ challenge"


def test_a_file_that_cannot_be_written_is_said(folder: Path) -> None:
    told = called("test", "--junit", "nowhere/told.xml", at=folder)
    assert (told.returncode, told.stderr) == (2, "ecluse: nowhere/told.xml: No such file or directory\n")


def test_what_is_wrong_with_the_tests_themselves(folder: Path) -> None:
    write(folder, TESTS.replace("as: [nobody, paul]", "as: [pol]"))
    told = called("test", at=folder)
    assert told.returncode == 1
    assert told.stderr.startswith("policies/tests/one.yaml:8:9: tests[1].as: no person has this name")


def test_check_says_of_a_failed_test_what_a_gateway_would(folder: Path) -> None:
    told = called("check", "policies", at=folder)
    assert told.returncode == 1
    assert told.stderr.startswith("policies/tests/one.yaml:9:15: tests[1].decision: this test fails: <chefs> alone: ")


def test_again_after_a_change_also_one_that_swaps_a_link(folder: Path) -> None:
    """As Kubernetes does: the folder is a link to a link, which is swapped for another."""
    for version, text in (("one", TESTS), ("two", TESTS.partition("  - name")[0])):
        (folder / f"..{version}").mkdir()
        (folder / f"..{version}/one.yaml").write_text(text)
    (folder / "..data").symlink_to("..one")
    tests = folder / "policies/tests"
    (tests / "one.yaml").unlink()
    (tests / "one.yaml").symlink_to("../../..data/one.yaml")
    command = [str(ECLUSE), "test", "--watch"]
    watching = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    with watching, killed_if_late(watching) as printed:
        try:
            assert "".join(printed.readline() for _ in range(7)) == FAILED
            (folder / "..new").symlink_to("..two")
            (folder / "..new").rename(folder / "..data")
            assert [printed.readline() for _ in range(3)][2] == "1 test(s), 0 failed; 50 % of 2 rule(s)\n"
        finally:
            watching.terminate()


def test_shadow_rules_are_counted_apart(folder: Path) -> None:
    app = folder / "policies/apps/one.yaml"
    app.write_text(app.read_text() + "  - {path: /admin/**, allow: {group: agents}, shadow: true}\n")
    told = called("test", at=folder).stdout
    assert "policies/apps/one.yaml:10: no test covers the shadow /admin/**\n" in told
    assert told.endswith("; 100 % of 2 rule(s), 0 of 1 shadow rule(s)\n")
    write(folder, TESTS.replace("as: [nobody, paul]", "as: paul\n    shadow: deny"))
    told = called("test", at=folder).stdout
    assert "    shadow\n    - deny\n    + allow\n" in told
    assert told.endswith("; 100 % of 2 rule(s), 1 of 1 shadow rule(s)\n")
