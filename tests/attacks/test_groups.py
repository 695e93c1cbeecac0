"""No case is left out: those of each module are run by one of the files of tests."""

import importlib
from pathlib import Path
from types import ModuleType

from tests.attacks import test_generated, test_operations, test_requests, test_sessions, test_sign_in
from tests.attacks.cases import Case

RUN = (test_requests, test_sessions, test_sign_in, test_operations, test_generated)


def test_every_case_is_run_once() -> None:
    run = [case.name for module in RUN for case in cases_run_by(module)]
    assert len({*run}) == len(run)
    written = {name for path in Path(__file__).parent.glob("*.py") for name in cases_of(path.stem)}
    assert written - {*run} == set()


def cases_run_by(module: ModuleType) -> list[Case]:
    [rows] = [mark.args[1] for mark in module.test_attack.pytestmark if mark.name == "parametrize"]
    return [row.values[0] for row in rows if row.values[0].run.__module__ != "tests.attacks.corpus"]


def cases_of(module: str) -> list[str]:
    return [case.name for case in getattr(importlib.import_module(f"tests.attacks.{module}"), "CASES", ())]
