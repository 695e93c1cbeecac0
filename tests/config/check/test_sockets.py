"""Unix sockets of the operator's applications. Those of teams: test_teams.py."""

import pytest

from tests.config.samples import GATEWAY, PERMIS, problems


def with_socket(path: str, gateway: str = "sockets: [/run/apps]\n") -> list[str]:
    return problems(
        {
            "gateway.yaml": GATEWAY + gateway,
            "apps/permis.yaml": PERMIS.replace("127.0.0.1:9001}", f"localhost, socket: {path}}}"),
        }
    )


def test_a_socket_stands_in_a_listed_folder() -> None:
    assert with_socket("/run/apps/rh.sock") == with_socket("/run/apps/rh/web.sock") == []


@pytest.mark.parametrize("path", ["/run/rh.sock", "/run/appsx/rh.sock", "/run/apps"])
def test_or_it_is_refused(path: str) -> None:
    (found,) = with_socket(path)
    assert found.partition(": ")[2] == (
        f"upstream.socket: {path} is in no folder that gateway.yaml lists for sockets of applications "
        "(add its folder to sockets of gateway.yaml)"
    )
    assert with_socket(path, "")


@pytest.mark.parametrize("path", ["run/a.sock", "/run/../a.sock", "/run//a.sock", "/run/apps/", "/", "/run/./a"])
def test_a_path_has_one_spelling(path: str) -> None:
    assert "a path is absolute here" in with_socket(path)[0]


def test_one_socket_is_one_address() -> None:
    (found,) = with_socket("/run/apps/a.sock, others: ['http://127.0.0.1:9002']")
    assert "an application on a socket has no other addresses" in found
