"""PROXY protocol v2 towards an application (`upstream.proxy_protocol`)."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest

from deploy.demo.ports import free
from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.federation import applications
from gateway.federation.applications import ApplicationCall, Applications
from gateway.model.errors import GatewayError
from gateway.model.unix_socket import UnixSocket
from gateway.ops.unix_sockets import connected_to
from gateway.proxy.upstream import pool
from gateway.wire.proxy_protocol import announcement
from tests.interop.servers import found
from tests.patience import PATIENCE
from tests.proxy.applications import OK, Application, application, closing
from tests.proxy.certificates import authority_pem, server_side
from tests.proxy.gateways import ask, gateway

PUBLIC = ask(b"GET /public/a")
V2 = "proxy_protocol: v2"
TRUSTED = "trusted_proxies: [127.0.0.1]\n"


def begun(app: Application) -> list[bytes]:
    """What each connection began with, before its request."""
    return [peer.received.partition(b"GET ")[0] for peer in app.peers]


@pytest.mark.parametrize("several", ["", "others: ['http://127.0.0.1:9'], retries: 0, "], ids=["one", "several"])
async def test_each_connection_is_one_clients_and_no_others(several: str) -> None:
    """Behind a proxy that joins the requests of many people on one connection, too."""
    async with application() as app, gateway(app, upstream=f"{several}{V2}", gateway=TRUSTED) as gate:
        client = await gate.client()
        told = (b"192.0.2.7", b"192.0.2.8", b"192.0.2.8")
        for address in told:
            answer = await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
            if several and answer.status == 502:
                # The other address, where nobody listens.
                answer = await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
            assert answer.status == 200
        assert begun(app) == [announcement(address.decode(), "127.0.0.1") for address in told]
        assert len(app.requests) == len(app.peers) == 3


async def test_it_comes_before_tls() -> None:
    """An application that reads the header, and speaks TLS then."""
    async with application(tls=server_side("permis.localhost")) as app:
        seen: list[bytes] = []

        async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(await reader.readexactly(28))
            there, back = await asyncio.open_connection("127.0.0.1", app.port)
            with suppress(OSError):
                await asyncio.gather(copied(reader, back), copied(there, writer))

        async def copied(one: asyncio.StreamReader, other: asyncio.StreamWriter) -> None:
            while piece := await one.read(65536):
                other.write(piece)
            other.close()

        server = await asyncio.start_server(passed_on, "127.0.0.1", 0)
        port, secrets = server.sockets[0].getsockname()[1], {"file:../certs/ca.pem": authority_pem()}
        tls = f"{V2}, ca: {{file: ../certs/ca.pem}}"
        async with gateway(port, scheme="https", upstream=tls, secrets=secrets) as gate:
            assert (await gate.once(PUBLIC)).status == 200
            assert seen == [announcement("127.0.0.1", "127.0.0.1")]
        server.close()


async def test_on_a_unix_socket(tmp_path: Path) -> None:
    path, more = tmp_path / "app.sock", f"sockets: [{tmp_path}]\n"
    async with application(path=path) as app, gateway(80, upstream=f"socket: {path}, {V2}", gateway=more) as gate:
        assert (await gate.once(PUBLIC)).status == 200
        assert begun(app) == [announcement("127.0.0.1", "")]


async def test_what_we_ask_ourselves_is_nobodys() -> None:
    health = f"{V2}, health: {{path: /up, every: 1s, within: 1s}}"
    async with application() as app, gateway(app, upstream=health) as gate:
        assert (await gate.once(PUBLIC)).status == 200
        await gate.clock.passes(1.5)
        await gate.until(lambda: len(app.peers) > 1)
        await gate.until(lambda: b"GET /up" in app.peers[1].received)
        assert begun(app)[:2] == [announcement("127.0.0.1", "127.0.0.1"), announcement("", "")]


@pytest.mark.parametrize("by_socket", [False, True])
async def test_nor_are_sign_out_calls_and_form_login(tmp_path: Path, by_socket: bool) -> None:
    calls, path = Applications(lambda address, port: False), tmp_path / "app.sock"
    async with application(closing(OK), path=path if by_socket else None) as app:
        upstream = Upstream(
            scheme="http", host="127.0.0.1", port=app.port, timeouts=Timeouts(), announces=True,
            socket=UnixSocket(str(tmp_path), ("app.sock",)) if by_socket else None,
        )  # fmt: skip
        assert await calls.call(upstream, ApplicationCall("get", "/bye", b"\r\nHost: a")) == 200
        assert begun(app) == [announcement("", "")]
    await calls.close()


@pytest.mark.parametrize("user", [pool, applications], ids=["requests", "calls"])
async def test_a_connection_that_takes_no_announcement_is_closed(
    user: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, opened = tmp_path / "app.sock", list[socket.socket]()

    def ended(place: UnixSocket) -> socket.socket:
        """As if it had been broken as soon as it stood."""
        opened.append(connected_to(place))
        opened[-1].shutdown(socket.SHUT_WR)
        return opened[-1]

    monkeypatch.setattr(user, "connected_to", ended)
    async with application(closing(OK), path=path) as app:
        if user is pool:
            more = f"sockets: [{tmp_path}]\n"
            async with gateway(80, upstream=f"socket: {path}, {V2}", gateway=more) as gate:
                assert (await gate.once(PUBLIC)).status == 502
        else:
            place = UnixSocket(str(tmp_path), ("app.sock",))
            upstream = Upstream(
                scheme="http", host="", port=app.port, timeouts=Timeouts(), announces=True, socket=place
            )
            calls = applications.Applications(lambda address, port: False)
            with pytest.raises((OSError, GatewayError)):
                await calls.call(upstream, applications.ApplicationCall("get", "/bye", b"\r\nHost: a"))
            await calls.close()
        assert {one.fileno() for one in opened} == {-1}


@pytest.mark.service
async def test_haproxy_reads_it(tmp_path: Path) -> None:
    (port,) = free(1)
    settings = tmp_path / "haproxy.cfg"
    settings.write_text(
        "defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n"
        f"frontend application\n bind 127.0.0.1:{port} accept-proxy\n"
        " http-request return status 200 content-type text/plain lf-string %[src]\n"
    )
    process = await asyncio.create_subprocess_exec(found("haproxy"), "-db", "-q", "-f", str(settings))
    try:
        async with gateway(port, upstream=V2, gateway=TRUSTED) as gate:
            client = await gate.client()
            seen: list[bytes] = []

            async def answers() -> None:
                for address in (b"192.0.2.7", b"2001:db8::7"):
                    answer = await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
                    while answer.status == 502:
                        await asyncio.sleep(0.05)
                        answer = await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
                    seen.append(answer.body)

            await asyncio.wait_for(answers(), PATIENCE)
            assert seen == [b"192.0.2.7", b"2001:db8::7"]
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)
