"""Connections to applications: kept, tried again, bound to a person, over TLS."""

import asyncio
import ssl

import pytest

from gateway.config.exchange_limits import Timeouts
from gateway.config.upstream_settings import Upstream
from gateway.ops import upstream_tls
from gateway.ops.upstream_tls import upstream_context
from gateway.proxy.upstream.pool import Pool, Shared
from tests.config.samples import sample_snapshot
from tests.proxy.applications import OK, SOON, Peer, application, closing
from tests.proxy.certificates import authority_pem, server_side
from tests.proxy.gateways import APP, SIGNED_IN, Gateway, ask, blot, gateway, reached
from tests.proxy.stand_ins import COOKIE, Holder

PUBLIC = ask(b"GET /public/a")
NEIGHBOUR = PUBLIC.replace(b"permis.localhost", b"voirie.localhost")


def neighbours(port: int, **changed: str) -> dict[str, str | None]:
    """Two applications on one server. `changed`: more of the upstream of one of them."""
    url = f"http://127.0.0.1:{port}"
    texts = {name: APP.format(url=url, upstream=changed.get(name, ""), more="") for name in ("permis", "voirie")}
    other = texts["voirie"].replace("permis.localhost", "voirie.localhost").replace("app: permis", "app: voirie")
    return {"apps/permis.yaml": texts["permis"], "apps/voirie.yaml": other}


def swap(gate: Gateway, files: dict[str, str | None]) -> None:
    assert isinstance(gate.plane.holder, Holder)
    gate.plane.holder.snapshot = sample_snapshot(files)
    gate.plane.snapshot_swapped()


async def test_one_connection_serves_one_client_after_the_other() -> None:
    async with application() as app, gateway(app) as gate:
        for _ in range(3):
            assert (await gate.once(PUBLIC)).status == 200
        assert len(app.peers) == 1


async def test_requests_at_once_have_a_connection_each() -> None:
    async with application(None, None) as app, gateway(app) as gate:
        clients = [await gate.client() for _ in range(3)]
        for client in clients:
            client.send(PUBLIC)
            await app.request()
        assert len(app.peers) == 3
        assert (await clients[2].answer()).body == b"ok"


# --- one pool an application ---


async def test_two_applications_on_one_server_never_share_a_connection() -> None:
    """Nor what a connection keeps of the response before: a server may hold what it was told for the connection."""
    async with application() as app, gateway(app, changes=dict(neighbours(app.port))) as gate:
        for _ in range(2):
            for raw in (PUBLIC, NEIGHBOUR):
                assert (await gate.once(raw)).status == 200
        hosts = [[line for line in peer.received.split(b"\r\n") if line.startswith(b"Host:")] for peer in app.peers]
        assert hosts == [[b"Host: permis.localhost"] * 2, [b"Host: voirie.localhost"] * 2]


async def test_two_applications_share_what_they_trust_until_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's authorities would be read once for both, and anew for who comes with a reload."""
    made: list[str] = []

    def counted(upstream: Upstream) -> ssl.SSLContext:
        made.append(upstream.host)
        return upstream_context(upstream)

    monkeypatch.setattr(upstream_tls, "upstream_context", counted)
    ca, trusting = {"file:../certs/ca.pem": authority_pem()}, ", ca: {file: ../certs/ca.pem}"
    async with application(tls=server_side("127.0.0.1")) as app:
        files = neighbours(app.port, permis=trusting, voirie=trusting)
        by_tls = {name: str(text).replace("http://127", "https://127") for name, text in files.items()}
        async with gateway(app, changes=by_tls, secrets=ca) as gate:
            for raw in (PUBLIC, NEIGHBOUR):
                assert (await gate.once(raw)).status == 200
            assert len(made) == 1
            assert isinstance(gate.plane.holder, Holder)
            slower = by_tls["apps/voirie.yaml"].replace(trusting, f"{trusting}, timeout: 9s")
            gate.plane.holder.snapshot = sample_snapshot({**by_tls, "apps/voirie.yaml": slower}, ca)
            gate.plane.snapshot_swapped()
            for raw in (PUBLIC, NEIGHBOUR):
                assert (await gate.once(raw)).status == 200
            assert len(made) == 2


async def test_a_client_of_two_applications_on_one_server_has_a_bound_connection_to_one_of_them() -> None:
    async with application() as app, gateway(app, changes=dict(neighbours(app.port))) as gate:
        client = await gate.client()
        await client.ask(ask(b"GET /public/a", b"Authorization: NTLM TlRM"))
        assert (await client.ask(NEIGHBOUR)).status == 200
        assert len(app.peers) == 2
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)


async def test_a_reload_drops_the_connections_of_no_application_that_is_where_it_was() -> None:
    async with application() as app, gateway(app, changes=dict(neighbours(app.port))) as gate:
        for raw in (PUBLIC, NEIGHBOUR):
            await gate.once(raw)
        swap(gate, neighbours(app.port, voirie=", timeout: 3s"))
        for raw in (PUBLIC, NEIGHBOUR):
            assert (await gate.once(raw)).status == 200
        assert [peer.received.count(b"GET ") for peer in app.peers] == [2, 1, 1]
        await asyncio.wait_for(app.peers[1].lost.wait(), SOON)
        assert not app.peers[0].lost.is_set()


