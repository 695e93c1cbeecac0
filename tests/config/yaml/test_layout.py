from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.yaml.layout import NotLaidOut, lay_out
from gateway.config.yaml.reader import read_document

POLICIES = sorted((Path(__file__).parents[3] / "policies").rglob("*.yaml"))

WRITTEN = """\
# head
version: 1  \r
app: x


access:
# about a
- path: /a/**
  allow:
      any:
      - group: a
      # b
      - {group: b,
         c: d}
  refusal: |
     one
       two

     three
-   path: "/b"
    allow: anyone # tail
# end


"""
LAID_OUT = """\
# head
version: 1
app: x

access:
  # about a
  - path: /a/**
    allow:
      any:
        - group: a
        # b
        - {group: b,
           c: d}
    refusal: |
       one
         two

       three
  - path: "/b"
    allow: anyone # tail
# end
"""


def laid_out(text: str) -> str:
    return lay_out("x.yaml", text.encode()).decode()


def test_the_layout() -> None:
    assert laid_out(WRITTEN) == LAID_OUT
    assert laid_out(LAID_OUT) == LAID_OUT


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_the_example_has_it(path: Path) -> None:
    assert lay_out(path.name, path.read_bytes()) == path.read_bytes()


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "a: &b c\n", ""])
def test_what_the_gateway_does_not_read_is_left_alone(text: str) -> None:
    with pytest.raises(NotLaidOut, match=r"^x\.yaml"):
        laid_out(text)


# Indented by its first line, and by a number: moving would change what it says.
@pytest.mark.parametrize("text", ["a:\n - b: |4\n        c\n", 'a:\n    "b\n\n     c"\n', "a:\n    b\n    c\n"])
def test_what_it_says_is_the_same_or_it_is_left_alone(text: str) -> None:
    try:
        after = laid_out(text)
    except NotLaidOut:
        return
    assert read_document("x", after.encode())[0].data == read_document("x", text.encode())[0].data


VALUES = st.recursive(
    st.text("ab #:-\n", max_size=8) | st.integers(0, 9) | st.booleans(),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.text("xyz", min_size=1, max_size=3), below, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), VALUES, min_size=1, max_size=4), st.integers(2, 6))
def test_any_file_keeps_what_it_says_and_is_laid_out_once_and_for_all(data: dict[str, object], indent: int) -> None:
    text = yaml.safe_dump(data, indent=indent)
    try:
        once = laid_out(text)
    except NotLaidOut:
        return
    assert read_document("x", once.encode())[0].data == read_document("x", text.encode())[0].data
    assert laid_out(once) == once
