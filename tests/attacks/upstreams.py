"""SS: outbound.py, and SS04: where an application's file leads. Not to the gateway itself, nor beyond the fence of the
team that owns it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.federation.applications import ApplicationCall, Applications
from gateway.model.errors import GatewayError
from gateway.model.store_server import StoreServer
from gateway.server.own_addresses import OwnAddresses
from gateway.wire.fences import Fence
from tests.attacks import app_secrets, outbound
from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.world import World, free_ports

# Upstreams that no file may name: the gateway's own listeners and what is no one's address, in every dress.
NOBODYS = {
    "admin": "http://127.0.0.1:{admin}", "public": "https://127.0.0.1:{public}", "name": "http://x.localhost:{admin}",
    "nat64": "http://[64:ff9b::7f00:1]:{admin}", "six-to-four": "http://[2002:7f00:1::]:{admin}",
    "compatible": "http://[::7f00:1]:{admin}", "metadata-service": "http://169.254.169.254",
    "link-local": "http://[fe80::1]", "any": "http://0.0.0.0:{admin}", "any-6": "http://[::]:{admin}",
    "metadata-by-ipv6": "http://[fd00:ec2::254]", "metadata-in-public": "http://168.63.129.16",
    "metadata-by-nat64": "http://[64:ff9b::a83f:8110]",
    "multicast": "http://224.0.0.1", "nat64-link": "http://[64:ff9b::a9fe:a9fe]",
}  # fmt: skip
# Another ministry's, for a team whose fence is one address and one name.
FENCE = """sockets: [/run/apps]
teams:
  mine:
    hosts: ["*.mine.localhost"]
    providers: [op]
    upstreams: ["127.0.0.1:{listener}", app.example]
    sockets: [/run/apps/mine]
"""
BEYOND = {
    "port": "{{url: 'http://127.0.0.1:9'}}", "address": "{{url: 'http://127.0.0.2:{listener}'}}",
    "mapped": "{{url: 'http://[::1]:{listener}'}}", "private": "{{url: 'http://10.0.0.1:{listener}'}}",
    "host": "{{url: 'http://127.0.0.1:{listener}', host: other.example}}",
    "host-of-a-name": "{{url: 'http://other.example:{listener}', host: upstream}}",
}  # fmt: skip
# Of whoever owns the file: sockets that are in no folder of gateway.yaml, by any way of writing it.
SOCKETS = {
    "socket": "/run/valkey.sock", "socket-above": "/run/apps/../valkey.sock",
    "socket-beside": "/run/apps-of-others/a.sock", "socket-relative": "apps/a.sock", "socket-folder": "/run/apps",
}  # fmt: skip
BEYOND |= {
    "socket-of-another-team": "{{url: 'http://127.0.0.1:{listener}', socket: /run/apps/theirs/web.sock}}",
    "socket-above-theirs": "{{url: 'http://127.0.0.1:{listener}', socket: /run/apps/mine/../theirs/web.sock}}",
}
APP = """version: 1
app: {name}
hosts: [{name}.mine.localhost]
upstream: {upstream}
providers: [op]
access: [{{path: /**, allow: anyone}}]
"""


async def named_in_a_file(world: World) -> None:
    """`ecluse check` tells each of them at its line."""
    with tempfile.TemporaryDirectory() as name:
        folder, ports = Path(name), free_ports(["public", "admin", "listener"])
        outbound.write_keys(folder / "certs")
        policies = folder / "policies"
        (policies / "providers").mkdir(parents=True)
        (policies / "apps/mine").mkdir(parents=True)
        gateway = outbound.GATEWAY.format(port=ports["public"], admin=ports["admin"])
        (policies / "gateway.yaml").write_text(gateway + FENCE.format(**ports))
        outbound.write_provider(policies, "op", "https://op.example")
        for app, url in NOBODYS.items():
            _write(policies / "apps", app, f"{{{{url: '{url}'}}}}", ports)
        for app, path in SOCKETS.items():
            _write(policies / "apps", app, f"{{{{url: 'http://localhost', socket: {path}}}}}", ports)
        for app, upstream in BEYOND.items():
            _write(policies / "apps/mine", app, upstream, ports)
        checked = await outbound.check(policies)
        unnamed = [app for app in (*NOBODYS, *SOCKETS) if f"apps/{app}.yaml:4:" not in checked.stderr]
        unnamed += [app for app in BEYOND if f"apps/mine/{app}.yaml:4:" not in checked.stderr]
        expect(checked.returncode == 1 and not unnamed, f"no problem is told of {unnamed}: {checked.stderr[:1500]}")


def _write(folder: Path, app: str, upstream: str, ports: Mapping[str, int]) -> None:
    (folder / f"{app}.yaml").write_text(APP.format(name=app, upstream=upstream.format(**ports)))


async def turned_by_a_name(world: World) -> None:
    """Decided on the address of the socket, at every connect. Of requests: tests/proxy/test_fence.py."""
    listener, ports = outbound.Listener(), free_ports(["listener"])
    servers = await listener.start(ports["listener"])
    nowhere, port = "unix:/nowhere", ports["listener"]
    places = {
        "our own": (OwnAddresses([], f"127.0.0.1:{port}"), None),
        "the store's server": (OwnAddresses([], nowhere, StoreServer((("localhost", port),))), None),
        "beyond the fence": (OwnAddresses([], nowhere), Fence.of("mine", ["10.0.0.0/8", "other.example"])),
    }
    try:
        for meaning, (ours, fence) in places.items():
            applications = Applications(ours, outbound.Rebinding())
            upstream = Upstream(scheme="http", host="app.example", port=port, timeouts=Timeouts(), fence=fence)
            try:
                await applications.call(upstream, ApplicationCall("get", "/metrics", b"\r\nHost: app.example"))
            except GatewayError as error:
                expect(error.code.id == "upstream.address", f"{meaning}: {error}")
            else:
                expect(False, f"{meaning} was connected to")
            finally:
                await applications.close()
        expect(not listener.connections, "it was connected to")
    finally:
        for server in servers:
            server.close()


CASES: tuple[Case, ...] = (
    *outbound.CASES,
    uncontrolled("SS04.1", f"{len(NOBODYS) + len(BEYOND)} upstreams that no file may name", named_in_a_file),
    uncontrolled(
        "SS04.2",
        "an application's name that turns to the gateway, its store's server, or beyond a fence",
        turned_by_a_name,
    ),
    *app_secrets.CASES,
)
