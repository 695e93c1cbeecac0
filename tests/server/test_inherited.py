import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.demo.ports import free
from gateway.server.faults import CannotServe
from gateway.server.inherited import Inherited, bound


def tcp(port: int, host: str = "127.0.0.1") -> socket.socket:
    each = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    each.bind((host, port))
    each.listen()
    return each


def gateway(ports: tuple[int, ...], admin: str) -> Any:
    return SimpleNamespace(listeners=tuple(SimpleNamespace(address=("127.0.0.1", port)) for port in ports), admin=admin)


def test_what_is_there_is_taken_and_the_rest_is_bound(tmp_path: Path) -> None:
    given, bound_now = free(2)
    with tcp(given) as there, socket.socket(socket.AF_UNIX) as admin:
        admin.bind(str(tmp_path / "admin.sock"))
        inherited = Inherited([("public", there), ("admin", admin)])
        listening, its_admin = bound(gateway((given, bound_now), f"unix:{tmp_path}/admin.sock"), inherited)
        assert (listening[0], its_admin) == (there, admin)
        assert listening[1].getsockname() == ("127.0.0.1", bound_now)
        assert inherited.close() == []
        listening[1].close()


def test_a_given_socket_that_is_no_listener_is_named_and_a_handed_one_is_not() -> None:
    one, two, admin = free(3)
    given, handed = tcp(one), tcp(two, "127.0.0.1")
    inherited = Inherited([("web", given)], [handed])
    listening, its_admin = bound(gateway((), f"127.0.0.1:{admin}"), inherited)
    assert (listening, its_admin.getsockname()[1]) == ([], admin)
    assert inherited.close() == [f"127.0.0.1:{one} (web)"]
    assert (given.fileno(), handed.fileno()) == (-1, -1)
    its_admin.close()


def test_a_socket_is_taken_once_and_the_service_managers_first() -> None:
    (port,) = free(1)
    with tcp(port) as given, socket.socket(fileno=given.detach()) as real:
        copy = real.dup()
        inherited = Inherited([("", real)], [copy])
        listening, admin = bound(gateway((port,), f"127.0.0.1:{free(1)[0]}"), inherited)
        assert listening == [real]
        assert inherited.close() == []
        admin.close()


def test_where_one_cannot_be_had_none_is_kept() -> None:
    given, taken = free(2)
    with tcp(taken):
        there = tcp(given)
        with pytest.raises(CannotServe, match=f"cannot listen on 127.0.0.1:{taken}"):
            bound(gateway((given, taken), "127.0.0.1:1"), Inherited([("", there)]))
        assert there.fileno() == -1
