"""A WebSocket through the data plane: how it begins, what goes through it, and how it ends."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from tests.config.samples import sample_snapshot
from tests.proxy.applications import OK, Application, Peer, application
from tests.proxy.certificates import authority_pem, client_side, server_side
from tests.proxy.gateways import (
    HOST,
    SIGNED_IN,
    Client,
    Gateway,
    ask,
    blot,
    files,
    forwarded,
    gateway,
)
from tests.proxy.stand_ins import COOKIE, NEVER, identity
from tests.proxy.websocket_ends import (
    KEY,
    OPENING,
    ORIGIN,
    TUNNEL,
    WANTS,
    close_of,
    frame,
    sent,
    switched,
    taking,
)

PING, CLOSE = 9, 8
NORMAL = b"\x03\xe8"


@dataclass
class Open:
    """One tunnel. `begun`: how much had reached the application when it began."""

    gate: Gateway
    app: Application
    client: Client
    peer: Peer
    begun: int

    async def reaches(self, data: bytes) -> None:
        await self.gate.until(lambda: self.peer.received[self.begun :] == data)

    async def comes(self, data: bytes) -> None:
        assert await asyncio.wait_for(self.client.reader.readexactly(len(data)), 60) == data

    async def is_told(self, status: int, reason: bytes, *, application: int = 0, before: bytes = b"") -> None:
        """Both sides get a Close frame; what the application has had before that."""
        head = await asyncio.wait_for(self.client.reader.readexactly(2), 60)
        assert close_of(head + await self.client.reader.readexactly(head[1])) == (status, reason)
        end = self.begun + len(before)
        await self.gate.until(lambda: len(self.peer.received) >= end + 8 + len(reason))
        assert self.peer.received[self.begun : end] == before
        assert close_of(self.peer.received[end:]) == (application or status, reason)

    async def both_say_goodbye(self) -> None:
        self.client.send(sent(NORMAL, CLOSE))
        self.peer.send(frame(NORMAL, CLOSE))
        await self.is_over()

    async def is_over(self) -> None:
        assert await self.client.rest() == b""
        await asyncio.wait_for(self.peer.lost.wait(), 60)
        await self.gate.until(lambda: not self.gate.plane.tunnels)
        assert self.gate.plane.admission.held == 0


@asynccontextmanager
async def tunnel(app: str = TUNNEL, opening: bytes = OPENING, **more: str) -> AsyncIterator[Open]:
    async with application(taking()) as behind, gateway(behind, app=app, **more) as gate:
        gate.sign_in()
        yield await opened(gate, behind, opening)


async def opened(gate: Gateway, behind: Application, opening: bytes = OPENING) -> Open:
    client = await gate.client()
    client.send(opening)
    assert (await client.answer()).status == 101
    peer = behind.peers[-1]
    return Open(gate, behind, client, peer, len(peer.received))


# --- how it begins


async def test_what_the_application_gets_is_what_any_request_gives_it_and_the_upgrade() -> None:
    strange = (b"X-Remote-User: root", b"Sec-WebSocket-Protocol: chat", b"Sec-WebSocket-Extensions: permessage-deflate")
    opening = ask(b"GET /ws?a=1", SIGNED_IN, ORIGIN, *WANTS, *strange)
    async with tunnel(opening=opening) as open:
        assert blot(open.app.requests[0]) == b"\r\n".join(
            (b"GET /ws?a=1 HTTP/1.1", b"Host: " + HOST, ORIGIN, *WANTS[2:], *strange[1:], b"Cookie: CTSESSION=present",
             forwarded(), b"X-Remote-User: jdupont", b"X-Request-Id: *", b"Connection: Upgrade", b"Upgrade: websocket",
             b"", b"")
        )  # fmt: skip


async def test_what_the_client_gets_of_the_answer_is_guarded_as_any_is() -> None:
    more = (b"Sec-WebSocket-Protocol: chat", b"Set-Cookie: A=1", b"Set-Cookie: __Host-ecluse=x; Path=/; Secure")
    async with application(taking(lambda _: None, *more)) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        answer = await client.answer()
        assert answer.status == 101
        assert answer.values(b"Set-Cookie") == [b"A=1"]
        assert answer.values(b"Sec-WebSocket-Protocol") == [b"chat"]
        assert answer.values(b"Connection") == [b"Upgrade"]


async def test_frames_go_through_as_they_are() -> None:
    async with tunnel(gateway="access_log: true\n") as open:
        up = [sent(b"hello"), sent(b"", PING), sent(b"x" * 70_000, first=0x40), sent(b"more", 0)]
        for piece in up:
            open.client.send(piece)
        await open.reaches(b"".join(up))
        down = [frame(b"world"), frame(b"y" * 300_000, first=0xC0), frame(b"", 10)]
        for piece in down:
            open.peer.send(piece)
        await open.comes(b"".join(down))
        assert len(open.gate.plane.tunnels) == 1
        assert not open.gate.plane.connections
        open.client.send(sent(NORMAL, CLOSE))
        await open.reaches(b"".join((*up, sent(NORMAL, CLOSE))))
        open.peer.send(frame(NORMAL, CLOSE))
        open.peer.close()
        await open.comes(frame(NORMAL, CLOSE))
        await open.is_over()
        (line,) = map(json.loads, open.gate.log.lines)
        assert (line["status"], line["path"], line["app"]) == (101, "/ws", "permis")
        assert line["up"] == len(b"".join(up)) + len(sent(NORMAL, CLOSE))
        assert line["down"] == len(b"".join(down)) + len(frame(NORMAL, CLOSE))
        assert line["ended"] == "application"
        assert open.gate.counters.values["ecluse_tunnels_total", "application"] == 1


async def test_over_tls_on_both_sides() -> None:
    over_tls = {"app": TUNNEL, "scheme": "https", "upstream": "ca: {file: ca.pem}"}
    async with (
        application(taking(), tls=server_side()) as behind,
        gateway(behind, tls=server_side(), secrets={"file:ca.pem": authority_pem()}, **over_tls) as gate,
    ):  # fmt: skip
        gate.sign_in()
        client = await gate.client(client_side())
        client.send(OPENING)
        assert (await client.answer()).status == 101
        open = Open(gate, behind, client, behind.peers[0], len(behind.peers[0].received))
        client.send(sent(b"hello" * 10_000))
        await open.reaches(sent(b"hello" * 10_000))
        open.peer.send(frame(b"world" * 50_000))
        await open.comes(frame(b"world" * 50_000))
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        await open.is_told(1008, b"signed out", before=sent(b"hello" * 10_000))
        await open.both_say_goodbye()


@pytest.mark.parametrize(
    "protocol", [b"h2c", b"TLS/1.0", b"HTTP/2.0", b"websocket, h2c", b"h2c, websocket", b"websocket2"]
)
async def test_no_other_protocol_is_carried(protocol: bytes) -> None:
    async with application() as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        wants = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: " + protocol, b"HTTP2-Settings: AAM", *WANTS[2:])
        client = await gate.client()
        client.send(ask(b"GET /ws", SIGNED_IN, ORIGIN, *wants) + ask(b"GET /public/b"))
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert behind.peers == []
        assert [told["code"] for told in gate.log.named("request.refused")] == ["wire.upgrade"]


@pytest.mark.parametrize(
    ("line", "wants", "status", "code"),
    [
        (b"GET /ws", (*WANTS[:2], b"Sec-WebSocket-Version: 7", WANTS[3]), 426, "wire.websocket_version"),
        (b"GET /ws", WANTS[:3], 400, "wire.websocket"),
        (b"GET /ws", (*WANTS[:3], b"Sec-WebSocket-Key: short"), 400, "wire.websocket"),
        (b"GET /ws", (*WANTS, WANTS[3]), 400, "wire.websocket"),
        (b"POST /ws", WANTS, 400, "wire.websocket"),
        (b"GET /ws", (b"Connection: Upgrade, Sec-WebSocket-Key", *WANTS[1:]), 400, "wire.websocket"),
        (b"GET /ws", WANTS[1:], 400, "wire.upgrade"),
    ],
)
async def test_what_asks_for_no_websocket_is_refused(
    line: bytes, wants: tuple[bytes, ...], status: int, code: str
) -> None:
    async with application() as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        answer = await client.ask(ask(line, SIGNED_IN, ORIGIN, *wants))
        assert answer.status == status
        assert answer.values(b"Sec-WebSocket-Version") == ([b"13"] if status == 426 else [])
        assert await client.is_closed()
        assert behind.peers == []
        assert [told["code"] for told in gate.log.named("request.refused")] == [code]


async def test_who_is_not_signed_in_or_may_not_gets_no_tunnel_and_no_redirect() -> None:
    async with application(taking(), taking()) as behind, gateway(behind, app=TUNNEL) as gate:
        page = (b"Accept: text/html", b"Sec-Fetch-Dest: document")
        answer = await gate.once(ask(b"GET /ws", ORIGIN, *WANTS, *page))
        assert (answer.status, answer.body.split()[:2]) == (401, [b"session.required", b"json"])
        gate.sign_in()
        answer = await gate.once(ask(b"GET /admin/ws", SIGNED_IN, ORIGIN, *WANTS))
        assert answer.status == 403
        assert behind.peers == []


OWN = "hosts: [permis.localhost, autre.localhost, '*.permis.example']"


@pytest.mark.parametrize(
    ("origin", "more", "let_in"),
    [
        ((b"http://permis.localhost:8080",), "", True),
        ((b"http://autre.localhost:8080",), "", True),
        ((b"http://x.permis.example:8080",), "", True),
        ((b"https://permis.localhost:8080",), "", False),
        ((b"http://permis.localhost",), "", False),
        ((b"http://permis.localhost:8080/",), "", False),
        ((b"http://PERMIS.localhost:8080",), "", False),
        ((b"http://permis.localhost.evil.example:8080",), "", False),
        ((b"http://user@permis.localhost:8080",), "", False),
        ((b"http://portail.localhost:8080",), "", False),
        ((b"http://voisin.localhost:8080",), "", False),
        ((b"https://evil.example",), "", False),
        ((b"null",), "", False),
        ((b"",), "", False),
        ((b"http://permis.localhost:8080", b"https://evil.example"), "", False),
        ((b"http://permis.localhost:8080, https://evil.example",), "", False),
        ((), "", False),
        ((b"https://partenaire.example",), ", origins: [https://partenaire.example]", True),
        ((b"https://autre.example",), ", origins: [https://partenaire.example]", False),
        ((), ", origins: [https://partenaire.example]", False),
    ],
)
async def test_only_pages_of_the_application_open_one(origin: tuple[bytes, ...], more: str, let_in: bool) -> None:
    app = f"tunnel: {{protocols: [websocket]{more}}}\n"
    async with application(taking()) as behind:
        named = files(behind.port, app=app)
        text = named["apps/permis.yaml"]
        named["apps/permis.yaml"] = text.replace("hosts: [permis.localhost]", OWN)
        named["apps/voisin.yaml"] = text.replace("app: permis", "app: voisin").replace(
            "permis.localhost", "voisin.localhost"
        )
        async with gateway(behind, changes=named) as gate:
            gate.sign_in()
            client = await gate.client()
            client.send(ask(b"GET /ws", SIGNED_IN, *(b"Origin: " + one for one in origin), *WANTS))
            answer = await client.answer()
            assert answer.status == (101 if let_in else 403)
            assert len(behind.peers) == let_in
            if not let_in:
                assert [told["code"] for told in gate.log.named("request.refused")] == ["wire.origin"]


@pytest.mark.parametrize(("origin", "status"), [((), 101), ((b"Origin: https://evil.example",), 403), ((ORIGIN,), 101)])
async def test_where_nobody_is_signed_in_a_program_needs_no_origin(origin: tuple[bytes, ...], status: int) -> None:
    async with application(taking()) as behind, gateway(behind, app=TUNNEL) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/ws", *origin, *WANTS))
        assert (await client.answer()).status == status


# --- what the application answers


@pytest.mark.parametrize("early", [sent(b"early"), ask(b"GET /admin/")])
async def test_bytes_behind_the_request_go_nowhere(early: bytes) -> None:
    async with application() as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING + early)
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        assert behind.peers == []


@pytest.mark.parametrize("early", [sent(b"early"), ask(b"GET /admin/")])
async def test_bytes_before_the_answer_go_nowhere(early: bytes) -> None:
    async with application(None) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        request = await behind.request()
        client.send(early)
        (connection,) = gate.plane.connections
        await gate.until(lambda: connection.reader.ahead)
        peer = behind.peers[0]
        peer.send(switched())
        assert (await client.answer()).status == 400
        assert await client.is_closed()
        await asyncio.wait_for(peer.lost.wait(), 60)
        assert peer.received == request
        assert [told["code"] for told in gate.log.named("request.refused")] == ["wire.websocket"]


async def test_bytes_behind_the_answer_come_after_it() -> None:
    async with (
        application(taking(lambda peer: peer.send(frame(b"at once")))) as behind,
        gateway(behind, app=TUNNEL) as gate,
    ):
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        assert (await client.answer()).status == 101
        assert await client.reader.readexactly(9) == frame(b"at once")


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"426 Upgrade Required", b"302 Found"])
async def test_any_other_answer_stays_plain_http(status: bytes) -> None:
    answer = b"HTTP/1.1 %b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nno" % status
    async with application(None) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        await behind.request()
        # Somebody between might take any answer for the beginning of a tunnel.
        client.send(ask(b"GET /public/next"))
        behind.peers[0].send(answer)
        first = await client.answer()
        assert (first.status, first.body) == (int(status[:3]), b"no")
        assert (first.values(b"Upgrade"), first.values(b"Connection")) == ([], [b"close"])
        assert await client.is_closed()
        assert not gate.plane.tunnels
        assert [request.partition(b" HTTP")[0] for request in behind.requests] == [b"GET /ws"]


@pytest.mark.parametrize(
    "sent_back",
    [
        switched(b"x3JJHMbDL1EzLkh9GBhXDw=="),
        switched().replace(b"Upgrade: websocket\r\n", b""),
        switched().replace(b"websocket", b"h2c"),
        switched().replace(b"Connection: Upgrade\r\n", b""),
        switched(KEY, b"Content-Length: 5"),
        switched(KEY, b"Transfer-Encoding: chunked"),
        switched(KEY, b"Sec-WebSocket-Accept: x"),
        switched().replace(b"HTTP/1.1", b"HTTP/2.0"),
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
)
async def test_a_101_that_is_not_the_answer_is_no_tunnel(sent_back: bytes) -> None:
    async with application(sent_back + frame(b"secret")) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        answer = await gate.once(OPENING)
        assert answer.status == 502
        assert b"secret" not in answer.body
        await asyncio.wait_for(behind.peers[0].lost.wait(), 60)
        assert not gate.plane.tunnels


async def test_a_101_that_nobody_asked_for_is_no_tunnel_where_an_application_takes_some() -> None:
    async with application(switched()) as behind, gateway(behind, app=TUNNEL) as gate:
        assert (await gate.once(ask(b"GET /public/a", *WANTS[2:]))).status == 502


async def test_an_interim_response_may_come_before_it() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with application(early + switched()) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        assert (await client.answer()).status == 103
        assert (await client.answer()).status == 101


async def test_invariant_12_a_session_that_ends_before_the_answer_opens_nothing() -> None:
    async with application(None) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        await behind.request()
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        behind.peers[0].send(switched())
        assert await client.is_closed()
        assert not gate.plane.tunnels


async def test_rewriting_leaves_a_tunnel_alone() -> None:
    app = TUNNEL + "rewrite: {headers: true, bodies: true}\n"
    async with tunnel(app) as open:
        address = frame(b"http://127.0.0.1:%d/" % open.app.port)
        open.peer.send(address)
        await open.comes(address)


async def test_where_the_file_names_no_tunnel_none_is_asked_for() -> None:
    async with application(taking()) as behind, gateway(behind) as gate:
        gate.sign_in()
        answer = await gate.once(OPENING)
        assert answer.status == 400
        assert answer.body.startswith(b"wire.upgrade")
        assert not behind.received


# --- how it ends


async def test_invariant_12_one_that_anybody_may_open_ends_with_the_session_that_opened_it() -> None:
    """Also where nothing but the seat itself says so."""
    async with tunnel(opening=OPENING.replace(b"GET /ws", b"GET /public/ws")) as open:
        (seat,) = open.gate.sessions.hot.values()
        seat.live = False
        open.gate.plane.snapshot_swapped()
        await open.is_told(1008, b"signed out")
        await open.both_say_goodbye()


async def test_invariant_12_a_sign_out_ends_it_by_a_close_frame_both_ways() -> None:
    async with tunnel() as open:
        open.client.send(sent(b"hello"))
        await open.reaches(sent(b"hello"))
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        await open.is_told(1008, b"signed out", before=sent(b"hello"))
        # Nothing of either side goes on.
        open.client.send(sent(b"late"))
        open.peer.send(frame(b"late"))
        await open.both_say_goodbye()
        assert open.peer.received[open.begun :].count(b"late") == 0
        assert open.gate.counters.values["ecluse_tunnels_total", "signed_out"] == 1
        answer = await open.gate.once(OPENING)
        assert (answer.status, answer.body.split()[1]) == (401, b"json")


async def test_invariant_12_only_tunnels_of_the_session_end() -> None:
    other = COOKIE[:-1] + b"3"
    async with application(taking(), taking()) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        theirs = gate.sign_in(other)
        gate.sessions.hot[other].session_id = "another"
        mine = await opened(gate, behind)
        kept = await opened(gate, behind, ask(b"GET /ws", theirs, ORIGIN, *WANTS))
        gate.plane.revoked(gate.sessions.revoke(["session-abcd"]))
        await mine.is_told(1008, b"signed out")
        kept.peer.send(frame(b"still"))
        await kept.comes(frame(b"still"))


async def test_in_the_midst_of_a_frame_its_rest_comes_first() -> None:
    async with tunnel() as open:
        up, down = sent(b"u" * 500), frame(b"d" * 500)
        open.client.send(up[:100])
        open.peer.send(down[:100])
        await open.reaches(up[:100])
        await open.comes(down[:100])
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        open.client.send(up[100:] + sent(b"late"))
        open.peer.send(down[100:] + frame(b"late"))
        await open.comes(down[100:])
        await open.is_told(1008, b"signed out", before=up)
        await open.both_say_goodbye()


async def test_a_part_of_a_head_has_not_gone_and_is_dropped() -> None:
    async with tunnel() as open:
        open.client.send(sent(b"a") + sent(b"b" * 300)[:3])
        await open.reaches(sent(b"a"))
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        await open.is_told(1008, b"signed out", before=sent(b"a"))


async def test_a_frame_whose_rest_does_not_come_is_waited_for_no_longer_than_a_moment() -> None:
    async with tunnel() as open:
        open.peer.send(frame(b"d" * 500)[:100])
        await open.comes(frame(b"d" * 500)[:100])
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        await open.gate.clock.passes(1)
        await open.is_over()


async def test_a_side_that_does_not_say_goodbye_is_cut_within_a_second() -> None:
    async with tunnel() as open:
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        await open.is_told(1008, b"signed out")
        await open.gate.clock.passes(1)
        await open.is_over()


async def test_whoever_has_said_goodbye_is_told_nothing_more() -> None:
    async with tunnel() as open:
        goodbye = sent(NORMAL, CLOSE)
        open.client.send(goodbye)
        await open.reaches(goodbye)
        open.gate.plane.revoked(open.gate.sessions.revoke(["session-abcd"]))
        assert close_of(await open.client.reader.readexactly(14)) == (1008, b"signed out")
        assert open.peer.received[open.begun :] == goodbye
        open.peer.send(frame(NORMAL, CLOSE))
        await open.is_over()


async def test_after_a_close_frame_nothing_goes_on() -> None:
    async with tunnel() as open:
        open.client.send(sent(NORMAL, CLOSE) + sent(b"late"))
        await open.reaches(sent(NORMAL, CLOSE))
        open.client.send(sent(b"late"))
        open.peer.send(frame(NORMAL, CLOSE) + frame(b"late"))
        await open.comes(frame(NORMAL, CLOSE))
        await open.gate.clock.passes(6)
        await open.is_over()
        assert open.peer.received[open.begun :] == sent(NORMAL, CLOSE)


@pytest.mark.parametrize("side", ["client", "application"])
async def test_what_is_no_frame_ends_it(side: str) -> None:
    async with tunnel() as open:
        if side == "client":
            open.client.send(frame(b"not masked"))
        else:
            open.peer.send(b"\x82\x7f\xff" + bytes(7))
        await open.is_told(1002, b"not a frame")
        assert len(open.gate.log.named("tunnel.broken")) == 1
        await open.gate.clock.passes(1)
        await open.is_over()


async def test_a_client_that_leaves_ends_it() -> None:
    async with tunnel() as open:
        open.client.close()
        await asyncio.wait_for(open.peer.lost.wait(), 60)
        await open.gate.until(lambda: not open.gate.plane.tunnels)
        assert open.gate.counters.values["ecluse_tunnels_total", "client"] == 1


async def test_an_application_that_dies_ends_it() -> None:
    async with tunnel() as open:
        open.peer.reset()
        await open.is_over()
        assert open.gate.counters.values["ecluse_tunnels_total", "application"] == 1


async def test_without_a_byte_it_ends_and_a_ping_is_one() -> None:
    async with tunnel("tunnel: {protocols: [websocket], idle: 1m}\n") as open:
        for number in range(3):
            await open.gate.clock.passes(50)
            open.peer.send(frame(b"", PING))
            await open.comes(frame(b"", PING))
            assert len(open.gate.plane.tunnels) == 1, number
        (idle,) = open.gate.plane.tunnels
        await open.gate.clock.passes(59)
        assert not idle.ended
        while not idle.ended:
            await open.gate.clock.passes(0.2)
        await open.is_told(1001, b"idle")
        await open.both_say_goodbye()


async def test_a_worker_that_ends_says_so() -> None:
    async with tunnel() as open:
        ending = asyncio.create_task(open.gate.plane.drain(5))
        await open.is_told(1012, b"service restart", application=1001)
        await open.both_say_goodbye()
        assert await ending == 0


async def test_one_that_opens_while_a_worker_ends_is_told_at_once() -> None:
    async with application(None) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        client = await gate.client()
        client.send(OPENING)
        await behind.request()
        ending = asyncio.create_task(gate.plane.drain(5))
        await gate.until(lambda: gate.plane.draining)
        behind.peers[0].send(switched())
        assert (await client.answer()).status == 101
        assert close_of(await client.reader.readexactly(19)) == (1012, b"service restart")
        await gate.clock.passes(1)
        assert await ending == 0


# --- while it lasts


async def taken(open: Open, **changes: str) -> None:
    """Another configuration."""
    named = files(open.app.port, **changes)
    open.gate.plane.holder.snapshot = sample_snapshot(named)  # type: ignore[misc]
    open.gate.plane.snapshot_swapped()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- {path: /**, allow: signed_in}", "- {path: /**, allow: {group: administrateurs}}"),
        ("tunnel: {protocols: [websocket]}\n", ""),
        ("app: permis", "app: autre"),
        ("hosts: [permis.localhost]", "hosts: [autre.localhost]"),
    ],
)
async def test_invariant_12_a_policy_that_would_not_open_it_ends_it(before: str, after: str) -> None:
    async with tunnel() as open:
        named = files(open.app.port, app=TUNNEL)
        await taken(open, app=TUNNEL)
        open.peer.send(frame(b"still"))
        await open.comes(frame(b"still"))
        assert before in named["apps/permis.yaml"]
        named["apps/permis.yaml"] = named["apps/permis.yaml"].replace(before, after)
        open.gate.plane.holder.snapshot = sample_snapshot(named)  # type: ignore[misc]
        open.gate.plane.snapshot_swapped()
        await open.is_told(1008, b"no longer allowed")
        await open.both_say_goodbye()


async def test_an_origin_that_is_no_longer_listed_ends_it() -> None:
    listed = "tunnel: {protocols: [websocket], origins: [https://partenaire.example]}\n"
    opening = ask(b"GET /ws", SIGNED_IN, b"Origin: https://partenaire.example", *WANTS)
    async with tunnel(listed, opening) as open:
        await taken(open, app=TUNNEL)
        await open.is_told(1008, b"no longer allowed")


async def test_somebody_who_is_another_person_since_is_judged_anew() -> None:
    opening = ask(b"GET /admin/ws", SIGNED_IN, ORIGIN, *WANTS)
    async with application(taking()) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in(uid="jdupont", groups="administrateurs")
        open = await opened(gate, behind, opening)
        seat = gate.sessions.hot[COOKIE]
        gate.plane.changed(seat)
        open.peer.send(frame(b"still"))
        await open.comes(frame(b"still"))
        seat.identity = identity(uid="jdupont", groups="agents")
        seat.outcomes.clear()
        gate.plane.changed(seat)
        await open.is_told(1008, b"no longer allowed")


IDLE, ABSOLUTE = 600.0, 3000.0


@asynccontextmanager
async def timed(monkeypatch: pytest.MonkeyPatch, app: str = TUNNEL) -> AsyncIterator[tuple[Open, Seat]]:
    """A tunnel of a seat on the data plane's own clock."""
    patient = app.replace("}", ", idle: 24h}")
    async with application(taking()) as behind, gateway(behind, app=patient) as gate:
        for module in ("lasting", "client", "tunnels", "tunnel"):
            monkeypatch.setattr(f"gateway.proxy.{module}.monotonic", gate.clock.time)
        began = gate.clock.time()
        seat = Seat(
            COOKIE, HOST.decode(), "s", identity(uid="jdupont"), None, IDLE, began + IDLE, began + ABSOLUTE, NEVER
        )
        gate.sessions.hot[COOKIE] = gate.sessions.cold[COOKIE] = seat

        def touch(seat: Seat, now: float) -> None:
            seat.deadline = min(now + seat.idle, seat.hard_deadline)

        monkeypatch.setattr(gate.sessions, "touch", touch)
        yield await opened(gate, behind), seat


