"""Compares two folders: their files, and the results of a matrix of requests and of a log's requests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from gateway.config.folder.files import Files
from gateway.config.snapshot import App, Snapshot
from gateway.trial.matrix import People, Somebody, host_of
from gateway.trial.recorded import Recorded
from gateway.trial.request import Circumstances, WrittenRequest, parse_request
from gateway.trial.trial import Tried, try_request


@dataclass(frozen=True, slots=True)
class Side:
    files: Files
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """`times`: the number of recorded requests in a log."""

    request: str
    who: str
    before: Tried
    after: Tried
    times: int = 1

    @property
    def of_shadows(self) -> bool:
        """Whether only a shadow decides otherwise than before."""
        return self.before.same(self.after)

    def is_of(self, apps: Iterable["ChangedApp"]) -> bool:
        """Whether an application came or went, and no other application answers on the other side."""
        there = [tried.app.name for tried in (self.before, self.after) if tried.app is not None]
        return len(there) == 1 and there[0] in {one.app.name for one in apps}


@dataclass(frozen=True, slots=True)
class ChangedApp:
    """An application in only one of the two folders."""

    kind: Literal["added", "removed"]
    app: App


def changed_apps(old: Snapshot, new: Snapshot) -> list[ChangedApp]:
    """In the order of names, removed applications first."""
    removed = [ChangedApp("removed", old.apps[name]) for name in sorted(old.apps.keys() - new.apps.keys())]
    return removed + [ChangedApp("added", new.apps[name]) for name in sorted(new.apps.keys() - old.apps.keys())]


def changed_files(old: Files, new: Files) -> list[tuple[str, str]]:
    """(added, removed or changed; path), in the order of paths."""
    found = []
    for path in sorted({*old.texts, *new.texts}):
        before, after = old.texts.get(path), new.texts.get(path)
        if before != after:
            found.append(("added" if before is None else "removed" if after is None else "changed", path))
    return found


def tried_on_both(
    old: Snapshot, new: Snapshot, requests: Iterable[WrittenRequest], people: People, circumstances: Circumstances
) -> tuple[int, list[Change]]:
    """The number of tried requests, and the requests with another result."""
    tried = 0
    changes: list[Change] = []
    for request in requests:
        for who in people.before(request):
            tried += 1
            changes += _compared(old, new, request, who, circumstances)
    return tried, changes


def replayed(
    old: Snapshot, new: Snapshot, recorded: Iterable[Recorded], people: People, circumstances: Circumstances
) -> list[Change]:
    """A log does not name the caller. Among the people whose result in the old folder fits the log, takes the likeliest
    person for whom the new folder decides otherwise."""
    changes = []
    for one in recorded:
        app = old.apps.get(one.app) or new.apps.get(one.app)
        if app is None:
            continue
        request = parse_request(f"{one.method} {app.origin(host_of(app))}{one.path}")
        found = [
            change for who in people.before(request) for change in _compared(old, new, request, who, circumstances)
        ]
        possible = sorted(
            (change for change in found if one.may_be(change.before)),
            key=lambda change: (change.of_shadows, one.is_unlikely(change.before)),
        )
        if possible:
            change = possible[0]
            changes.append(Change(request.text, change.who, change.before, change.after, one.times))
    return changes


def _compared(
    old: Snapshot, new: Snapshot, request: WrittenRequest, who: Somebody, circumstances: Circumstances
) -> Iterator[Change]:
    try:
        before = try_request(old, request, who.known(old), circumstances)
        after = try_request(new, request, who.known(new), circumstances)
    except KeyError:
        return  # a provider that one of the folders does not have: nobody comes from there to both
    if not before.same(after) or _beside(before) != _beside(after):
        yield Change(request.text, who.name, before, after)


def _beside(tried: Tried) -> list[tuple[object, ...]]:
    """The results of the shadows that differ from the live rules'."""
    return [shadow.result for shadow in tried.differing()]
