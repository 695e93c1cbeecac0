"""`ecluse provider show`: prints the values of a provider's file that take effect, and the source of each value.

`ecluse provider add` is in `adding`.
"""

from argparse import Namespace
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.folder import uncollected
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.folder.read import read_folder
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.config.schema.load import load
from gateway.config.schema.origins import Effective, effective


def run(told: Namespace) -> Exit:
    if told.what == "add":
        from gateway.cli.adding.command import add

        return add(told)
    return show(told.name, told.folder, as_json=told.as_json)


def show(name: str, folder: Path, *, as_json: bool) -> Exit:
    with uncollected():
        loaded, problems = load(read_folder(folder))
    found = [provider for provider in loaded.providers if provider.written("provider") == name]
    if not found:
        known = sorted(written for provider in loaded.providers if (written := provider.written("provider")))
        hint = did_you_mean(name, known) or f"known: {', '.join(known[:10]) or 'none'}"
        said_to_be_wrong(f"no file in {folder}/providers has the provider {name} ({hint})")
        return Exit.USAGE
    (provider, *_) = found
    of_file = [problem for problem in problems if problem.place.file == provider.document.file]
    if of_file:
        say_problems(ProblemsFound(of_file), as_json=as_json)
        return Exit.FOUND
    rows = list(effective(provider))
    if as_json:
        say_json({row.key: {"value": row.value, "from": row.origin} for row in rows})
    else:
        _print(rows)
    return Exit.DONE


def _print(rows: list[Effective]) -> None:
    keys, values = (max(len(getattr(row, part)) for row in rows) for part in ("key", "value"))
    for row in rows:
        print(f"{row.key:{keys}}  {row.value:{min(values, 60)}}  {row.origin}")