async def test_invariant_12_it_ends_at_the_idle_end_of_its_session_whatever_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with timed(monkeypatch) as (open, _):
        said = b""
        for _ in range(9):
            open.client.send(sent(b"data"))
            said += sent(b"data")
            await open.reaches(said)
            await open.gate.clock.passes(60)
        assert len(open.gate.plane.tunnels) == 1
        await open.gate.clock.passes(62)
        await open.is_told(1008, b"session expired", before=said)


async def test_what_the_client_sends_keeps_its_session_where_the_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with timed(monkeypatch, "tunnel: {protocols: [websocket], keeps_session: true}\n") as (open, seat):
        said = b""
        for _ in range(20):
            open.client.send(sent(b"data"))
            said += sent(b"data")
            await open.reaches(said)
            await open.gate.clock.passes(60)
        assert len(open.gate.plane.tunnels) == 1
        # Pings, and whatever the application sends, are no use of it.
        for _ in range(9):
            open.client.send(sent(b"", PING))
            open.peer.send(frame(b"news"))
            said += sent(b"", PING)
            await open.reaches(said)
            await open.comes(frame(b"news"))
            await open.gate.clock.passes(60)
        assert len(open.gate.plane.tunnels) == 1
        await open.gate.clock.passes(62)
        await open.is_told(1008, b"session expired", before=said)
        assert open.gate.clock.time() < seat.hard_deadline


