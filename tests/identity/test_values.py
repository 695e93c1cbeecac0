import pytest

from gateway.identity.mapping import LONGEST_VALUE
from gateway.identity.values import has_form, is_date, is_insee, normalized


def test_a_value_is_in_nfc_and_has_no_blanks_around_it() -> None:
    assert normalized(" e\u0301lu\u00a0") == "élu"


@pytest.mark.parametrize(("text", "good"), [("œ", True), ("a\u00a0b", True), ("a\x1fb", False), ("\ud800", False)])
def test_no_value_has_control_characters(text: str, good: bool) -> None:
    assert has_form(text) is good
    assert not has_form("é" * (LONGEST_VALUE // 2 + 1))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2028-02-29", True), ("2026-02-29", False), ("0000-01-01", False), ("29/02/2028", False), ("20280229", False),
        ("２０２８-02-29", False), ("", False),
    ],
)  # fmt: skip
def test_a_date_is_a_day_that_there_is(text: str, good: bool) -> None:
    assert is_date(text) is good


@pytest.mark.parametrize(
    ("text", "good"),
    [("59350", True), ("2A004", True), ("98818", True), ("2C004", False), ("5935", False), ("", False)],
)
def test_the_code_of_a_commune(text: str, good: bool) -> None:
    assert is_insee(text) is good
