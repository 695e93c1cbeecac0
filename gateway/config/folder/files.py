"""Everything that a snapshot is made of, as bytes in memory; which file is what, and which hosts an app file closes."""

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
    """An app file that is left out. `file`: as messages name it. `hosts`: those that it is known to have, each with the
    path of the file, if it has one (`app.example.org/wiki`); `whole`: it has no others. `fence`: what its team may
    have; None where no team's fence is around it."""

    file: str
    hosts: tuple[str, ...]
    whole: bool
    fence: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Files:
    """`folder` is what messages put before a path, `root` the same folder as an absolute path.

    `texts`: path below the folder to bytes. `secrets` and `unreadable` are keyed by reference (`file:../certs/x`,
    `env:X`, `credential:x`, those of app files as `for_app` has it): the bytes as they were, or why there are none.
    Those of the State's design system are there by name (`design.PREFIX`).
    `problems`: what of the folder itself could not be read.

    `good`: app files as they were last served, for those that are wrong now. `known`: their hosts, from the state
    folder. `closed`: files that are left out, by path. `starting`: nothing is served yet. `keyrings`: the references
    whose bytes are what is in force of a keyring at the time of reading.

    `too_slow`: the SHA-256 (hex) of contents that took too long to compile. `clock`: told the content of each file when
    work on it begins, and b"" when that ends.
    """

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
        """Work on this file begins; with "", none is worked on any more."""
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
    """As `Files.too_slow` has it."""
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
    """The name of an application's reference: no other team may read what stands there. `team`: the one whose fence the
    file is under."""
    return f"apps/{team}:{reference}"


# --- hosts that are closed --------------------------------------------------------------------------------------------


def closed_hosts(closings: Mapping[str, Closing], owned: Mapping[str, str], portal: str) -> dict[str, str]:
    """Host or pattern, perhaps with a path, to the file, as messages name it. `owned`: those of files that serve, each
    with its team. A file whose hosts are not all known closes every wildcard that one of its hosts could be under, so
    that no other application responds there."""
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
    """The files whose hosts are not all known, as messages name them, and the fence around each."""
    return {closing.file: closing.fence for closing in closings.values() if not closing.whole}


def _is_with_its_own(place: str, team: str, teams: Mapping[str, Set[str]]) -> bool:
    """A path of a host is closed only beside applications of the same team."""
    host, slash, _ = place.partition("/")
    return not slash or teams.get(host, {team}) == {team}


def within(host: str, hosts: Iterable[str]) -> bool:
    """Whether a fence of these hosts includes this one. A wildcard is within the same wildcard alone."""
    return host in hosts or (not host.startswith("*.") and f"*.{host.partition('.')[2]}" in hosts)


def _reaches(closing: Closing, host: str) -> bool:
    return closing.fence is None or within(host.partition("/")[0], closing.fence)


def _meets(closing: Closing, wildcard: str) -> bool:
    return closing.fence is None or any(within(host, (wildcard,)) for host in closing.fence)


# --- hosts that were served -------------------------------------------------------------------------------------------


def encode_hosts(hosts: Hosts) -> bytes:
    return json.dumps({path: list(names) for path, names in sorted(hosts.items())}, indent=1).encode("ascii") + b"\n"


def decode_hosts(content: bytes) -> dict[str, tuple[str, ...]]:
    """Empty where the content is no such file: then nothing is known."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(read, dict) or not all(_is_list_of_text(names) for names in read.values()):
        return {}
    return {path: tuple(names) for path, names in read.items()}


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
