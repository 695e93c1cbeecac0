import errno
import os
import resource
import socket
from pathlib import Path

import pytest

from gateway.config.snapshot import Listener
from gateway.server.faults import CannotServe
from gateway.server.listeners import allow_many_files, bind, bind_admin, connections_within, files_needed, forget_path


def test_a_taken_address_is_named_in_the_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use \(another program uses the port: "
        with pytest.raises(CannotServe, match=said):
            bind(Listener(("127.0.0.1", port)))


def test_an_address_that_is_not_ours_is_named_in_the_error() -> None:
    with pytest.raises(CannotServe, match=r"Cannot assign requested address \(this machine does not have the address"):
        bind(Listener(("192.0.2.1", 80)))
    with pytest.raises(CannotServe, match=r"cannot listen on \[2001:db8::1\]:80: "):
        bind(Listener(("2001:db8::1", 80)))


def test_a_port_that_this_account_may_not_have_is_told_with_each_way_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class NotAllowed(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(socket, "socket", NotAllowed)
    with pytest.raises(CannotServe) as refused:
        bind(Listener(("::", 443)))
    assert str(refused.value) == (
        "cannot listen on [::]:443: Permission denied (a port below 1024 needs root, the capability "
        "CAP_NET_BIND_SERVICE, or systemd to open it for the gateway (ecluse.socket; docs/how-to/run-it.md))"
    )


def test_a_listener_listens_and_waits_for_nobody() -> None:
    with bind(Listener(("127.0.0.1", 0))) as listening:
        assert not listening.getblocking()
        socket.create_connection(listening.getsockname()).close()


def test_an_admin_address_is_a_port_or_a_path() -> None:
    with bind_admin("127.0.0.1:0") as listening:
        assert listening.family == socket.AF_INET
    with bind_admin("[::1]:0") as listening:
        assert listening.family == socket.AF_INET6


def test_a_path_is_for_its_owner_alone_from_its_first_moment(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        with bind_admin(f"unix:{tmp_path}/admin.sock"):
            assert (tmp_path / "admin.sock").stat().st_mode & 0o777 == 0o600
        assert os.umask(0o000) == 0o000, "the mask of the process is changed"
    finally:
        os.umask(before)


def test_what_a_killed_gateway_left_is_taken_and_what_lives_is_not(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/admin.sock"
    bind_admin(address).close()
    assert (tmp_path / "admin.sock").is_socket()
    with bind_admin(address):
        with pytest.raises(CannotServe, match="another program uses the socket"):
            bind_admin(address)
        socket.socket(socket.AF_UNIX).close()
    (tmp_path / "link.sock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotServe, match="not a socket"):
        bind_admin(f"unix:{tmp_path}/link.sock")


def test_a_path_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match="path too long"):
        bind_admin(f"unix:{tmp_path}/{'x' * 200}")


def test_the_path_goes_unless_another_listens_there(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    with bind_admin(f"unix:{path}"):
        forget_path(str(path))
        assert path.exists()
    forget_path(str(path))
    assert not path.exists()
    forget_path(str(path))


def test_as_many_files_may_be_open_as_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
        allow_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(before[1], 1 << 20), before[1])
        assert allow_many_files(files_needed(10)) == min(before[1], 1 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_limit_that_is_named_is_one_that_can_be_written() -> None:
    assert connections_within(files_needed(10)) == 10
    assert connections_within(files_needed(10) + 2) == 10
    assert connections_within(40) == 0


def test_more_files_than_the_system_allows_are_had_where_this_account_may_give_itself_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not given is told at the start (test_supervisor.py)."""
    limits = [(256, 1000)]
    most = 1 << 20

    def set_limits(_: int, wanted: tuple[int, int]) -> None:
        if wanted[1] > most:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", set_limits)
    assert (allow_many_files(5000), limits[-1]) == (5000, (5000, 5000))
    limits, most = [(256, 1000)], 1000
    assert (allow_many_files(5000), limits[-1]) == (1000, (1000, 1000))
