"""The example: its tests pass, and have every rule decide."""

from pathlib import Path

import pytest

from deploy.demo.keys import make_all
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files, is_app, team_of
from gateway.config.folder.read import read_folder
from gateway.config.schema.load import load
from gateway.trial.cases import load_cases
from gateway.trial.judge import coverage, judge

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    make_all(tmp_path / "certs")
    (tmp_path / "policies").symlink_to(POLICIES)
    return read_folder(tmp_path / "policies")


def test_the_tests_of_the_example_pass_and_cover_every_rule(files: Files) -> None:
    snapshot = build(compile_files(files).plan)
    cases, problems = load_cases(files, snapshot, 0.0)
    assert problems == []
    verdicts = judge(cases, snapshot)
    assert [one.case.title for one in verdicts if one.differences] == []
    covered = coverage(verdicts, snapshot)
    assert covered.uncovered == ()
    assert covered.rules > 0
    assert (covered.shadows, covered.uncovered_shadows) == (1, ())


def test_three_ministries_and_nine_collectivites_are_what_they_are_said_to_be(files: Files) -> None:
    """Each with an application, or a person, of its own in the tests."""
    folder, _ = load(files)
    (nord,) = folder.lists
    assert nord.model is not None
    sirens = {organisation["number"] for organisation in nord.model.organisations}
    cases, _ = load_cases(files, build(compile_files(files).plan), 0.0)
    tenants = {case.person.tenant[:9] for case in cases if case.person is not None and case.person.tenant}
    assert len(sirens) == 9
    assert sirens == tenants
    assert len({team_of(path) for path in files.texts if is_app(path)} - {""}) == 3
