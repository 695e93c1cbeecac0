"""Which applications answer on one host: one, or several that divide its paths among them."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class _HasPath(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str:
        """Below which it answers; empty for all paths that no other has."""


Application = TypeVar("Application", bound=_HasPath)


@dataclass(frozen=True, slots=True)
class HostApplications(Generic[Application]):
    """Those of a host, or of a `*.` pattern. `whole`: the one that has no path of its own, None where each has one.
    `below`: the others, the longest path first."""

    whole: Application | None
    below: tuple[Application, ...] = ()

    @property
    def all(self) -> tuple[Application, ...]:
        return self.below if self.whole is None else (self.whole, *self.below)

    def at(self, path: str) -> Application | None:
        """The one that answers there. `path`: as it was sent, without its query."""
        return next((app for app in self.below if is_below(path, app.path)), self.whole)

    def named(self, name: str) -> Application | None:
        return next((app for app in self.all if app.name == name), None)


def is_below(path: str, prefix: str) -> bool:
    """Whether a path is `prefix`, or continues it by whole segments."""
    return path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/")
