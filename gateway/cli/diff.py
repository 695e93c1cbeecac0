"""`ecluse diff OLD NEW`: prints the files that differ, and the requests with another result."""

import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.explain import tried_json
from gateway.cli.folder import compiled
from gateway.cli.saying import said_to_be_wrong, say_json, say_problems
from gateway.config.problems import ProblemsFound
from gateway.config.snapshot import App
from gateway.policy.trace import whole_in_words
from gateway.trial.cases import Case, load_cases
from gateway.trial.comparing import Change, ChangedApp, Side, changed_apps, changed_files, replayed, tried_on_both
from gateway.trial.matrix import People, requests_of
from gateway.trial.recorded import Recorded, read_log
from gateway.trial.request import Circumstances
from gateway.trial.trial import Tried

_SHOWN = 50


@dataclass(frozen=True, slots=True)
class _Tried:
    """The `number` requests of one `kind` that were tried.

    `changes`: the requests with another result, at applications that both folders have.
    `of_changed_apps`: the requests with another result because their application was added or removed.
    `shadows`: the requests whose result differs only in a shadow rule.
    """

    kind: str
    number: int
    changes: Sequence[Change]
    of_changed_apps: Sequence[Change]
    shadows: Sequence[Change]


@dataclass(frozen=True, slots=True)
class _Found:
    files: list[tuple[str, str]]
    apps: list[ChangedApp]
    tried: tuple[_Tried, ...]

    @property
    def differs(self) -> bool:
        return bool(self.apps) or any(one.changes for one in self.tried)


def run(told: Namespace) -> Exit:
    return diff_folders(told.old, told.new, told.log, as_json=told.as_json)


def diff_folders(old: Path, new: Path, log: Path | None, *, as_json: bool) -> Exit:
    try:
        recorded = None if log is None else _read(log)
        found = _compared(old, new, recorded)
    except OSError as error:
        said_to_be_wrong(f"{log}: {error.strerror}")
        return Exit.USAGE
    except ProblemsFound as problems:
        say_problems(problems, as_json=as_json)
        return Exit.USAGE
    if as_json:
        say_json(_as_json(found))
    else:
        print("\n".join(_as_text(found)))
    return Exit.FOUND if found.differs else Exit.DONE


def _read(log: Path) -> tuple[list[Recorded], int]:
    with log.open(encoding="utf-8", errors="replace") as lines:
        return read_log(lines)


def _compared(old: Path, new: Path, recorded: tuple[list[Recorded], int] | None) -> _Found:
    """Raises ProblemsFound."""
    now = time.time()
    sides, cases = [], []
    for folder in (old, new):
        side, its_cases = _side(folder, now)
        sides.append(side)
        cases += its_cases
    before, after = (side.snapshot for side in sides)
    people = People((before, after), cases)
    files = changed_files(sides[0].files, sides[1].files)
    apps = changed_apps(before, after)
    number, changes = tried_on_both(before, after, requests_of((before, after), cases), people, Circumstances(now))
    tried = [_split("requests tried", number, changes, apps)]
    if recorded is not None:
        requests, number = recorded
        changes = replayed(before, after, requests, people, Circumstances(now))
        tried.append(_split("recorded requests", number, changes, apps))
    return _Found(files, apps, tuple(tried))


def _split(kind: str, number: int, changes: Sequence[Change], apps: Sequence[ChangedApp]) -> _Tried:
    decided = [change for change in changes if not change.of_shadows]
    of_apps = [change for change in decided if change.is_of(apps)]
    others = [change for change in decided if not change.is_of(apps)]
    return _Tried(kind, number, others, of_apps, [change for change in changes if change.of_shadows])


def _side(folder: Path, now: float) -> tuple[Side, list[Case]]:
    files, _, snapshot = compiled(folder)
    cases, problems = load_cases(files, snapshot, now)
    if problems:
        raise ProblemsFound(problems)
    return Side(files, snapshot), cases


# --- for people -------------------------------------------------------------------------------------------------------


def _as_text(found: _Found) -> Iterator[str]:
    yield from (f"{kind:8} {path}" for kind, path in found.files)
    for changed in found.apps:
        yield from _app_lines(changed, found.tried)
    where = " at the other applications" if found.apps else ""
    for one in found.tried:
        yield from _counted(one.changes, f"of {one.number:,} {one.kind} would change{where}")
        yield from _lines(one.changes)
        if one.shadows:
            yield from _counted(one.shadows, f"of {one.number:,} {one.kind} keep their result, but a shadow differs")
            yield from _lines(one.shadows)


