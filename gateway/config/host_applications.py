"""The applications of a host: a single application, or several that divide the paths of the host."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class _HasPath(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def path(self) -> str:
        """The path prefix of the application; empty for the application that takes the remaining paths."""


AppT = TypeVar("AppT", bound=_HasPath)


@dataclass(frozen=True, slots=True)
class HostApplications(Generic[AppT]):
    """The applications of a host, or of a `*.` pattern.

    `whole`: the application without a path prefix; None if every application has a prefix.
    `below`: the applications with a prefix, the longest prefix first."""

    whole: AppT | None
    below: tuple[AppT, ...] = ()

    @property
    def all(self) -> tuple[AppT, ...]:
        return self.below if self.whole is None else (self.whole, *self.below)

    def at(self, path: str) -> AppT | None:
        """The application that answers at a path. `path`: as sent, without the query."""
        return next((app for app in self.below if is_below(path, app.path)), self.whole)

    def named(self, name: str) -> AppT | None:
        return next((app for app in self.all if app.name == name), None)


def is_below(path: str, prefix: str) -> bool:
    """Whether a path is `prefix`, or continues it by whole segments."""
    return path.startswith(prefix) and path[len(prefix) :][:1] in ("", "/")
