"""`ecluse check`: the folder read whole, every problem of every file printed at once."""

from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import compiled, say_json, say_problems
from gateway.config.problems import ProblemsFound


def check(folder: Path, *, as_json: bool = False) -> Exit:
    try:
        _, found, snapshot = compiled(folder)
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.FOUND
    apps, providers = len(snapshot.apps), len(snapshot.providers)
    if as_json:
        say_json({"apps": apps, "providers": providers, "revision": found.revision, "problems": []})
    else:
        print(f"{folder}: {apps} app(s), {providers} provider(s), revision {found.revision[:12]}")
    return Exit.DONE