async def test_connections_to_an_application_that_is_gone_close_those_in_use_after_their_response() -> None:
    async with application(OK, None) as app, gateway(app, changes=dict(neighbours(app.port))) as gate:
        await gate.once(PUBLIC)
        client = await gate.client()
        client.send(NEIGHBOUR)
        await gate.until(lambda: len(app.requests) == 2)
        swap(gate, {**neighbours(app.port), "apps/voirie.yaml": None})
        app.peers[1].send(OK)
        assert (await client.answer()).body == b"ok"
        await asyncio.wait_for(app.peers[1].lost.wait(), SOON)
        assert list(gate.plane._pools._by_app) == ["permis"]
        assert not app.peers[0].lost.is_set()


async def test_what_is_under_way_while_its_application_moves_ends_where_it_began() -> None:
    async with (
        application(None) as app,
        application() as other,
        gateway(app, changes=dict(neighbours(app.port))) as gate,
    ):
        client = await gate.client()
        client.send(PUBLIC)
        await app.request()
        swap(gate, neighbours(other.port))
        assert (await gate.once(PUBLIC)).status == 200
        app.peers[0].send(OK)
        assert (await client.answer()).body == b"ok"
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        assert (len(app.requests), len(other.requests)) == (1, 1)


# --- once more ---


@pytest.mark.parametrize(
    "line", [b"GET /public/b", b"HEAD /public/b", b"OPTIONS /public/b", b"PUT /public/b", b"DELETE /public/b"]
)
async def test_a_stale_connection_costs_nothing_where_a_request_may_be_sent_twice(line: bytes) -> None:
    async with application(OK, closing(b""), b"HTTP/1.1 204 No Content\r\n\r\n") as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        assert (await client.ask(ask(line))).status == 204
        assert [len(peer.received) > 0 for peer in app.peers] == [True, True]
        end = b"Content-Length: 0" if line.startswith(b"PUT") else b""
        assert list(map(blot, app.requests[1:])) == [reached(line, end=end)] * 2
        assert gate.log.named("upstream.failed") == []


@pytest.mark.parametrize(
    "raw",
    [
        ask(b"POST /public/b"),
        ask(b"PATCH /public/b"),
        ask(b"POST /public/b", b"Content-Length: 2", body=b"hi"),
        ask(b"PUT /public/b", b"Content-Length: 2", body=b"hi"),
        ask(b"PUT /public/b", b"Transfer-Encoding: chunked", body=b"2\r\nhi\r\n0\r\n\r\n"),
    ],
)
async def test_what_may_not_be_sent_twice_is_not(raw: bytes) -> None:
    async with application(OK, closing(b"")) as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        answer = await client.ask(raw)
        assert (answer.status, answer.body.split()[0]) == (502, b"upstream.reset")
        assert len(app.requests) == 2


async def test_it_is_one_time_more_and_not_two() -> None:
    async with application(OK, closing(b""), closing(b"")) as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        assert (await client.ask(PUBLIC)).status == 502
        assert len(app.requests) == 3


