"""SS: where the gateway goes by itself, and whom it believes there. attacks.md 2.8.

A second gateway without `development`, on TLS: its providers live where none may, or show certificates that none may.
"""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from gateway.federation.client import ProviderClient
from gateway.model.errors import GatewayError
from gateway.oidc.documents import Call
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Door, Exchange, exchange
from tests.attacks.outcomes import unseen
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import PORTAL, ROOT, World, free_ports
from tests.walks.gateway import Gateway, Where

# Issuers that read as addresses, each of a place where no provider of the public network is.
HOSTS = {
    "loopback": "127.0.0.1", "loopback-6": "[::1]", "metadata-service": "169.254.169.254", "ten": "10.0.0.1",
    "local-name": "localhost", "under-localhost": "op.localhost", "nothing": "0.0.0.0",
    "nat64": "[64:ff9b::7f00:1]", "unique-local": "[fd00::1]", "carrier": "100.64.0.1",
    "six-to-four": "[2002:7f00:1::]", "link-local": "[fe80::1]", "private-172": "172.16.0.1",
    "private-192": "192.168.0.1", "other-loopback": "127.9.9.9",
    "site-local": "[fec0::1]", "six-to-four-public": "[2002:101:101::1]", "compatible": "[::7f00:1]",
    "local-nat64": "[64:ff9b:1::7f00:1]", "six-bone": "[3ffe::1]",
}  # fmt: skip
# What no provider file may say at all.
MALFORMED = {
    "zero": "https://0/", "decimal": "https://2130706433/", "octal": "https://0177.0.0.1/", "hex": "https://0x7f.1/",
    "file": "file:///etc/passwd", "gopher": "gopher://127.0.0.1/", "unix": "unix:/run/x.sock",
    "userinfo": "https://op.example@127.0.0.1/", "plain": "http://op.example/", "fragment": "https://op.example/#x",
    "query": "https://op.example/?x", "short": "https://127.1/", "blank": "https://op.example /",
    "mapped": "https://[::ffff:127.0.0.1]/", "circled": "https://\u24d4p.example/",
}  # fmt: skip
# Trusted by their providers' files to be private; only their certificates differ.
CERTIFICATES = ("good", "self-signed", "wrong-name", "expired")
# Servers with the good certificate that speak nothing newer.
OLD = {"up-to-tls-1.1": ssl.TLSVersion.TLSv1_1, "up-to-tls-1.2": ssl.TLSVersion.TLSv1_2}
_AUTHORITY = "ca: {file: ../certs/ca.pem}"
# What an application's file asks of the server of a name; the first, and one that may be old, are controls.
ASKED = {
    "pinned": ("good", "tls: {pins: [{file: ../certs/good.pem}]}", 200),
    "pinned-another": ("good", "tls: {pins: [{file: ../certs/self-signed.pem}]}", 502),
    "pinned-authority": ("good", "tls: {pins: [{file: ../certs/ca.pem}]}", 502),
    "pinned-expired": ("expired", "tls: {pins: [{file: ../certs/expired.pem}]}", 502),
    "pinned-by-a-copy": ("self-signed", "tls: {pins: [{file: ../certs/good.pem}]}", 502),
    "another-name": ("good", f"{_AUTHORITY}, tls: {{name: another.example}}", 502),
    "another-name-said": ("wrong-name", f"{_AUTHORITY}, tls: {{name: good.example, sni: another.example}}", 502),
    "usual": ("up-to-tls-1.2", _AUTHORITY, 200),
    "down-to-1.1": ("up-to-tls-1.1", _AUTHORITY, 502),
    "down-to-1.1-though-pinned": ("up-to-tls-1.1", "tls: {pins: [{file: ../certs/good.pem}]}", 502),
    "down-from-1.3": ("up-to-tls-1.2", f"{_AUTHORITY}, tls: {{minimum: tls1.3}}", 502),
}
SERVERS = (*CERTIFICATES, *OLD)

PROVIDER = """version: 1
provider: {name}
oidc:
  issuer: {issuer}
  client_id: ecluse
  client_secret: {{file: ../certs/secret}}
{more}attributes: {{uid: sub}}
"""
GATEWAY = """version: 1
portal: https://portail.localhost:{port}
listen:
  - address: 127.0.0.1:{port}
    tls: {{certificate: {{file: ../certs/tls.pem}}, key: {{file: ../certs/tls.key}}}}
admin: 127.0.0.1:{admin}
store: {{type: memory, keys: [{{id: k1, secret: {{file: ../certs/secret}}}}]}}
workers: 1
"""
APP = """version: 1
app: {name}
hosts: [{name}.localhost]
upstream: {{url: "https://127.0.0.1:{port}", {asked}}}
providers: [{providers}]
access: [{{path: /**, allow: anyone}}]
"""


