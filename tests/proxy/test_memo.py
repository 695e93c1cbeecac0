"""What is said of the client to the application, and by whom it may be said; what a connection remembers."""

import pytest

from gateway.access import remembered
from gateway.model.errors import GatewayError
from gateway.proxy.memo import Memo
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pools import Pools
from gateway.wire.forwarded import Peer, around_host
from gateway.wire.headers import FORWARDED_FOR, FORWARDED_PROTO
from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, ask, blot, files, forwarded, gateway, reached
from tests.proxy.stand_ins import COOKIE

SAID = (
    b"X-Forwarded-For: 192.0.2.7",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: evil.example",
    b'Forwarded: for=10.0.0.1;host="evil.example"',
    b"X-Real-IP: 10.0.0.1",
)
LISTED = "trusted_proxies: [127.0.0.0/8]\n"


async def test_what_a_stranger_says_of_himself_is_written_anew() -> None:
    async with application() as app, gateway(app, gateway="trusted_proxies: [10.0.0.0/8]\n") as gate:
        await gate.once(ask(b"GET /public/a", *SAID))
        assert blot(app.requests[0]) == reached(b"GET /public/a")


async def test_what_a_listed_proxy_says_is_extended() -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        client = await gate.client()
        await client.ask(ask(b"GET /public/a", *SAID))
        await client.ask(ask(b"GET /public/a"))
        told = (
            b"X-Forwarded-For: 192.0.2.7, 127.0.0.1\r\nX-Forwarded-Proto: https\r\n"
            b"X-Forwarded-Host: permis.localhost\r\n"
            b'Forwarded: for=192.0.2.7, for=127.0.0.1;host="permis.localhost";proto=https'
        )
        assert blot(app.requests[0]) == reached(b"GET /public/a").replace(forwarded(), told)
        assert blot(app.requests[1]) == reached(b"GET /public/a")


async def test_each_request_behind_a_listed_proxy_may_be_another_persons() -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        client = await gate.client()
        for address in (b"192.0.2.7", b"192.0.2.8", b"192.0.2.7"):
            await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
            assert b"\r\nX-Forwarded-For: " + address + b", 127.0.0.1\r\n" in app.requests.pop()


async def test_traces_are_joined_for_a_listed_proxy_only() -> None:
    trace = (b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"tracestate: a=b")
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        await gate.once(ask(b"GET /public/a", *trace))
        assert b"\r\n".join(trace) in app.requests[0]
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /public/a", *trace))
        assert blot(app.requests[0]) == reached(b"GET /public/a")


