"""Checks shadow files. A shadow file stands beside one live file: the same application with other rules, or with
another translation."""

from collections.abc import Iterator

from gateway.config.folder.files import team_of
from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.load import Folder, Loaded


def check_shadows(folder: Folder) -> Iterator[Problem]:
    live = {name: app for app in folder.apps if (name := app.written("app")) is not None}
    for shadow in folder.shadows:
        if shadow.model is None:
            continue
        beside = live.get(shadow.model.app)
        if beside is None:
            if folder.complete and len(live) == len(folder.apps):
                hint = did_you_mean(shadow.model.app, live)
                yield _problem(
                    shadow, ("app",), "there is no live file of this application for it to stand beside", hint
                )
        elif (team := team_of(shadow.path)) and team != team_of(beside.path):
            message = f"team {team} may not shadow an application of a file that is not its own"
            yield _problem(shadow, ("app",), message, "name one of the team's own", beside)
        elif beside.model is not None:
            yield from _differences(shadow, shadow.model, beside, beside.model)


def _differences(shadow: Loaded[AppFile], model: AppFile, beside: Loaded[AppFile], live: AppFile) -> Iterator[Problem]:
    if set(model.hosts) != set(live.hosts):
        yield _problem(shadow, ("hosts",), "a shadow has the hosts of the live file", "write the same", beside)
    if model.path != live.path:
        yield _problem(shadow, ("path",), "a shadow has the path of the live file", "write the same", beside)
    if model.paths != live.paths:
        message = "a shadow file reads paths as the live file does"
        yield _problem(shadow, ("paths",), message, "write the same", beside)


def _problem(
    shadow: Loaded[AppFile], path: Path, message: str, hint: str, beside: Loaded[AppFile] | None = None
) -> Problem:
    others = () if beside is None else (("live file at", beside.document.place(path)),)
    return shadow.document.problem(path, message, hint, others=others)
