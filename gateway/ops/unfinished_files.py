"""Files that a process writes as `NAME.new`, and renames when the file is complete."""

import time
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".new"
# Seconds. Every process that writes such a file is killed long before.
_LEFT_AFTER: Final = 3600.0


def forget_unfinished_files(folder: Path) -> None:
    """Removes the unfinished files of killed processes. Spares every file that a process wrote to within the last hour.
    Raises OSError."""
    for path in folder.glob(f"*{UNFINISHED}"):
        try:
            is_left = time.time() - path.stat().st_mtime > _LEFT_AFTER
        except FileNotFoundError:
            # The process has renamed the file.
            continue
        if is_left:
            path.unlink(missing_ok=True)
