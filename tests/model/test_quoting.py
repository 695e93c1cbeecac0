import re
from urllib.parse import quote, quote_plus

import pytest

from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.quoting import quoted, unechoed, without


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abc", '"abc"'),
        ("é", '"é"'),
        ("a\nb\x1b[31m\u202e", '"a?b?[31m?"'),
        (None, '"NoneType"'),
        (7, '"int"'),
        ("x" * 201, '"' + "x" * 200 + '..." (201 characters)'),
    ],
)
def test_a_stranger_s_value_is_bounded_and_prints(value: object, shown: str) -> None:
    assert quoted(value) == shown


SECRET = "s3cret:/+ é of ours"
SPELLINGS = [
    SECRET, quote_plus(SECRET), quote(SECRET), quote(SECRET, safe=""), quote(SECRET, safe="/:+"),
    re.sub("%..", lambda escape: escape[0].lower(), quote(SECRET, safe="")),
    quote_plus(SECRET, encoding="cp1252"),
]  # fmt: skip


@pytest.mark.parametrize("echoed", SPELLINGS)
def test_what_a_peer_echoes_of_a_secret_is_not_told_however_it_is_spelled(echoed: str) -> None:
    assert without(f"it leads to /{echoed}?", (SECRET,)) in ("it leads to /(not shown)?", "it leads to (not shown)?")
    assert without("it leads to /x", (SECRET, "", "short")) == "it leads to /x"
    assert without("a short text", ("short",)) == "a short text"


@pytest.mark.parametrize("before", range(180, 200))
def test_nor_is_what_is_left_of_it_where_a_quotation_was_cut(before: int) -> None:
    text = without(f"iss {quoted('x' * before + SECRET * 20)}, not it", (SECRET,))
    assert SECRET[:6] not in text
    assert text.endswith(" characters), not it")


def test_an_error_tells_none_of_them_and_is_otherwise_the_same() -> None:
    error = unechoed(GatewayError(oidc_codes.TOKEN, f"iss {quoted(SECRET)}", shown="5 s"), ("another", SECRET))
    assert (error.code, error.detail, error.shown) == (oidc_codes.TOKEN, 'iss "(not shown)"', "5 s")
    assert SECRET not in str(error)
    assert unechoed(GatewayError(oidc_codes.TOKEN, "iss"), ("another",)).detail == "iss"
