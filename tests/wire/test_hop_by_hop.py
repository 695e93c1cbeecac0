"""HS04: a Connection option takes off what it names, and nothing that is ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.hop_by_hop import HOP_BY_HOP, connection_tokens, without_named


@pytest.mark.parametrize(
    ("values", "tokens"),
    [
        ([], set()),
        ([b""], set()),
        ([b"keep-alive"], set()),
        ([b"Keep-Alive, TE"], set()),
        ([b"close"], set()),
        ([b"Upgrade, HTTP2-Settings"], set()),
        ([b"X-Hop"], {b"x-hop"}),
        ([b"close, x-hop"], {b"x-hop"}),
        ([b"keep-alive,,\tX-Hop ,"], {b"x-hop"}),
        ([b"X-Hop", b"X-Other"], {b"x-hop", b"x-other"}),
        # Written or dropped by us in any case: nobody can take them off.
        ([b"Host"], set()),
        ([b"Content-Length"], set()),
        ([b"Cookie, Transfer-Encoding"], set()),
    ],
)
def test_tokens(values: list[bytes], tokens: set[bytes]) -> None:
    assert connection_tokens(values) == tokens


LINES = [b"\r\nX-Hop: ", b"1", b"\r\nAccept: ", b"x-hop", b"\r\nx-HOP: ", b"2", b"\r\nX-Hopper: ", b"3"]


def test_named_lines_are_taken_off_wherever_they_stand() -> None:
    assert without_named(LINES, frozenset({b"x-hop"})) == LINES[2:4] + LINES[6:]
    assert without_named(LINES, frozenset({b"x_hop", b"x-remote-user"})) == LINES
    assert without_named([], frozenset({b"x-hop"})) == []


@given(st.lists(st.binary(max_size=20), max_size=4))
def test_any_bytes_give_names_only(values: list[bytes]) -> None:
    for token in connection_tokens(values):
        assert token
        assert b"," not in token
        assert token == token.lower()
        assert token not in HOP_BY_HOP
