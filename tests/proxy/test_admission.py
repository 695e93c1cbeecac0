"""Who may have one more connection: counted from accept, by address, with a part kept for people who are signed in."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from gateway.config.snapshot import Listener
from gateway.proxy import admission
from gateway.proxy.admission import Admission, CountedConnection, KnownAddresses
from gateway.server.acceptors import Acceptors
from gateway.server.listeners import bind
from gateway.wire.addresses import client_key
from tests.config.samples import GATEWAY, sample_snapshot
from tests.patience import PATIENCE
from tests.proxy.applications import application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import Gateway, ask, gateway
from tests.proxy.stand_ins import Counters, Log, Pages

PUBLIC = ask(b"GET /public/a")
LIMITS = "limits: {connections: 80, connections_per_client: 10, networks: [%s]}\n"


class Desk:
    """An admission alone, with what it tells."""

    def __init__(self, more: str = "", *, descriptors: int = 1 << 20) -> None:
        self.counters, self.log = Counters(), Log()
        ids = (b"%032x" % number for number in range(1000))
        self.admission = Admission(
            descriptors=descriptors, counters=self.counters, log=self.log, pages=Pages(), ids=ids
        )
        self.admission.follow(sample_snapshot({"gateway.yaml": GATEWAY + more}))

    def enter(self, peer: str, times: int = 1, descriptor: int = 10) -> list[CountedConnection]:
        """Those that were let in."""
        return [place for _ in range(times) if (place := self.admission.enter(peer, descriptor)) is not None]

    def refused(self, reason: str) -> float:
        return self.counters.values.get(("ecluse_connections_refused_total", reason), 0)


def test_an_address_has_so_many_and_gets_them_back() -> None:
    desk = Desk(LIMITS % "")
    places = desk.enter("192.0.2.1", 12)
    assert (len(places), desk.refused("client"), desk.admission.held) == (10, 2, 10)
    assert len(desk.enter("192.0.2.2")) == 1
    for place in places:
        place.leave()
        place.leave()
    assert desk.admission.held == 1
    assert len(desk.enter("192.0.2.1", 12)) == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_one_client_is_one_address_or_one_64(one: str, other: str) -> None:
    desk = Desk(LIMITS % "")
    assert len(desk.enter(one, 5) + desk.enter(other, 6)) == 10
    assert len(desk.enter("2001:db8:1:3::1", 5)) == 5


def test_a_listed_network_has_a_limit_of_its_own_the_most_specific_first() -> None:
    listed = (
        "{network: 198.51.100.0/24, connections: 3}, {network: 198.51.100.7, connections: 30}, "
        "{network: '2001:db8::/32', connections: 2}"
    )
    desk = Desk(LIMITS % listed)
    peers = ("198.51.100.1", "198.51.100.2", "198.51.100.7", "2001:db8::1", "192.0.2.1")
    assert [len(desk.enter(peer, 40)) for peer in peers] == [3, 3, 30, 2, 10]


def test_a_listed_proxy_is_bounded_by_its_network_alone() -> None:
    proxied = "trusted_proxies: [10.0.0.0/8]\n"
    assert len(Desk(LIMITS % "" + proxied).enter("10.1.1.1", 100)) == 80
    assert len(Desk(LIMITS % "{network: 10.0.0.0/8, connections: 20}" + proxied).enter("10.1.1.1", 100)) == 20


def test_what_a_listed_proxy_holds_counts_against_nobody_else_of_its_64() -> None:
    desk = Desk(LIMITS % "" + "trusted_proxies: ['2001:db8::10']\n")
    places = desk.enter("2001:db8::10", 60)
    assert (len(places), len(desk.enter("2001:db8::99", 5))) == (60, 5)
    desk.admission.seen("2001:db8::10", monotonic())
    assert not desk.admission.known.holds(client_key("2001:db8::99"), monotonic())
    for place in places:
        place.leave()
    assert desk.admission.held == 5


def test_the_last_eighth_is_for_addresses_of_people_who_are_signed_in() -> None:
    desk = Desk("limits: {connections: 80}\n")
    desk.admission.seen("192.0.2.7", monotonic())
    assert len(desk.enter("203.0.113.1", 100)) == 70
    assert len(desk.enter("203.0.113.2", 1)) == 0
    assert len(desk.enter("192.0.2.7", 20)) == 10
    assert desk.refused("all") == 41


def test_descriptors_of_strangers_and_of_people_end_before_those_for_applications() -> None:
    desk = Desk(descriptors=600)
    desk.admission.seen("192.0.2.7", monotonic())
    tried = [(peer, at) for peer in ("203.0.113.1", "192.0.2.7") for at in (199, 200, 299, 300)]
    assert [len(desk.enter(peer, descriptor=at)) for peer, at in tried] == [1, 0, 0, 0, 1, 1, 1, 0]
    assert desk.refused("descriptors") == 4


def test_an_address_is_known_for_ten_minutes_and_only_so_many_are() -> None:
    here = KnownAddresses(3)
    here.seen("a", 0.0)
    assert here.holds("a", 600.0)
    assert not here.holds("a", 700.0)
    for number, address in enumerate("abcd"):
        here.seen(address, 700.0 + number)
    assert [address for address in "abcd" if here.holds(address, 704.0)] == ["b", "c", "d"]


def test_what_is_seen_here_is_news_once_a_minute_and_what_is_heard_is_not() -> None:
    here = KnownAddresses()
    here.learn(["x"], 0.0)
    for at in (0.0, 1.0, 59.0):
        here.seen("a", at)
    assert here.holds("x", 1.0)
    assert (here.news(), here.news()) == (["a"], [])
    here.seen("a", 61.0)
    assert here.news() == ["a"]


def test_a_line_a_minute_says_who_was_turned_away_and_how_often(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(admission, "monotonic", lambda: clock[0])
    desk = Desk("limits: {connections_per_client: 1}\n")
    desk.enter("192.0.2.1", 101)
    clock[0] += 61
    desk.enter("192.0.2.1", 1)
    told = [(line["reason"], line["connections"], line["client"]) for line in desk.log.named("connections.refused")]
    assert told == [("client", 1, "192.0.2.1"), ("client", 100, "192.0.2.1")]
    assert desk.refused("client") == 101
    assert b"limit.connections" in desk.admission.refusal()


# --- over sockets ---


@asynccontextmanager
async def silent(gate: Gateway, number: int) -> AsyncIterator[list[socket.socket]]:
    """Connections that say nothing."""
    loop = asyncio.get_running_loop()
    clients = [socket.socket() for _ in range(number)]
    try:
        for client in clients:
            client.setblocking(False)
            await loop.sock_connect(client, (gate.host, gate.port))
        yield clients
    finally:
        for client in clients:
            client.close()


@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_invariant_15_a_handshake_that_has_not_begun_is_counted_and_what_is_too_much_ends_at_once() -> None:
    limits = "limits: {connections_per_client: 5}\n"
    async with application() as app, gateway(app, tls=server_side(), gateway=limits) as gate:
        async with silent(gate, 5):
            await gate.until(lambda: gate.plane.admission.held == 5)
            assert len(gate.plane.connections) == 0
            with pytest.raises(ConnectionResetError):
                async with silent(gate, 1) as (surplus,):
                    await asyncio.wait_for(asyncio.get_running_loop().sock_recv(surplus, 1), PATIENCE)
            gate.plane.flush()
            assert gate.counters.values["ecluse_tls_handshakes",] == 5
        await gate.until(lambda: gate.plane.admission.held == 0)
        client = await gate.client(client_side())
        assert (await client.ask(PUBLIC)).status == 200
        assert gate.plane.admission.held == 1
        client.close()
        await gate.until(lambda: gate.plane.admission.held == 0)


@pytest.mark.slow
async def test_a_handshake_that_fails_gives_its_place_back() -> None:
    async with application() as app, gateway(app, tls=server_side()) as gate, silent(gate, 3) as clients:
        await gate.until(lambda: gate.plane.admission.held == 3)
        for client in clients:
            client.send(PUBLIC)
        await gate.until(lambda: gate.plane.admission.held == 0)


async def test_with_everybody_at_the_door_who_is_signed_in_comes_in() -> None:
    limits = "limits: {connections: 16, connections_per_client: 1000}\n"
    async with application() as app, gateway(app, gateway=limits) as gate:
        cookie = gate.sign_in()
        gate.plane.sessions.hot[cookie.partition(b"=")[2]].deadline = 0.0  # type: ignore[attr-defined]
        assert (await gate.once(ask(b"GET /a", cookie))).status == 200
        gate.clients.pop().close()
        await gate.until(lambda: gate.plane.admission.held == 0)
        async with silent(gate, 14):
            await gate.until(lambda: gate.plane.admission.held == 14)
            assert (await gate.once(ask(b"GET /a", cookie))).status == 200


async def test_whoever_is_turned_away_from_a_plain_listener_is_told_why_even_when_they_spoke_first() -> None:
    limits = "limits: {connections_per_client: 1}\n"
    async with application() as app, gateway(app, gateway=limits) as gate, silent(gate, 1):
        await gate.until(lambda: gate.plane.admission.held == 1)
        client = socket.create_connection((gate.host, gate.port))
        # Nobody accepts while this loop does not turn.
        client.sendall(PUBLIC)
        client.setblocking(False)
        answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 4096), PATIENCE)
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\n\r\nlimit.connections" in answer
        assert await asyncio.wait_for(asyncio.get_running_loop().sock_recv(client, 1), PATIENCE) == b""
        client.close()
        assert gate.log.named("connections.refused")[0]["reason"] == "client"


# --- without descriptors ---


class Without(socket.socket):
    """A listening socket whose process has no descriptor left, so many times."""

    times = 0

    def accept(self) -> tuple[socket.socket, object]:
        if self.times:
            self.times -= 1
            raise OSError(24, "Too many open files")
        return super().accept()


async def test_without_descriptors_whoever_comes_waits_and_it_is_said() -> None:
    async with application() as app, gateway(app) as gate:
        listening = Without(fileno=bind(Listener(("127.0.0.1", 0))).detach())
        listening.setblocking(False)
        listening.times = 2
        acceptor = Acceptors(
            [listening], [None], lambda _: gate.plane.protocol_factory(tls=False), gate.plane.admission, 5.0
        )
        gate.port = listening.getsockname()[1]
        acceptor.open()
        assert (await gate.once(PUBLIC)).status == 200
        assert gate.counters.values["ecluse_descriptors_exhausted_total", "accept"] == 2
        (line,) = gate.log.named("descriptors.exhausted")
        assert (line["place"], line["times"]) == ("accept", 1)
        await acceptor.close()


async def test_an_application_that_no_descriptor_is_left_for_is_a_503_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with application() as app, gateway(app) as gate:

        async def create_connection(*_: object, **__: object) -> None:
            raise OSError(24, "Too many open files")

        monkeypatch.setattr(gate.clock, "create_connection", create_connection, raising=False)
        answer = await gate.once(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (503, b"limit.connections")
        assert gate.counters.values["ecluse_descriptors_exhausted_total", "upstream"] == 1
        assert gate.log.named("descriptors.exhausted")[0]["place"] == "upstream"


def test_the_set_of_known_addresses_is_bounded() -> None:
    assert admission._MOST_KNOWN <= 1 << 16
