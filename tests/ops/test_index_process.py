"""The process has limits of its own, and says in one line what it made or why it made nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.ops.index_files import IndexStamp
from gateway.ops.index_process import NoIndex, decode_result
from tests.patience import PATIENCE

_PROGRAM = """
import resource, signal, sqlite3, sys
from gateway.model.codes import directory_codes
from gateway.model.errors import GatewayError
from gateway.ops.index_files import IndexStamp
from gateway.ops.index_process import serve
def make(question, folder):
    kinds = (resource.RLIMIT_DATA, resource.RLIMIT_CPU, resource.RLIMIT_CORE)
    limits = [resource.getrlimit(kind)[0] for kind in kinds], signal.getitimer(signal.ITIMER_REAL)[0] > 1
    if limits != ([1 << 30, 300, 0], True):
        raise GatewayError(directory_codes.FILE, f"limits {limits}")
    BODY
sys.exit(serve(make))
"""


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ("return IndexStamp(question['of'], (), 7, len(folder.name))", IndexStamp("f1", (), 7, 4)),
        ("raise GatewayError(directory_codes.FILE, 'line 2')", NoIndex("directory.file: line 2")),
        ("raise OSError(28, 'full')", NoIndex("the state folder cannot be written: [Errno 28] full")),
        ("raise sqlite3.OperationalError('full')", NoIndex("the state folder cannot be written: full")),
        ("return bytearray(2 << 30)", NoIndex("the index takes over 1024 MB of memory")),
    ],
)
def test_what_became_of_it(tmp_path: Path, body: str, result: IndexStamp | NoIndex) -> None:
    command = [sys.executable, "-c", _PROGRAM.replace("BODY", body), str(tmp_path / "made")]
    told = subprocess.run(command, input=b'{"of": "f1"}\n', capture_output=True, check=True, timeout=PATIENCE)
    assert decode_result(told.stdout) == result
