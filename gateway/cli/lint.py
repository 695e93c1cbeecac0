"""`ecluse lint`: prints valid settings that are most likely mistakes, each with a documented code."""

import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import uncollected
from gateway.cli.saying import problem_json, say_json, say_problems
from gateway.config.folder.read import read_folder
from gateway.config.problems import ProblemsFound
from gateway.lint.run import Finding, lint
from gateway.lint.subject import subject

_DOCUMENTED = "docs/reference/lint.md"


def run(told: Namespace) -> Exit:
    return lint_folder(told.folder, as_json=told.as_json)


def lint_folder(folder: Path, *, as_json: bool) -> Exit:
    try:
        with uncollected():
            found = lint(subject(read_folder(folder), time.time()))
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.FOUND
    if as_json:
        say_json({"findings": [_as_json(finding) for finding in found]})
    else:
        for finding in found:
            print(_as_text(finding))
        print(f"{len(found)} finding(s)" + (f"; each code is explained in {_DOCUMENTED}" if found else ""))
    return Exit.FOUND if found else Exit.DONE


def _as_text(finding: Finding) -> str:
    """`policies/apps/x.yaml:18:5: EC101 access[1].allow: ...`, with the line and a caret."""
    problem = finding.problem
    return replace(problem, key=f"{finding.code} {problem.key}".rstrip()).render()


def _as_json(finding: Finding) -> dict[str, object]:
    page = f"{_DOCUMENTED}#{finding.code.lower()}"
    return {**problem_json(finding.problem), "code": finding.code, "documentation": page}
