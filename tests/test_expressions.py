"""No expression over others' bytes takes more than linear time (invariant 14)."""

import re
from collections.abc import Callable

import pytest

from gateway.config.problems import Place
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.sql_select import has_names_in_double_quotes, pieces
from tests.expressions import Mode, growth
from tests.gateway_expressions import Samples, arguments, expressions
from tests.growth import is_linear

LARGE = 100_000

# Of expressions that are put together at run time: what they are put together of.
SAMPLES: Samples = {
    "gateway.config.check.app:_written": [{"leniency": type("", (), {"kept": {"%2F", "%5C"}})}],
    "gateway.config.schema.messages:_instead_of_a_switch": [{"name": "keep_posts"}],
    "gateway.config.schema.types:_matching": [
        {"pattern": pattern} for pattern in arguments("gateway.config.schema.types", "_matching")
    ],
    "gateway.wire.cookies:_VALUES": [{"name": b"__Host-ecluse"}],
    "gateway.wire.cookies:__init__": [{"listed": b"user|uid"}, {"listed": b"(?!)"}],
    "gateway.wire.framing:request_line_of": [{"named": ("PROPFIND",)}],
    "gateway.wire.target:_texts": [{"leniency": type("", (), {"kept": {"%2F", "%5C"}})}],
    "gateway.wire.target:_without_parameters": [{"listed": b"jsessionid|sid"}],
}


def _reads_of_sql(text: str) -> object:
    try:
        return pieces(text)
    except Wrong:
        return has_names_in_double_quotes(text)


# What may take longer by its parse tree and does not: why, and what it is measured with.
HARMLESS: dict[str, tuple[str, list[Callable[[int], Callable[[], object]]]]] = {
    "gateway.config.problems:_SECRET": (
        "a line that is longer than 500 characters is not looked at",
        [
            lambda size: lambda: Place("", 1, 1, ("key" * size)[:size]).excerpt(),
            lambda size: lambda: Place("", 1, 1, ("w://" * size)[:size]).excerpt(),
            lambda size: lambda: Place("", 1, 1, ("key: {file:" * size)[:size]).excerpt(),
        ],
    ),
    "gateway.config.schema.sql_select:_TOKEN": (
        "a quote is left open where no other of its kind follows: once for each kind",
        [
            lambda size: lambda: _reads_of_sql("'" * size),
            lambda size: lambda: _reads_of_sql("''\"" * (size // 3)),
            lambda size: lambda: _reads_of_sql("\"'" + '""' * (size // 2)),
            lambda size: lambda: has_names_in_double_quotes("'" + '"a' * (size // 2)),
        ],
    ),
}


@pytest.mark.parametrize(
    ("pattern", "mode", "shape"),
    [
        (r"(a*)*b", "match", "nested"),
        (r"(?:a|ab|b)*c", "fullmatch", "nested"),
        (r"(?:[a-z]+ ?)+!", "match", "nested"),
        (r"(?:a|a)*b", "match", "nested"),
        (r"(?:(?:a?)?b)*c", "match", "nested"),
        (r"a*a*b", "match", "adjacent"),
        (r"\s*#\s*.*x", "match", "adjacent"),
        (r"a*(?:xy)?a*b", "fullmatch", "adjacent"),
        (r"a*(?>a*)b", "match", "adjacent"),
        (r"a{0,200}a{0,200}b", "match", "adjacent"),
        (r"(?:(?>a)*){0,2}b", "match", "adjacent"),
        (r"a?+(?:.*x)?", "search", "restarted"),
        (r"(?=.*x)", "search", "restarted"),
        (r"<[^>]*>", "search", "restarted"),
        (r"<[^>]*+>", "search", "restarted"),
        (r"\s+$", "search", "restarted"),
        (r"[a-z]*\Z", "search", "restarted"),
        (r"(?m)^\s*x", "search", "restarted"),
        (r'"(?:[^"\\]|\\.)*+(?:"|\Z)', "search", "restarted"),
        # Those that stood in the gateway.
        (r'(?:^|[;,])[ \t]*max-age[ \t]*=[ \t]*"?[ \t]*0*[0-9]{0,3}[ \t]*"?[ \t]*(?:[;,]|$)', "search", "adjacent"),
        (r"(<[\t ]*)([^>]*)(?=>)", "search", "restarted"),
        (r":.*\$", "search", "restarted"),
    ],
)
def test_what_grows_is_found(pattern: str, mode: Mode, shape: str) -> None:
    assert shape in {found.shape for found in growth(re.compile(pattern), frozenset({mode}))}


@pytest.mark.parametrize(
    ("pattern", "mode"),
    [
        (r"a*b", "match"),
        (r"[a-z]+", "search"),
        (r",[ ]*x", "search"),
        (r"(?m)^[ ]*x", "search"),
        (r"a*+a*b", "match"),
        (r"(?:a*b)*c", "fullmatch"),
        (r"(?:[^\"\\]|\\.)*+\"", "match"),
        (r"\A[a-z]*x", "search"),
        (r"(?<![a-z])[a-z]++x", "search"),
        (r"[a-z]+(?:\.[a-z]+)*", "fullmatch"),
        (r"(?s)[ ]*[a-z ]*(.*)", "fullmatch"),
    ],
)
def test_what_is_linear_passes(pattern: str, mode: Mode) -> None:
    assert not growth(re.compile(pattern), frozenset({mode}))


@pytest.mark.slow
def test_no_expression_of_the_gateway_grows_faster_than_its_text() -> None:
    grows = {one.where: found for one in expressions(SAMPLES) if (found := growth(one.pattern, one.modes))}
    assert {where: found for where, found in grows.items() if where not in HARMLESS} == {}
    assert HARMLESS.keys() <= grows.keys(), "an exception for what needs none"


@pytest.mark.slow
@pytest.mark.parametrize("where", HARMLESS)
def test_what_is_let_pass_is_linear_where_it_is_used(where: str) -> None:
    _, works = HARMLESS[where]
    for work in works:
        assert is_linear(work, small=LARGE // 100, large=LARGE)
