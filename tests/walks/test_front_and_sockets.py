"""A whole gateway behind a server that speaks PROXY protocol, before an application on a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.demo.ports import free
from gateway.wire.proxy_protocol import announcement
from tests.patience import PATIENCE
from tests.proxy.applications import application
from tests.walks.gateway import Gateway
from tests.walks.place import Place

FRONT = announcement("192.0.2.7", "10.0.0.1")


def asked(host: str) -> bytes:
    return b"GET /public/a HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host.encode()


class Behind(NamedTuple):
    """`front`: the port for servers in front."""

    gateway: Gateway
    front: int


async def answered(port: int, raw: bytes) -> bytes:
    """All that comes; nothing, where the connection is closed."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
    except ConnectionError:
        return b""
    writer.close()
    return answer


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Behind]:
    place = Place(tmp_path, workers=1)
    (front,) = free(1)
    place.settings["listen"] = (
        f"[{{address: 127.0.0.1:{place.port}}}, {{address: 127.0.0.1:{front}, proxy_protocol: [127.0.0.1]}}]"
    )
    place.settings["sockets"] = f"[{tmp_path}]"
    place.write_gateway()
    place.write_provider("alpha", "http://127.0.0.1:1/alpha")
    for name, path in (("one", tmp_path / "app.sock"), ("own", tmp_path / "var/control.sock")):
        place.write_app(name, f"{name}.localhost", upstream=f"{{url: http://localhost, socket: {path}}}")
    gateway = Gateway(place)
    await gateway.start()
    yield Behind(gateway, front)
    await gateway.end()


async def test_the_client_is_told_of_at_the_front_and_the_application_is_on_its_socket(
    here: Behind, tmp_path: Path
) -> None:
    async with application(path=tmp_path / "app.sock") as app:
        assert (await answered(here.front, FRONT + asked("one.localhost"))).startswith(b"HTTP/1.1 200 ")
        assert (await answered(here.gateway.place.port, asked("one.localhost"))).startswith(b"HTTP/1.1 200 ")
        told = [request.partition(b"\r\nX-Forwarded-For: ")[2].partition(b"\r\n")[0] for request in app.requests]
        assert told == [b"192.0.2.7", b"127.0.0.1"]
        assert await answered(here.front, asked("one.localhost")) == b""
        await here.gateway.logged(0, event="connections.refused", code="listen.proxy_header")
        assert len(app.requests) == 2


async def test_the_control_socket_is_no_application(here: Behind) -> None:
    """Whoever may write there may end sessions."""
    assert (await answered(here.gateway.place.port, asked("own.localhost"))).startswith(b"HTTP/1.1 502 ")
    line = await here.gateway.logged(0, event="upstream.failed")
    assert line["code"] == "upstream.address"
    assert "this gateway's own" in str(line["detail"])
