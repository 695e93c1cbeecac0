"""A folder is compiled, and its own tests pass, or it is not taken (invariant 13)."""

from gateway.config.compile.build import build
from gateway.config.compile.compiler import Compiled, compile_files
from gateway.config.folder.files import Files, is_tests
from gateway.config.problems import ProblemsFound
from gateway.config.snapshot import Snapshot
from gateway.model.errors import GatewayError
from gateway.trial.cases import Case, load_cases
from gateway.trial.judge import judge, problems_of
from gateway.wire.host import canonical_host


def prove(files: Files, now: float) -> Compiled:
    """Raises ProblemsFound: with every problem of every file, or with every test that fails."""
    compiled = compile_files(files)
    if not any(map(is_tests, files.texts)):
        return compiled
    snapshot = build(compiled.plan)
    cases, problems = load_cases(files, snapshot, now)
    # Nothing can be said of what is closed until its file is whole.
    problems += problems_of(judge((case for case in cases if not _is_closed(case, snapshot)), snapshot))
    if problems:
        raise ProblemsFound(problems)
    return compiled


def _is_closed(case: Case, snapshot: Snapshot) -> bool:
    try:
        return bool(snapshot.closed_by(canonical_host(case.request.authority)))
    except GatewayError:
        return False
