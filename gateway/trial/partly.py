"""What can be served of a folder in which app files are wrong, without anything being answered in their place.

At start, the hosts of a wrong app file are closed. At a reload, a wrong file of a team keeps its last good bytes, or
has its hosts closed where it has none; all else is taken whole or not.
"""

from collections.abc import Mapping
from dataclasses import replace

from gateway.config.checks_teams import within
from gateway.config.compile import Compiled
from gateway.config.files import GATEWAY_FILE, Files, is_app, team_of
from gateway.config.load import load_gateway
from gateway.config.problems import Problem, ProblemsFound
from gateway.config.scalars import Wrong, host_pattern
from gateway.config.schema_teams import Team
from gateway.config.yaml_reader import read_document
from gateway.trial.proving import prove


def prove_partly(files: Files, now: float) -> Compiled:
    """As `prove`, with as few files left out as there have to be. Raises ProblemsFound where that is no way out."""
    left_out: list[Problem] = []
    kept: set[str] = set()
    closed: set[str] = set()
    while True:
        try:
            compiled = prove(files, now)
            return replace(compiled, left_out=tuple(left_out), kept=tuple(sorted(kept)), closed=tuple(sorted(closed)))
        except ProblemsFound as found:
            wrong = _files_at_fault(found, files)
            if wrong is None:
                raise _with(left_out, found) from None
            left_out += found.problems
            # Each round a file goes from new to last good, or from there to closed: it comes to an end.
            for path in sorted(wrong):
                if not files.starting and path in files.good and path not in kept:
                    kept.add(path)
                    files = replace(files, texts={**files.texts, path: files.good[path]})
                else:
                    kept.discard(path)
                    closed.add(path)
                    files = _without(files, path, found, left_out)


def _with(before: list[Problem], found: ProblemsFound) -> ProblemsFound:
    return ProblemsFound((*before, *found.problems)) if before else found


def _files_at_fault(found: ProblemsFound, files: Files) -> set[str] | None:
    """None: something else is wrong too, and nothing can be left out for it."""
    teams = _teams(files)
    paths = {problem.place.file.removeprefix(f"{files.folder}/") for problem in found.problems}
    may_be = all(is_app(path) and path in files.texts and (files.starting or team_of(path) in teams) for path in paths)
    return paths if may_be and GATEWAY_FILE in files.texts else None


def _without(files: Files, path: str, found: ProblemsFound, before: list[Problem]) -> Files:
    """Its hosts are closed; those that are not its team's to name are not. A shadow has none that it answers on."""
    hosts = _hosts(files.texts[path]) or _hosts(files.good.get(path, b""))
    if not hosts:
        raise _with(before[: -len(found.problems)], found)
    team = _teams(files).get(team_of(path))
    mine = [host for host in hosts if team is None or within(host, team)]
    closed = {} if _is_shadow(files.texts[path]) else dict.fromkeys(mine, files.shown(path))
    texts = {other: content for other, content in files.texts.items() if other != path}
    return replace(files, texts=texts, closed={**closed, **files.closed})


def _hosts(content: bytes) -> list[str]:
    """Empty where they cannot be read, one and all."""
    document, _ = read_document("", content)
    written = document.data.get("hosts") if isinstance(document.data, dict) else None
    if not isinstance(written, list) or not all(isinstance(host, str) for host in written):
        return []
    try:
        return [host_pattern(host) for host in written]
    except Wrong:
        return []


def _is_shadow(content: bytes) -> bool:
    document, _ = read_document("", content)
    return isinstance(document.data, dict) and document.data.get("shadow") is True


def _teams(files: Files) -> Mapping[str, Team]:
    gateway = load_gateway(files)
    return {} if gateway is None else gateway.teams
