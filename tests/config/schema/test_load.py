# ruff: noqa: E501 - a case is a line
"""Whatever the files hold, there is a plan that builds, or problems that can be printed: nothing else comes out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.compile.build import build
from gateway.config.compile.compiler import compile_files
from gateway.config.folder.files import Files
from gateway.config.problems import ProblemsFound
from gateway.config.yaml.reader import read_document
from tests.config.samples import SECRETS

POLICIES = Path(__file__).parents[3] / "policies"
EXAMPLES = {path.relative_to(POLICIES).as_posix(): path.read_text() for path in sorted(POLICIES.rglob("*.yaml"))}
KEYS = {**SECRETS, "file:../certs/departement.secret": b"a-secret-of-the-departement"}

# Signs of YAML, words of the schema, and values that are on an edge.
PIECES = [
    "[", "]", "{", "}", ": ", ":", "- ", "\n", "\n  ", "\n\n", ", ", "&a ", "*a", "!x ", '"', "'", "~", "|", "> ", "? ", "<<: ", "%", "@", "`",
    "#", "---\n", "...\n", "\t", "\r", "\0", "\u2028", "\x85", "\ufeff", "\u202e", "é", "\U0001f600", "null", "true", "no", "012", "1:30", "1e999", ".nan",
    "9" * 400, "0x1f", "-1", "anyone", "signed_in", "group: ", "any: ", "all: []", "not: ", "claim: ", "{file: x}", "{env: X}", "/**", "/~(", "/*",
    "**", "allow: ", "deny: ", "path: /", "version: 1", "secret", "*.localhost", "http://", "0s", "7d", "unlimited",
]  # fmt: skip


@st.composite
def broken(draw: st.DrawFn) -> tuple[str, str]:
    """One of the examples, with a few pieces put in, cut out, doubled or replaced."""
    path = draw(st.sampled_from(sorted(EXAMPLES)))
    text = EXAMPLES[path]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from([*PIECES, text[start:end]]))
        kept = text[end:] if draw(st.booleans()) else text[start:]
        text = text[:start] + piece + kept
    return path, text


def judged(texts: dict[str, bytes]) -> None:
    files = Files("policies", "/srv/policies", texts, KEYS)
    found: ProblemsFound | None = None
    try:
        compiled = compile_files(files)
        assert build(compiled.plan).revision == compiled.revision
    except ProblemsFound as problems:
        found = problems
    if found is not None:
        assert found.problems
        assert all(line.isprintable() for line in str(found).splitlines())
        for problem in found.problems:
            assert problem.place.file.removeprefix("policies/") in {*texts, "gateway.yaml"}


@pytest.mark.slow
@settings(max_examples=300)
@given(broken())
def test_a_broken_example_is_a_plan_or_problems(change: tuple[str, str]) -> None:
    path, text = change
    judged({name: content.encode() for name, content in {**EXAMPLES, path: text}.items()})


@pytest.mark.slow
@settings(max_examples=200)
@given(st.sampled_from(sorted(EXAMPLES)), st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_a_heap_of_pieces_is_a_plan_or_problems(path: str, text: str) -> None:
    judged({**{name: content.encode() for name, content in EXAMPLES.items()}, path: text.encode()})


@given(st.dictionaries(st.sampled_from(["gateway.yaml", "providers/a.yaml", "apps/a.yaml"]), st.binary(max_size=100)))
def test_any_bytes_are_problems(texts: dict[str, bytes]) -> None:
    with pytest.raises(ProblemsFound):
        compile_files(Files("policies", "/srv/policies", texts))


WORDS = [
    "version",
    "app",
    "hosts",
    "url",
    "providers",
    "path",
    "allow",
    "deny",
    "group",
    "any",
    "all",
    "not",
    "claim",
    "name",
    "in",
    "from",
    "file",
    "x",
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from([*PIECES, "http://a", "127.0.0.1:80", "/a/**"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict | list):
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(below, (*path, step))


def replaced(value: Any, path: tuple[str | int, ...], instead: object) -> Any:
    if not path:
        return instead
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], instead)
    return copy


@pytest.mark.slow
@settings(max_examples=400)
@given(st.data())
def test_any_value_at_any_place_is_a_plan_or_problems(data: st.DataObject) -> None:
    """Good YAML in a wrong form: the models, the messages and the cross-checks meet every type at every place."""
    path = data.draw(st.sampled_from(sorted(EXAMPLES)))
    value, _ = read_document(path, EXAMPLES[path].encode())
    place = data.draw(st.sampled_from(list(places(value.data))))
    text = json.dumps(replaced(value.data, place, data.draw(_json)), ensure_ascii=False)
    judged({**{name: content.encode() for name, content in EXAMPLES.items()}, path: text.encode()})
