"""Writes and reads the body of a kept post: under seal, off the loop, in constant memory."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import KeptFile
from gateway.stores.posts.folder import PostFolder
from gateway.stores.posts.sealed_stream import CHUNK, SEALED_CHUNK, SealedStream, plain_size

Worked = TypeVar("Worked")
# Chunks that are read at a time.
_AT_ONCE: Final = 4


class OffLoop(Protocol):
    """Runs blocking work off the loop."""

    def __call__(self, work: Callable[[], Worked]) -> Awaitable[Worked]: ...


class PostWriter:
    """Writes a body to its file. One call at a time.

    Each call raises GatewayError(kept_post_codes.NOT_KEPT); the caller then discards the body.
    """

    def __init__(self, folder: PostFolder, file: KeptFile, key: bytes, descriptor: int, in_thread: OffLoop) -> None:
        self._folder = folder
        self._file = file
        self._descriptor = descriptor
        self._stream = SealedStream(key, file.name.encode("ascii"))
        self._in_thread = in_thread
        self._rest = bytearray()
        self._size = 0

    async def write(self, piece: bytes) -> None:
        await self._in_thread(lambda: self._write(piece))

    async def finish(self, piece: bytes) -> KeptFile:
        """Writes the last piece, possibly empty. On return the whole body is on the disk."""
        await self._in_thread(lambda: self._finish(piece))
        return replace(self._file, size=self._size)

    async def discard(self) -> None:
        await self._in_thread(self._discard)

    def _write(self, piece: bytes) -> None:
        """Seals every full chunk that more bytes follow. Keeps the rest: the final chunk must be sealed with
        `last=True`."""
        self._size += len(piece)
        self._rest += piece
        at = 0
        sealed: list[bytes] = []
        while len(self._rest) - at > CHUNK:
            sealed.append(self._stream.seal(bytes(self._rest[at : at + CHUNK]), last=False))
            at += CHUNK
        del self._rest[:at]
        self._put(b"".join(sealed))

    def _finish(self, piece: bytes) -> None:
        self._write(piece)
        self._put(self._stream.seal(bytes(self._rest), last=True))
        self._rest.clear()
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise _not_kept(error) from error
        self._close()

    def _put(self, sealed: bytes) -> None:
        left = memoryview(sealed)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            raise _not_kept(error) from error

    def _discard(self) -> None:
        self._close()
        with suppress(GatewayError):
            self._folder.remove(self._file.name)

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class FoundBody:
    """model.kept_post.KeptBody: a file that was read to its end and found whole, for a second reading."""

    def __init__(self, descriptor: int, file: KeptFile, key: bytes, in_thread: OffLoop) -> None:
        self._descriptor = descriptor
        self._file = file
        self._key = key
        self._in_thread = in_thread
        self._stream = SealedStream(key, file.name.encode("ascii"))
        self._left = 0
        self.size = file.size

    async def check(self) -> None:
        """Raises GatewayError(kept_post_codes.GONE): the file was cut, altered or exchanged."""
        await self._in_thread(self._check)

    async def read(self) -> bytes:
        return await self._in_thread(self._read)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _check(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if plain_size(size) != self._file.size:
            raise GatewayError(kept_post_codes.GONE, "the file of a kept post has another size")
        self._left = size
        while self._read():
            pass
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._stream, self._left = SealedStream(self._key, self._file.name.encode("ascii")), size

    def _read(self) -> bytes:
        opened: list[bytes] = []
        while self._left and len(opened) < _AT_ONCE:
            wanted = min(self._left, SEALED_CHUNK)
            sealed = os.read(self._descriptor, wanted)
            if len(sealed) < wanted:
                raise GatewayError(kept_post_codes.GONE, "the file of a kept post was cut")
            self._left -= wanted
            opened.append(self._stream.open(sealed, last=not self._left))
        return b"".join(opened)


def _not_kept(error: OSError) -> GatewayError:
    return GatewayError(kept_post_codes.NOT_KEPT, f"{error.strerror} while a post was being kept")
