"""The common start of every tool: compiles the folder as the supervisor does, or prints its problems; and, for
`--watch`, notices changes of the folder."""

import gc
import json
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.config.compile.build import build
from gateway.config.compile.compiler import Compiled, compile_files
from gateway.config.compile.process import fingerprint
from gateway.config.folder.files import Files
from gateway.config.folder.read import read_folder
from gateway.config.problems import Problem, ProblemsFound
from gateway.config.snapshot import Snapshot

_LOOKED_EVERY = 0.5


@contextmanager
def uncollected() -> Iterator[None]:
    """Switches the garbage collector off: 500 files make many objects and no cycles, and the search for some takes half
    a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def compiled(folder: Path) -> tuple[Files, Compiled, Snapshot]:
    """Raises ProblemsFound."""
    with uncollected():
        files = read_folder(folder)
        found = compile_files(files)
        return files, found, build(found.plan)


def changes(folder: Path) -> Iterator[None]:
    """Yields once for each change of the files from now on, and does not end."""
    return _changes(folder, fingerprint(folder))


def _changes(folder: Path, seen: bytes) -> Iterator[None]:
    while True:
        time.sleep(_LOOKED_EVERY)
        if (now := fingerprint(folder)) != seen:
            seen = now
            yield


def say_problems(found: ProblemsFound, *, as_json: bool) -> None:
    """Text goes to standard error, JSON to standard output."""
    if as_json:
        say_json({"problems": [problem_json(problem) for problem in found.problems]})
    else:
        print(found, file=sys.stderr)
        print(f"\n{len(found.problems)} problem(s)", file=sys.stderr)


def problem_json(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "code": problem.code,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "key": problem.key,
        "message": problem.message,
        "suggestion": problem.suggestion,
        "others": [{"word": word, "file": other.file, "line": other.line} for word, other in problem.others],
    }


def say_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def said_to_be_wrong(what: str) -> None:
    print(f"ecluse: {what}", file=sys.stderr)


def to_be_checked(folder: Path) -> str:
    """The command to run after a folder was refused."""
    return f"correct the files, then run: ecluse check {shlex.quote(str(folder))}"
