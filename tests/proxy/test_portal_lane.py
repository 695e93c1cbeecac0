"""Our own pages: handed to the portal in memory, and never to an application (DESIGN section 2)."""

import asyncio

import pytest

from tests.proxy.applications import SOON, application
from tests.proxy.gateways import SIGNED_IN, ask, gateway
from tests.proxy.stand_ins import Portal

PORTAL = b"portail.localhost"


def portal_ask(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((line + b" HTTP/1.1", b"Host: " + PORTAL, *headers, b"", b""))


@pytest.mark.parametrize("path", [b"/_ecluse", b"/_ecluse/", b"/_ecluse/login?to=/a", b"/_ecluse/no/such/page"])
async def test_a_reserved_path_goes_to_the_portal_and_to_no_application(path: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        for host in (b"permis.localhost", PORTAL):
            lines = SIGNED_IN + b"\r\nX-A: 1\r\nAccept-Language: fr\r\n\r\n"
            raw = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + lines
            assert (await gate.once(raw)).status == 303
            portal = gate.portals.pop()
            assert portal.received == (
                b"GET "
                + path
                + b" HTTP/1.1\r\nHost: "
                + host
                + b"\r\nAccept-Language: fr\r\n"
                + SIGNED_IN
                + b"\r\n\r\n"
            )
            assert (portal.call.purpose, portal.call.host) == ("endpoint", host.decode())
        assert app.peers == []


async def test_what_came_twice_is_joined() -> None:
    """The portal's server answers two Content-Type by itself, with its own name and version."""
    async with application() as app, gateway(app) as gate:
        lines = (b"Content-Type: a", b"Accept: b", b"content-type: c", b"X-A: d", b"Content-Type: e")
        await gate.once(ask(b"GET /_ecluse/login", *lines))
        assert b"\r\nContent-Type: a, c, e\r\nAccept: b\r\n" in gate.portals[0].received
        assert gate.portals[0].received.lower().count(b"content-type") == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/_ECLUSE/login", 404),
        (b"/_Ecluse", 404),
        (b"/%5fecluse/login", 404),
        (b"/_ecluse%2flogin", 400),
        (b"/_ecluse/../a", 400),
        (b"//_ecluse/login", 400),
        (b"/_ecluse;a=b/login", 400),
    ],
)
async def test_another_spelling_of_it_reaches_nobody(path: bytes, status: int) -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(ask(b"GET " + path, SIGNED_IN))).status == status
        assert (app.peers, gate.portals) == ([], [])


@pytest.mark.parametrize("path", [b"//_ecluse/login", b"/_ecluse;jsessionid=1/login", b"/_ECLUSE/login"])
async def test_nor_where_an_application_is_read_leniently(path: bytes) -> None:
    lenient = "paths: {parameters: [jsessionid], case: insensitive, merge_slashes: true}\n"
    async with application() as app, gateway(app, app=lenient) as gate:
        assert (await gate.once(ask(b"GET " + path, SIGNED_IN))).status in {400, 404}
        assert (app.peers, gate.portals) == ([], [])


@pytest.mark.parametrize("path", [b"/", b"/a", b"/public/a", b"/metrics", b"/_eclus"])
async def test_on_the_portals_host_everything_else_is_unknown(path: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(portal_ask(b"GET " + path))).status == 404
        assert (app.peers, gate.portals) == ([], [])


async def test_the_portal_learns_who_asks_from_us_and_not_from_headers() -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /_ecluse/login", b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https"))
        call = gate.portals[0].call
        assert (call.client, call.scheme, call.app.name if call.app else "") == ("127.0.0.1", "http", "permis")
        assert call.snapshot is gate.plane.holder.snapshot
        assert len(call.request_id) == 32
        assert gate.portals[0].transport.get_extra_info("peername")[0] == "127.0.0.1"
        assert b"10.0.0.1" not in gate.portals[0].received


async def test_behind_a_listed_proxy_the_portal_sees_the_browser() -> None:
    async with application() as app, gateway(app, gateway="trusted_proxies: [127.0.0.0/8]\n") as gate:
        await gate.once(ask(b"GET /_ecluse/login", b"X-Forwarded-For: 9.9.9.9, 192.0.2.7", b"X-Forwarded-Proto: https"))
        call = gate.portals[0].call
        assert (call.client, call.scheme) == ("192.0.2.7", "https")


async def test_a_form_reaches_the_portal_whole() -> None:
    async with application() as app, gateway(app) as gate:
        framing = (b"Content-Length: 3", b"Transfer-Encoding: chunked")
        for line, body in zip(framing, (b"a=b", b"3\r\na=b\r\n0\r\n\r\n"), strict=True):
            await gate.once(ask(b"POST /_ecluse/logout", line, body=body))
            portal = gate.portals.pop()
            await gate.until(lambda portal=portal: b"a=b" in portal.received)
            assert portal.received.endswith(b"\r\n" + line + b"\r\n\r\n" + body)


async def test_a_form_is_64_kb_at_most() -> None:
    async with application() as app, gateway(app) as gate:
        counted = ask(b"POST /_ecluse/logout", b"Content-Length: 65537")
        assert (await gate.once(counted)).status == 413
        assert gate.portals == []


async def test_a_form_in_chunks_is_64_kb_at_most() -> None:
    class Deaf(Portal):
        def data_received(self, data: bytes) -> None:
            self.received += data

    async with application() as app, gateway(app) as gate:
        gate.plane.portal_protocol = lambda: Deaf(gate.portals, b"")
        body = b"8001\r\n" + bytes(32769) + b"\r\n"
        answer = await gate.once(ask(b"POST /_ecluse/logout", b"Transfer-Encoding: chunked", body=body * 2))
        assert answer.status == 413


async def test_the_body_of_a_form_that_needs_a_sign_in_stays_here() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /a", b"Accept: text/html", b"Content-Length: 9", body=b"secret=42"))
        answer = await client.answer()
        assert (answer.status, answer.values(b"Connection")) == (303, [b"close"])
        assert b"secret" not in gate.portals[0].received
        assert b"\r\nContent-Length: 0\r\n" in gate.portals[0].received


async def test_a_portal_that_breaks_off_is_a_502() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal_answer = b""
        client = await gate.client()
        client.send(ask(b"GET /_ecluse/login"))
        await gate.until(lambda: gate.portals)
        gate.portals[0].transport.close()
        assert (await client.answer()).status == 502


async def test_a_client_that_goes_away_takes_its_portal_connection_with_it() -> None:
    ended = asyncio.Event()

    class Watched(Portal):
        def connection_lost(self, exc: Exception | None) -> None:
            ended.set()

    async with application() as app, gateway(app) as gate:
        gate.plane.portal_protocol = lambda: Watched(gate.portals, b"")
        client = await gate.client()
        client.send(ask(b"GET /_ecluse/login"))
        await gate.until(lambda: gate.portals)
        client.close()
        await asyncio.wait_for(ended.wait(), SOON)
