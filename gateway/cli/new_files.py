"""Creates first files whole, never over an existing file. A command creates all of its files or leaves no trace."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.exits import Exit
from gateway.cli.questions import NotWritten

_SHOWN, _SECRET = 0o644, 0o600


@dataclass(frozen=True, slots=True)
class NewFile:
    """`secret`: readable only by the account that owns the folder."""

    path: Path
    content: bytes
    secret: bool = False


@contextmanager
def created(files: Sequence[NewFile]) -> Iterator[None]:
    """Creates the files in order. Removes the created files after a failure, or if the block raises.

    Root's files get the owner of their folder, so that the gateway's account can read the files. Raises NotWritten.
    """
    made: list[Path] = []
    try:
        for file in files:
            _create(file)
            made.append(file.path)
        yield
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.unlink()
        raise


def _create(file: NewFile) -> None:
    path = file.path
    try:
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(descriptor, "wb") as whole:
                above = path.parent.stat()
                os.fchmod(descriptor, _SECRET if file.secret else _SHOWN)
                if os.geteuid() == 0:
                    os.fchown(descriptor, above.st_uid, above.st_gid)
                whole.write(file.content)
                whole.flush()
                os.fsync(descriptor)
            # Fails where another file has the name already, and a rename would not.
            os.link(beside, path)
        finally:
            os.unlink(beside)
    except FileExistsError:
        raise NotWritten(f"{path} is there already; nothing is written") from None
    except OSError as error:
        raise NotWritten(f"{path}: {error.strerror}; nothing is written", Exit.USAGE) from None
