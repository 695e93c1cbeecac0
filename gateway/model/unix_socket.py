"""A Unix socket where an application listens."""

from dataclasses import dataclass
from typing import Final

CONTROL_SOCKET: Final = "control.sock"
"""The gateway's own, in its state folder."""


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """`folder`: absolute, as gateway.yaml lists it, links in it included. `names`: the way from there, of which no part
    may be a link. `ours`: files and folders of this gateway, which no application is at, or below."""

    folder: str
    names: tuple[str, ...]
    ours: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return "/".join((self.folder.rstrip("/"), *self.names))
