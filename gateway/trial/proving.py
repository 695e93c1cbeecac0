"""A folder is compiled, and its own tests pass, or it is not taken (invariant 13)."""

from gateway.config.build import build
from gateway.config.compile import Compiled, compile_files
from gateway.config.files import Files, is_tests
from gateway.config.problems import ProblemsFound
from gateway.trial.cases import load_cases
from gateway.trial.judge import judge, problems_of


def prove(files: Files, now: float) -> Compiled:
    """Raises ProblemsFound: with every problem of every file, or with every test that fails."""
    compiled = compile_files(files)
    if not any(map(is_tests, files.texts)):
        return compiled
    snapshot = build(compiled.plan)
    cases, problems = load_cases(files, snapshot, now)
    problems += problems_of(judge(cases, snapshot))
    if problems:
        raise ProblemsFound(problems)
    return compiled
