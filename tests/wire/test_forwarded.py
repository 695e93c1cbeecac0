"""K025, K039, K062: whose word on the client is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.addresses import parse_network
from gateway.wire.forwarded import Peer, around_host, client_chain, client_scheme

FRONTS = tuple(map(parse_network, ["10.0.0.0/8", "2001:db8:f::/48"]))
FRONT, CLIENT = "10.0.0.1", "192.0.2.7"


@pytest.mark.parametrize(
    ("peer", "header", "chain"),
    [
        # Nobody vouches for a stranger's word.
        (CLIENT, None, [CLIENT]),
        (CLIENT, b"127.0.0.1", [CLIENT]),
        (CLIENT, b"10.0.0.9", [CLIENT]),
        ("::ffff:192.0.2.7", None, [CLIENT]),
        ("fe80::1%eth0", None, ["fe80::1"]),
        ("", b"127.0.0.1", ["unknown"]),
        # A listed proxy's last word, and no other.
        (FRONT, None, [FRONT]),
        (FRONT, b"192.0.2.7", [CLIENT, FRONT]),
        ("::ffff:10.0.0.1", b"::ffff:192.0.2.7", [CLIENT, FRONT]),
        (FRONT, b"127.0.0.1, 192.0.2.7", [CLIENT, FRONT]),
        (FRONT, b"127.0.0.1,192.0.2.7", [CLIENT, FRONT]),
        # Two listed proxies, one after the other.
        (FRONT, b"127.0.0.1, 192.0.2.7, 10.9.9.9", [CLIENT, "10.9.9.9", FRONT]),
        (FRONT, b"10.9.9.9", ["10.9.9.9", FRONT]),
        (FRONT, b"192.0.2.7, 2001:db8:f::1", [CLIENT, "2001:db8:f::1", FRONT]),
        # With a port.
        (FRONT, b"192.0.2.7:5566", [CLIENT, FRONT]),
        (FRONT, b"2001:db8::7", ["2001:db8::7", FRONT]),
        (FRONT, b"[2001:DB8::7]", ["2001:db8::7", FRONT]),
        (FRONT, b"[2001:db8::7]:443", ["2001:db8::7", FRONT]),
        # What is no address stops there; nothing is skipped.
        (FRONT, b"a", [FRONT]),
        (FRONT, b"", [FRONT]),
        (FRONT, b"192.0.2.7,,", [FRONT]),
        (FRONT, b"192.0.2.7, a, 10.9.9.9", ["10.9.9.9", FRONT]),
        (FRONT, b"fe80::1%eth0", [FRONT]),
        (FRONT, b"[::1", [FRONT]),
        (FRONT, b"[::1]x", [FRONT]),
        (FRONT, b"1.2.3.4:", [FRONT]),
        (FRONT, b"1.2.3.4:x", [FRONT]),
        (FRONT, b"1.2.3.4:123456", [FRONT]),
        (FRONT, b"1.2.3.4:\xb2", [FRONT]),
        (FRONT, b'"192.0.2.7"', [FRONT]),
        (FRONT, b"for=192.0.2.7", [FRONT]),
        (FRONT, b"\xff\xfe", [FRONT]),
        (FRONT, b"x" * 10_000, [FRONT]),
        (FRONT, b"," * 10_000, [FRONT]),
    ],
)
def test_the_chain_is_read_from_the_right_through_listed_proxies(
    peer: str, header: bytes | None, chain: list[str]
) -> None:
    assert client_chain(Peer.of(peer, FRONTS), header, FRONTS) == tuple(chain)


def test_a_chain_of_listed_proxies_only_has_an_end() -> None:
    chain = client_chain(Peer.of(FRONT, FRONTS), b", ".join([b"10.0.0.2"] * 1000), FRONTS)
    assert chain == ("10.0.0.2",) * 31 + (FRONT,)


@given(st.one_of(st.binary(max_size=60), st.text("0123456789abcdef.:,[] %", max_size=60).map(str.encode)))
def test_any_bytes_of_a_proxy_end_in_addresses(header: bytes) -> None:
    chain = client_chain(Peer.of(FRONT, FRONTS), header, FRONTS)
    assert chain[-1] == FRONT
    assert client_chain(Peer.of(CLIENT, FRONTS), header, FRONTS) == (CLIENT,)
    b"app.example".join(around_host(chain, "https")).decode("ascii")


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        (FRONT, b"https", "https"),
        (FRONT, b" HTTPS ", "https"),
        ("::ffff:10.0.0.1", b"https", "https"),
        (FRONT, None, "http"),
        (FRONT, b"https, http", "http"),
        (FRONT, b"wss", "http"),
        (FRONT, b"", "http"),
        (FRONT, b"https\xff", "http"),
        (CLIENT, b"https", "http"),
        ("", b"https", "http"),
    ],
)
def test_the_scheme(peer: str, said: bytes | None, scheme: str) -> None:
    assert client_scheme("http", Peer.of(peer, FRONTS), said) == scheme


def test_a_listed_proxy_may_say_that_the_browser_used_http() -> None:
    assert client_scheme("https", Peer.of(FRONT, FRONTS), b"http") == "http"


def test_a_peer_with_a_zone_is_listed_by_nobody() -> None:
    """A zone names an interface of this machine: the same address may be another machine there."""
    assert Peer.of("fe80::1%eth0", (parse_network("fe80::/10"),)) == Peer("fe80::1", listed=False)
    assert Peer.of("fe80::1", (parse_network("fe80::/10"),)) == Peer("fe80::1", listed=True)


def test_what_the_application_is_told() -> None:
    assert b"app.example:8443".join(around_host((CLIENT,), "https")) == (
        b"\r\nX-Forwarded-For: 192.0.2.7"
        b"\r\nX-Forwarded-Proto: https"
        b"\r\nX-Forwarded-Host: app.example:8443"
        b'\r\nForwarded: for=192.0.2.7;host="app.example:8443";proto=https'
    )
    assert b"app.example".join(around_host(("2001:db8::7", FRONT), "http")) == (
        b"\r\nX-Forwarded-For: 2001:db8::7, 10.0.0.1"
        b"\r\nX-Forwarded-Proto: http"
        b"\r\nX-Forwarded-Host: app.example"
        b'\r\nForwarded: for="[2001:db8::7]", for=10.0.0.1;host="app.example";proto=http'
    )
