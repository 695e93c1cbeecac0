import hashlib
from contextlib import suppress
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.codes import translation_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.translation.specs import DateForm, Digest, Extract, Lookup, Prefix, Simple, Split, Transform
from gateway.translation.transforms import check_transform, transformed

ARENA = "0291101P$UAJ$PU$ENS$0291101P$T3$CLG$340"
BY_LETTER = {"a": "agent", "e": "élu"}


@pytest.mark.parametrize(
    ("values", "transforms", "found"),
    [
        (["Élodie"], [Simple("lower")], ["élodie"]),
        (["straße", "ﬁn"], [Simple("upper")], ["STRAßE", "ﬁN"]),
        (["ΟΔΟΣ"], [Simple("lower")], ["οδος"]),
        ([" a ", "\xa0b"], [Simple("strip")], ["a", "b"]),
        (["b", "a"], [Simple("first")], ["b"]),
        ([], [Simple("first")], []),
        ([ARENA], [Extract(r"^[0-9]{7}[A-Z]")], ["0291101P"]),
        ([ARENA, "?"], [Extract(r"\$([A-Z]+)\$")], ["UAJ"]),
        (["helene@metropole.example"], [Extract("^([^@]+)@")], ["helene"]),
        (["APP_PERMIS_lecteur", "AUTRE"], [Extract("^APP_PERMIS_(.*)$")], ["lecteur"]),
        (["Éa"], [Extract("^(.)")], ["É"]),
        (["ab"], [Extract("a(c)?")], []),
        ([r"é\Corse"], [Extract(r"\\Co(.)")], ["r"]),
        (["a, b,,c"], [Split(",")], ["a", "b", "c"]),
        ([ARENA], [Split("$"), Simple("first")], ["0291101P"]),
        (["a", "e"], [Lookup(BY_LETTER, "refuse")], ["agent", "élu"]),
        (["a", "x"], [Lookup(BY_LETTER, "keep")], ["agent", "x"]),
        (["a", "x"], [Lookup(BY_LETTER, "omit")], ["agent"]),
        (["a"], [Prefix("u-")], ["u-a"]),
        (["1984-02-29"], [DateForm("%d/%m/%Y")], ["29/02/1984"]),
        (["2026-11-27T06:05:04+01:00"], [DateForm("%Y%m%d%H%M%S")], ["20261127060504"]),
        (["20261127060504Z", "20261127060504.0Z"], [DateForm("%y-%m-%d %H:%M")], ["26-11-27 06:05"]),
        (["1700000000"], [DateForm("%Y-%m-%dT%H:%M:%SZ")], ["2023-11-14T22:13:20Z"]),
        (["1984-02-29"], [DateForm("100%% %d")], ["100% 29"]),
        (["é"], [Digest("sha256")], [hashlib.sha256("é".encode()).hexdigest()]),
        # One after the other, and of two that became the same, one.
        (["A@x", "a@y"], [Extract("^([^@]+)@"), Simple("lower"), Prefix("u-")], ["u-a"]),
    ],
)
def test_transforms(values: list[str], transforms: list[Transform], found: list[str]) -> None:
    for transform in transforms:
        check_transform(transform)
    assert transformed(values, transforms) == found


@pytest.mark.parametrize("how", ["lower", "upper"])
def test_no_letter_becomes_one_of_ascii_so_that_nobody_takes_another_s_login(how: Literal["lower", "upper"]) -> None:
    letters = [chr(code) for code in range(128, 0x110000) if chr(code).swapcase() != chr(code)]
    assert {"ı", "ſ", "İ", "\u212a", "ß", "ﬁ"} < set(letters)
    for letter in letters:
        assert not any(map(str.isascii, transformed([letter], [Simple(how)])[0])), f"U+{ord(letter):04X}"
    assert transformed(["admın", "ADMİN"], [Simple(how), Simple("lower")]) == ["admın", "admİn"]


@pytest.mark.parametrize(
    ("value", "transform", "code"),
    [
        ("x", Lookup(BY_LETTER, "refuse"), translation_codes.NO_ROW),
        ("yesterday", DateForm("%d"), translation_codes.DATE),
        ("31/12/1984", DateForm("%d"), translation_codes.DATE),
        ("20269999999999Z", DateForm("%d"), translation_codes.DATE),
        ("", DateForm("%d"), translation_codes.DATE),
    ],
)
def test_a_value_that_cannot_be_transformed_is_refused_and_never_told(
    value: str, transform: Transform, code: Code
) -> None:
    with pytest.raises(GatewayError) as refused:
        transformed([value], [transform])
    assert refused.value.code is code
    assert not value or value not in refused.value.detail


@pytest.mark.parametrize(
    "transform",
    [
        Extract(""), Extract("("), Extract("(a)(b)"), Extract("x" * 1001), Extract("(?=a)"), Extract("\ud800"),
        Extract(r"^(\C)"), Extract(r"a\\\C"),
        DateForm(""), DateForm("%B"), DateForm("%"), DateForm("%d\n"), Lookup({}, "keep"),
    ],
)  # fmt: skip
def test_what_is_no_transform_is_refused(transform: Transform) -> None:
    with pytest.raises(GatewayError) as refused:
        check_transform(transform)
    assert refused.value.code is translation_codes.SPEC


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_no_value_is_a_surprise(value: str) -> None:
    for transform in (
        Simple("upper"),
        Extract("(a|é)"),
        Split(";"),
        Lookup({}, "omit"),
        DateForm("%Y"),
        Digest("sha512"),
    ):
        # A date alone refuses what it cannot read.
        with suppress(GatewayError):
            assert all(transformed([value], [transform]))