@pytest.mark.parametrize("said", [b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
async def test_who_has_begun_to_answer_has_got_the_request(said: bytes) -> None:
    async with application(OK, closing(said)) as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        client.send(PUBLIC)
        answer = await client.answer()
        if answer.status == 103:
            answer = await client.answer()
        assert answer.status == 502
        assert len(app.requests) == 2


async def test_a_new_connection_that_is_closed_is_no_stale_one() -> None:
    async with application(closing(b"")) as app, gateway(app) as gate:
        assert (await gate.once(PUBLIC)).status == 502
        assert len(app.requests) == 1


async def test_a_connection_that_was_closed_meanwhile_is_not_taken() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        app.peers[0].close()
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        await gate.until(lambda: not any(pool.idle for pool in gate.plane._pools._by_app.values()))
        answer = await client.ask(ask(b"POST /public/a", b"Content-Length: 2", body=b"hi"))
        assert (answer.status, len(app.peers)) == (200, 2)


@pytest.mark.slow
async def test_what_may_not_be_sent_twice_takes_no_connection_that_has_waited() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(PUBLIC)
        await client.ask(ask(b"POST /public/a"))
        assert len(app.peers) == 1
        await gate.clock.passes(2)
        await client.ask(ask(b"POST /public/a"))
        assert len(app.peers) == 2
        await gate.clock.passes(2)
        await client.ask(PUBLIC)
        assert len(app.peers) == 2
        await gate.clock.passes(2)
        await client.ask(ask(b"PUT /public/a", b"Content-Length: 2", body=b"hi"))
        assert len(app.peers) == 3


# --- a connection that speaks for a person ---

NEGOTIATE = (
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"
)


@pytest.mark.parametrize("scheme", [b"NTLM TlRMTVNTUAAB", b"Negotiate YIIB", b"ntlm TlRM"])
@pytest.mark.parametrize("first", [OK, NEGOTIATE])
async def test_an_ntlm_connection_belongs_to_its_client_connection(scheme: bytes, first: bytes) -> None:
    async with application(first) as app, gateway(app) as gate:
        one, two = await gate.client(), await gate.client()
        await one.ask(ask(b"GET /public/a", b"Authorization: " + scheme))
        await two.ask(PUBLIC)
        await one.ask(PUBLIC)
        await one.ask(PUBLIC)
        assert [len(peer.received.split(b"GET ")) - 1 for peer in app.peers] == [3, 1]
        one.close()
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)
        await two.ask(PUBLIC)
        assert len(app.peers) == 2


async def test_a_challenge_alone_binds_the_connection_too() -> None:
    async with application(NEGOTIATE) as app, gateway(app) as gate:
        one, two = await gate.client(), await gate.client()
        assert (await one.ask(PUBLIC)).values(b"WWW-Authenticate") == [b"Negotiate", b"NTLM"]
        await two.ask(PUBLIC)
        assert len(app.peers) == 2


async def test_an_ntlm_connection_ends_with_its_person() -> None:
    other = b"z" * 22 + b"." + b"1" * 43
    async with application() as app, gateway(app) as gate:
        gate.sign_in(COOKIE, uid="jdupont")
        other_cookie = gate.sign_in(other, uid="amartin")
        client = await gate.client()
        await client.ask(ask(b"GET /a", SIGNED_IN, b"Authorization: NTLM TlRM"))
        await client.ask(ask(b"GET /a", SIGNED_IN))
        assert len(app.peers) == 1
        await client.ask(ask(b"GET /a", other_cookie))
        assert len(app.peers) == 2
        await asyncio.wait_for(app.peers[0].lost.wait(), SOON)


async def test_an_ntlm_connection_is_nobodys_behind_a_proxy_that_joins_many() -> None:
    async with application() as app, gateway(app, gateway="trusted_proxies: [127.0.0.1]\n") as gate:
        client = await gate.client()
        await client.ask(ask(b"GET /public/a", b"Authorization: NTLM TlRM"))
        await client.ask(PUBLIC)
        assert len(app.peers) == 2


async def test_basic_binds_nothing() -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /public/a", b"Authorization: Basic YTpi"))
        await gate.once(PUBLIC)
        assert len(app.peers) == 1


# --- TLS ---

CA = {"file:../certs/ca.pem": authority_pem()}


async def test_tls_to_an_application_of_our_own_authority() -> None:
    async with (
        application(tls=server_side()) as app,
        gateway(app, scheme="https", upstream="ca: {file: ../certs/ca.pem}", secrets=CA) as gate,
    ):
        for _ in range(2):
            assert (await gate.once(PUBLIC)).body == b"ok"
        assert blot(app.requests[0]) == reached(b"GET /public/a")
        assert len(app.peers) == 1


@pytest.mark.parametrize(
    ("name", "upstream"), [("other.localhost", "ca: {file: ../certs/ca.pem}"), ("permis.localhost", "")]
)
async def test_a_wrong_name_or_a_strangers_authority_is_a_502(name: str, upstream: str) -> None:
    secrets = CA if upstream else {}
    async with (
        application(tls=server_side(name)) as app,
        gateway(app, scheme="https", upstream=upstream, secrets=secrets) as gate,
    ):
        answer = await gate.once(PUBLIC)
        assert (answer.status, answer.body.split()[0]) == (502, b"upstream.connect")
        assert app.received == b""
        assert "certificate verify failed" in str(gate.log.named("upstream.failed"))


async def test_a_tls_application_that_speaks_no_tls_is_a_502() -> None:
    async with (
        application() as app,
        gateway(app, scheme="https", upstream="ca: {file: ../certs/ca.pem}", secrets=CA) as gate,
    ):
        app.then = Peer.close
        peers = asyncio.create_task(app.peer())
        client = await gate.client()
        client.send(PUBLIC)
        (await peers).close()
        assert (await client.answer()).status == 502


# --- alone ---


class Kept:
    """An idle connection, which is its own transport."""

    def __init__(self, idle_since: float) -> None:
        self.idle_since = idle_since
        self.transport = self
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def test_the_most_recently_used_is_taken_and_the_oldest_let_go() -> None:
    upstream = Upstream(scheme="http", host="127.0.0.1", port=80, timeouts=Timeouts())
    pool = Pool(upstream, Shared(asyncio.get_running_loop(), None, None, None))  # type: ignore[arg-type]
    kept = [Kept(float(at)) for at in range(130)]
    for connection in kept:
        pool.give(connection)  # type: ignore[arg-type]
    assert [connection.closed for connection in kept[:3]] == [True, True, False]
    assert pool.take(130.0) is None
    assert pool.take(129.0) is kept[129]
    pool.forget(kept[128])  # type: ignore[arg-type]
    kept[127].close()
    assert pool.take(0.0) is kept[126]
