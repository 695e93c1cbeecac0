"""The folder of kept posts: a file for each post, private to the gateway's account. The file's name carries the counted
values.

All calls block, and run in a thread. Names consist of keyed hashes and numbers. Links are not followed. Files with
foreign names are neither read, counted nor deleted.
"""

import fcntl
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from gateway.model.codes import kept_post_codes
from gateway.model.errors import GatewayError

# Files at a time. Only who was signed in a moment ago can have any.
MOST_OF_ONE: Final = 20
MOST_OF_CLIENT: Final = 100
MOST: Final = 2000
# Bytes that stay free on the disk, which sessions may be kept on too.
LEFT_FREE: Final = 32 << 20

_NAME: Final = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{16})-([0-9]{1,15})-([0-9]{1,12})")
_LOCK: Final = ".lock"
_FLAGS: Final = os.O_CLOEXEC | os.O_NOFOLLOW


class Occupant(NamedTuple):
    """The fields of a file's name.

    `person`, `seat`, `client`: the beginnings of keyed hashes, in hex.
    `size`: bytes of the body, or the most that the body may have.
    `expires_at`: Unix seconds.
    """

    id: str
    person: str
    seat: str
    client: str
    size: int
    expires_at: int

    @property
    def name(self) -> str:
        return "-".join(map(str, self))


class FolderBounds(NamedTuple):
    """Bytes."""

    per_person: int
    in_all: int


class PostFolder:
    """Every method raises GatewayError: kept_post_codes.NOT_KEPT where there is no room, or the disk says no."""

    def __init__(self, path: str) -> None:
        self._path = path

    def take_room(self, wanted: Occupant, bounds: FolderBounds, now: int) -> int:
        """Opens a new file for writing. Its room counts from now on, across all processes."""
        with self._opened() as folder, _locked(folder):
            known = list(self._known(folder, now))
            _check_room(wanted, known, bounds)
            free = os.fstatvfs(folder)
            if free.f_bavail * free.f_frsize < wanted.size + LEFT_FREE:
                raise GatewayError(kept_post_codes.NOT_KEPT, f"the disk of {self._path} is nearly full")
            return os.open(wanted.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=folder)

    def open(self, name: str) -> int:
        """An existing file, for reading. Raises GatewayError(kept_post_codes.GONE) if the file is missing."""
        if _NAME.fullmatch(name) is None:
            raise GatewayError(kept_post_codes.GONE, "not the name of a kept post")
        with self._opened() as folder:
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | _FLAGS, dir_fd=folder)
            except OSError as error:
                raise GatewayError(kept_post_codes.GONE, f"{self._path}: {error.strerror}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise GatewayError(kept_post_codes.GONE, f"{self._path}: not a file of ours")
        return descriptor

    def remove(self, name: str) -> None:
        if _NAME.fullmatch(name) is not None:
            with self._opened() as folder, suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)

    def purge(self, now: int) -> int:
        """Deletes the expired files, also of other processes. Returns how many files are left."""
        if not os.path.isdir(self._path):
            return 0
        with self._opened() as folder:
            return len(list(self._known(folder, now)))

    def _known(self, folder: int, now: int) -> Iterator[Occupant]:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
        for name in names:
            match = _NAME.fullmatch(name)
            if match is None:
                continue
            id, person, seat, client, size, expires_at = match.groups()
            if int(expires_at) <= now:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
            else:
                yield Occupant(id, person, seat, client, int(size), int(expires_at))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Returns the folder's descriptor: an exchange of the folder does not affect calls under way."""
        try:
            os.makedirs(self._path, mode=0o700, exist_ok=True)
            folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS)
            try:
                mode = stat.S_IMODE(os.fstat(folder).st_mode)
                if mode & 0o077:
                    detail = f"{self._path} is open to other accounts: chmod 700 {self._path}"
                    raise GatewayError(kept_post_codes.NOT_KEPT, detail)
                yield folder
            finally:
                os.close(folder)
        except OSError as error:
            raise GatewayError(kept_post_codes.NOT_KEPT, f"{self._path}: {error.strerror}") from error


def _check_room(wanted: Occupant, known: list[Occupant], bounds: FolderBounds) -> None:
    of_person = [one for one in known if one.person == wanted.person]
    counted = (
        ("of this person", len(of_person), MOST_OF_ONE),
        ("of this session", sum(one.seat == wanted.seat for one in known), MOST_OF_ONE),
        ("of this address", sum(one.client == wanted.client for one in known), MOST_OF_CLIENT),
        ("of everybody", len(known), MOST),
    )
    for whose, number, most in counted:
        if number >= most:
            raise GatewayError(kept_post_codes.NOT_KEPT, f"{number} posts {whose} are kept already")
    for whose, those, most in (
        ("of this person", of_person, bounds.per_person),
        ("of everybody", known, bounds.in_all),
    ):
        size = sum(one.size for one in those) + wanted.size
        if size > most:
            raise GatewayError(kept_post_codes.NOT_KEPT, f"{size} bytes {whose} would be kept, over {most}")


@contextmanager
def _locked(folder: int) -> Iterator[None]:
    """Holds the lock on the folder, across all processes, and across machines if the file system supports it."""
    lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | _FLAGS, 0o600, dir_fd=folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
