"""Accepting on an inherited socket, and ceasing to without losing anybody."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from typing import cast

import pytest
import trustme

from gateway.config.snapshot import Listener, ListenerCertificate
from gateway.model.errors import GatewayError
from gateway.proxy.admission import CountedConnection
from gateway.server.acceptors import Acceptors, Factory
from gateway.server.listeners import bind
from gateway.server.tls import tls_contexts
from tests.patience import PATIENCE


class Place:
    def __init__(self, keeper: "Keeper", peer: str) -> None:
        self._keeper = keeper
        self.peer = peer
        self.secure = self.is_told = self.is_front = False

    def leave(self) -> None:
        self._keeper.places.remove(self)


class Keeper:
    """Lets in `most` at a time. `asked`: who came, and with which descriptor; `ran_out`: how often there was none;
    `wrong`: who came where servers in front speak PROXY protocol, and why they were closed."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self.places: list[Place] = []
        self.asked: list[tuple[str, int]] = []
        self.ran_out: list[str] = []
        self.wrong: list[tuple[str, str]] = []

    def enter(self, peer: str, descriptor: int, *, front: bool = False) -> Place | None:
        self.asked.append((peer, descriptor))
        if len(self.places) >= self._most:
            return None
        place = Place(self, peer)
        self.places.append(place)
        return place

    def mistaken(self, peer: str, error: GatewayError) -> None:
        self.wrong.append((peer, str(error)))

    def refusal(self) -> bytes:
        return b"no"

    def exhausted(self, place: str) -> None:
        self.ran_out.append(place)


class Greeter(asyncio.Protocol):
    """Answers what it is sent, once, and closes."""

    def __init__(self, tls: bool, place: CountedConnection) -> None:
        self._tls = tls
        self._place = place

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none of asyncio's classes.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._transport.write(b"secure " * self._tls + data)
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._place.leave()


def greeter(number: int) -> Factory:
    return lambda place: Greeter(False, place)


def greeter_by_tls(number: int) -> Factory:
    return lambda place: Greeter(True, place)


@pytest.fixture
def listening() -> socket.socket:
    return bind(Listener(("127.0.0.1", 0)))


@pytest.fixture
async def inherited(listening: socket.socket) -> AsyncIterator[socket.socket]:
    """A worker's own copy, as it comes through exec."""
    yield listening.dup()
    listening.close()


async def greeted(listening: socket.socket, tls: ssl.SSLContext | None = None) -> bytes:
    reader, writer = await asyncio.open_connection(
        *listening.getsockname(), ssl=tls, server_hostname=None if tls is None else "one.localhost"
    )
    writer.write(b"hello")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_who_connects_is_answered(listening: socket.socket, inherited: socket.socket) -> None:
    acceptors = Acceptors([inherited], [None], greeter, Keeper(), 5.0)
    acceptors.open()
    assert await greeted(listening) == b"hello"
    await acceptors.close()


