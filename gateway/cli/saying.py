"""What commands print: problems, JSON, and why a command did nothing. Imports no validator: most commands ask a running
gateway, and start in half the time."""

import json
import shlex
import sys
from pathlib import Path

from gateway.config.problems import Problem, ProblemsFound


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
