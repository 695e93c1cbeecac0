"""The keyrings that the folder names: whether a key has come, begun or ended since they were taken."""

from pathlib import Path
from typing import Final

from gateway.config.folder.read import read_keyrings
from gateway.server.compiling import Live, digest

# Seconds until what could not be taken is tried again.
_AGAIN: Final = 600


class Keyrings:
    """Those of one gateway, looked at by its supervisor."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tried: dict[str, bytes] = {}
        self._again = 0.0

    def due(self, live: Live, now: float) -> bool:
        """Whether a reload would change them. Reads the files; one that cannot be read is as it was."""
        found = {key: digest(ring) for key, ring in read_keyrings(self._folder, live.keyrings).items()}
        taken = {ring.key: digest for ring, digest in live.keyrings.items() if ring.key in found}
        if found == taken or (found == self._tried and now < self._again):
            return False
        self._tried, self._again = found, now + _AGAIN
        return True
