"""Everything that a snapshot is made of, as bytes in memory, and which file is what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.config.problems import Problem

GATEWAY_FILE = "gateway.yaml"
PROVIDERS = "providers"
APPS = "apps"
SHARED = "shared"
LISTS = "lists"
TESTS = "tests"
FLAT = (PROVIDERS, SHARED, LISTS, TESTS)
"""Folders without folders in them."""

SUFFIX = ".yaml"

STATE = "../var"
"""The state folder, where gateway.yaml names no other."""


@dataclass(frozen=True, slots=True)
class Closing:
    """An app file that is left out. `file`: as messages name it. `hosts`: those that it is known to have; `whole`: it
    has no others. `fence`: what its team may have; None where no team's fence is around it."""

    file: str
    hosts: tuple[str, ...]
    whole: bool
    fence: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Files:
    """`folder` is what messages put before a path, `root` the same folder as an absolute path.

    `texts`: path below the folder to bytes. `secrets` and `unreadable` are keyed by reference (`file:../certs/x`,
    `env:X`, `credential:x`, those of app files as `for_app` has it): the bytes as they were, or why there are none.
    `problems`: what of the folder itself could not be read.

    `good`: app files as they were last served, for those that are wrong now. `known`: their hosts, from the state
    folder. `closed`: files that are left out, by path. `starting`: nothing is served yet.
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

    def shown(self, path: str) -> str:
        """The path as messages name it."""
        return f"{self.folder}/{path}"


def is_provider(path: str) -> bool:
    return path.startswith(f"{PROVIDERS}/") and path.endswith(SUFFIX)


def is_app(path: str) -> bool:
    return path.startswith(f"{APPS}/") and path.endswith(SUFFIX)


def is_tests(path: str) -> bool:
    return path.startswith(f"{TESTS}/") and path.endswith(SUFFIX)


def team_of(path: str) -> str:
    """The folder below apps/; empty for a file of apps/ itself, and for what is no app file."""
    top, _, rest = path.partition("/")
    name, slash, _ = rest.partition("/")
    return name if top == APPS and slash else ""


def for_app(team: str, reference: str) -> str:
    """What an application's reference is known by: it may be no one else's to read. `team`: whose fence it is under."""
    return f"apps/{team}:{reference}"


def is_shared(path: str) -> bool:
    return path.startswith(f"{SHARED}/") and path.endswith(SUFFIX)


def is_list(path: str) -> bool:
    return path.startswith(f"{LISTS}/") and path.endswith(SUFFIX)
