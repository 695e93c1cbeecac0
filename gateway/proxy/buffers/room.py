"""Shared by the buffers of a worker: the limit of waiting bytes, the folder, and the threads that write."""

import asyncio
import errno
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from gateway.config.exchange_limits import BufferSettings
from gateway.ops.log import Log

Written = TypeVar("Written")
# Threads for buffers only: a slow disk delays only the requests that are buffered on it.
_THREADS: Final = 2
_MOST_FILES: Final = 500
# Bytes that stay free on the disk: the sessions may be on the same disk.
_LEFT_FREE: Final = 64 << 20
_TOLD_AGAIN: Final = 60.0
# open(2): errors of file systems without nameless files, such as NFS.
_NO_NAMELESS: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


class Buffers:
    """The buffer space of one worker. `settings`: of the live snapshot.

    Bytes and files are counted per application. An application gets at most as much as is left free, so a single
    application cannot use up the space.
    """

    def __init__(self, settings: Callable[[], BufferSettings], log: Log, loop: asyncio.AbstractEventLoop) -> None:
        self._settings = settings
        self._log = log
        self.loop = loop
        self._threads: ThreadPoolExecutor | None = None
        self._held = self._files = 0
        self._of: dict[str, int] = {}
        self._files_of: dict[str, int] = {}
        self._told_at = 0.0

    @property
    def held(self) -> int:
        return self._held

    def hold(self, app: str, size: int) -> None:
        self._held += size
        self._of[app] = self._of.get(app, 0) + size

    def let_go(self, app: str, size: int) -> None:
        self._held -= size
        left = self._of[app] - size
        if left:
            self._of[app] = left
        else:
            del self._of[app]

    def is_full(self, app: str) -> bool:
        """Whether no more is to be held for this application."""
        return self._of.get(app, 0) >= self._settings().in_all - self._held

    # --- beside the loop ---

    def run(self, work: Callable[[], Written]) -> asyncio.Future[Written]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="buffers")
        return self.loop.run_in_executor(self._threads, work)

    def take_file(self, app: str) -> str:
        """The folder of a new file. Raises OSError where this application has as many as are left for others."""
        own = self._files_of.get(app, 0)
        if own >= _MOST_FILES - self._files:
            raise OSError(errno.ENFILE, os.strerror(errno.ENFILE))
        self._files += 1
        self._files_of[app] = own + 1
        return self._settings().folder

    def give_file(self, app: str) -> None:
        self._files -= 1
        if left := self._files_of[app] - 1:
            self._files_of[app] = left
        else:
            del self._files_of[app]

    def failed(self, error: OSError) -> None:
        """The disk is full: from now on, senders wait."""
        if (now := self.loop.time()) >= self._told_at:
            self._told_at = now + _TOLD_AGAIN
            self._log.event("buffer.failed", detail=f"{self._settings().folder}: {error.strerror}")

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


def open_file(folder: str) -> int:
    """Opens a file without a name, which disappears with the process in any case. Blocks. Raises OSError."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.unlink(name)
    return descriptor


def check_free(descriptor: int, size: int) -> None:
    """Raises OSError where the disk would be nearly full. It blocks."""
    free = os.fstatvfs(descriptor)
    if free.f_bavail * free.f_frsize < size + _LEFT_FREE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
