"""A copy of the State's design system that is not there."""

from dataclasses import replace

import pytest

from gateway.config.compile.compiler import compile_files
from gateway.config.problems import ProblemsFound
from gateway.model.codes.table import all_codes
from tests.config.design_copy import READ
from tests.config.samples import GATEWAY, problems, sample_files

DSFR = {"gateway.yaml": GATEWAY + "theme:\n  dsfr:\n    folder: ../node_modules/@gouvfr/dsfr\n"}


def test_a_copy_that_is_not_there_is_a_problem_with_what_to_do() -> None:
    files = replace(sample_files(DSFR), unreadable={"dsfr:": "package.json: this file cannot be read: No such file"})
    with pytest.raises(ProblemsFound) as found:
        compile_files(files)
    (problem,) = found.value.problems
    assert problem.code == "config.dsfr"
    assert problem.code in {code.id for code in all_codes()}
    assert problem.key == "theme.dsfr.folder"
    assert problem.message == "package.json: this file cannot be read: No such file"
    assert "npm i @gouvfr/dsfr" in problem.suggestion
    assert "a path starts from policies/" in problem.suggestion
    assert problem.place.line


def test_one_that_is_there_is_none() -> None:
    assert problems(DSFR, READ) == []


def test_one_that_nobody_asks_for_is_passed_over() -> None:
    assert problems({}, READ) == []