@pytest.mark.parametrize(
    ("host", "upstream", "told"),
    [
        (b"permis.localhost", "", b"permis.localhost"),
        (b"permis.localhost", "host: keep", b"permis.localhost"),
        (b"PERMIS.localhost.:8080", "", b"permis.localhost:8080"),
        (b"permis.localhost", "host: intern.example", b"intern.example"),
        (b"permis.localhost:8080", "host: upstream", b"127.0.0.1:%d"),
    ],
)
async def test_host_is_kept_or_rewritten_as_the_file_says(host: bytes, upstream: str, told: bytes) -> None:
    async with application() as app, gateway(app, upstream=upstream) as gate:
        await gate.once(b"GET /public/a HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        line = app.requests[0].split(b"\r\n")[1]
        assert line == b"Host: " + (told % app.port if b"%d" in told else told)
        canonical = host.lower().replace(b".:", b":")
        assert b"\r\nX-Forwarded-Host: " + canonical + b"\r\n" in app.requests[0]


# --- alone ---


def a_place(more: str = "") -> tuple[RequestTables, Memo]:
    snapshot = sample_snapshot(files(9001, gateway=more))
    places = RequestTables(snapshot, Pools(None, None, None), iter(range(100)))  # type: ignore[arg-type]
    return places, Memo("127.0.0.1", "http")


def test_it_is_told_again_only_where_something_may_have_changed() -> None:
    places, memo = a_place()
    place = places.find(HOST)
    memo.tell_forwarded(place, {}, places)
    assert memo.host is place
    places, memo = a_place(LISTED)
    memo.tell_forwarded(places.find(HOST), {FORWARDED_FOR: b"192.0.2.7", FORWARDED_PROTO: b"https"}, places)
    assert (memo.host, memo.chain, memo.scheme) == (None, ("192.0.2.7", "127.0.0.1"), "https")


def test_a_snapshot_that_lists_the_peer_no_longer_is_believed() -> None:
    before, memo = a_place(LISTED)
    after, _ = a_place()
    assert memo.is_trusted(before.snapshot)
    assert not memo.is_trusted(after.snapshot)


def test_a_cookie_line_that_was_refused_is_refused_again() -> None:
    places, memo = a_place()
    place = places.find(HOST)
    ours, twice = b"a=1; __Host-ecluse=" + COOKIE, b"__Host-ecluse=a; __Host-ecluse=b"
    for cookie in (ours, twice, twice, ours):
        if cookie is twice:
            with pytest.raises(GatewayError):
                memo.cookie_parts(cookie, place)
        else:
            assert memo.cookie_parts(cookie, place) == (COOKIE, b"a=1")


def test_a_cookie_line_is_read_as_the_application_has_it_read() -> None:
    """The same line is another one's to another application, or under another snapshot."""
    memo = a_place()[1]
    for injected, rest in (("CTSESSION", b"a=1"), ("a", b"CTSESSION=x"), ("CTSESSION", b"a=1")):
        app = files(9001)["apps/permis.yaml"].replace("CTSESSION", injected)
        places = RequestTables(
            sample_snapshot(files(9001) | {"apps/permis.yaml": app}),
            Pools(None, None, None),
            iter(range(100)),  # type: ignore[arg-type]
        )
        assert memo.cookie_parts(b"a=1; CTSESSION=x", places.find(HOST)) == (None, rest)


def test_a_peer_without_an_address_is_trusted_by_nobody() -> None:
    places, _ = a_place("trusted_proxies: [0.0.0.0/0]\n")
    memo = Memo("unknown", "http")
    memo.tell_forwarded(places.find(HOST), {FORWARDED_FOR: b"192.0.2.7"}, places)
    assert (memo.trusted, memo.chain) == (False, ("unknown",))


def test_who_a_client_is_is_remembered_for_what_it_was_told_by() -> None:
    places, memo = a_place(LISTED)
    here, there = places.find(HOST), places.find(HOST + b":1")
    tls = Memo("127.0.0.1", "https")
    seen = set()
    for each in (memo, tls, memo):
        for place in (here, there):
            for said in ({}, {FORWARDED_FOR: b"192.0.2.7"}, {FORWARDED_PROTO: b"https"}, {FORWARDED_FOR: b"192.0.2.8"}):
                each.tell_forwarded(place, said, places)
                seen.add((each.chain, each.scheme, each.forwarded))
                assert each.forwarded == place.authority.join(around_host(each.chain, each.scheme))
    assert len(places.clients) == 8
    assert len(seen) == 12  # over TLS, who says https says nothing new
    for number in range(10_000):
        memo.tell_forwarded(here, {FORWARDED_FOR: b"192.0.2.%d" % number}, places)
    memo.tell_forwarded(here, {FORWARDED_FOR: b", ".join([b"192.0.2.7"] * 40)}, places)
    assert len(places.clients) == remembered._NEWCOMERS
    assert max(len(said[2] or b"") for said in places.clients) <= 256


async def test_a_flood_of_addresses_behind_a_listed_proxy_evicts_nobody_who_is_signed_in() -> None:
    """Invariant 15."""
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="jdupont")
        theirs = [b"192.0.2.%d" % number for number in range(100)]
        for address in theirs:
            await client.ask(ask(b"GET /a", cookie, b"X-Forwarded-For: " + address))
        tables, front = gate.plane.tables, Peer("127.0.0.1", listed=True)
        for number in range(10_000):
            tables.learn_client(("127.0.0.1", "http", b"10.0.%d.%d" % divmod(number, 100), None), front)
        known = {said[2] for said in tables.clients}
        assert known >= set(theirs)
        assert b"10.0.0.0" not in known
