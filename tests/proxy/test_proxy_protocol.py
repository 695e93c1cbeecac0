"""PROXY protocol v2 at a listener: who may speak it, and what holds of the client whom it tells of."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.server import proxy_header
from gateway.wire.proxy_protocol import announcement
from tests.config.samples import GATEWAY
from tests.interop.servers import found
from tests.patience import PATIENCE
from tests.proxy.applications import application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import APP, HOST, Client, Gateway, ask, gateway

PUBLIC = ask(b"GET /public/a")
LISTED, OTHERS = "127.0.0.0/8", "10.0.0.0/8"
# PP2_TYPE_SSL: the client spoke TLS.
BY_TLS = b"\x20\x00\x05\x01\x00\x00\x00\x00"


def forwarded_for(request: bytes) -> bytes:
    return request.partition(b"\r\nX-Forwarded-For: ")[2].partition(b"\r\n")[0]


async def told(gate: Gateway, header: bytes) -> Client:
    client = await gate.client()
    client.send(header)
    return client


async def test_the_client_is_the_one_whom_it_tells_of() -> None:
    async with application() as app, gateway(app, proxies=LISTED, gateway="access_log: true\n") as gate:
        client = await told(gate, announcement("192.0.2.7", "10.0.0.1") + PUBLIC)
        assert (await client.answer()).status == 200
        # What it says itself of who it is, it is not believed.
        assert (await client.ask(ask(b"GET /public/b", b"X-Forwarded-For: 192.0.2.99"))).status == 200
        assert [forwarded_for(each) for each in app.requests] == [b"192.0.2.7", b"192.0.2.7"]
        assert [json.loads(line)["client"] for line in gate.log.lines] == ["192.0.2.7", "192.0.2.7"]


async def test_a_header_that_comes_in_pieces() -> None:
    async with application() as app, gateway(app, proxies=LISTED) as gate:
        client = await gate.client()
        for byte in announcement("2001:db8::7", "::1"):
            client.send(bytes((byte,)))
            await asyncio.sleep(0.001)
        assert (await client.ask(PUBLIC)).status == 200
        assert forwarded_for(app.requests[0]) == b"2001:db8::7"


async def test_a_server_in_front_that_speaks_for_itself() -> None:
    async with application() as app, gateway(app, proxies=LISTED) as gate:
        client = await told(gate, announcement("", ""))
        assert (await client.ask(PUBLIC)).status == 200
        assert forwarded_for(app.requests[0]) == b"127.0.0.1"


async def test_whether_the_client_spoke_tls() -> None:
    header = bytearray(announcement("192.0.2.7", "10.0.0.1") + BY_TLS)
    header[15] += len(BY_TLS)
    async with application() as app, gateway(app, proxies=LISTED) as gate:
        client = await told(gate, bytes(header))
        assert (await client.ask(PUBLIC)).status == 200
        assert b"\r\nX-Forwarded-Proto: https\r\n" in app.requests[0]


async def test_it_comes_before_tls() -> None:
    async with application() as app, gateway(app, proxies=LISTED, tls=server_side(HOST.decode())) as gate:
        raw = socket.create_connection((gate.host, gate.port))
        raw.sendall(announcement("192.0.2.7", "10.0.0.1"))
        raw.setblocking(False)
        opened = await asyncio.open_connection(sock=raw, ssl=client_side(), server_hostname=HOST.decode())
        client = Client(*opened)
        gate.clients.append(client)
        assert (await client.ask(PUBLIC)).status == 200
        assert forwarded_for(app.requests[0]) == b"192.0.2.7"


@pytest.mark.parametrize("tls", [False, True])
async def test_from_elsewhere_nothing_is_read(tls: bool) -> None:
    context = server_side(HOST.decode()) if tls else None
    async with application() as app, gateway(app, proxies=OTHERS, tls=context) as gate:
        with socket.create_connection((gate.host, gate.port)) as raw:
            await gate.until(lambda: bool(gate.log.named("connections.refused")))
            with pytest.raises(ConnectionError):
                raw.sendall(PUBLIC)
        (line,) = gate.log.named("connections.refused")
        assert (line["code"], line["client"]) == ("listen.proxy_source", "127.0.0.1")
        assert gate.counters.values["ecluse_connections_refused_total", "listen.proxy_source"] == 1
        assert app.received == b""


@pytest.mark.parametrize(
    "raw",
    [PUBLIC, b"PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n" + PUBLIC, announcement("0.0.0.0", "10.0.0.1") + PUBLIC],
)
async def test_a_header_that_is_none_ends_the_connection(raw: bytes) -> None:
    async with application() as app, gateway(app, proxies=LISTED) as gate:
        client = await told(gate, raw)
        assert await client.rest() == b""
        (line,) = gate.log.named("connections.refused")
        assert line["code"] == "listen.proxy_header"
        assert (app.received, gate.plane.admission.held) == (b"", 0)


async def test_one_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_header, "_LONGEST_WAIT", 0.1)
    async with application() as app, gateway(app, proxies=LISTED) as gate:
        client = await told(gate, announcement("192.0.2.7", "10.0.0.1")[:20])
        assert await client.rest() == b""
        assert "not complete" in str(gate.log.named("connections.refused"))
        assert gate.plane.admission.held == 0


async def test_the_limits_are_those_of_the_client() -> None:
    limits = "limits: {connections_per_client: 2}\n"
    async with application() as app, gateway(app, proxies=LISTED, gateway=limits) as gate:
        one, other = announcement("192.0.2.7", "10.0.0.1"), announcement("192.0.2.8", "10.0.0.1")
        first = [await told(gate, one + PUBLIC) for _ in range(2)]
        assert [(await client.answer()).status for client in first] == [200, 200]
        third = await told(gate, one + PUBLIC)
        assert (await third.answer()).status == 503
        assert gate.log.named("connections.refused")[0]["client"] == "192.0.2.7"
        assert (await (await told(gate, other + PUBLIC)).answer()).status == 200
        first[0].close()
        await gate.until(lambda: gate.plane.admission.held == 2)
        assert (await (await told(gate, one + PUBLIC)).answer()).status == 200


async def test_a_client_in_the_network_of_the_servers_in_front_is_one_like_any_other() -> None:
    """The network is listed for them, and internal clients are in it as well: of them its servers tell."""
    listed = GATEWAY.replace("127.0.0.1:8080}", f"'127.0.0.1:8080', proxy_protocol: [{LISTED}]}}")
    changes = {"gateway.yaml": listed + "limits: {connections_per_client: 2}\n"}
    async with application() as app, gateway(app, proxies=LISTED, changes=changes) as gate:
        told_of = [await told(gate, announcement("127.0.0.7", "10.0.0.1") + PUBLIC) for _ in range(3)]
        assert sorted([(await client.answer()).status for client in told_of]) == [200, 200, 503]
        # They themselves hold as many as come.
        waiting = [await gate.client() for _ in range(5)]
        for client in waiting:
            client.send(announcement("", "") + PUBLIC)
        assert {(await client.answer()).status for client in waiting} == {200}


async def test_rules_by_network_are_about_the_client() -> None:
    app_file = APP.replace("allow: anyone", "allow: anyone, deny: {{network: 198.51.100.0/24}}")
    async with application() as app:
        changes = {"apps/permis.yaml": app_file.format(url=f"http://127.0.0.1:{app.port}", upstream="", more="")}
        async with gateway(app, proxies=LISTED, changes=changes) as gate:
            for address, status in (("192.0.2.7", 200), ("198.51.100.7", 403)):
                client = await told(gate, announcement(address, "10.0.0.1") + PUBLIC)
                assert (await client.answer()).status == status


@asynccontextmanager
async def haproxy(folder: Path, gate: Gateway, more: str = "send-proxy-v2") -> AsyncIterator[int]:
    """Passes connections on, to a port of its own."""
    (port,) = free(1)
    settings = folder / "haproxy.cfg"
    settings.write_text(
        "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"listen front\n bind 127.0.0.1:{port}\n server ecluse 127.0.0.1:{gate.port} {more}\n"
    )
    process = await asyncio.create_subprocess_exec(found("haproxy"), "-db", "-q", "-f", str(settings))
    try:
        await gate.until(lambda: _listens(port))
        yield port
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.service
@pytest.mark.parametrize("tls", [False, True])
async def test_haproxy_in_front(tmp_path: Path, tls: bool) -> None:
    context = server_side(HOST.decode()) if tls else None
    async with (
        application() as app,
        gateway(app, proxies="127.0.0.1/32", tls=context) as gate,
        haproxy(tmp_path, gate) as port,
    ):
        opened = await asyncio.open_connection(
            "127.0.0.1", port, local_addr=("127.0.0.2", 0), ssl=client_side() if tls else None,
            server_hostname=HOST.decode() if tls else None,
        )  # fmt: skip
        client = Client(*opened)
        gate.clients.append(client)
        assert (await client.ask(PUBLIC)).status == 200
        assert forwarded_for(app.requests[0]) == b"127.0.0.2"


@pytest.mark.service
async def test_haproxy_without_it(tmp_path: Path) -> None:
    async with (
        application() as app,
        gateway(app, proxies=LISTED) as gate,
        haproxy(tmp_path, gate, "send-proxy") as port,
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PUBLIC)
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), PATIENCE) == b""
        assert "listen.proxy_header" in str(gate.log.named("connections.refused"))
        assert app.received == b""
        writer.close()