async def test_invariant_12_it_ends_at_the_absolute_end_of_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with timed(monkeypatch, "tunnel: {protocols: [websocket], keeps_session: true}\n") as (open, seat):
        # By its idle end alone it would go on.
        seat.deadline = seat.hard_deadline + IDLE
        await open.gate.clock.passes(ABSOLUTE - 1)
        assert len(open.gate.plane.tunnels) == 1
        await open.gate.clock.passes(2)
        await open.is_told(1008, b"session expired")


async def test_a_seat_that_was_used_in_another_worker_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async with timed(monkeypatch) as (open, seat):
        later = Seat(COOKIE, seat.host, "s", seat.identity, None, IDLE, seat.deadline + 500, seat.hard_deadline, NEVER)
        open.gate.sessions.cold[COOKIE] = later
        await open.gate.clock.passes(IDLE + 100)
        assert len(open.gate.plane.tunnels) == 1
        later.live = False
        open.gate.plane.revoked([later])
        await open.is_told(1008, b"signed out")


async def test_where_the_store_cannot_say_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async with timed(monkeypatch) as (open, _):
        open.gate.sessions.error = GatewayError(store_codes.UNREACHABLE)
        await open.gate.clock.passes(IDLE + 2)
        await open.is_told(1008, b"session expired")


