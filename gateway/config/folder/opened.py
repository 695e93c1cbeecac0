"""Opens a file of the operator once, and reads only regular files."""

import os
import stat
from errno import ELOOP, ENOTDIR
from typing import Final

ANY: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Unreadable(Exception):
    """The reason, in the operator's words."""


def opened(path: str, flags: int = ANY, at: int | None = None) -> int:
    """A descriptor of `path`, which lies in the folder `at`. Closes `at`. Raises Unreadable."""
    try:
        return os.open(path, flags, dir_fd=at)
    except (OSError, ValueError) as error:
        if flags & os.O_NOFOLLOW and isinstance(error, OSError) and error.errno in (ELOOP, ENOTDIR):
            raise Unreadable("a link is on the way, and none is followed here") from None
        raise Unreadable(f"this file cannot be read: {reason(error)}") from None
    finally:
        if at is not None:
            os.close(at)


def content_of(descriptor: int, limit: int) -> bytes:
    """The bytes of a regular file, `limit` at most; the descriptor is closed. Raises Unreadable."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable("this is not a file")
    try:
        with open(descriptor, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"this file cannot be read: {reason(error)}") from None
    if len(content) > limit:
        raise Unreadable(f"this file is larger than {limit >> 20} MB")
    return content


def reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