class Listener:
    """Counts who connects, on IPv4 and, where there is any, IPv6."""

    def __init__(self) -> None:
        self.connections = 0

    async def start(self, port: int) -> list[asyncio.Server]:
        addresses = ["127.0.0.1", "::1"] if socket.has_ipv6 else ["127.0.0.1"]
        servers = []
        for address in addresses:
            try:
                servers.append(await asyncio.start_server(self._connected, address, port))
            except OSError:
                expect(address == "::1", f"{address}:{port} cannot be had")
        return servers

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.close()


class Strict:
    """The second gateway's address, and what its providers' places have seen."""

    def __init__(self, door: Door, listener: Listener) -> None:
        self.door = door
        self.listener = listener

    async def login(self, provider: str) -> Exchange:
        target = f"/_ecluse/login?provider={provider}"
        return await exchange(self.door, request(PORTAL, target, *NAVIGATION))


@asynccontextmanager
async def strict_gateway() -> AsyncIterator[Strict]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecluse-strict-")))
        ports = free_ports(["public", "admin", "listener", *SERVERS])
        authority = write_keys(folder / "certs")
        write_policies(folder / "policies", ports)
        listener = Listener()
        for server in await listener.start(ports["listener"]):
            stack.callback(server.close)
        for name in SERVERS:
            stack.push_async_callback(await serve_tls(folder / "certs", name, ports[name]))
        gateway = Gateway(Where(folder, ports["admin"]))
        stack.push_async_callback(gateway.end)
        await gateway.start()
        context = ssl.create_default_context()
        authority.configure_trust(context)
        yield Strict(Door(ports["public"], tls=(context, PORTAL)), listener)


def write_keys(certs: Path) -> trustme.CA:
    """ca.pem is what the provider and application files name."""
    certs.mkdir()
    (certs / "secret").write_text("a-secret-of-thirty-two-characters")
    authority, other = trustme.CA(), trustme.CA()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    issued = {
        "tls": authority.issue_cert(PORTAL, *(f"up-{_as_host(name)}.localhost" for name in (*CERTIFICATES, *ASKED))),
        "good": authority.issue_cert("127.0.0.1"),
        "self-signed": other.issue_cert("127.0.0.1"),
        "wrong-name": authority.issue_cert("another.example"),
        "expired": authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=9), not_after=yesterday),
    }
    (certs / "ca.pem").write_bytes(authority.cert_pem.bytes())
    for name, pair in issued.items():
        (certs / f"{name}.pem").write_bytes(b"".join(part.bytes() for part in pair.cert_chain_pems))
        (certs / f"{name}.key").write_bytes(pair.private_key_pem.bytes())
    return authority


def write_policies(policies: Path, ports: dict[str, int]) -> None:
    (policies / "providers").mkdir(parents=True)
    (policies / "apps").mkdir()
    (policies / "gateway.yaml").write_text(GATEWAY.format(port=ports["public"], admin=ports["admin"]))
    for name, address in HOSTS.items():
        write_provider(policies, name, f"https://{address}:{ports['listener']}")
    for name in CERTIFICATES:
        more = "  private_addresses: true\n  ca: {file: ../certs/ca.pem}\n"
        write_provider(policies, f"op-{name}", f"https://127.0.0.1:{ports[name]}", more)
        write_application(policies, name, ports[name], _AUTHORITY)
    for name, (server, asked, _) in ASKED.items():
        write_application(policies, _as_host(name), ports[server], asked)


def _as_host(name: str) -> str:
    return name.replace(".", "-")


def write_application(policies: Path, name: str, port: int, asked: str) -> None:
    text = APP.format(name=f"up-{name}", port=port, asked=asked, providers=", ".join(HOSTS))
    (policies / f"apps/up-{name}.yaml").write_text(text)


def write_provider(policies: Path, name: str, issuer: str, more: str = "") -> None:
    text = PROVIDER.format(name=name, issuer=issuer, more=more)
    (policies / f"providers/{name}.yaml").write_text(text)


