"""Our cookies: the one form that is believed."""

import pytest

from gateway.portal.http.request import binding_hash, clear_seat, is_binding, is_seat, set_binding, set_seat, twins

SEAT = b"s" * 22 + b"." + b"k" * 43
BINDING = b"b" * 43


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (SEAT, True),
        (b"A-_0" + b"s" * 18 + b"." + b"k" * 43, True),
        (b"", False),
        (SEAT + b"\n", False),
        (SEAT[:-1], False),
        (SEAT + b"k", False),
        (SEAT.replace(b".", b"_"), False),
        (b"/" * 22 + b"." + b"k" * 43, False),
        (b'"' + SEAT + b'"', False),
        ("é".encode() * 11 + b"." + b"k" * 43, False),
    ],
)
def test_a_seat_is_22_and_43_characters(value: bytes, expected: bool) -> None:
    assert is_seat(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"), [(BINDING, True), (BINDING[1:], False), (BINDING + b"\n", False), (b"=" * 43, False)]
)
def test_a_binding_is_43_characters(value: bytes, expected: bool) -> None:
    assert is_binding(value) is expected


def test_they_are_set_with_every_flag() -> None:
    flags = "; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert set_seat(SEAT) == f"__Host-ecluse={SEAT.decode()}{flags}"
    assert clear_seat() == f"__Host-ecluse={flags}; Max-Age=0"
    main, twin = set_binding(BINDING)
    assert main == f"__Host-ecluse-b={BINDING.decode()}{flags}"
    assert twin == f"__Host-ecluse-b-{binding_hash(BINDING)[:8]}={BINDING.decode()}{flags}; Max-Age=600"


def test_a_twin_is_found_by_the_hash_that_a_record_keeps() -> None:
    hash = binding_hash(BINDING)
    line = set_binding(BINDING)[1].partition(";")[0].encode()
    assert twins(b"a=b; " + line + b";c=d", hash) == [BINDING]
    assert twins(b"a=b", hash) == []
    assert twins(line + b"x", hash) == [], "another form"
    assert twins(b"x" + line, hash) == [], "another name"
