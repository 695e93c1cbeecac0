"""For `--watch`: waits until the files of a folder say something else."""

import time
from collections.abc import Iterator
from pathlib import Path

from gateway.config.watch import fingerprint

_LOOKED_EVERY = 0.5


def changes(folder: Path) -> Iterator[None]:
    """One for each change, for ever."""
    seen = fingerprint(folder)
    while True:
        time.sleep(_LOOKED_EVERY)
        if (now := fingerprint(folder)) != seen:
            seen = now
            yield
