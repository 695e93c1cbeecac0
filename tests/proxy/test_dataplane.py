"""What the connections of a worker share: ids, limits, counters, revocation, drain, another snapshot."""

import asyncio
from dataclasses import replace

import pytest

from gateway.proxy import dataplane, revalidation
from gateway.proxy.lasting import LastingClient
from gateway.proxy.retired import _KEPT
from gateway.proxy.upstream.pool import Pool
from tests.calls import traced
from tests.config.samples import METROPOLE, sample_snapshot
from tests.patience import PATIENCE
from tests.proxy.applications import OK, SOON, Peer, application
from tests.proxy.certificates import client_side, server_side
from tests.proxy.gateways import SIGNED_IN, Client, Gateway, ask, blot, files, forwarded, gateway, reached
from tests.proxy.stand_ins import COOKIE, Holder, identity, seat

PUBLIC = ask(b"GET /public/a")
STREAM = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegun"


def request_id(request: bytes) -> bytes:
    return request.split(b"\r\nX-Request-Id: ")[1].partition(b"\r\n")[0]


async def test_each_request_has_an_id_of_ours() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(50):
            await client.ask(ask(b"GET /public/a", b"X-Request-Id: forged"))
        ids = list(map(request_id, app.requests))
        assert len(set(ids)) == 50
        assert {len(one) for one in ids} == {32}
        assert all(int(one, 16) >= 0 for one in ids)


# --- TLS ---


async def test_a_listener_that_speaks_tls() -> None:
    async with application() as app, gateway(app, tls=server_side()) as gate:
        client = await gate.client(client_side())
        for _ in range(2):
            assert (await client.ask(PUBLIC)).body == b"ok"
        secure = reached(b"GET /public/a").replace(forwarded(), forwarded(scheme="https"))
        assert blot(app.requests[0]) == secure


@pytest.mark.slow
async def test_a_tls_client_gets_its_early_answer_and_an_end() -> None:
    async with application() as app, gateway(app, tls=server_side()) as gate:
        client = await gate.client(client_side())
        client.send(ask(b"POST /private", b"Content-Length: 60000", body=bytes(1000)))
        assert (await client.answer()).status == 401
        await gate.clock.passes(3)
        await gate.until(lambda: not gate.plane.connections)
        assert app.peers == []


# --- limits on connections ---


async def test_one_client_has_so_many_connections_and_no_more() -> None:
    async with application() as app, gateway(app, gateway="limits: {connections_per_client: 3}\n") as gate:
        clients = [await gate.client() for _ in range(3)]
        assert (await clients[0].ask(PUBLIC)).status == 200
        surplus = await gate.client()
        answer = await surplus.answer()
        assert (answer.status, answer.body.split()[0]) == (503, b"limit.connections")
        assert await surplus.is_closed()
        surplus.close()
        clients[0].close()
        await gate.until(lambda: len(gate.plane.connections) == 2)
        assert (await gate.once(PUBLIC)).status == 200


async def test_a_listed_proxy_may_have_more_but_not_more_than_all() -> None:
    text = "limits: {connections_per_client: 1, connections: 3}\ntrusted_proxies: [127.0.0.1]\n"
    async with application() as app, gateway(app, gateway=text) as gate:
        clients = [await gate.client() for _ in range(3)]
        for client in clients:
            assert (await client.ask(PUBLIC)).status == 200
        assert (await (await gate.client()).answer()).status == 503


# --- revocation ---


@pytest.mark.slow
@pytest.mark.parametrize("ago", [-3600.0, 3600.0])
async def test_a_revoked_seat_cuts_what_streams_for_it(ago: float) -> None:
    """What has just begun is about to end, and may; what has streamed for longer is cut at once."""
    async with application(STREAM, STREAM) as app, gateway(app) as gate:
        cookie = gate.sign_in()
        other = gate.sign_in(b"z" * 22 + b"." + b"1" * 43, uid="amartin")
        one, two = await gate.client(), await gate.client()
        for client, line in ((one, cookie), (two, other)):
            client.send(ask(b"GET /a", line))
            await client.reader.readuntil(b"begun")
        for connection in gate.plane.connections:
            connection.request.started -= ago
        (streaming,) = (each for each in gate.plane.connections if each.request.seat.cookie == COOKIE)
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        if ago < 0:
            await gate.clock.passes(4)
            assert streaming.active.under_way
            await gate.clock.passes(2)
        assert not streaming.active.under_way
        assert await one.is_closed()
        assert await two.is_open()
        assert (await gate.once(ask(b"GET /a", SIGNED_IN))).status == 401


