"""The process that makes one index. The end of the process frees the memory, and the kernel kills a process at its
limits.

The argument is the folder of the index. Standard input carries the question as one line of JSON, standard output the
result.
"""

import json
import os
import sqlite3
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.model.codec import codec_of
from gateway.model.errors import GatewayError
from gateway.ops.child_process import stay_within
from gateway.ops.index_files import IndexStamp

SECONDS: Final = 600
_CPU_SECONDS: Final = 300
_MEMORY: Final = 1 << 30
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class NoIndex:
    """The process made no index. `detail` tells the operator the reason."""

    detail: str


_RESULT: Final = codec_of(IndexStamp | NoIndex)


def decode_result(printed: bytes) -> IndexStamp | NoIndex:
    """Raises ValueError."""
    result: IndexStamp | NoIndex = _RESULT.read(json.loads(printed))
    return result


def serve(make: Callable[[Any, Path], IndexStamp]) -> int:
    """Answers the question. `make`: receives the question and the folder; raises GatewayError for a fault of the
    operator's files, and OSError or sqlite3.Error for a fault of the folder.
    """
    os.nice(_NICE)
    stay_within(seconds=SECONDS, cpu_seconds=_CPU_SECONDS, memory=_MEMORY)
    result: IndexStamp | NoIndex
    try:
        result = make(json.loads(sys.stdin.buffer.readline()), Path(sys.argv[1]))
    except GatewayError as error:
        result = NoIndex(f"{error.code.id}: {error.detail}")
    except (OSError, sqlite3.Error) as error:
        result = NoIndex(f"the state folder cannot be written: {error}")
    except MemoryError:
        result = NoIndex(f"the index takes over {_MEMORY >> 20} MB of memory")
    sys.stdout.buffer.write(json.dumps(_RESULT.write(result)).encode())
    return 0
