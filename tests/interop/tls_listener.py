"""`make tls`: testssl.sh against a listener of the gateway, as `ecluse serve` runs it. What it takes for a weakness, a
line each with its severity; exit status 1 where there is one."""

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import trustme

from tests.attacks.world import free_ports
from tests.walks.gateway import Gateway, Where

HOST = "portail.localhost"
_GATEWAY = """version: 1
portal: https://{host}:{port}
listen:
  - address: 127.0.0.1:{port}
    tls: {{certificate: {{file: ../certs/tls.pem}}, key: {{file: ../certs/tls.key}}}}
admin: 127.0.0.1:{admin}
store: {{type: memory, keys: [{{id: k1, secret: {{file: ../certs/secret}}}}]}}
workers: 1
"""
# Of every protocol and cipher, of headers, and of all attacks that testssl.sh knows by name.
_WHAT = ("-p", "-s", "-f", "-S", "-h", "-U")
_WEAK = {"LOW", "MEDIUM", "HIGH", "CRITICAL"}
# Of the certificate that this run makes for itself: it holds for decades, and nobody can take it back.
_OF_THIS_RUN = ("cert_extlifeSpan", "cert_revocation")


async def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ecluse-tls-") as name:
        folder, ports = Path(name), free_ports(["public", "admin"])
        _write(folder, ports)
        gateway = Gateway(Where(folder, ports["admin"]))
        try:
            await gateway.start()
            found = await asyncio.to_thread(_findings, folder, ports["public"])
        finally:
            await gateway.end()
    weak = [each for each in found if each["severity"] in _WEAK and each["id"] not in _OF_THIS_RUN]
    for each in weak:
        print(f"{each['severity']} {each['id']}: {each['finding']}")
    print(f"{len(found)} findings, {len(weak)} of them weaknesses")
    return 1 if weak or not found else 0


def _write(folder: Path, ports: dict[str, int]) -> None:
    (folder / "certs").mkdir()
    (folder / "policies").mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert(HOST)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.private_key_pem.write_to_path(folder / "certs/tls.key")
    (folder / "certs/tls.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    (folder / "certs/secret").write_text("a-secret-of-thirty-two-characters")
    text = _GATEWAY.format(host=HOST, port=ports["public"], admin=ports["admin"])
    (folder / "policies/gateway.yaml").write_text(text)


def _findings(folder: Path, port: int) -> list[dict[str, str]]:
    told = folder / "found.json"
    command = [
        "testssl",
        *_WHAT,
        "--quiet",
        "--color",
        "0",
        "--warnings",
        "off",
        "--nodns",
        "none",
        "--ip",
        "127.0.0.1",
    ]
    command += ["--add-ca", str(folder / "ca.pem"), "--jsonfile", str(told), f"https://{HOST}:{port}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    if not told.exists():
        raise RuntimeError(f"testssl.sh, status {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    findings: list[dict[str, str]] = json.loads(told.read_text())
    return findings


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
