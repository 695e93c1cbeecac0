"""Applications by `upstream.tls`, over sockets. By handshakes in memory: tests/ops/test_upstream_tls.py."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.federation.applications import ApplicationCall, Applications
from gateway.model.errors import GatewayError
from gateway.model.upstream_tls import UpstreamTls
from tests.proxy.applications import OK, application, closing
from tests.proxy.certificates import authority, authority_pem, server_side
from tests.proxy.gateways import ask, gateway

PUBLIC = ask(b"GET /public/a")
CA = {"file:../certs/ca.pem": authority_pem()}
OURS = "ca: {file: ../certs/ca.pem}"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
async def test_everything_that_a_file_says_at_once() -> None:
    """An old server, reached by another name than it has, that asks for a certificate. The log calls it a deviation,
    once."""
    mine = authority().issue_cert("ecluse.example")
    secrets = {
        **CA,
        "file:../certs/us.pem": mine.cert_chain_pems[0].bytes(),
        "file:../certs/us.key": mine.private_key_pem.bytes(),
    }
    old = server_side("rh.example")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    old.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(old)
    shown = "client_certificate: {certificate: {file: ../certs/us.pem}, key: {file: ../certs/us.key}}"
    tls = f"tls: {{name: rh.example, sni: none, legacy: tls1.0, {shown}}}"
    async with (
        application(tls=old) as app,
        gateway(app, scheme="https", upstream=f"{OURS}, {tls}", secrets=secrets) as gate,
    ):
        for _ in range(2):
            assert (await gate.once(PUBLIC)).status == 200
        (told,) = gate.log.named("upstream.deviation")
        assert "tls1.0" in str(told)


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        (f"{OURS}, tls: {{name: rh.example, sni: x.example}}", "it is not valid for 'rh.example'"),
        ("tls: {pins: [{file: ../certs/ca.pem}]}", "it is not a pinned certificate"),
    ],
)
async def test_a_server_that_is_not_the_one_gets_no_byte_of_a_request_or_of_a_health_check(tls: str, why: str) -> None:
    health = "health: {path: /up, every: 1s, within: 1s, failures: 1}"
    async with (
        application(tls=server_side("x.example")) as app,
        gateway(app, scheme="https", upstream=f"{tls}, {health}", secrets=CA) as gate,
    ):
        assert (await gate.once(PUBLIC)).status == 502
        assert why in str(gate.log.named("upstream.failed"))
        await gate.clock.passes(1.5)
        await gate.until(lambda: bool(gate.log.named("upstream.unhealthy")))
        assert why in str(gate.log.named("upstream.unhealthy"))
        assert app.received == b""


@asynccontextmanager
async def overheard(port: int) -> AsyncIterator[tuple[int, bytearray]]:
    """Somebody between, who reads what the gateway sends: their port, and that."""
    heard = bytearray()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, into: bytearray) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                into += piece
                writer.write(piece)
        writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, back, heard), carry(there, writer, bytearray()))

    server = await asyncio.start_server(both, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


_CERTIFICATE, _APPLICATION_DATA = 11, 23


def records(sent: bytes) -> list[tuple[int, bytes]]:
    """TLS records: their types and what they carry (RFC 8446 5.1)."""
    found, at = [], 0
    while at < len(sent):
        size = int.from_bytes(sent[at + 3 : at + 5])
        found.append((sent[at], sent[at + 5 : at + 5 + size]))
        at += 5 + size
    return found


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("tls", "is_shown"),
    [
        # The authority is pinned, as a device's own that signs for others too; the server shows one that it signed.
        ("pins: [{file: ../certs/ca.pem}]", False),
        ("name: y.example, sni: x.example", False),
        ("name: x.example, sni: front.example", True),
    ],
)
async def test_who_is_not_the_one_is_not_shown_our_certificate(
    tls: str, is_shown: bool, version: ssl.TLSVersion
) -> None:
    mine = authority().issue_cert("ecluse.example")
    secrets = {
        **CA,
        "file:../certs/us.pem": mine.cert_chain_pems[0].bytes(),
        "file:../certs/us.key": mine.private_key_pem.bytes(),
    }
    asks = server_side("x.example")
    asks.minimum_version = asks.maximum_version = version
    asks.verify_mode = ssl.CERT_REQUIRED
    authority().configure_trust(asks)
    shown = "client_certificate: {certificate: {file: ../certs/us.pem}, key: {file: ../certs/us.key}}"
    ca = "" if "pins" in tls else f"{OURS}, "
    async with (
        application(tls=asks) as app,
        overheard(app.port) as (port, heard),
        gateway(port, scheme="https", upstream=f"{ca}tls: {{{tls}, {shown}}}", secrets=secrets) as gate,
    ):
        assert (await gate.once(PUBLIC)).status == (200 if is_shown else 502)
        assert bool(app.received) == is_shown
        sent = records(bytes(heard))
        hidden = any(kind == _APPLICATION_DATA for kind, _ in sent)
        in_the_clear = any(data[:1] == bytes([_CERTIFICATE]) for _, data in sent)
        assert (hidden or in_the_clear) == is_shown
        assert (ssl.PEM_cert_to_DER_cert(secrets["file:../certs/us.pem"].decode()) in bytes(heard)) == (
            is_shown and version is ssl.TLSVersion.TLSv1_2
        )


async def test_nor_of_a_sign_out_call() -> None:
    async with application(closing(OK), tls=server_side("x.example")) as app:
        calls, call = Applications(lambda address, port: False), ApplicationCall("get", "/bye", b"\r\nHost: a")
        for name in ("y.example", "x.example"):
            upstream = Upstream(
                scheme="https", host="127.0.0.1", port=app.port, timeouts=Timeouts(), ca=authority_pem(),
                tls=UpstreamTls(name=name, sni="x.example"),
            )  # fmt: skip
            if name == "x.example":
                assert await calls.call(upstream, call) == 200
            else:
                with pytest.raises(GatewayError, match="OSError"):
                    await calls.call(upstream, call)
                assert app.received == b""
        await calls.close()