async def serve_tls(certs: Path, name: str, port: int):  # type: ignore[no-untyped-def]
    """A provider and an application in one; returns what ends it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown = "good" if name in OLD else name
    context.load_cert_chain(certs / f"{shown}.pem", certs / f"{shown}.key")
    if name in OLD:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, OLD[name]
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    issuer = f"https://127.0.0.1:{port}"
    endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
    document = {"issuer": issuer, **{key: f"{issuer}/{path}" for key, path in endpoints.items()}}

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(document)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return runner.cleanup


# --- SS01: addresses ---


async def unreachable_places(world: World) -> None:
    """No connection is made to any of them, whatever the name or form, and the person sees a page."""
    async with strict_gateway() as strict:
        for name in HOSTS:
            seen = await strict.login(name)
            expect(seen.answer.status in (403, 502), f"{name}: {seen}")
            expect(not strict.listener.connections, f"{name} was connected to")
        await certificates(strict)


async def certificates(strict: Strict) -> None:
    """SS03: of a provider and of an application alike; the good one is the control."""
    for name in CERTIFICATES:
        seen = await strict.login(f"op-{name}")
        status = 303 if name == "good" else 502
        expect(seen.answer.status == status, f"the provider with a certificate that is {name}: {seen}")
        seen = await exchange(strict.door, request(f"up-{name}", "/"))
        status = 200 if name == "good" else 502
        expect(seen.answer.status == status, f"the application with a certificate that is {name}: {seen}")


async def applications_by_tls(world: World) -> None:
    """SS03: who is not the server that an application's file names, or speaks too old a TLS, gets no request."""
    async with strict_gateway() as strict:
        for name, (server, asked, status) in ASKED.items():
            seen = await exchange(strict.door, request(f"up-{_as_host(name)}", "/"))
            expect(seen.answer.status == status, f"{asked} of the server {server}: {seen}")


async def malformed_issuers(world: World) -> None:
    """The folder is refused with a problem for each of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_keys(folder / "certs")
        policies = folder / "policies"
        write_policies(policies, free_ports(["public", "admin", "listener", *SERVERS]))
        for path in (policies / "providers").iterdir():
            if not path.stem.startswith("op-"):
                path.unlink()
        shutil.rmtree(policies / "apps")
        for provider, issuer in MALFORMED.items():
            write_provider(policies, provider, f'"{issuer}"')
        checked = await check(policies)
        expect(checked.returncode == 1, f"accepted: {checked.stdout}")
        unnamed = [provider for provider in MALFORMED if f"providers/{provider}.yaml:4" not in checked.stderr]
        expect(not unnamed, f"no problem is told of {unnamed}: {checked.stderr[:1500]}")


async def check(policies: Path, more: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """`more`: of its environment."""
    command = [sys.executable, "-m", "gateway", "check", str(policies)]
    environment = {**os.environ, **(more or {})}
    return await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True)


class Rebinding(AbstractResolver):
    """A name that was public when it was looked at, and is private when it is connected to."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None: ...


async def rebinding(world: World) -> None:
    """Decided on the address of the socket: no look-up comes after it."""
    listener = Listener()
    ports = free_ports(["listener"])
    servers = await listener.start(ports["listener"])
    client = ProviderClient(None, None, False, Rebinding())
    try:
        for scheme in ("https", "http"):
            call = Call("metadata", "GET", f"{scheme}://op.example.org:{ports['listener']}/", ())
            try:
                await client.send(call)
            except GatewayError as error:
                expect(error.code.id == "oidc.address", f"{error}")
            else:
                expect(False, "a private address was connected to")
        expect(not listener.connections, "a private address was connected to")
    finally:
        await client.close()
        for server in servers:
            server.close()


def unknown_upstream_certificate() -> Run:
    """K080: an application whose certificate nobody signed gets no request, and its page no word."""

    async def run(world: World) -> None:
        seen = await world.send(request("untrusted-tls", "/"))
        unseen(world, seen)
        expect(seen.answer.status == 502 and b"reached" not in seen.received, f"{seen}")

    return run


CASES: tuple[Case, ...] = (
    uncontrolled("SS01.1", f"{len(HOSTS)} places where no provider may be, and four certificates", unreachable_places),
    uncontrolled("SS01.2", f"{len(MALFORMED)} issuers that no file may name", malformed_issuers),
    uncontrolled("SS01.3", "a name that turns private", rebinding),
    *numbered("SS03", (("an application that nobody signed for", unknown_upstream_certificate()),)),
    uncontrolled("SS03.2", f"{len(ASKED)} applications by TLS: pins, names, versions", applications_by_tls),
)
