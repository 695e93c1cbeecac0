import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.compile.plan import Compiled
from gateway.config.compile.process import decode_files, decode_outcome, encode_files, encode_outcome
from gateway.config.folder.files import Files
from gateway.config.problems import Place, Problem

pytestmark = pytest.mark.slow

_names = st.text(max_size=10) | st.just("\udce9")
_places = st.builds(Place, _names, st.integers(0, 9), st.integers(0, 9), _names)
_problems = st.builds(Problem, _places, _names, _names, _names, st.tuples(st.tuples(_names, _places)) | st.just(()))


@given(st.builds(
    Files, folder=_names, root=_names, texts=st.dictionaries(_names, st.binary(max_size=20)),
    secrets=st.dictionaries(_names, st.binary(max_size=20)), unreadable=st.dictionaries(_names, _names),
    problems=st.tuples(_problems, _problems),
))  # fmt: skip
def test_files_come_through_as_they_are(files: Files) -> None:
    assert decode_files(encode_files(files)) == files


@given(st.binary(max_size=50))
def test_a_plan_comes_through_as_it_is(plan: bytes) -> None:
    assert decode_outcome(encode_outcome(Compiled(plan, "abc"))) == Compiled(plan, "abc")


@given(st.binary(max_size=200))
def test_any_bytes_are_files_or_a_value_error(message: bytes) -> None:
    try:
        decode_files(message)
    except (ValueError, KeyError, TypeError):
        pass