async def test_who_waits_to_be_accepted_when_it_closes_is_answered_all_the_same(
    listening: socket.socket, inherited: socket.socket
) -> None:
    """The last to close a listening socket resets what waits in it: the supervisor has closed its own already."""
    acceptors = Acceptors([inherited], [None], greeter, Keeper(), 5.0)
    acceptors.open()
    address = listening.getsockname()
    listening.close()
    # Nobody accepts while this loop does not turn.
    clients = [socket.create_connection(address) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    await acceptors.close()
    for number, client in enumerate(clients):
        client.setblocking(False)
        answer = asyncio.get_running_loop().sock_recv(client, 100)
        assert await asyncio.wait_for(answer, PATIENCE) == b"%d" % number
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


async def test_what_is_closed_here_is_still_open_to_the_other_workers(
    listening: socket.socket, inherited: socket.socket
) -> None:
    first, second = (
        Acceptors([inherited], [None], greeter, Keeper(), 5.0),
        Acceptors([listening.dup()], [None], greeter, Keeper(), 5.0),
    )
    first.open()
    second.open()
    await first.close()
    assert await greeted(listening) == b"hello"
    await second.close()


async def test_closed_before_it_was_open_it_holds_nothing_up(inherited: socket.socket) -> None:
    await Acceptors([inherited], [None], greeter, Keeper(), 5.0).close()


async def test_with_tls_the_newest_certificate_is_shown_whatever_the_kind_of_its_key(
    listening: socket.socket, inherited: socket.socket
) -> None:
    authority = trustme.CA()
    client = ssl.create_default_context()
    authority.configure_trust(client)
    issued = [authority.issue_cert("one.localhost", key_type=kind) for kind in trustme.KeyType]
    pairs = [Listener(("127.0.0.1", 0), (pair(leaf),)) for leaf in issued]
    contexts = [tls_contexts([pair]) for pair in pairs]
    acceptors = Acceptors([inherited], contexts[0], greeter_by_tls, Keeper(), 5.0)
    acceptors.open()
    for context, leaf in zip(contexts, issued, strict=True):
        acceptors.use(context)
        reader, writer = await asyncio.open_connection(
            *listening.getsockname(), ssl=client, server_hostname="one.localhost"
        )
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        writer.write(b"hello")
        assert await reader.read() == b"secure hello"
        writer.close()
        await writer.wait_closed()
    await acceptors.close()


async def test_each_name_is_shown_its_own_certificate_and_no_name_the_first(
    listening: socket.socket, inherited: socket.socket
) -> None:
    authority = trustme.CA()
    issued = {name: authority.issue_cert(name) for name in ("a.example", "b.example", "*.c.example", "x.c.example")}
    certificates = tuple(pair(leaf, name) for name, leaf in issued.items())
    acceptors = Acceptors(
        [inherited], tls_contexts([Listener(("127.0.0.1", 0), certificates)]), greeter_by_tls, Keeper(), 5.0
    )
    acceptors.open()
    client = ssl.create_default_context()
    authority.configure_trust(client)
    client.check_hostname = False
    for asked, name in {
        "a.example": "a.example", "B.Example": "b.example", "y.c.example": "*.c.example", "x.c.example": "x.c.example",
        "z.y.c.example": "a.example", "c.example": "a.example", "other.example": "a.example", "": "a.example",
    }.items():  # fmt: skip
        _, writer = await asyncio.open_connection(*listening.getsockname(), ssl=client, server_hostname=asked)
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(issued[name].cert_chain_pems[0].bytes().decode()), asked
        writer.close()
        await writer.wait_closed()
    await acceptors.close()


async def test_keys_are_agreed_with_a_post_quantum_group(listening: socket.socket, inherited: socket.socket) -> None:
    if ssl.OPENSSL_VERSION_INFO < (3, 5):
        pytest.skip("OpenSSL knows ML-KEM from 3.5 on")
    leaf = trustme.CA().issue_cert("one.localhost")
    contexts = tls_contexts([Listener(("127.0.0.1", 0), (pair(leaf),))])
    acceptors = Acceptors([inherited], contexts, greeter_by_tls, Keeper(), 5.0)
    acceptors.open()
    place = f"127.0.0.1:{listening.getsockname()[1]}"
    program = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", place, "-groups", "X25519MLKEM768", "-brief",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    told, _ = await asyncio.wait_for(program.communicate(), PATIENCE)
    assert b"group: X25519MLKEM768" in told, told
    assert b"Protocol version: TLSv1.3" in told
    await acceptors.close()


async def test_who_waits_with_tls_when_it_closes_has_a_moment_for_its_handshake(
    listening: socket.socket, inherited: socket.socket
) -> None:
    authority = trustme.CA()
    client = ssl.create_default_context()
    authority.configure_trust(client)
    leaf = authority.issue_cert("one.localhost")
    contexts = tls_contexts([Listener(("127.0.0.1", 0), (pair(leaf),))])
    acceptors = Acceptors([inherited], contexts, greeter_by_tls, Keeper(), 5.0)
    acceptors.open()
    address = listening.getsockname()
    listening.close()
    # Nobody accepts while this loop does not turn.
    waiting = socket.create_connection(address)
    waiting.setblocking(False)
    closing = asyncio.create_task(acceptors.close())
    reader, writer = await asyncio.open_connection(sock=waiting, ssl=client, server_hostname="one.localhost")
    writer.write(b"hello")
    assert await reader.read() == b"secure hello"
    await closing
    writer.close()
    await writer.wait_closed()


@pytest.mark.slow
async def test_a_handshake_that_never_ends_does_not_hold_the_close_up(
    listening: socket.socket, inherited: socket.socket
) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("one.localhost")
    contexts = tls_contexts([Listener(("127.0.0.1", 0), (pair(leaf),))])
    acceptors = Acceptors([inherited], contexts, greeter_by_tls, Keeper(), 5.0)
    acceptors.open()
    with socket.create_connection(listening.getsockname()) as silent:
        silent.setblocking(False)
        ended = asyncio.create_task(asyncio.get_running_loop().sock_recv(silent, 1))
        await acceptors.close()
        assert not ended.done()
        # And it is ended itself, in its time.
        assert await asyncio.wait_for(ended, PATIENCE) == b""


def pair(issued: trustme.LeafCert, *names: str) -> ListenerCertificate:
    return ListenerCertificate(pem(issued), issued.private_key_pem.bytes(), names)


def pem(issued: trustme.LeafCert) -> bytes:
    return b"".join(part.bytes() for part in issued.cert_chain_pems)
