"""The size of an expression's automaton, against RE2's own reading of the expression."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.automaton import _OTHER, _Expression, automaton
from gateway.policy.patterns import parse_pattern
from gateway.policy.values import Matches, compile_re2, steps_of

LETTERS = ["a", "b", "A", "é", ".", r"\.", r"\x61", r"\x{e9}", r"\141", r"\Qab\E"]
CLASSES = ["[ab]", "[^a]", "[]a]", "[a-c-]", r"\d", r"[\W_]"]
REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{0}", "{1,}", "{0,3}", "{2,4}", "+?", "{,2}"])
EXPRESSIONS = st.recursive(
    st.sampled_from([*LETTERS, *CLASSES]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, REPEATS).map(lambda two: f"(?:{two[0]}){two[1]}"),
        inner.map(lambda one: f"(?P<name>{one})"),
    ),
    max_leaves=6,
)
USUAL = [
    "dsi-[0-9]+",
    "(?i)cn=dsi-.*,ou=groupes,.*",
    "CN=.*-admin,OU=Groupes,(OU=[A-Za-z ]+,)*DC=ville,DC=fr",
    ".*(dsi|drh|finances|urbanisme).*",
    r"[a-z]+\.[a-z]+@(?:ville|metropole)\.example",
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ".*-[a-z]{1,30}-admin",
    "[A-Za-z0-9_-]{1,200}",
    r"[\p{L} '-]+",
]
GROWING = ["(a|b)*a(a|b){12}", r"(?:\x61|b)*\141[ab]{150}", r"(\pL|-)*a[ab]{150}", "(?i:.*A.{200})"]


def accepts(source: str, text: str) -> bool:
    expression = _Expression(source)
    if not text:
        return expression.whole.may_be_empty
    reached = expression.whole.first
    taken = 0
    for letter in text:
        symbol = 1 << min(ord(letter), _OTHER)
        taken = reached & sum(1 << at for at, symbols in enumerate(expression._taken) if symbols & symbol)
        reached = expression.after(taken)
    return bool(taken & expression.whole.last)


@given(EXPRESSIONS, st.text("abA0-]_.{,2}é", max_size=6))
@example("(?i)A[b-c]", "aC")
@example("(?i:a)", "A")
def test_it_takes_what_re2_takes(source: str, text: str) -> None:
    taken = compile_re2(source).fullmatch(text.encode()) is not None
    if text.isascii():
        assert accepts(source, text) == taken
    else:
        # All letters outside of ASCII count as one.
        assert accepts(source, text) >= taken


@given(st.text(r"ab\[](){}?*+|^$-.,:<>0123PpLQEdxi", max_size=20))
@example("(?i)a")
@example("[[:alpha:][:^digit:]]")
@example(r"\C\pN\P{^Lu}\p{Greek}\z")
def test_it_reads_all_that_re2_reads(source: str) -> None:
    try:
        compile_re2(source)
    except GatewayError:
        assume(False)
    automaton(source)


@pytest.mark.parametrize("source", USUAL)
def test_the_states_of_usual_expressions_fit(source: str) -> None:
    assert automaton(source).transitions is not None
    parse_pattern(f"/~{source}")


@pytest.mark.parametrize("source", GROWING)
def test_the_states_of_others_do_not(source: str) -> None:
    assert automaton(source).transitions is None
    values = ("ab" * 30,) * 30
    assert steps_of(Matches(source), values) > 10 * steps_of(Matches("dsi-[0-9]+"), values)


@pytest.mark.parametrize("source", GROWING[1:])
def test_a_path_with_states_that_are_large_does_not_load(source: str) -> None:
    """A stranger's segment of 8,000 letters would hold the loop for 700 ms."""
    with pytest.raises(GatewayError) as refused:
        parse_pattern(f"/~{source}")
    assert refused.value.code is policy_codes.PATTERN
    assert "a long segment could take over 10 ms" in refused.value.detail


def test_too_many_positions_count_as_too_many_states() -> None:
    assert automaton("(?:[ab]{1000}|[cd]{1000}|[ef]{1000})").transitions is None
