import asyncio
import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.federation.addresses import Reach, Resolver, is_local_name, reach
from tests.patience import PATIENCE


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "145.242.17.167", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:0101:0101::1"],
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


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "op.localhost", "a.b.LocalHost."])
def test_local_names(host: str) -> None:
    assert is_local_name(host)


@pytest.mark.parametrize("host", ["localhost.example", "notlocalhost", "localhost..", "op.local", "", "."])
def test_other_names(host: str) -> None:
    assert not is_local_name(host)


@pytest.mark.parametrize("host", ["op.localhost", "localhost", "OP.LOCALHOST."])
async def test_names_under_localhost_are_loopback(host: str) -> None:
    found = await Resolver().resolve(host, 9400)
    assert [(entry["host"], entry["port"]) for entry in found] == [("127.0.0.1", 9400), ("::1", 9400)]


async def test_one_family_may_be_asked_for() -> None:
    (found,) = await Resolver().resolve("op.localhost", 9400, socket.AF_INET)
    assert found["host"] == "127.0.0.1"


async def test_other_names_are_the_systems_matter() -> None:
    (found, *_) = await Resolver().resolve("192.0.2.7", 443)
    assert found["host"] == "192.0.2.7"
    with pytest.raises(OSError, match=r".+"):
        await asyncio.wait_for(Resolver().resolve("op.invalid", 443), PATIENCE)


async def test_names_whose_server_is_down_do_not_keep_others_waiting() -> None:
    answers = threading.Event()

    def look_up(host: str, *asked: Any) -> Any:
        if host.startswith("down"):
            assert answers.wait(60)
        return socket.getaddrinfo("192.0.2.7", *asked)

    resolver = Resolver(look_up)
    pending = [asyncio.create_task(resolver.resolve(f"down-{number}.example", 443)) for number in range(20)]
    # Each has begun, and the other comes after them.
    await asyncio.sleep(0)
    try:
        (found,) = await asyncio.wait_for(resolver.resolve("up.example", 443), PATIENCE)
        assert (found["hostname"], found["host"], found["port"]) == ("up.example", "192.0.2.7", 443)
        assert not any(task.done() for task in pending)
    finally:
        answers.set()
        await asyncio.gather(*pending)
        await resolver.close()
