from dataclasses import astuple
from pathlib import Path

import pytest

from deploy.demo.place import LOOPBACK, USUAL, Ports, copy_policies, free_ports, taken, with_ports

PORTS = Ports(
    public=18080, admin=18081, permis=19001, subventions=19002, metropole=8080, departement=19401, region=19402
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
