import socket

import pytest

from gateway.config.snapshot import Listener
from gateway.server.listeners import bind


def test_a_taken_address_is_named_in_the_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            bind(Listener(("127.0.0.1", port)))


def test_the_socket_is_inherited_by_workers():
    listening = bind(Listener(("127.0.0.1", 0)))
    assert listening.get_inheritable()
    listening.close()
