"""References that are told by telephone."""

import re
from pathlib import Path
from string import ascii_uppercase, digits
from uuid import UUID

import pytest

from gateway.ops.log import short_reference


def test_a_reference_has_eight_letters_and_digits_that_do_not_look_alike() -> None:
    told = {short_reference(UUID(int=number).hex) for number in range(5000)}
    assert len(told) == 5000
    assert all(re.fullmatch("[2-9CDFGHJKMNPQRTVWXY]{8}", reference) for reference in told)
    assert not set("".join(told)) & set("01ILOSZBUAE")


@pytest.mark.parametrize("page", ["how-to/understand-a-refusal.md", "fr/comprendre-un-refus.md"])
def test_the_page_says_which_letters_were_misheard(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text()
    (misheard,) = re.findall(r"`B`.*\n.*`O`", text)
    has = set(re.findall(r"(?:is|est) `(.)`", misheard))
    lacks = set(re.findall("`(.)`", misheard)) - has
    assert lacks == set(ascii_uppercase + digits) - set("2345679CDFGHJKMNPQRTVWXY8")
    assert all(re.fullmatch("[23456789CDFGHJKMNPQRTVWXY]", letter) for letter in has)


def test_it_is_the_same_wherever_it_is_worked_out() -> None:
    assert short_reference("7d1b44a0c92e63f5018ac6e2f4b7d935") == "HH8XHGR9"
