import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.compile import Compiled, compile_files
from gateway.config.compile_process import decode_answer, decode_files, encode_answer, encode_files
from gateway.config.files import Files
from gateway.config.problems import Place, Problem, ProblemsFound
from tests.config.samples import sample_files

pytestmark = pytest.mark.slow


def run(message: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "gateway.config.compile_process"], input=message, capture_output=True)


def test_the_process_answers_with_what_compiling_here_gives() -> None:
    files = sample_files()
    done = run(encode_files(files))
    assert (done.returncode, done.stderr) == (0, b"")
    assert decode_answer(done.stdout) == compile_files(files)


def test_the_process_answers_with_every_problem() -> None:
    files = sample_files({"apps/permis.yaml": "a: b: c", "apps/other.yaml": "[]"})
    done = run(encode_files(files))
    assert (done.returncode, done.stderr) == (0, b"")
    with pytest.raises(ProblemsFound) as there:
        decode_answer(done.stdout)
    with pytest.raises(ProblemsFound) as here:
        compile_files(files)
    assert there.value.problems == here.value.problems


@pytest.mark.parametrize(
    "message", [b"", b"\0\0\0\2[]", b"\0\0\0\2{}", b"\0\0\0\7garbage", encode_files(sample_files())[:-1]]
)
def test_what_is_no_message_ends_with_status_2(message: bytes) -> None:
    done = run(message)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"not a message of files: ")


_names = st.text(max_size=10) | st.just("\udce9")
_places = st.builds(Place, _names, st.integers(0, 9), st.integers(0, 9), _names)
_problems = st.builds(Problem, _places, _names, _names, _names, st.tuples(st.tuples(_names, _places)) | st.just(()))


@settings(deadline=None)
@given(st.builds(
    Files, folder=_names, root=_names, texts=st.dictionaries(_names, st.binary(max_size=20)),
    secrets=st.dictionaries(_names, st.binary(max_size=20)), unreadable=st.dictionaries(_names, _names),
    problems=st.tuples(_problems, _problems),
))  # fmt: skip
def test_files_come_through_as_they_are(files: Files) -> None:
    assert decode_files(encode_files(files)) == files


@settings(deadline=None)
@given(st.binary(max_size=50))
def test_a_plan_comes_through_as_it_is(plan: bytes) -> None:
    assert decode_answer(encode_answer(Compiled(plan, "abc"))) == Compiled(plan, "abc")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_files_or_a_value_error(message: bytes) -> None:
    try:
        decode_files(message)
    except (ValueError, KeyError, TypeError):
        pass
