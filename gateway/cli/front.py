"""`ecluse front`: the lines that a server in front needs for an application, and whether its configuration has them."""

from argparse import Namespace
from pathlib import Path

from gateway.access.permission import injected_names
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled, said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.config.snapshot import App
from gateway.wire.front_lines import lines_of, missing, names_of


def run(told: Namespace) -> Exit:
    try:
        _, _, snapshot = compiled(told.folder)
    except ProblemsFound as found:
        say_problems(found, as_json=told.as_json)
        return Exit.FOUND
    app = snapshot.apps.get(told.name)
    if app is None or app.front is None:
        fronted = sorted(name for name, each in snapshot.apps.items() if each.front is not None)
        hint = did_you_mean(told.name, fronted) or f"those with `front`: {', '.join(fronted[:10]) or 'none'}"
        said_to_be_wrong(f"no application {told.name} that names a front ({hint})")
        return Exit.USAGE
    names = names_of(app.front, injected_names(app))
    return _lines(app.front, names, told) if told.what == "lines" else _check(app, app.front, names, told)


def _lines(kind: str, names: tuple[str, ...], told: Namespace) -> Exit:
    lines = lines_of(kind, names)
    if told.as_json:
        say_json({"front": kind, "headers": names, "lines": lines})
    else:
        print("\n".join(lines) or f"none: {kind} writes whatever it is told")
    return Exit.DONE


def _check(app: App, kind: str, names: tuple[str, ...], told: Namespace) -> Exit:
    files: list[Path] = told.configuration
    try:
        text = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    except OSError as error:
        said_to_be_wrong(f"{error.filename}: {error.strerror}")
        return Exit.USAGE
    forgotten = missing(kind, text, names)
    if told.as_json:
        say_json({"front": kind, "headers": names, "missing": forgotten})
    elif forgotten:
        print(f"{app.name}: {kind} would not write what these say, and a client could: {', '.join(forgotten)}\n")
        print("\n".join(lines_of(kind, forgotten)))
    else:
        print(f"{app.name}: {kind} writes {', '.join(names) or 'whatever it is told'}")
    return Exit.FOUND if forgotten else Exit.DONE