def _app_lines(changed: ChangedApp, tried: Sequence[_Tried]) -> Iterator[str]:
    """A summary in place of a line for each request and person."""
    app = changed.app
    yield f"{changed.kind:8} application {app.name}: {', '.join(app.origin(host) for host in app.hosts)}"
    yield f"  accepts people of {', '.join(app.providers) or 'no provider'}"
    yield from (f"  {line}" for line in _rules(app))
    for one in tried:
        number = sum(change.times for change in one.of_changed_apps if change.is_of([changed]))
        yield f"  {number:,} of {one.number:,} {one.kind} are for this application"


def _rules(app: App) -> Iterator[str]:
    """`/admin/** (GET, POST)  allow group administrateurs`, in the order of the file."""
    for rule in sorted(app.routes.rules(), key=lambda rule: (rule.ref.file, rule.ref.line)):
        path = rule.ref.path if rule.methods is None else f"{rule.ref.path} ({', '.join(sorted(rule.methods))})"
        for word, condition in (("deny", rule.deny), ("allow", rule.allow)):
            if condition is not None:
                yield f"{path}  {word} {whole_in_words(condition)}"


def _counted(changes: Sequence[Change], told: str) -> Iterator[str]:
    number = sum(change.times for change in changes)
    yield f"{number:,} {told}" + (":" if number else "")


def _lines(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes[:_SHOWN]:
        times = f" ({change.times:,} times)" if change.times > 1 else ""
        yield f"  {change.request} as {change.who}{times}"
        yield from _beside(change) if change.of_shadows else _instead(change)
    if len(changes) > _SHOWN:
        yield f"  and {len(changes) - _SHOWN:,} more: --output json shows every line"


def _instead(change: Change) -> Iterator[str]:
    yield from (f"    {sign} {_summary(tried)}" for sign, tried in (("-", change.before), ("+", change.after)))
    if change.before.outcome == change.after.outcome:
        yield from _differences(change)


def _beside(change: Change) -> Iterator[str]:
    yield f"      {_summary(change.after)}"
    for sign, tried in (("-", change.before), ("+", change.after)):
        shadows = [f"shadow {_summary(shadow)}" for shadow in tried.differing()]
        yield from (f"    {sign} {told}" for told in shadows or ["no shadow differs"])


def _summary(tried: Tried) -> str:
    place = "" if tried.rule is None else f"{tried.rule.file}:{tried.rule.line} {tried.rule.path}"
    return "  ".join(part for part in (tried.outcome, tried.reason, place) if part)


def _differences(change: Change) -> Iterator[str]:
    for kind, before, after in (
        ("header", change.before.shown_headers, change.after.shown_headers),
        ("cookie", change.before.cookies, change.after.cookies),
    ):
        yield from (f"      - {kind} {name}: {value}" for name, value in before.items() if after.get(name) != value)
        yield from (f"      + {kind} {name}: {value}" for name, value in after.items() if before.get(name) != value)


# --- for programs -----------------------------------------------------------------------------------------------------


def _as_json(found: _Found) -> dict[str, object]:
    told: dict[str, object] = {
        "files": [{"change": kind, "file": path} for kind, path in found.files],
        "applications": [_app_json(one) for one in found.apps],
    }
    for one, number, before in zip(found.tried, ("tried", "recorded"), ("", "recorded_"), strict=False):
        told[number] = one.number
        told[f"{before}changes"] = [_change_json(change) for change in (*one.changes, *one.of_changed_apps)]
        told[f"{before}shadow_changes"] = [_change_json(change) for change in one.shadows]
    return told


def _app_json(changed: ChangedApp) -> dict[str, object]:
    app = changed.app
    return {
        "change": changed.kind,
        "app": app.name,
        "hosts": [app.origin(host) for host in app.hosts],
        "providers": list(app.providers),
        "rules": list(_rules(app)),
    }


def _change_json(change: Change) -> dict[str, object]:
    return {
        "request": change.request,
        "as": change.who,
        "times": change.times,
        "before": _tried_json(change.before),
        "after": _tried_json(change.after),
    }


def _tried_json(tried: Tried) -> dict[str, object]:
    return {**tried_json(tried), "shadows": [tried_json(shadow) for shadow in tried.shadows]}