@pytest.mark.slow
async def test_an_answer_that_ends_soon_after_a_revocation_ends_whole() -> None:
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /a", gate.sign_in()))
        await app.request()
        (connection,) = gate.plane.connections
        connection.request.started += 3600
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        app.peers[0].send(OK)
        assert (await client.answer()).body == b"ok"
        await gate.clock.passes(10)
        assert await client.is_open()


# --- drain ---


async def test_drain_answers_what_is_under_way_and_says_close() -> None:
    async with application(None) as app, gateway(app) as gate:
        busy, idle = await gate.client(), await gate.client()
        await idle.ask(ask(b"GET /nowhere"))
        busy.send(PUBLIC)
        await app.request()
        drained = asyncio.create_task(gate.plane.drain(2 * PATIENCE))
        await gate.until(lambda: gate.plane.draining)
        late = await idle.ask(PUBLIC)
        assert (late.status, late.values(b"Connection")) == (200, [b"close"])
        assert not drained.done()
        app.peers[0].send(OK)
        answer = await busy.answer()
        assert (answer.body, answer.values(b"Connection")) == (b"ok", [b"close"])
        assert await drained == 0


async def test_drain_lets_idle_connections_go_after_a_moment() -> None:
    async with application() as app, gateway(app) as gate:
        client, fresh = await gate.client(), await gate.client()
        await client.ask(PUBLIC)
        drained = asyncio.create_task(gate.plane.drain(2 * PATIENCE))
        await gate.until(lambda: gate.plane.draining)
        await gate.clock.passes(0.5)
        assert await client.is_open()
        assert await fresh.is_open()
        await gate.clock.passes(1)
        assert await drained == 0
        assert await client.is_closed()
        assert await fresh.is_closed()


async def test_drain_gives_a_connection_a_moment_after_a_long_response_that_promised_to_keep_it() -> None:
    async with application(STREAM) as app, gateway(app) as gate:
        client, idle = await gate.client(), await gate.client()
        await idle.ask(ask(b"GET /nowhere"))
        client.send(PUBLIC)
        await client.reader.readuntil(b"begun")
        drained = asyncio.create_task(gate.plane.drain(2 * PATIENCE))
        await gate.until(lambda: gate.plane.draining)
        await gate.clock.passes(1.5)
        assert await idle.is_closed()
        app.peers[0].send(b"x" * 995)
        await client.reader.readexactly(995)
        await gate.clock.passes(0.5)
        assert await client.is_open()
        late = await client.ask(PUBLIC)
        assert (late.status, late.values(b"Connection")) == (200, [b"close"])
        assert await drained == 0


async def test_drain_cuts_what_does_not_end() -> None:
    async with application(STREAM) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await client.reader.readuntil(b"begun")
        assert await gate.plane.drain(0.1) == 1
        assert await client.is_closed()


# --- another snapshot ---


async def test_the_next_request_is_decided_by_the_new_snapshot() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        client = await gate.client()
        assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        changed = files(app.port)
        changed["apps/permis.yaml"] = changed["apps/permis.yaml"].replace(
            "/**, allow: signed_in", "/**, allow: {group: x}"
        )
        gate.plane.holder.snapshot = sample_snapshot(changed)
        assert (await client.ask(ask(b"GET /a", cookie))).status == 403
        gate.plane.snapshot_swapped()
        assert (await gate.once(ask(b"GET /a", cookie))).status == 403
        assert len(app.peers) == 1


async def test_a_request_under_way_ends_as_it_began() -> None:
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await app.request()
        changed = files(app.port)
        changed["apps/permis.yaml"] = changed["apps/permis.yaml"].replace("permis.localhost", "other.localhost")
        gate.plane.holder.snapshot = sample_snapshot(changed)
        gate.plane.snapshot_swapped()
        app.peers[0].send(OK)
        assert (await client.answer()).status == 200
        assert (await client.ask(PUBLIC)).status == 421


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n"
DENIES = {"/**, allow: signed_in": "/**, allow: {group: x}"}
STILL_ALLOWS = {"/**, allow: signed_in": "/**, allow: {claim: {name: uid, equals: jdupont}}"}


