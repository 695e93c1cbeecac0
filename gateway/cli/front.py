"""`ecluse front`: prints the lines that a server in front needs for an application, and checks its configuration."""

from argparse import Namespace
from pathlib import Path

from gateway.access.permission import injected_names
from gateway.cli.exits import Exit
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound, did_you_mean
from gateway.config.snapshot import App
from gateway.wire.front_lines import ALWAYS, lines_of, missing, names_of
from gateway.wire.front_overrides import taken_back


def run(told: Namespace) -> Exit:
    try:
        _, _, snapshot = compiled(told.folder)
    except ProblemsFound as found:
        say_problems(found, as_json=told.as_json)
        return Exit.FOUND
    app = snapshot.apps.get(told.name)
    if app is None or app.front is None:
        fronted = sorted(name for name, each in snapshot.apps.items() if each.front is not None)
        hint = did_you_mean(told.name, fronted) or f"applications with `front`: {', '.join(fronted[:10]) or 'none'}"
        why = "there is no such application" if app is None else "its file has no `front`"
        said_to_be_wrong(f"{told.name}: {why} ({hint})")
        return Exit.USAGE
    names = names_of(app.front, injected_names(app))
    return _lines(app.front, names, told) if told.what == "lines" else _check(app, app.front, names, told)


def _lines(kind: str, names: tuple[str, ...], told: Namespace) -> Exit:
    lines = lines_of(kind, names)
    if told.as_json:
        say_json({"front": kind, "headers": names, "lines": lines})
    else:
        print("\n".join(lines) or f"nothing to add: {kind} sets every header that the gateway sends")
    return Exit.DONE


def _check(app: App, kind: str, names: tuple[str, ...], told: Namespace) -> Exit:
    files = [Path(name) for name in told.configuration]
    try:
        texts = {file: file.read_text(encoding="utf-8", errors="replace") for file in files}
    except OSError as error:
        said_to_be_wrong(f"{error.filename}: {error.strerror}")
        return Exit.USAGE
    forgotten = missing(kind, "\n".join(texts.values()), names)
    # Reports a name that is missing everywhere only once.
    written = [name for name in (*map(bytes.decode, injected_names(app).values()), *ALWAYS) if name not in forgotten]
    back = [(str(file), line, why) for file, text in texts.items() for line, why in taken_back(kind, text, written)]
    if told.as_json:
        found = [{"file": file, "line": line, "why": why} for file, line, why in back]
        say_json({"front": kind, "headers": names, "missing": forgotten, "taken_back": found})
        return Exit.FOUND if forgotten or back else Exit.DONE
    for file, line, why in back:
        print(f"{file}:{line}: {why}")
    if forgotten:
        print(f"{app.name}: {kind} does not set these headers, so a client could: {', '.join(forgotten)}\n")
        print("\n".join(lines_of(kind, forgotten)))
    elif not back:
        print(f"{app.name}: {kind} sets {', '.join(names) or 'every header'}")
    return Exit.FOUND if forgotten or back else Exit.DONE
