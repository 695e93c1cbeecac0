"""An application at several addresses, on real sockets: who gets what, and what happens where one fails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from deploy.demo.ports import free
from gateway.proxy.upstream.group import AddressGroup
from tests.config.samples import sample_snapshot
from tests.proxy.applications import OK, Application, Peer, application, closing
from tests.proxy.gateways import HOST, Gateway, ask, files, gateway
from tests.proxy.stand_ins import Holder

PUBLIC = ask(b"GET /public/a")
POST = ask(b"POST /public/a", b"Content-Length: 4", body=b"form")


def others(*ports: int) -> str:
    return "others: [" + ", ".join(f'"http://127.0.0.1:{port}"' for port in ports) + "]"


@asynccontextmanager
async def several(count: int, upstream: str = "") -> AsyncIterator[tuple[Gateway, list[Application]]]:
    """`count` servers of one application. `upstream`: more of what its file says."""
    async with application() as first, application() as second, application() as third:
        apps = [first, second, third][:count]
        more = others(*(app.port for app in apps[1:])) + (f", {upstream}" if upstream else "")
        async with gateway(first, upstream=more) as gate:
            yield gate, apps


def group_of(gate: Gateway) -> AddressGroup:
    found = gate.plane.tables.find(HOST).lane.group
    assert found is not None
    return found


def counts(apps: list[Application]) -> list[int]:
    return [len(app.requests) for app in apps]


async def test_requests_are_divided_one_after_the_other() -> None:
    async with several(3) as (gate, apps):
        for _ in range(6):
            assert (await gate.once(PUBLIC)).status == 200
        assert counts(apps) == [2, 2, 2]
        assert [len(app.peers) for app in apps] == [1, 1, 1], "and each keeps its connection"
        assert [member.in_flight for member in group_of(gate).members] == [0, 0, 0]


async def test_the_fewest_under_way_gets_the_next() -> None:
    async with several(3, "balance: least_connections") as (gate, apps):
        for app in apps[:2]:
            app.then = None
        slow = []
        while not all(app.requests for app in apps[:2]):
            slow.append(client := await gate.client())
            client.send(PUBLIC)
            await gate.until(lambda: sum(counts(apps)) == len(slow))
        before = counts(apps)
        for _ in range(4):
            assert (await gate.once(PUBLIC)).status == 200
        assert counts(apps) == [*before[:2], before[2] + 4]
        for client in slow:
            client.close()
        await gate.until(lambda: not any(member.in_flight for member in group_of(gate).members))


async def test_one_session_has_one_address_and_sessions_are_spread() -> None:
    async with several(3, "balance: seat") as (gate, apps):
        used = set()
        for number in range(24):
            line = gate.sign_in(b"%043d" % number)
            seat = gate.sessions.hot[b"%043d" % number]
            seat.session_id = f"session-{number}"
            before = counts(apps)
            for _ in range(3):
                assert (await gate.once(ask(b"GET /page", line))).status == 200
            gone = [after - was for after, was in zip(counts(apps), before, strict=True)]
            assert sorted(gone) == [0, 0, 3]
            used.add(gone.index(3))
        assert used == {0, 1, 2}


# --- one that fails ---


async def test_where_no_connection_opens_another_gets_it_whatever_the_method() -> None:
    """Nothing was sent."""
    async with application() as app, gateway(free(1)[0], upstream=others(app.port)) as gate:
        for raw in (PUBLIC, POST, PUBLIC, POST):
            assert (await gate.once(raw)).status == 200
        assert len(app.requests) == 4


async def test_a_request_that_could_not_be_sent_goes_on_within_the_budget() -> None:
    async with application() as app, gateway(free(1)[0], upstream=others(app.port) + ", retries: 0") as gate:
        assert sorted([(await gate.once(PUBLIC)).status for _ in range(2)]) == [200, 502]
        assert len(app.requests) == 1


async def test_it_is_put_out_and_said_once_and_tried_later() -> None:
    port = free(1)[0]
    more = ", circuit: {failures: 2, pause: 5s}"
    async with application() as app, gateway(port, upstream=others(app.port) + more) as gate:
        for _ in range(12):
            assert (await gate.once(PUBLIC)).status == 200
        assert gate.log.named("upstream.out") == [{"app": "permis", "upstream": f"127.0.0.1:{port}", "seconds": 5.0}]
        await gate.clock.passes(5.0)
        async with application(port=port) as back:
            for _ in range(4):
                assert (await gate.once(PUBLIC)).status == 200
            assert len(back.requests) == 2
        assert [event for event, _ in gate.log.events] == ["upstream.out", "upstream.in"]


async def test_one_that_comes_back_gets_little_at_first() -> None:
    port = free(1)[0]
    more = ", slow_start: 100s, circuit: {failures: 1, pause: 5s}"
    async with application() as app, gateway(port, upstream=others(app.port) + more) as gate:
        for _ in range(2):
            assert (await gate.once(PUBLIC)).status == 200
        await gate.clock.passes(5.0)
        async with application(port=port) as back:
            for _ in range(41):
                assert (await gate.once(PUBLIC)).status == 200
            # One has tried it. Of the others half would be its own, and a tenth of these are.
            assert 2 <= len(back.requests) <= 4
            await gate.clock.passes(100.0)
            before = len(back.requests)
            for _ in range(20):
                assert (await gate.once(PUBLIC)).status == 200
            assert len(back.requests) - before >= 9
        assert [event for event, _ in gate.log.events] == ["upstream.out", "upstream.in"]


async def test_one_in_slow_start_gets_all_where_there_is_no_other() -> None:
    port, other = free(1)[0], free(1)[0]
    more = ", slow_start: 100s, circuit: {failures: 1, pause: 5s}"
    async with gateway(port, upstream=others(other) + more) as gate:
        for _ in range(2):
            await gate.once(PUBLIC)
        await gate.clock.passes(5.0)
        async with application(port=port) as back:
            answers = [(await gate.once(PUBLIC)).status for _ in range(10)]
            assert answers == [200] * 10
            assert len(back.requests) == 10


async def test_where_none_answers_it_is_503_and_no_connection_is_tried() -> None:
    ports = free(1)[0], free(1)[0]
    async with gateway(ports[0], upstream=others(ports[1]) + ", circuit: {failures: 1}") as gate:
        assert (await gate.once(PUBLIC)).status == 502
        answer = await gate.once(PUBLIC)
        assert answer.status == 503
        assert gate.log.events[-1][1]["code"] == "upstream.none"


async def test_an_application_with_one_address_has_a_circuit_where_its_file_says_so() -> None:
    async with gateway(free(1)[0], upstream="circuit: {failures: 2}") as gate:
        assert [(await gate.once(PUBLIC)).status for _ in range(4)] == [502, 502, 503, 503]


async def test_a_get_without_an_answer_goes_to_another_one() -> None:
    async with several(2) as (gate, apps):
        apps[1].then = closing(b"")
        for _ in range(4):
            assert (await gate.once(PUBLIC)).status == 200
        assert len(apps[0].requests) == 4


@pytest.mark.parametrize(
    "raw",
    [
        POST,
        ask(b"POST /public/a", b"Content-Length: 0"),
        ask(b"PUT /public/a", b"Content-Length: 1", body=b"x"),
        ask(b"GET /public/a", b"Content-Length: 1", body=b"x"),
    ],
)
async def test_what_may_have_been_done_is_not_sent_again(raw: bytes) -> None:
    async with several(2) as (gate, apps):
        for app in apps:
            app.then = closing(b"")
        assert (await gate.once(raw)).status == 502
        assert sum(counts(apps)) == 1


async def test_a_response_that_has_begun_is_not_asked_for_again() -> None:
    async with several(2) as (gate, apps):
        for app in apps:
            app.then = closing(b"HTTP/1.1 200 OK\r\nContent-Le")
        assert (await gate.once(PUBLIC)).status == 502
        assert sum(counts(apps)) == 1


async def test_it_is_sent_again_once_and_within_the_budget() -> None:
    async with several(2, "retries: 0") as (gate, apps):
        apps[0].then = apps[1].then = closing(b"")
        assert (await gate.once(PUBLIC)).status == 502
        assert sum(counts(apps)) == 1
    async with several(2) as (gate, apps):
        apps[0].then = apps[1].then = closing(b"")
        assert (await gate.once(PUBLIC)).status == 502
        assert sum(counts(apps)) == 2


async def test_requests_that_fail_take_no_last_address_away() -> None:
    """A person who knows a request that the application dies of would close it for everybody."""
    async with several(2, "circuit: {failures: 1}, retries: 0") as (gate, apps):
        for app in apps:
            app.then = closing(b"")
        for _ in range(10):
            assert (await gate.once(PUBLIC)).status == 502
        for app in apps:
            app.then = OK
        assert (await gate.once(PUBLIC)).status == 200


@pytest.mark.parametrize(("raw", "said"), [(POST, b""), (PUBLIC, b"HTTP/1.1 200 OK\r\nContent-Le")])
async def test_what_is_never_sent_again_takes_nothing_of_the_budget(raw: bytes, said: bytes) -> None:
    async with several(2, "retries: 1") as (gate, apps):
        apps[0].then = apps[1].then = closing(said)
        for _ in range(12):
            assert (await gate.once(raw)).status == 502
        assert sum(counts(apps)) == 12
        apps[0].then = apps[1].then = closing(b"")
        assert (await gate.once(PUBLIC)).status == 502
        assert sum(counts(apps)) == 14


async def test_an_address_that_says_nothing_is_put_out_and_the_last_one_is_not() -> None:
    async with several(2, "timeout: 5s, circuit: {failures: 1, pause: 1h}") as (gate, apps):
        apps[0].then = apps[1].then = None
        for number in range(3):
            client = await gate.client()
            client.send(PUBLIC)
            await gate.until(lambda number=number: sum(counts(apps)) == number + 1)
            await gate.clock.passes(6)
            assert (await client.answer()).status == 504
        assert sorted(counts(apps)) == [1, 2]
        assert len(gate.log.named("upstream.out")) == 1


async def test_one_application_takes_no_connection_of_another() -> None:
    async with several(2) as (gate, _), several(2) as (other, _):
        await gate.once(PUBLIC)
        connection = next(one.idle[0] for one in group_of(gate).members if one.idle)
        assert all(connection.is_free_in(one) for one in group_of(gate).members)
        assert not any(connection.is_free_in(one) for one in group_of(other).members)


async def test_each_address_is_judged_at_every_connect() -> None:
    async with several(2) as (gate, apps):
        gate.own.add(("127.0.0.1", apps[1].port))
        statuses = [(await gate.once(PUBLIC)).status for _ in range(4)]
        assert sorted(statuses) == [200, 200, 502, 502]
        assert not apps[1].peers


async def test_what_is_bound_to_a_person_stays_at_one_address() -> None:
    """NTLM is spoken on one connection: the next address would ask anew."""
    async with several(3) as (gate, apps):
        client = await gate.client()
        for _ in range(4):
            assert (await client.ask(ask(b"GET /public/a", b"Authorization: NTLM TlRM"))).status == 200
        assert sorted(counts(apps)) == [0, 0, 4]
        assert sum(len(app.peers) for app in apps) == 1


async def test_a_reload_that_changes_nothing_of_them_keeps_how_they_stand() -> None:
    async with several(2) as (gate, apps):
        await gate.once(PUBLIC)
        before = group_of(gate)
        more = others(apps[1].port)
        assert isinstance(gate.plane.holder, Holder)
        gate.plane.holder.snapshot = sample_snapshot(files(apps[0].port, upstream=more, app="# a remark\n"))
        gate.plane.snapshot_swapped()
        assert group_of(gate) is before
        gate.plane.holder.snapshot = sample_snapshot(files(apps[0].port))
        gate.plane.snapshot_swapped()
        assert gate.plane.tables.find(HOST).lane.group is None
        assert (await gate.once(PUBLIC)).status == 200


async def test_a_client_that_leaves_gives_its_place_back() -> None:
    async with several(2) as (gate, apps):
        for app in apps:
            app.then = None
        client = await gate.client()
        client.send(PUBLIC)
        await gate.until(lambda: sum(counts(apps)) == 1)
        assert sum(member.in_flight for member in group_of(gate).members) == 1
        client.close()
        await gate.until(lambda: not any(member.in_flight for member in group_of(gate).members))


def _reset(peer: Peer) -> None:
    peer.reset()


async def test_resets_count_as_closed_connections_do() -> None:
    async with several(2, "circuit: {failures: 1, pause: 1h}") as (gate, apps):
        apps[1].then = _reset
        for _ in range(6):
            assert (await gate.once(PUBLIC)).status == 200
        assert len(apps[1].requests) == 1


# --- as many as may be at once ---


async def test_what_is_beyond_waits_for_its_turn_and_what_is_beyond_that_is_told_so() -> None:
    async with application(then=None) as app, gateway(app, upstream="concurrency: 2, queue: 1") as gate:
        clients = [await gate.client() for _ in range(4)]
        for number, client in enumerate(clients[:2]):
            client.send(PUBLIC)
            await gate.until(lambda number=number: len(app.requests) == number + 1)
        clients[2].send(POST)
        (member,) = group_of(gate).members
        await gate.until(lambda: len(member._queue) == 1)
        answer = await clients[3].ask(PUBLIC)
        assert answer.status == 503
        assert len(app.requests) == 2
        app.peers[0].send(OK)
        assert (await clients[0].answer()).status == 200
        await gate.until(lambda: len(app.requests) == 3)
        assert app.requests[2].endswith(b"form")
        assert len(app.peers) == 2, "on the connection that became free"
        app.peers[0].send(OK)
        app.peers[1].send(OK)
        assert [(await client.answer()).status for client in clients[1:3]] == [200, 200]
        await gate.until(lambda: member.in_flight == 0)
        assert gate.log.named("upstream.busy") == [{"app": "permis"}]


async def test_a_request_right_behind_a_response_goes_before_nobody_who_waits() -> None:
    async with application(then=None) as app, gateway(app, upstream="concurrency: 1, queue: 2") as gate:
        first, waits = await gate.client(), await gate.client()
        first.send(PUBLIC)
        await gate.until(lambda: len(app.requests) == 1)
        waits.send(ask(b"GET /public/waits"))
        (member,) = group_of(gate).members
        await gate.until(lambda: len(member._queue) == 1)
        first.send(ask(b"GET /public/behind"))
        asked = [b"/public/a", b"/public/waits", b"/public/behind"]
        for number, path in enumerate(asked, 1):
            await gate.until(lambda number=number: len(app.requests) >= number)
            assert len(app.requests) == number
            assert path in app.requests[-1]
            app.peers[-1].send(OK)
        await gate.until(lambda: member.in_flight == 0)


async def test_who_leaves_the_queue_or_its_turn_keeps_nobody_from_it() -> None:
    async with application(then=None) as app, gateway(app, upstream="concurrency: 1, queue: 3") as gate:
        clients = [await gate.client() for _ in range(4)]
        (member,) = group_of(gate).members
        clients[0].send(PUBLIC)
        await gate.until(lambda: len(app.requests) == 1)
        for number, client in enumerate(clients[1:], 1):
            client.send(PUBLIC)
            await gate.until(lambda number=number: len(member._queue) == number)
        clients[1].close()
        await gate.until(lambda: len(member._queue) == 2)
        clients[0].close()
        await gate.until(lambda: len(app.requests) == 2)
        app.peers[-1].send(OK)
        assert (await clients[2].answer()).status == 200
        await gate.until(lambda: len(app.requests) == 3)
        app.peers[-1].send(OK)
        assert (await clients[3].answer()).status == 200
        await gate.until(lambda: member.in_flight == 0)


async def test_nobody_waits_longer_for_a_turn_than_for_a_connection() -> None:
    short = "timeouts: {connect: 50ms}\n"
    async with application(then=None) as app, gateway(app, upstream="concurrency: 1, queue: 3", gateway=short) as gate:
        client = await gate.client()
        client.send(PUBLIC)
        await gate.until(lambda: len(app.requests) == 1)
        assert (await gate.once(PUBLIC)).status == 503
        (member,) = group_of(gate).members
        assert not member._queue
        assert member.in_flight == 1


async def test_where_one_address_has_all_that_it_may_another_gets_it() -> None:
    async with several(2, "concurrency: 1, queue: 0") as (gate, apps):
        apps[0].then = apps[1].then = None
        clients = [await gate.client() for _ in range(2)]
        for number, client in enumerate(clients):
            client.send(PUBLIC)
            await gate.until(lambda number=number: sum(counts(apps)) == number + 1)
        assert counts(apps) == [1, 1]
        apps[0].then = apps[1].then = OK
        assert (await gate.once(PUBLIC)).status == 503
        apps[1].peers[0].send(OK)
        await gate.until(lambda: group_of(gate).members[1].in_flight == 0)
        for _ in range(4):
            assert (await gate.once(PUBLIC)).status == 200
        assert counts(apps) == [1, 5]
        for client in clients:
            client.close()


async def test_a_flood_beyond_what_may_be_leaves_nothing_behind() -> None:
    """By counts: what is under way at the application never passes the limit, and each request has an answer."""
    async with application(then=None) as app, gateway(app, upstream="concurrency: 4, queue: 4") as gate:
        clients = [await gate.client() for _ in range(40)]
        for client in clients:
            client.send(PUBLIC)
        served = 0
        waiting = [asyncio.ensure_future(client.answer()) for client in clients]
        await gate.until(lambda: sum(one.done() for one in waiting) == 32)
        while served < 8:
            await gate.until(lambda served=served: len(app.requests) > served)
            assert len(app.requests) - served <= 4
            for peer in app.peers:
                if peer.received.count(b"GET ") > peer.answered:
                    peer.answered += 1
                    peer.send(OK)
                    served += 1
        statuses = [answer.status for answer in await asyncio.gather(*waiting)]
        assert (statuses.count(200), statuses.count(503)) == (8, 32)
        (member,) = group_of(gate).members
        await gate.until(lambda: member.in_flight == 0)
        assert len(app.peers) == 4


# --- health checks ---

HEALTH = "health: {path: /up, every: 5s, within: 2s, failures: 2}"
GONE = b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"


async def rounds(gate: Gateway, apps: list[Application], count: int = 1) -> None:
    """So many more checks of each address, and what came of them."""
    for _ in range(count):
        before = [len(app.peers) for app in apps]
        await gate.clock.passes(5.5)
        await gate.until(lambda before=before: all(len(app.peers) > was for app, was in zip(apps, before, strict=True)))
        checks = group_of(gate)._checks
        assert checks is not None
        assert checks._round is not None
        await checks._round


async def test_an_address_that_fails_its_checks_gets_nothing_until_it_answers_well() -> None:
    async with several(2, HEALTH) as (gate, apps):
        assert (await gate.once(PUBLIC)).status == 200
        apps[1].then = GONE
        await rounds(gate, apps)
        assert gate.log.events == [], "once is none"
        await rounds(gate, apps)
        place = f"127.0.0.1:{apps[1].port}"
        assert gate.log.events == [
            ("upstream.unhealthy", {"app": "permis", "upstream": place, "detail": "it answered 500"})
        ]
        asked = counts(apps)
        for _ in range(4):
            assert (await gate.once(PUBLIC)).status == 200
        assert counts(apps) == [asked[0] + 4, asked[1]]
        apps[1].then = OK
        await rounds(gate, apps)
        assert gate.log.events[-1] == ("upstream.in", {"app": "permis", "upstream": place})
        asked = counts(apps)
        for _ in range(4):
            assert (await gate.once(PUBLIC)).status == 200
        assert counts(apps) == [asked[0] + 2, asked[1] + 2]


async def test_what_is_asked_for_names_the_host_and_no_person() -> None:
    async with several(2, HEALTH) as (gate, apps):
        await gate.once(PUBLIC)
        await rounds(gate, apps)
        asked = next(raw for raw in apps[1].requests if raw.startswith(b"GET /up "))
        assert b"\r\nHost: permis.localhost:8080\r\n" in asked
        assert b"Cookie" not in asked
        assert b"CTSESSION" not in asked


async def test_where_all_fail_their_checks_it_is_503() -> None:
    async with several(2, HEALTH) as (gate, apps):
        await gate.once(PUBLIC)
        apps[0].then = apps[1].then = closing(b"")
        await rounds(gate, apps, 2)
        assert (await gate.once(PUBLIC)).status == 503


async def test_a_check_is_judged_as_any_connection() -> None:
    async with several(2, HEALTH) as (gate, apps):
        await gate.once(PUBLIC)
        gate.own.add(("127.0.0.1", apps[1].port))
        before = len(apps[1].peers)
        await rounds(gate, apps[:1], 2)
        assert len(apps[1].peers) == before
        assert "where this gateway listens itself" in str(gate.log.named("upstream.unhealthy")[0]["detail"])


async def test_a_check_follows_no_redirect() -> None:
    async with several(2, HEALTH) as (gate, apps), application() as elsewhere:
        await gate.once(PUBLIC)
        place = b"http://127.0.0.1:%d/up" % elsewhere.port
        apps[1].then = b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % place
        await rounds(gate, apps, 2)
        assert gate.log.named("upstream.unhealthy")[0]["detail"] == "it answered 302"
        assert not elsewhere.peers


async def test_checks_end_with_the_addresses() -> None:
    async with several(2, HEALTH) as (gate, apps):
        await gate.once(PUBLIC)
        assert isinstance(gate.plane.holder, Holder)
        gate.plane.holder.snapshot = sample_snapshot(files(apps[0].port))
        gate.plane.snapshot_swapped()
        before = [len(app.peers) for app in apps]
        await gate.clock.passes(60)
        assert [len(app.peers) for app in apps] == before
