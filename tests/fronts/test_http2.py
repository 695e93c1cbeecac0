"""A browser that speaks HTTP/2 to a front: what reaches the application is what the gateway said, as by HTTP/1.1."""

import asyncio
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.attacks.world import MARK
from tests.fronts.fronts import GATEWAY, SECRETS, Ports, running_front
from tests.fronts.test_fronts import BY_THE_GATEWAY, values
from tests.interop.servers import found
from tests.proxy.applications import application
from tests.proxy.certificates import authority, authority_pem
from tests.proxy.gateways import HOST, gateway

pytestmark = pytest.mark.service

# What makes of the line on which it listens one that speaks TLS and HTTP/2.
LISTENS = {
    "nginx": (
        "listen 127.0.0.1:{port};",
        "listen 127.0.0.1:{port} ssl; http2 on; ssl_certificate {pem}; ssl_certificate_key {pem};",
    ),
    "haproxy": ("bind 127.0.0.1:{port}", "bind 127.0.0.1:{port} ssl crt {pem} alpn h2"),
}


@pytest.mark.parametrize("kind", LISTENS)
async def test_by_http_2_nobody_says_who_they_are_either(kind: str, tmp_path: Path) -> None:
    pem, trusted = tmp_path / "front.pem", tmp_path / "authority.pem"
    pem.write_bytes(authority().issue_cert(HOST.decode()).private_key_and_cert_chain_pem.bytes())
    trusted.write_bytes(authority_pem())
    (port,) = free(1)
    before, after = LISTENS[kind]
    changes = {before.format(port=port): after.format(port=port, pem=pem)}
    async with (
        application() as behind,
        gateway(behind, app=f"front: {kind}", gateway=GATEWAY, secrets=SECRETS) as gate,
    ):
        cookie = gate.sign_in(uid="helene").decode()
        ports = Ports(port, gate.port, behind.port)
        with running_front(kind, tmp_path / kind, ports, HOST.decode(), changes):

            async def asked(path: str, *lines: str) -> tuple[str, list[bytes]]:
                behind.requests.clear()
                process = await asyncio.create_subprocess_exec(
                    found("curl"), "-s", "--http2", "--cacert", str(trusted), "-o", "/dev/null",
                    "-w", "%{http_version} %{http_code}", "--resolve", f"{HOST.decode()}:{port}:127.0.0.1",
                    *(word for line in lines for word in ("-H", line)), f"https://{HOST.decode()}:{port}{path}",
                    stdout=asyncio.subprocess.PIPE,
                )  # fmt: skip
                said, _ = await process.communicate()
                return said.decode(), list(behind.requests)

            said, (came,) = await asked("/permis/a%20b?x=1", cookie, f"x-remote-user: {MARK.decode()}", "x-own: 1")
            assert said == "2 200"
            assert came.startswith(b"GET /permis/a%20b?x=1 HTTP/1.1\r\n")
            assert (values(came, b"X-Remote-User"), values(came, b"Host")) == ([b"helene"], [HOST])
            assert (MARK in came, b"__Host-ecluse" in came, BY_THE_GATEWAY in came) == (False, False, False)
            for path, line in (("/private", "accept: application/json"), ("/admin/x", cookie)):
                said, came_too = await asked(path, line)
                assert (said.startswith("2 4"), came_too) == (True, []), said