def take(gate: Gateway, port: int, changes: dict[str, str]) -> None:
    """Another snapshot of the application's file."""
    changed = files(port)
    for old, new in changes.items():
        assert old in changed["apps/permis.yaml"]
        changed["apps/permis.yaml"] = changed["apps/permis.yaml"].replace(old, new)
    gate.plane.holder.snapshot = sample_snapshot(changed)
    gate.plane.snapshot_swapped()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (DENIES, b"GET /a"),
        ({"permis.localhost": "other.localhost"}, b"GET /a"),
        ({"anyone": "signed_in"}, b"GET /public/a"),
        ({"app: permis": "app: autre"}, b"GET /a"),
    ],
    ids=["denied", "host gone", "no longer public", "another application on the host"],
)
async def test_invariant_12_a_stream_ends_that_the_new_policy_would_not_let_in(
    changes: dict[str, str], path: bytes
) -> None:
    async with application(then=EVENTS) as app, gateway(app) as gate:
        headers = [] if b"public" in path else [gate.sign_in()]
        client = await gate.client()
        client.send(ask(path, *headers))
        peer = await app.peer()
        await app.request()
        take(gate, app.port, changes)
        await gate.clock.passes(6)
        await asyncio.wait_for(peer.lost.wait(), SOON)
        assert b"data: 1" in await client.rest()


@pytest.mark.slow
@pytest.mark.parametrize("path", [b"GET /a", b"GET /public/a"])
async def test_a_stream_goes_on_that_the_new_policy_lets_in_too(path: bytes) -> None:
    async with application(then=EVENTS) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(path, gate.sign_in()))
        peer = await app.peer()
        await app.request()
        take(gate, app.port, STILL_ALLOWS)
        await gate.clock.passes(20)
        assert not peer.lost.is_set()
        peer.send(b"data: 2\n\n")
        await asyncio.wait_for(client.reader.readuntil(b"data: 2\n\n"), SOON)


CLOSING = """\
  - {path: /office/**, allow: {all: [signed_in, {time: {zone: Europe/Paris, hours: "08:00-18:00"}}]}}
  - {path: /counter/**, allow: {time: {zone: Europe/Paris, hours: "08:00-18:00"}}}
  - {path: /fresh/**, allow: {max_age: 15m}}
"""


@pytest.mark.slow
async def test_invariant_12_a_stream_ends_when_the_time_does_that_let_it_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1764086100.0]  # 16:55 in Paris
    monkeypatch.setattr("gateway.proxy.request.time", lambda: clock[0])
    judged: list[bytes] = []
    judge = revalidation.rejudge

    def counting(client: LastingClient) -> None:
        judged.append(client.active.request.line.target.raw)
        judge(client)

    monkeypatch.setattr(revalidation, "rejudge", counting)
    async with application(then=EVENTS) as app, gateway(app, app=CLOSING) as gate:
        who = replace(identity(uid="jdupont"), authenticated_at=int(clock[0]))
        gate.sessions.hot[COOKIE] = seat("permis.localhost", who)

        async def opened(path: bytes) -> tuple[Client, Peer]:
            client = await gate.client()
            client.send(ask(b"GET " + path, SIGNED_IN))
            peer = await app.peer()
            await app.request()
            return client, peer

        async def goes_on(stream: tuple[Client, Peer]) -> None:
            client, peer = stream
            peer.send(b"data: 2\n\n")
            await asyncio.wait_for(client.reader.readuntil(b"data: 2\n\n"), SOON)

        async def is_cut(stream: tuple[Client, Peer]) -> None:
            await asyncio.wait_for(stream[1].lost.wait(), SOON)

        paths = (b"/office/a", b"/counter/a", b"/fresh/a", b"/a")
        office, counter, fresh, always = [await opened(path) for path in paths]
        await gate.clock.passes(16)
        assert min(map(judged.count, paths[:3])) >= 3
        for stream in (office, counter, fresh, always):
            await goes_on(stream)
        clock[0] += 16 * 60
        await gate.clock.passes(12)
        await is_cut(fresh)
        for stream in (office, counter, always):
            await goes_on(stream)
        clock[0] += 50 * 60
        await gate.clock.passes(12)
        for stream in (office, counter):
            await is_cut(stream)
        await goes_on(always)
        assert b"/a" not in judged, "no time changes what comes of it"


async def test_invariant_12_every_stream_is_judged_however_many_there_are() -> None:
    async with application(then=EVENTS) as app, gateway(app) as gate:
        cookie, peers = gate.sign_in(), []
        for _ in range(25):
            (await gate.client()).send(ask(b"GET /a", cookie))
            peers.append(await app.peer())
            await app.request()
        take(gate, app.port, DENIES)
        await asyncio.sleep(0)
        await gate.clock.passes(6)
        await gate.until(lambda: all(peer.lost.is_set() for peer in peers))


