import asyncio
import socket
import threading
from typing import Any

import pytest

from gateway.federation.addresses import Resolver, is_local_name
from tests.patience import PATIENCE


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
