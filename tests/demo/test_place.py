import socket
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from deploy.demo.place import LOOPBACK, ROOT, USUAL, Ports, copy_policies, free_ports, taken, with_ports
from deploy.demo.ports import free, own_block
from tests.patience import PATIENCE

PORTS = Ports(
    public=18080,
    admin=18081,
    permis=19001,
    subventions=19002,
    elections=19011,
    ecoles=19012,
    avis=19013,
    astreinte=19014,
    examens=19015,
    metropole=8080,
    departement=19401,
    region=19402,
    syndicat=19403,
    proconnect=19404,
    story=18082,
    ldap=19389,
)


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("portal: http://portail.localhost:8080", "portal: http://portail.localhost:18080"),
        ("  - {address: 127.0.0.1:8080}", "  - {address: 127.0.0.1:18080}"),
        ("issuer: http://127.0.0.1:9400/x", "issuer: http://127.0.0.1:8080/x"),
        ("127.0.0.1:80801", "127.0.0.1:80801"),
        ("limits: {transactions: 8080}", "limits: {transactions: 8080}"),
        ("https://example.org:8080", "https://example.org:8080"),
    ],
)
def test_only_the_ports_of_the_demos_own_addresses_move(text: str, moved: str) -> None:
    assert with_ports(text, PORTS) == moved


def test_a_copy_has_none_of_the_usual_ports_left(tmp_path: Path) -> None:
    copy_policies(tmp_path, free_ports())
    texts = [path.read_text() for path in (tmp_path / "policies").rglob("*.yaml")]
    assert texts
    assert not [port for port in astuple(USUAL) for text in texts if f"{LOOPBACK}:{port}" in text]


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports()
    assert len(set(astuple(ports))) == len(astuple(ports))
    assert taken(ports) == {}


def test_they_are_none_that_a_connection_outwards_may_have() -> None:
    (lowest, _) = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    assert max(free(50)) < lowest


def test_two_processes_are_never_given_the_same() -> None:
    program = "from deploy.demo.ports import own_block; print(own_block().ports)"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    assert told.stdout.startswith("range(")
    assert told.stdout.strip() != str(own_block().ports)


def test_one_that_is_listened_on_is_not_given() -> None:
    (first, second) = free(2)
    with socket.create_server((LOOPBACK, second)):
        again = [port for _ in range(80) for port in free(5)]
    assert first in again
    assert second not in again
