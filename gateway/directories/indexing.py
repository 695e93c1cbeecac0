"""The process that writes the index of one file: its memory is freed when the process ends, and the kernel kills the
process at its limits.

Standard input carries the directory as one line of JSON, standard output carries the outcome as one line.
"""

import hashlib
import json
import os
import resource
import signal
import sqlite3
import sys
import time
from dataclasses import asdict, dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, Final

from gateway.directories.index import IndexStamp, index_path, stamp_index, write_index
from gateway.directories.tables import open_table, rows_of, wrong
from gateway.model.codec import codec_of
from gateway.model.codes import directory_codes
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.ops.indexing import status_of
from gateway.ops.whole_file import replaced

SECONDS: Final = 600
# The kernel ends the process at its limits. A process that says nothing for these further seconds hangs.
ANSWERS_WITHIN: Final = 20.0
_CPU_SECONDS: Final = 300
_MEMORY: Final = 1 << 30
_BESIDE: Final = 10
_PIECE: Final = 1 << 20

_DIRECTORY = codec_of(Directory)


@dataclass(frozen=True, slots=True)
class IndexOutcome:
    """The result of one run.

    `detail`: why the run made no index; empty: success.
    `stat`: status of the file that was read, or tried.
    """

    rows: int = 0
    keyless: int = 0
    detail: str = ""
    stat: tuple[int, ...] = ()


def encode_directory(directory: Directory) -> bytes:
    return json.dumps(_DIRECTORY.write(directory)).encode() + b"\n"


def decode_outcome(line: bytes) -> IndexOutcome:
    """Decodes an outcome. Raises ValueError or TypeError for a malformed line."""
    told: dict[str, Any] = json.loads(line)
    return IndexOutcome(**{**told, "stat": tuple(told["stat"])})


def make_index(directory: Directory, folder: Path, now: int) -> IndexStamp:
    """Writes the index of the present file and puts the index in place. Raises GatewayError(directory_codes.FILE),
    OSError, sqlite3.Error.
    """
    source, before = directory.file, status_of(directory.file.path)
    raw = open_table(source)
    with raw, replaced(index_path(folder, directory)) as new:
        content = _Hashed(raw)
        rows, keyless = write_index(new, directory, rows_of(directory, BufferedReader(content, _PIECE)))
        # A file overwritten during the read is neither the old file nor the new file.
        if status_of(source.path) != before:
            raise wrong(source, "it changed while it was read")
        stamp = IndexStamp(content.digest(), before, now, rows, keyless)
        stamp_index(new, stamp)
    return stamp


class _Hashed(RawIOBase):
    """Reads from `raw`, and hashes the bytes read."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = int(self._raw.readinto(buffer))
        self._hash.update(memoryview(buffer)[:count])
        return count

    def digest(self) -> str:
        return self._hash.hexdigest()


def stay_within_limits() -> None:
    """Has the kernel kill this process at its limits, and lowers the priority of the process."""
    os.nice(_BESIDE)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    for what, value in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main(folder: str) -> int:
    stay_within_limits()
    directory: Directory = _DIRECTORY.read(json.loads(sys.stdin.buffer.readline()))
    before = status_of(directory.file.path)
    try:
        stamp = make_index(directory, Path(folder), int(time.time()))
        outcome = IndexOutcome(stamp.rows, stamp.keyless, stat=stamp.stat)
    except GatewayError as error:
        outcome = IndexOutcome(detail=f"{directory_codes.FILE.id}: {error.detail}", stat=before)
    except (OSError, sqlite3.Error) as error:
        outcome = IndexOutcome(detail=f"the state folder cannot be written: {error}", stat=before)
    except MemoryError:
        outcome = IndexOutcome(detail=f"it takes over {_MEMORY >> 20} MB of memory", stat=before)
    sys.stdout.buffer.write(json.dumps(asdict(outcome)).encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
