"""The example: its tests pass, and have every rule decide."""

from pathlib import Path

from deploy.demo.keys import make_pairs
from gateway.config.build import build
from gateway.config.compile import compile_files
from gateway.config.read import read_folder
from gateway.trial.cases import load_cases
from gateway.trial.judge import coverage, judge

POLICIES = Path(__file__).parents[2] / "policies"


def test_the_tests_of_the_example_pass_and_cover_every_rule(tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    for name in ("store.key", "metropole.secret", "departement.secret"):
        (tmp_path / "certs" / name).write_text("0123456789abcdef" * 3)
    make_pairs(tmp_path / "certs", ("saml", "region"))
    (tmp_path / "policies").symlink_to(POLICIES)
    files = read_folder(tmp_path / "policies")
    snapshot = build(compile_files(files).plan)
    cases, problems = load_cases(files, snapshot, 0.0)
    assert problems == []
    verdicts = judge(cases, snapshot)
    assert [one.case.title for one in verdicts if one.differences] == []
    covered = coverage(verdicts, snapshot)
    assert covered.uncovered == ()
    assert covered.rules > 0
