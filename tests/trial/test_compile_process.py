"""The process that the supervisor starts: what it is told, and what it answers."""

import os
import subprocess
import sys
import time

import pytest

from gateway import __version__
from gateway.config.compile.compiler import compile_files
from gateway.config.compile.plan import Compiled
from gateway.config.compile.process import OTHER_RELEASE, decode_outcome, encode_files, split_answer
from gateway.config.problems import ProblemsFound
from tests.config.samples import sample_files
from tests.patience import PATIENCE
from tests.trial.samples import FAILING, TESTS

pytestmark = pytest.mark.slow


def run(message: bytes, release: str = __version__) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.trial.compile_process", "60", release],
        input=message,
        capture_output=True,
        timeout=PATIENCE,
    )


def answered(done: subprocess.CompletedProcess[bytes]) -> Compiled:
    return decode_outcome(split_answer(done.stdout)[1])


def test_the_process_answers_with_what_compiling_here_gives() -> None:
    files = sample_files()
    done = run(encode_files(files))
    assert (done.returncode, done.stderr) == (0, b"")
    assert answered(done) == compile_files(files)


def test_the_process_answers_with_every_problem() -> None:
    files = sample_files({"apps/permis.yaml": "a: b: c", "apps/other.yaml": "[]"})
    done = run(encode_files(files))
    assert (done.returncode, done.stderr) == (0, b"")
    with pytest.raises(ProblemsFound) as there:
        answered(done)
    with pytest.raises(ProblemsFound) as here:
        compile_files(files)
    assert there.value.problems == here.value.problems


def test_nothing_is_compiled_for_a_gateway_of_another_release() -> None:
    """A new release is on disk and the older gateway still runs: it would misread the plan."""
    done = run(encode_files(sample_files()), "0.0.9")
    assert (done.returncode, done.stdout, done.stderr) == (OTHER_RELEASE, b"", b"")


@pytest.mark.parametrize(
    "message", [b"", b"\0\0\0\2[]", b"\0\0\0\2{}", b"\0\0\0\7garbage", encode_files(sample_files())[:-1]]
)
def test_what_is_no_message_ends_with_status_2(message: bytes) -> None:
    done = run(message)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"not a message of files: ")


def test_a_folder_whose_own_tests_fail_is_refused_with_the_test_that_failed() -> None:
    passing = run(encode_files(sample_files({"tests/permis.yaml": TESTS})))
    assert answered(passing) == compile_files(sample_files())
    with pytest.raises(ProblemsFound, match=r"this test fails: GET http://permis.localhost/admin/ as paul"):
        answered(run(encode_files(sample_files({"tests/permis.yaml": FAILING}))))


def test_it_leaves_the_core_to_whoever_serves() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "gateway.trial.compile_process", "60", __version__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as helper:
        assert helper.stdin is not None
        until = time.monotonic() + 60
        while os.getpriority(os.PRIO_PROCESS, helper.pid) < 10:
            assert time.monotonic() < until
            assert helper.poll() is None
            time.sleep(0.01)
        helper.stdin.write(encode_files(sample_files()))
        helper.stdin.close()
        assert helper.wait(60) == 0
