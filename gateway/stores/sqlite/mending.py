"""Sets aside and replaces a database that was deleted, emptied or damaged while in use.

The replacement loses no further data. Everybody signs in again, and older tokens of other parties no longer count,
because the lost store may have used them up.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.model.provider import LONGEST_SKEW
from gateway.ops.log import Log
from gateway.stores.sqlite import file as sqlite_file
from gateway.stores.tickets.tickets import unix_now

# Seconds. An operator who puts the file back, or copies one over it, has that long.
MENDED_AFTER = 10.0

_PARTS = ("", "-wal", "-shm")


class Mending:
    """Mends the database for one process. Any thread may call `seen` with a fault; only the writer calls `mend`."""

    def __init__(
        self,
        path: Path,
        log: Log | None,
        *,
        now: Callable[[], int] = unix_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._since: float | None = None
        self._device: int | None = None

    def opened(self) -> None:
        """Notes the file system of the state folder. If that file system is unmounted, the empty folder below must not
        be filled."""
        with suppress(OSError):
            self._device = os.stat(self._path.parent).st_dev

    def seen(self, error: Exception) -> None:
        if self._since is None and sqlite_file.is_damage(error):
            self._since = self._monotonic()

    @property
    def due(self) -> bool:
        return self._since is not None and self._monotonic() - self._since >= MENDED_AFTER

    def mend(self, timeout: float) -> None:
        """Replaces a damaged database. Raises sqlite3.Error, OSError or GatewayError on failure; `due` holds again
        after MENDED_AFTER."""
        self._since = self._monotonic()
        self._have_folder()
        with _alone(self._path.parent) as first:
            # One worker mends; the other workers find the new file.
            if not first:
                return
            if why := sqlite_file.diagnosis(self._path, timeout):
                aside = self._replace(timeout)
                if self._log is not None:
                    self._log.event("store.set_aside", detail=f"{self._path}: {why}", kept=aside)
        self._since = None

    def _have_folder(self) -> None:
        folder = self._path.parent
        there = folder if folder.exists() else folder.parent
        if self._device is not None and os.stat(there).st_dev != self._device:
            raise FileNotFoundError(f"{folder} is on another file system than before: is it mounted?")
        folder.mkdir(mode=0o700, exist_ok=True)

    def _replace(self, timeout: float) -> str:
        """Moves the old file aside and puts a new store in its place. Returns the old file's new name; empty if no file
        existed."""
        made = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        # Makes the new file first, so that a full disk moves nothing.
        try:
            # A provider with a fast clock may date older tokens up to LONGEST_SKEW ahead.
            sqlite_file.make(made, timeout, self._now() + LONGEST_SKEW + 1)
            kept = self._moved_aside()
            os.rename(made, self._path)
        finally:
            for part in _PARTS:
                Path(f"{made}{part}").unlink(missing_ok=True)
        return kept

    def _moved_aside(self) -> str:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        aside = self._path.with_name(f"{self._path.name}.damaged-{stamp}-{secrets.token_hex(2)}")
        moved = [part for part in _PARTS if _rename(Path(f"{self._path}{part}"), Path(f"{aside}{part}"))]
        return f"{aside}{moved[0]}" if moved else ""


def _rename(path: Path, to: Path) -> bool:
    try:
        path.rename(to)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process is mending. Locks the folder itself, because a lock file could be deleted like the
    database."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
