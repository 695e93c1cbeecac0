"""The descriptor by which a library's socket is watched."""

import os
import socket

import pytest

from gateway.directories.received import Watched


def opened() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_what_has_come_is_known_without_reading_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        here = socket.create_connection(listening.getsockname())
        there, _ = listening.accept()
        with here, there:
            watched = Watched(here.fileno())
            there.sendall(b"x" * 1000)
            assert here.recv(1000, socket.MSG_WAITALL) == b"x" * 1000
            assert watched.bytes_received() == 1000
            watched.wait_for_none()
            with pytest.raises(BlockingIOError):
                here.recv(1)
            watched.cut()
            assert here.recv(1) == b""
            watched.close()


def test_it_is_a_descriptor_of_its_own_and_closed_by_itself() -> None:
    here, there = socket.socketpair()
    with here, there:
        before = opened()
        watched = Watched(here.fileno())
        assert watched.of == here.fileno()
        # No TCP connection.
        assert watched.bytes_received() == 0
        watched.close()
        assert opened() == before
        there.sendall(b"x")
        assert here.recv(1) == b"x"


def test_one_that_is_none_is_refused() -> None:
    with pytest.raises(OSError):
        Watched(-1)
