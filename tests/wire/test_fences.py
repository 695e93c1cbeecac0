import pytest

from gateway.wire.addresses import Address, parse_address
from gateway.wire.fences import Fence, literal, parse_fence_entry, refusal

FENCE = Fence.of(
    "urba",
    ["10.1.0.0/16", "10.2.0.1", "10.3.0.1:8080", "2001:db8:1::/48", "[2001:db8::1]:8080", "app.example", "b.example:81",
     "*.urba.example"],
)  # fmt: skip


def nothing_is_ours(address: Address, port: int) -> bool:
    return False


def admin(address: Address, port: int) -> bool:
    return (str(address), port) == ("127.0.0.1", 8081)


@pytest.mark.parametrize(
    ("host", "found", "port"),
    [
        ("10.1.2.3", "10.1.2.3", 80),
        ("any.example", "10.1.2.3", 80),
        ("any.example", "::ffff:10.1.2.3", 80),
        ("any.example", "10.2.0.1", 1),
        ("any.example", "10.3.0.1", 8080),
        ("any.example", "2001:db8:1::9", 443),
        ("any.example", "2001:db8::1", 8080),
        ("app.example", "192.0.2.1", 80),
        ("b.example", "192.0.2.1", 81),
        ("a.urba.example", "192.0.2.1", 80),
    ],
)
def test_within(host: str, found: str, port: int) -> None:
    assert refusal(host, found, port, FENCE, nothing_is_ours) == ""
    assert FENCE.may_hold(host, port)


@pytest.mark.parametrize(
    ("host", "found", "port"),
    [
        ("any.example", "10.9.0.1", 80),
        ("any.example", "10.2.0.2", 80),
        ("any.example", "10.3.0.1", 8081),
        ("any.example", "127.0.0.1", 80),
        ("any.example", "2001:db8::1", 80),
        ("any.example", "64:ff9b::a01:203", 80),
        ("b.example", "192.0.2.1", 82),
        ("x.app.example", "192.0.2.1", 80),
        ("urba.example", "192.0.2.1", 80),
        ("a.b.urba.example", "192.0.2.1", 80),
    ],
)
def test_beyond(host: str, found: str, port: int) -> None:
    assert refusal(host, found, port, FENCE, nothing_is_ours) == (
        f"{host}:{port} leads to {found}, outside the fence of team urba: see teams.urba.upstreams in gateway.yaml"
    )
    assert refusal(host, found, port, None, nothing_is_ours) == ""


@pytest.mark.parametrize(
    "found",
    [
        "169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "::ffff:0.0.0.0", "0.1.2.3", "no address",
        "fd00:ec2::254", "100.100.100.200",
    ],
)  # fmt: skip
def test_nobodys(found: str) -> None:
    """Also where the fence lists everything, or the name."""
    for fence in (None, Fence.of("t", ["0.0.0.0/0", "::/0", "any.example"])):
        assert "link-local, multicast, unspecified or a cloud's metadata service" in refusal(
            "any.example", found, 80, fence, nothing_is_ours
        )


@pytest.mark.parametrize(
    "found", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::7f00:1", "64:ff9b:1::7f00:1"]
)
def test_our_own(found: str) -> None:
    for fence in (None, Fence.of("t", ["0.0.0.0/0", "::/0", "any.example"])):
        assert "where this gateway listens itself" in refusal("any.example", found, 8081, fence, admin)
        assert "listens itself" not in refusal("any.example", found, 8082, fence, admin)


@pytest.mark.parametrize(
    ("host", "port"), [("10.9.0.1", 80), ("localhost", 80), ("a.localhost", 80), ("2001:db8::2", 8080)]
)
def test_an_address_shows_that_it_is_beyond_before_it_is_connected_to(host: str, port: int) -> None:
    assert not FENCE.may_hold(host, port)
    assert not Fence.of("t", ["app.example"]).may_hold("other.example", port)
    assert literal(host) == parse_address("127.0.0.1" if "localhost" in host else host)


@pytest.mark.parametrize(
    "text",
    ["", "10.1.2.3/8", "10.1.0.0/16:80", "a.example:0", "a.example:65536", "[a.example]:80", "A.example", "*", "*.*.a",
     "http://a.example", "a.example/x", "10.1", "[::1", "a.example.", "*.10.1.2.3:x", "fe80::1%eth0", "é.example"],
)  # fmt: skip
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_fence_entry(text)
