import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gateway.model.store_server import Sentinels, StoreServer
from gateway.server import own_addresses
from gateway.server.own_addresses import OwnAddresses, is_of_this_machine
from gateway.wire.addresses import Address, parse_address


def at(text: str) -> Address:
    address = parse_address(text)
    assert address is not None
    return address


def machine() -> str:
    """An address of this machine that is not loopback, where it has one: a look-up of a route sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.fixture
def listen() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def bound(stack: ExitStack, host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
    listening.bind((host, 0))
    return listening


def test_a_listener_is_its_address_and_its_port(listen: ExitStack) -> None:
    listening = bound(listen, "127.0.0.1")
    port = listening.getsockname()[1]
    ours = OwnAddresses([listening], "127.0.0.1:8081")
    assert ours(at("127.0.0.1"), port)
    assert ours(at("127.0.0.1"), 8081)
    assert not ours(at("127.0.0.1"), 1)
    assert not ours(at("127.0.0.2"), port)
    assert not ours(at("192.0.2.1"), port)


def test_the_server_of_the_store_is_no_applications() -> None:
    for host in ("127.0.0.1", "localhost", "valkey.localhost"):
        ours = OwnAddresses([], "unix:/run/ecluse/admin.sock", StoreServer(((host, 6379),)))
        assert ours(at("127.0.0.1"), 6379)
        assert not ours(at("127.0.0.1"), 6380)
    assert not OwnAddresses([], "unix:/run/ecluse/admin.sock")(at("127.0.0.1"), 6379)


def test_a_server_that_the_store_was_led_to_is_no_applications_from_then_on() -> None:
    led_to: set[tuple[str, int]] = set()
    sentinel = StoreServer((("127.0.0.1", 26379),), sentinels=Sentinels("ecluse"))
    ours = OwnAddresses([], "unix:/run/ecluse/admin.sock", sentinel, led_to)
    assert not ours(at("10.0.0.6"), 6379)
    led_to.add(("10.0.0.6", 6379))
    assert ours(at("10.0.0.6"), 6379)
    led_to.add(("2001:db8::6", 6379))
    assert ours(at("2001:db8:0::6"), 6379)
    assert ours(at("10.0.0.6"), 6379)
    assert not ours(at("10.0.0.6"), 6380)
    assert not ours(at("10.0.0.7"), 6379)


def test_a_wildcard_is_every_address_of_this_machine(listen: ExitStack) -> None:
    listening = bound(listen, "0.0.0.0")
    port = listening.getsockname()[1]
    ours = OwnAddresses([listening], "unix:/run/ecluse/admin.sock")
    assert ours(at("127.0.0.1"), port)
    assert ours(at("127.9.9.9"), port)
    assert ours(at(machine()), port)
    assert not ours(at("192.0.2.1"), port)
    assert not ours(at(machine()), port + 1)
    assert not ours(at("::1"), port)


def test_one_of_both_families_is_that_too(listen: ExitStack) -> None:
    try:
        listening = bound(listen, "::")
    except OSError:
        pytest.skip("no IPv6 here")
    port = listening.getsockname()[1]
    ours = OwnAddresses([listening], "[::1]:8081")
    for address in ("::1", "127.0.0.1", machine()):
        assert ours(at(address), port)
    assert ours(at("::1"), 8081)
    assert not ours(at("127.0.0.1"), 8081)


@pytest.mark.parametrize("without", [False, True])
def test_of_this_machine(without: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the kernel may not be asked."""
    if without:
        monkeypatch.setattr(own_addresses, "_route_type", _refused)
    assert is_of_this_machine(at(machine()))
    assert is_of_this_machine(at("127.0.0.2"))
    assert not is_of_this_machine(at("192.0.2.1"))
    assert not is_of_this_machine(at("2001:db8::1"))


def _refused(address: Address) -> int:
    raise PermissionError