async def test_invariant_12_what_waits_for_its_connection_is_judged_when_it_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connect, waiting, go_on = Pool._connect, asyncio.Event(), asyncio.Event()

    async def slowly(pool: Pool, waiter: object) -> None:
        waiting.set()
        await go_on.wait()
        await connect(pool, waiter)

    monkeypatch.setattr(Pool, "_connect", slowly)
    async with application(then=EVENTS) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /a", gate.sign_in()))
        await waiting.wait()
        take(gate, app.port, DENIES)
        go_on.set()
        peer = await app.peer()
        await app.request()
        # The first look finds it under way; the second, so much later, that it goes on.
        await gate.clock.passes(12)
        await asyncio.wait_for(peer.lost.wait(), SOON)


async def test_invariant_5_a_session_of_a_provider_that_moved_to_another_issuer_is_not_heard() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        assert (await gate.once(ask(b"GET /a", cookie))).status == 200
        moved = METROPOLE.replace("127.0.0.1:9400", "127.0.0.1:9499")
        gate.plane.holder.snapshot = sample_snapshot({**files(app.port), "providers/metropole.yaml": moved})
        gate.plane.snapshot_swapped()
        assert (await gate.once(ask(b"GET /a", cookie))).status == 401
        assert len(app.requests) == 1


# --- counters ---


async def test_counters_are_taken_over_in_small_steps_and_nothing_is_lost() -> None:
    """Invariant 14."""
    async with application() as app, gateway(app) as gate:
        client, plane = await gate.client(), gate.plane
        await client.ask(PUBLIC)
        (lane,) = plane.tables.lanes
        lanes = [plane.tables.make_lane(lane.app) for _ in range(5000)]
        for one in lanes:
            one.statuses[2] = 1
        plane.tables._lanes.update({str(number): one for number, one in enumerate(lanes)})
        steps = sum(1 for _ in plane.flushing())
        assert steps == 1 + 5001 // dataplane._LANES_IN_A_STEP
        assert gate.counters.values["ecluse_http_requests_total", "permis", "2xx"] == 5001
        with traced() as calls:
            plane.flush()
        # Nothing was asked for meanwhile: two calls an application.
        assert len(calls.names) < 2.1 * 5001


async def test_what_was_counted_under_an_old_snapshot_is_counted() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        assert isinstance(gate.plane.holder, Holder)
        for _ in range(2 * _KEPT):
            await client.ask(PUBLIC)
            gate.plane.holder.snapshot = sample_snapshot(files(app.port))
            gate.plane.snapshot_swapped()
            await asyncio.sleep(0)
        gate.plane.flush()
        assert gate.counters.values["ecluse_http_requests_total", "permis", "2xx"] == 2 * _KEPT


async def test_what_is_counted() -> None:
    async with application(OK, b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        await client.ask(PUBLIC)
        await client.ask(ask(b"GET /a"))
        await client.ask(ask(b"GET /public/a", b"X-Remote-User: forged"))
        gate.plane.flush()
        await gate.once(ask(b"GET /../"))
        for _ in range(2):
            gate.plane.flush()
        values = gate.counters.values
        assert values["ecluse_http_requests_total", "permis", "2xx"] == 2
        assert values["ecluse_http_requests_total", "permis", "5xx"] == 1
        assert values["ecluse_http_requests_total", "permis", "4xx"] == 1
        assert values["ecluse_policy_decisions_total", "permis", "allow", "policy.allowed"] == 3
        assert values["ecluse_policy_decisions_total", "permis", "challenge", "session.required"] == 1
        assert values["ecluse_headers_stripped_total", "permis"] == 1
        assert values["ecluse_http_refusals_total", "wire.target"] == 1
        assert values["ecluse_http_connections_total",] == 2
        assert len(gate.counters.spent) == 3


async def test_a_fault_says_where_and_not_what(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError(COOKIE)

    async with application() as app, gateway(app) as gate:
        monkeypatch.setattr("gateway.proxy.client.ClientConnection._forward", broken)
        gate.faults = 1
        answer = await gate.once(PUBLIC)
        assert (answer.status, answer.values(b"Connection"), app.peers) == (500, [b"close"], [])
        (event,) = gate.log.named("gateway.fault")
        assert str(event["detail"]).startswith("ValueError at test_dataplane.py:")
        assert COOKIE.decode() not in str(gate.log.events)
