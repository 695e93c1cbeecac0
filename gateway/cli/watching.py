"""For `--watch`: waits until the files of a folder say something else."""

import time
from collections.abc import Iterator
from pathlib import Path

from gateway.config.compile.process import fingerprint

_LOOKED_EVERY = 0.5


def changes(folder: Path) -> Iterator[None]:
    """One for each change from now on, for ever."""
    return _changes(folder, fingerprint(folder))


def _changes(folder: Path, seen: bytes) -> Iterator[None]:
    while True:
        time.sleep(_LOOKED_EVERY)
        if (now := fingerprint(folder)) != seen:
            seen = now
            yield
