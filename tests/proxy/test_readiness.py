"""A server in front asks the listener of the traffic whether this node wants new requests. Nobody else hears it."""

import pytest

from gateway.wire.proxy_protocol import announcement
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, SIGNED_IN, Gateway, ask, gateway

LISTED = "trusted_proxies: [127.0.0.0/8]\n"
ASKED = b"GET /_ecluse/ready"
# As HAProxy sends a check that was told no version, and one that was told nothing of a host that we have.
BARE = ASKED + b" HTTP/1.0\r\n\r\n"
NAMED = ASKED + b" HTTP/1.1\r\nHost: ecluse\r\n\r\n"


async def said(gate: Gateway, raw: bytes) -> tuple[int, bytes]:
    answer = await gate.once(raw)
    return answer.status, answer.body


@pytest.mark.parametrize(
    "raw",
    [
        BARE,
        NAMED,
        ASKED + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: check\r\nConnection: close\r\n\r\n",
        ask(ASKED),
        ask(ASKED, SIGNED_IN),
        ask(ASKED).replace(HOST, b"portail.localhost"),
    ],
)
async def test_a_listed_server_in_front_hears_whether_the_store_answers(raw: bytes) -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        assert await said(gate, raw) == (200, b"ready\n")
        gate.keeps_sessions = False
        assert await said(gate, raw) == (503, b"not ready\n")
        gate.keeps_sessions = True
        gate.plane.draining = True
        assert await said(gate, raw) == (503, b"not ready\n")
        assert (app.received, gate.log.named("request.refused")) == (b"", [])


@pytest.mark.parametrize("raw", [NAMED, ask(ASKED)])
async def test_a_head_alone(raw: bytes) -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        answer = await gate.once(raw.replace(b"GET", b"HEAD"))
        assert (answer.status, answer.values(b"Content-Length")) == (200, [b"6"])


ORDINARY = {
    NAMED: 421,
    # The portal is asked, as for every path under /_ecluse/; the one of these tests says this of all.
    ask(ASKED): 303,
}


@pytest.mark.parametrize(("raw", "status"), ORDINARY.items())
async def test_anybody_else_asks_for_a_path_that_is_none(raw: bytes, status: int) -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(raw)).status == status


@pytest.mark.parametrize(("raw", "status"), ORDINARY.items())
@pytest.mark.parametrize(
    "client", [b"X-Forwarded-For: 192.0.2.7", b"x-forwarded-for:", b"Forwarded: for=192.0.2.7", b"X-Real-IP: 192.0.2.7"]
)
async def test_so_does_whoever_a_server_in_front_passes_on(raw: bytes, status: int, client: bytes) -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        assert (await gate.once(raw.replace(b"\r\n\r\n", b"\r\n" + client + b"\r\n\r\n"))).status == status
        # A Connection option takes nothing off that was said.
        named = b"\r\nConnection: x-forwarded-for, forwarded, x-real-ip\r\n" + client + b"\r\n\r\n"
        assert (await gate.once(raw.replace(b"\r\n\r\n", named))).status == status


@pytest.mark.parametrize(
    "line",
    [b"POST /_ecluse/ready", b"OPTIONS /_ecluse/ready", b"GET /_ecluse/ready?", b"GET /_ecluse/%72eady", b"GET /ready"],
)
async def test_so_does_another_spelling(line: bytes) -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        assert (await gate.once(line + b" HTTP/1.1\r\nHost: ecluse\r\n\r\n")).status == 421


async def test_two_hosts_are_no_question() -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        assert (await gate.once(ASKED + b" HTTP/1.1\r\nHost: ecluse\r\nHost: ecluse\r\n\r\n")).status == 400


@pytest.mark.parametrize(("raw", "status"), ORDINARY.items())
async def test_by_proxy_protocol_a_server_in_front_says_that_it_speaks_for_itself(raw: bytes, status: int) -> None:
    async with application() as app, gateway(app, proxies="127.0.0.0/8") as gate:
        assert await said(gate, announcement("", "") + raw) == (200, b"ready\n")
        assert (await gate.once(announcement("192.0.2.7", "10.0.0.1") + raw)).status == status


async def test_a_client_whom_proxy_protocol_tells_of_is_no_server_in_front_whatever_the_list_holds() -> None:
    listed = "trusted_proxies: [192.0.2.0/24]\n"
    async with application() as app, gateway(app, proxies="127.0.0.0/8", gateway=listed) as gate:
        assert (await gate.once(announcement("192.0.2.7", "10.0.0.1") + NAMED)).status == 421


async def test_a_listener_that_leads_to_https_answers_it_too() -> None:
    async with application() as app, gateway(app, gateway=LISTED, redirects="all") as gate:
        gate.keeps_sessions = False
        for raw in (NAMED, ask(ASKED)):
            assert await said(gate, raw) == (503, b"not ready\n")
        assert (await gate.once(ask(b"GET /_ecluse/other"))).status != 503


async def test_the_next_request_of_the_connection_goes_its_way() -> None:
    async with application() as app, gateway(app, gateway=LISTED) as gate:
        client = await gate.client()
        assert (await client.ask(ask(ASKED))).status == 200
        assert (await client.ask(ask(b"GET /public/a"))).status == 200
