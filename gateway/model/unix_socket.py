"""A Unix socket where an application listens."""

from dataclasses import dataclass
from typing import Final

CONTROL_SOCKET: Final = "control.sock"
"""The name of the gateway's own control socket in the state folder."""


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """`folder`: absolute, as listed in gateway.yaml; links in its path are allowed.
    `names`: the path below the folder, without links.
    `ours`: files and folders of this gateway, where no application may be.
    """

    folder: str
    names: tuple[str, ...]
    ours: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return "/".join((self.folder.rstrip("/"), *self.names))
