"""K039: one form for each address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.addresses import Reach, contains, parse_address, parse_network, reach

LISTED = tuple(map(parse_network, ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:172.16.0.0/108"]))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("::FFFF:0a01:0203", "10.1.2.3"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("::1", "::1"),
    ],
)
def test_an_address(text: str, address: str) -> None:
    assert parse_address(text) == ip_address(address)


@pytest.mark.parametrize(
    "text",
    ["", "a", "10.1.2", "10.1.2.3.4", "010.1.2.3", "10.1.2.256", " 10.1.2.3", "10.1.2.3 ", "10.1.2.3/8", "fe80::1%eth0",
     "[::1]", "١.1.1.1", "1" * 10_000],
)  # fmt: skip
def test_no_address(text: str) -> None:
    assert parse_address(text) is None


def test_a_mapped_network_is_the_network_that_is_mapped() -> None:
    assert parse_network("::ffff:10.0.0.0/104") == ip_network("10.0.0.0/8")
    assert parse_network("::ffff:10.0.0.1") == ip_network("10.0.0.1/32")
    assert parse_network("::/0") == ip_network("::/0")


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "example.com", "10.0.0.0-10.0.0.9"])
def test_no_network(text: str) -> None:
    with pytest.raises(ValueError):
        parse_network(text)


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("172.16.9.9", True),
        ("192.0.2.1", True),
        ("2001:db8::9", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("::10.1.2.3", False),
        ("192.0.2.2", False),
        ("2001:db9::9", False),
    ],
)
def test_membership(text: str, member: bool) -> None:
    address = parse_address(text)
    assert address is not None
    assert contains(LISTED, address) is member
    assert contains((), address) is False


# --- where an address leads


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "145.242.17.167", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2001:1::1"],
)
def test_public_addresses(address: str) -> None:
    assert reach(address) is Reach.PUBLIC


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "2001:db8::1",
        "2001:0:7f00:1::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "2002:a00:1::1",
        # Deprecated, or not routed: RFC 7526, 3701, 3879, 4291, 8215, 2928, 9637, 6666, 9602; never given to anybody.
        "2002:0101:0101::1",
        "192.88.99.1",
        "3ffe::1",
        "fec0::1",
        "::1.1.1.1",
        "64:ff9b:1::101:101",
        "2001:10::1",
        "2001:20::1",
        "2001:2::1",
        "3fff::1",
        "100::1",
        "5f00::1",
        "4000::1",
        "e000::1",
        "200::1",
    ],
)
def test_private_and_loopback_addresses_in_every_dress(address: str) -> None:
    assert reach(address) is Reach.PRIVATE


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "::ffff:169.254.169.254",
        "::ffff:0.0.0.0",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "0.1.2.3",
        "::ffff:0.1.2.3",
        "::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "febf::1",
        "ff0e::1",
        # Clouds tell their machines secrets there.
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:42::42",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "::ffff:168.63.129.16",
        "64:ff9b::a83f:8110",
    ],
)
def test_addresses_that_no_provider_has(address: str) -> None:
    assert reach(address) is Reach.FORBIDDEN


@pytest.mark.parametrize("text", ["", "op.example", "0", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::1]", "%1"])
def test_only_an_address_in_its_one_form_is_one(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        reach(text)


@given(st.ip_addresses())
def test_every_address_is_of_one_kind(address: object) -> None:
    assert reach(str(address)) in Reach
