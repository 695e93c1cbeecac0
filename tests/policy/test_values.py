import pytest

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.policy.facts import NO_FACTS
from gateway.policy.truth import Truth, any_of
from gateway.policy.values import Equals, Exists, Matches, Sha256, Suffix, ValueTest, Within, truths, value_truth

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN
# FIPS 180-4's own example, as `printf %s abc | sha256sum` prints it.
OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        (Equals("a"), "a", TRUE),
        (Equals("a"), "A", FALSE),
        (Within(frozenset({"a", "b"})), "b", TRUE),
        (Within(frozenset({"a", "b"})), "c", FALSE),
        (Suffix("@corp.example"), "x@CORP.example", TRUE),
        (Suffix("@corp.example"), "x@evil.test@corp.example", UNKNOWN),
        (Matches("[a-z]+-[0-9]{3}"), "dsi-042", TRUE),
        (Matches("[a-z]+-[0-9]{3}"), "dsi-0421", FALSE),
        (Matches("a|b"), "ab", FALSE),
        (Matches("b"), "ab", FALSE),
        (Matches("é."), "éa", TRUE),
        (Exists(), "", TRUE),
        (Sha256(frozenset({OF_ABC})), "abc", TRUE),
        (Sha256(frozenset({OF_ABC, "0" * 64})), "abcd", FALSE),
        (Sha256(frozenset({OF_ABC})), OF_ABC, FALSE),
    ],
)
def test_one_value(test: ValueTest, value: str, expected: Truth) -> None:
    assert value_truth(test, value) is expected


def test_one_value_that_passes_is_enough() -> None:
    assert any_of(truths(Equals("b"), ("a", "b"), NO_FACTS)) is TRUE
    assert any_of(truths(Equals("c"), ("a", "b"), NO_FACTS)) is FALSE


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        ("(?=a)", "(?="),
        ("(?<!a)b", "(?<!"),
        (r"(a)\1", r"\1"),
        ("a**", "**"),
        ("(a", "missing )"),
        ("[z-a]", "z-a"),
        ("(?P>x)", "(?P"),
        (r"\Z", r"\Z"),
        ("a{1001}", "1001"),
        ("((a{100}){100}){100}", "{100}"),
    ],
)
def test_what_re2_refuses_is_named(source: str, construct: str) -> None:
    with pytest.raises(GatewayError) as refused:
        Matches(source)
    assert refused.value.code is policy_codes.CONDITION
    assert construct in refused.value.detail.removeprefix(f"`{source}`: "), refused.value.detail


@pytest.mark.parametrize("source", ["", "a" * 2001, "\ud800"])
def test_no_expression(source: str) -> None:
    with pytest.raises(GatewayError):
        Matches(source)


def test_no_value_takes_longer_than_it_is_long() -> None:
    """An expression that backtracks would try 2 to the power of 8,000 ways."""
    assert value_truth(Matches("(a|a)*b"), "a" * 8000) is FALSE


@pytest.mark.parametrize("digest", ["", "abc", OF_ABC.upper(), f"{OF_ABC}\n", f"sha256:{OF_ABC}"])
def test_a_hash_is_written_as_it_is_printed(digest: str) -> None:
    with pytest.raises(GatewayError, match="64 hexadecimal digits"):
        Sha256(frozenset({digest}))