# --- how much is held


async def test_who_takes_nothing_holds_little_and_ends_all_the_same() -> None:
    async with tunnel() as open:
        open.client.writer.transport.pause_reading()
        piece = frame(b"d" * 65_000)
        for _ in range(400):
            open.peer.send(piece)
        await open.gate.until(lambda: next(iter(open.gate.plane.tunnels)).client.full)
        await asyncio.sleep(0.1)
        end = next(iter(open.gate.plane.tunnels)).client
        assert end.transport.get_write_buffer_size() < 600_000
        # The other way is as free as before.
        open.client.send(sent(b"still"))
        await open.reaches(sent(b"still"))
        open.client.writer.transport.resume_reading()
        await open.comes(piece * 400)


async def test_frames_by_the_thousand_all_come() -> None:
    async with tunnel() as open:
        open.client.send(sent(b"") * 20_000)
        await open.reaches(sent(b"") * 20_000)
        open.peer.send(frame(b"") * 20_000)
        await open.comes(frame(b"") * 20_000)


async def test_the_answer_after_it_is_another_connections() -> None:
    """The application's connection is no other client's, before the end and after it."""
    async with application(taking(), OK) as behind, gateway(behind, app=TUNNEL) as gate:
        gate.sign_in()
        open = await opened(gate, behind)
        assert (await gate.once(ask(b"GET /public/a"))).body == b"ok"
        assert len(behind.peers) == 2
        open.client.close()
        await asyncio.wait_for(open.peer.lost.wait(), 60)
