"""The inputs of a snapshot as bytes in memory; the kinds of files; the hosts that an app file closes."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from gateway.config.problems import Problem
from gateway.config.schema.scalars import Reference

GATEWAY_FILE = "gateway.yaml"
PROVIDERS = "providers"
APPS = "apps"
SHARED = "shared"
LISTS = "lists"
DIRECTORIES = "directories"
ORGANISATIONS = "organisations"
TESTS = "tests"
FLAT = (PROVIDERS, SHARED, LISTS, DIRECTORIES, ORGANISATIONS, TESTS)
"""Folders that are read without their subfolders."""

SUFFIX = ".yaml"

STATE = "../var"
"""The state folder, where gateway.yaml names no other."""

HOSTS_FILE = "hosts.json"
"""A file of the state folder: the hosts of each app file as it was last served. An app file that cannot be read any
more still has its own hosts."""

Begin = Callable[[str], None]
"""Told the path of each file when work on it begins, and "" when that ends."""

Hosts = Mapping[str, tuple[str, ...]]
"""Path of an app file below the policy folder to its hosts."""


@dataclass(frozen=True, slots=True)
class Closing:
    """An app file that is omitted because it is wrong.

    `file`: the path in messages.
    `hosts`: the known hosts, each with the path of the application if it has a path (`app.example.org/wiki`).
    `whole`: every host of the file is known.
    `fence`: the hosts that the file's team may have; None without a fence."""

    file: str
    hosts: tuple[str, ...]
    whole: bool
    fence: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Files:
    """The bytes of a policy folder.

    `folder`: the folder, as messages put it before a path.
    `root`: the same folder as an absolute path.
    `texts`: the contents of the files, by path below the folder.
    `secrets`: the contents of references, by reference (`file:../certs/x`, `env:X`, `credential:x`; `for_app` names
    references of app files). Files of the State's design system have their names (`design.PREFIX`).
    `unreadable`: the reason why a reference has no content, by reference.
    `problems`: the problems of reading the folder itself.
    `good`: app files in their last served form, for app files that are wrong now.
    `known`: the hosts of app files, from the state folder.
    `closed`: app files that are left out, by path.
    `starting`: the gateway serves nothing yet.
    `keyrings`: the references to keyrings, whose contents are the keys in force at the time of reading.
    `too_slow`: the SHA-256 (hex) of contents that took too long to compile.
    `clock`: called with the content of each file when work on it begins, and with b"" when the work ends."""

    folder: str
    root: str
    texts: Mapping[str, bytes]
    secrets: Mapping[str, bytes] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    good: Mapping[str, bytes] = field(default_factory=dict)
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: Mapping[str, Closing] = field(default_factory=dict)
    starting: bool = False
    keyrings: tuple[Reference, ...] = ()
    too_slow: frozenset[str] = frozenset()
    clock: Callable[[bytes], None] | None = field(default=None, compare=False, repr=False)

    def begin(self, path: str) -> None:
        """Reports that work on the file begins; "": work on the last file has ended."""
        if self.clock is not None:
            self.clock(self.texts.get(path, b""))

    def is_too_slow(self, content: bytes) -> bool:
        return bool(self.too_slow) and digest_of(content) in self.too_slow

    def by_kind(self) -> dict[str, list[str]]:
        """The paths of each folder (APPS, PROVIDERS ...), in order."""
        return {kind: sorted(path for path in self.texts if _is_in(kind, path)) for kind in (APPS, *FLAT)}

    def shown(self, path: str) -> str:
        """The path as messages name it."""
        return f"{self.folder}/{path}"


def digest_of(content: bytes) -> str:
    """The SHA-256 in hex, as in `Files.too_slow`."""
    return hashlib.sha256(content).hexdigest()


def is_app(path: str) -> bool:
    return _is_in(APPS, path)


def _is_in(folder: str, path: str) -> bool:
    return path.startswith(f"{folder}/") and path.endswith(SUFFIX)


def team_of(path: str) -> str:
    """The folder below apps/; empty for a file of apps/ itself, and for what is no app file."""
    top, _, rest = path.partition("/")
    name, slash, _ = rest.partition("/")
    return name if top == APPS and slash else ""


def for_app(team: str, reference: str) -> str:
    """The key of an application's reference. The key differs by team: no team may read another team's content.

    `team`: the team of the app file."""
    return f"apps/{team}:{reference}"


# --- hosts that are closed --------------------------------------------------------------------------------------------


def closed_hosts(closings: Mapping[str, Closing], owned: Mapping[str, str], portal: str) -> dict[str, str]:
    """The closed hosts and patterns, perhaps with a path, and the file's path in messages. A file with unknown hosts
    closes every wildcard that could cover its hosts, so that no other application responds in its place.

    `owned`: the hosts of files that serve, with their teams.
    `portal`: the host of the portal, which is never closed.
    """
    found: dict[str, str] = {}
    teams: dict[str, set[str]] = {}
    for place, team in owned.items():
        teams.setdefault(place.partition("/")[0], set()).add(team)
    for path, closing in closings.items():
        hosts = [place for place in closing.hosts if place not in owned and place != portal]
        hosts = [place for place in hosts if _reaches(closing, place) and _is_with_its_own(place, team_of(path), teams)]
        if not closing.whole:
            hosts += sorted(host for host in teams if host.startswith("*.") and _meets(closing, host))
        for host in hosts:
            found.setdefault(host, closing.file)
    return found


def unread_files(closings: Mapping[str, Closing]) -> dict[str, tuple[str, ...] | None]:
    """The files with unknown hosts, by their path in messages, with the hosts of their fence."""
    return {closing.file: closing.fence for closing in closings.values() if not closing.whole}


def _is_with_its_own(place: str, team: str, teams: Mapping[str, Set[str]]) -> bool:
    """A path of a host is closed only beside applications of the same team."""
    host, slash, _ = place.partition("/")
    return not slash or teams.get(host, {team}) == {team}


def within(host: str, hosts: Iterable[str]) -> bool:
    """Whether a fence of these hosts includes the host. A wildcard is only within the same wildcard."""
    return host in hosts or (not host.startswith("*.") and f"*.{host.partition('.')[2]}" in hosts)


def _reaches(closing: Closing, host: str) -> bool:
    return closing.fence is None or within(host.partition("/")[0], closing.fence)


def _meets(closing: Closing, wildcard: str) -> bool:
    return closing.fence is None or any(within(host, (wildcard,)) for host in closing.fence)


# --- hosts that were served -------------------------------------------------------------------------------------------


def encode_hosts(hosts: Hosts) -> bytes:
    return json.dumps({path: list(names) for path, names in sorted(hosts.items())}, indent=1).encode("ascii") + b"\n"


def decode_hosts(content: bytes) -> dict[str, tuple[str, ...]]:
    """Reads a file of `encode_hosts`. Empty for other content: no host is known."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(read, dict) or not all(_is_list_of_text(names) for names in read.values()):
        return {}
    return {path: tuple(names) for path, names in read.items()}


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
