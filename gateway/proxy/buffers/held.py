"""A first-in, first-out queue of bytes: in memory up to a limit, then in a file without a name.

The file holds people's data, so it is encrypted under a key that exists only in this process: a stolen disk reveals
nothing. The file is read and written off the event loop (invariant 14), one step at a time.
"""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from gateway.proxy.buffers.room import Buffers, Written, check_free, open_file

BLOCK: Final = 64 * 1024
# The most bytes in memory while the disk is slow or full.
IN_MEMORY: Final = 4 * BLOCK


class HeldBytes:
    """`most`: the limit of this queue, in bytes.
    `moved`: called when the queue can accept more, or has more to give.
    `broken`: called when written bytes cannot be read back.
    `size`: the waiting bytes in total.
    `_first`: the bytes to give next, from position `_at`; then `_on_disk` bytes of the file; then `_last`.
    """

    __slots__ = (
        "_app", "_at", "_broken", "_buffers", "_first", "_is_asked", "_is_usable", "_last", "_last_size", "_most",
        "_moved", "_on_disk", "_ring", "_works", "is_closed", "size",
    )  # fmt: skip

    def __init__(
        self, buffers: Buffers, app: str, most: int, moved: Callable[[], None], broken: Callable[[Exception], None]
    ) -> None:
        self._buffers = buffers
        self._app = app
        self._most = most
        self._moved = moved
        self._broken = broken
        self.size = 0
        self._first = b""
        self._at = 0
        self._on_disk = 0
        self._last: deque[bytes] = deque()
        self._last_size = 0
        self._ring: _Ring | None = None
        self._works = self._is_asked = self.is_closed = False
        self._is_usable = True

    @property
    def is_full(self) -> bool:
        """Whether the sender must wait. Without the disk, the queue is full as soon as bytes wait."""
        if self.is_closed or self.size >= self._most:
            return True
        return (not self._is_usable and self.size > 0) or self._buffers.is_full(self._app)

    @property
    def is_busy(self) -> bool:
        """The disk is behind: `moved` says when it has caught up."""
        return self._last_size >= IN_MEMORY

    def put(self, data: bytes) -> None:
        size = len(data)
        self.size += size
        self._buffers.hold(self._app, size)
        self._last.append(data)
        self._last_size += size
        self._work()

    def take(self, most: int) -> bytes:
        """Returns the next bytes, at most `most`. Returns b"" while the bytes are read from the disk; `moved` is called
        then.
        """
        if self._at == len(self._first) and not self._on_disk and not self._works:
            self._first, self._at = b"".join(self._last), 0
            self._last.clear()
            self._last_size = 0
        piece = self._first[self._at : self._at + most]
        self._at += len(piece)
        if self._at == len(self._first):
            self._first, self._at = b"", 0
            if self._on_disk:
                self._is_asked = True
                self._work()
        self._let_go(len(piece))
        return piece

    def close(self) -> None:
        """Drops the waiting bytes."""
        if not self.is_closed:
            self.is_closed = True
            # Breaks a cycle: the owner of these callbacks holds this object.
            self._moved, self._broken = _nothing, _of_no_concern
            self._let_go(self.size)
            self._first = b""
            self._last.clear()
            self._last_size = self._on_disk = 0
            if not self._works:
                self._end()

    def __del__(self) -> None:
        self.close()

    def _let_go(self, size: int) -> None:
        self.size -= size
        if size:
            self._buffers.let_go(self._app, size)

    def _end(self) -> None:
        ring, self._ring = self._ring, None
        if ring is not None:
            ring.close()
            self._buffers.give_file(self._app)

    # --- the disk, one step at a time ---

    def _work(self) -> None:
        if self._works or self.is_closed:
            return
        if self._is_asked:
            self._read()
        elif self._is_usable and self._last_size >= BLOCK:
            self._write()

    def _read(self) -> None:
        ring, size = self._ring, min(self._on_disk, BLOCK)
        assert ring is not None
        self._begin(lambda: ring.read(size), self._was_read)

    def _was_read(self, data: bytes) -> None:
        """Receives the bytes read from the disk."""
        self._is_asked = False
        self._on_disk -= len(data)
        self._first, self._at = data, 0

    def _write(self) -> None:
        if self._ring is None:
            try:
                self._ring = _Ring(self._buffers.take_file(self._app), self._most)
            except OSError as error:
                self._cannot_write(error)
                return
        ring, pieces = self._ring, tuple(self._last)
        size = self._last_size
        if self._on_disk + size > ring.size:
            return
        self._begin(lambda: ring.write(b"".join(pieces)), lambda _: self._was_written(len(pieces), size))

    def _was_written(self, pieces: int, size: int) -> None:
        """Drops the written bytes from memory only after the write: a full disk loses nothing."""
        for _ in range(pieces):
            self._last.popleft()
        self._last_size -= size
        self._on_disk += size
        if not self._first:
            self._is_asked = True

    def _cannot_write(self, error: OSError) -> None:
        self._is_usable = False
        self._buffers.failed(error)

    def _begin(self, work: Callable[[], Written], done: Callable[[Written], None]) -> None:
        self._works = True
        try:
            future = self._buffers.run(work)
        except RuntimeError as error:
            # The worker ends.
            self._works = False
            self._buffers.loop.call_soon(self._broken, error)
            return
        future.add_done_callback(lambda worked: self._done(worked, done))

    def _done(self, worked: asyncio.Future[Written], done: Callable[[Written], None]) -> None:
        self._works = False
        if self.is_closed:
            if not worked.cancelled():
                worked.exception()
            self._end()
            return
        try:
            done(worked.result())
        except DiskFull as error:
            self._cannot_write(error)
        except (OSError, asyncio.CancelledError) as error:
            self._broken(OSError(str(error)))
            return
        self._work()
        self._moved()


def _nothing() -> None: ...


def _of_no_concern(fault: Exception) -> None: ...


class DiskFull(OSError):
    """The write failed: bytes already in the file stay readable."""


class _Ring:
    """A ring file of `size` bytes, encrypted under one key. The calls block."""

    __slots__ = ("_descriptor", "_folder", "_opens", "_read_at", "_seals", "_write_at", "size")

    def __init__(self, folder: str, most: int) -> None:
        self._folder = folder
        self._descriptor = -1
        # The most bytes, and the pieces that may be under way when the limit is reached.
        self.size = most + 2 * IN_MEMORY
        self._read_at = self._write_at = 0
        # A key for a single stream of bytes, decrypted in the order of encryption.
        cipher = Cipher(AES(os.urandom(32)), CTR(bytes(16)))
        self._seals: CipherContext = cipher.encryptor()
        self._opens: CipherContext = cipher.decryptor()

    def write(self, data: bytes) -> None:
        """Raises DiskFull."""
        try:
            if self._descriptor < 0:
                self._descriptor = open_file(self._folder)
            check_free(self._descriptor, len(data))
            left, at = memoryview(self._seals.update(data)), self._write_at
            while left:
                done = os.pwrite(self._descriptor, left[: self.size - at], at)
                left, at = left[done:], (at + done) % self.size
        except OSError as error:
            raise DiskFull(error.errno, error.strerror) from None
        self._write_at = at

    def read(self, size: int) -> bytes:
        """Raises OSError."""
        found: list[bytes] = []
        at = self._read_at
        while size:
            piece = os.pread(self._descriptor, min(size, self.size - at), at)
            if not piece:
                raise OSError("a buffer was cut")
            found.append(piece)
            size, at = size - len(piece), (at + len(piece)) % self.size
        self._read_at = at
        return self._opens.update(b"".join(found))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
