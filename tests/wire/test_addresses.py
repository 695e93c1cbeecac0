"""K039: one form for each address."""

from ipaddress import ip_address, ip_network

import pytest

from gateway.wire.addresses import contains, parse_address, parse_network, parse_networks

LISTED = parse_networks(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::ffff:172.16.0.0/108"])


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
        parse_networks(["10.0.0.0/8", text])


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
