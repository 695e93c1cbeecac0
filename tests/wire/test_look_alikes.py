"""The three tables of gateway/wire/look_alikes.py, derived anew from Unicode and from Microsoft's best fit."""

import sys
import unicodedata
from pathlib import Path

import pytest

from gateway.wire.look_alikes import BEST_FIT, IGNORED, SEPARATORS

POINTS = (*range(0x80, 0xD800), *range(0xE000, sys.maxunicode + 1))
MARKS = frozenset("/\\.;?#%")


def best_fit() -> dict[str, str]:
    table = {}
    for line in (Path(__file__).parent / "bestfit1252.txt").read_text().splitlines():
        if not line.startswith("#"):
            byte, *points = line.split()
            table |= {chr(int(point, 16)): bytes.fromhex(byte).decode("cp1252") for point in points}
    return table


def normalised(letter: str) -> set[str]:
    """What the normalisers make of it, each in one step: Unicode's (Java's and .NET's are the same), and case."""
    forms = [letter, letter.lower(), letter.upper(), letter.casefold()]
    return {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD") for text in forms}


def separates(text: str) -> bool:
    return any(letter in MARKS or unicodedata.category(letter) == "Cc" for letter in text)


def test_the_best_fit_is_whole() -> None:
    """698 entries, 256 of which are the page's own letters; 392 become printable ASCII."""
    table = best_fit()
    assert len(table) == 698 - 256
    assert sum(letter.isascii() for letter in table.values()) == 392
    assert not any(letter in table for letter in bytes(range(256)).decode("cp1252", "ignore"))


@pytest.mark.slow
def test_whatever_a_normaliser_makes_a_separator_of_is_in_the_table_and_nothing_else() -> None:
    fit = best_fit()
    found = {chr(p) for p in POINTS if any(map(separates, normalised(chr(p)))) or separates(fit.get(chr(p), ""))}
    assert found - {"\u2026"} == {chr(point) for point in POINTS if SEPARATORS.search(chr(point))}


def test_the_table_of_the_best_fit_is_its_whole_domain() -> None:
    assert {chr(point) for point in POINTS if BEST_FIT.search(chr(point))} == set(best_fit())


def test_the_letters_without_a_form_are_unicodes() -> None:
    """But for those that this Python does not know yet: 3.11 has Unicode 14."""
    found = {chr(p) for p in POINTS if IGNORED.search(chr(p)) and unicodedata.category(chr(p)) != "Cn"}
    assert found == {chr(p) for p in POINTS if unicodedata.category(chr(p)) == "Cf"}


@pytest.mark.parametrize("letter", "½¼№œŒ’€…é№²ºª™«»–—·•‰�ﬁｄⓐ𝐚")
def test_what_french_names_hold_is_no_separator(letter: str) -> None:
    assert not SEPARATORS.search(letter)


@pytest.mark.parametrize("letter", "℅℀℁℆⁄∕∖／＼．；？＃％․‥⒈⁇⁈⁉﹒﹔﹖﹟﹨﹪٪\u037e︔︖︙︰\x85\x9f")
def test_what_some_server_reads_as_a_separator(letter: str) -> None:
    assert SEPARATORS.search(letter)


@pytest.mark.parametrize("letter", "œŒŸŠšžŽƒˆ˜€…’‘“”‹›†‡•–—‰™éÉçïÿ°½")
def test_the_pages_own_letters_are_themselves(letter: str) -> None:
    assert not BEST_FIT.search(letter)
