"""Decides which part of a folder can be served, proven by the folder's own tests (invariant 13).

`prove` accepts a folder whole or not at all. `prove_partly` leaves out wrong app files, whose hosts are then closed. At
start, the hosts of a wrong app file are closed. At a reload, a wrong file of a team keeps its last good bytes; without
good bytes, its hosts are closed. The other files are accepted together or not at all. A file that cannot be read, or
takes too long to compile, is wrong too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.access.virtual_host import host_of
from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.compile.plan import Compiled
from gateway.config.folder.files import APPS, GATEWAY_FILE, TESTS, Closing, Files, team_of
from gateway.config.host_applications import is_below
from gateway.config.problems import Place, Problem, ProblemsFound
from gateway.config.schema.gateway import TeamSection
from gateway.config.schema.load import load_gateway
from gateway.config.snapshot import Snapshot
from gateway.config.yaml.written_hosts import WrittenHosts, hosts_by_line, written_hosts
from gateway.model.errors import GatewayError
from gateway.trial.cases import Case, load_cases
from gateway.trial.judge import judge, problems_of


def prove(files: Files, now: float) -> Compiled:
    """Raises ProblemsFound: with every problem of every file, or with every test that fails."""
    compiled = compile_files(files)
    if not files.by_kind()[TESTS]:
        return compiled
    snapshot = build(compiled.plan)
    cases, problems = load_cases(files, snapshot, now)
    # A test of a closed host is left out until its file is whole.
    problems += problems_of(judge((case for case in cases if not _is_closed(case, snapshot)), snapshot))
    if problems:
        raise ProblemsFound([*_no_apps(files), *problems])
    return compiled


def _no_apps(files: Files) -> Iterator[Problem]:
    """A problem of an empty apps/: the reason why every test of the folder fails."""
    if not files.by_kind()[APPS] and not files.closed:
        say = "0 apps: no file is here. Is a part of the folder missing, or not mounted?"
        yield Problem(Place(files.shown(APPS), 0, 0), "", say)


def _is_closed(case: Case, snapshot: Snapshot) -> bool:
    try:
        host = host_of(case.request.authority, snapshot)
        path = case.request.target.decode("latin-1").partition("?")[0]
        below = any(is_below(path, closed) for closed in snapshot.closed_below(host))
        return below or bool(snapshot.closed_by(host))
    except GatewayError:
        return False


def prove_partly(files: Files, now: float) -> Compiled:
    """As `prove`, with as few files left out as possible. Raises ProblemsFound if leaving files out does not help."""
    left_out: list[Problem] = []
    kept: set[str] = set()
    while True:
        try:
            compiled = prove(files, now)
            left_out += map(_not_known, (closing for closing in files.closed.values() if not closing.whole))
            closed = tuple(sorted(files.closed))
            return replace(compiled, left_out=tuple(left_out), kept=tuple(sorted(kept)), closed=closed)
        except ProblemsFound as found:
            wrong = _files_at_fault(found, files)
            if wrong is None:
                raise ProblemsFound((*left_out, *found.problems)) from None
            left_out += (problem for problem in found.problems if _path(problem, files) in wrong)
            # Each round a file goes from new to last good, or from there to closed: it comes to an end.
            for path in sorted(wrong):
                if not files.starting and path in files.good and path not in kept:
                    kept.add(path)
                    files = _with_text(files, path, files.good[path])
                else:
                    kept.discard(path)
                    files = _closing(files, path)


def _not_known(closing: Closing) -> Problem:
    say = "its hosts cannot be told: until it is whole, none of them answers, nor a wildcard that could hold one"
    return Problem(Place(closing.file, 0, 0), "hosts", say)


def _files_at_fault(found: ProblemsFound, files: Files) -> set[str] | None:
    """The files that are wrong by themselves; if there are none, the files with problems. None: the problems reach
    beyond such files, so leaving files out does not help."""
    teams = _teams(files)
    paths = {_path(problem, files) for problem in found.problems}
    unread = {_path(problem, files) for problem in files.problems}
    may_be = all(
        path.startswith(f"{APPS}/")
        and (path in files.texts or path in unread)
        and (files.starting or _team_name(path) in teams)
        for path in paths
    )
    alone = {_path(problem, files) for problem in found.problems if _is_of_one_file(problem)}
    return (alone or paths) if may_be and GATEWAY_FILE in files.texts else None


def _is_of_one_file(problem: Problem) -> bool:
    return all(place.file == problem.place.file for _, place in problem.others)


def _path(problem: Problem, files: Files) -> str:
    return problem.place.file.removeprefix(f"{files.folder}/")


def _with_text(files: Files, path: str, content: bytes | None) -> Files:
    """The files with other bytes at this path, or without the path; drops a read error of the path."""
    texts = {other: text for other, text in files.texts.items() if other != path}
    problems = tuple(problem for problem in files.problems if problem.place.file != files.shown(path))
    return replace(files, texts=texts if content is None else {**texts, path: content}, problems=problems)


def _closing(files: Files, path: str) -> Files:
    """The files without this file. Closes its hosts, as far as its team may name them. A shadow has no hosts of its
    own."""
    now = _hosts_in(files.texts[path], files) if path in files.texts else None
    before = _known(files, path)
    files = _with_text(files, path, None)
    if now is not None and now.shadow:
        closing = Closing(files.shown(path), (), True, None)
    else:
        # Closes the file's present hosts; if these are not wholly known, its earlier hosts too.
        hosts = () if now is None else now.places
        # A path that it had, and that is not found in it now, may only be hidden by what is wrong.
        whole = now is not None and now.whole and (now.path != "" or not any("/" in host for host in before))
        hosts = hosts if whole else (*hosts, *before)
        team = _teams(files).get(_team_name(path))
        closing = Closing(files.shown(path), hosts, whole or bool(before), None if team is None else tuple(team.hosts))
    return replace(files, closed={**files.closed, path: closing})


def _known(files: Files, path: str) -> tuple[str, ...]:
    """The hosts of the file when last served; for a folder that cannot be read, the hosts in its files."""
    if path in files.good:
        return _hosts_in(files.good[path], files).places
    return tuple(host for file, hosts in files.known.items() if f"{file}/".startswith(f"{path}/") for host in hosts)


def _hosts_in(content: bytes, files: Files) -> WrittenHosts:
    """Reading the file as YAML may be the slow part."""
    return hosts_by_line(content) if files.is_too_slow(content) else written_hosts(content)


def _team_name(path: str) -> str:
    """The team of a path; for a folder of apps/ that cannot be read, its own name."""
    return team_of(path) or path.removeprefix(f"{APPS}/")


def _teams(files: Files) -> Mapping[str, TeamSection]:
    gateway = load_gateway(files)
    return {} if gateway is None else gateway.teams
