"""Our own pages: asked of the portal in one call, and never of an application."""

import asyncio
import tracemalloc
from email.utils import parsedate_to_datetime

import pytest

from gateway.model.kept_post import SendOn
from gateway.model.ports import Page
from gateway.proxy.client import ClientConnection
from gateway.proxy.spool import MOST_OF_ONE, UNCOUNTED
from gateway.wire.navigation import kind_of
from tests.proxy.applications import application
from tests.proxy.gateways import SIGNED_IN, Client, Gateway, ask, gateway

PORTAL = b"portail.localhost"


def portal_ask(line: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join((line + b" HTTP/1.1", b"Host: " + PORTAL, *headers, b"", b""))


async def held(gate: Gateway, raw: bytes) -> Client:
    """Whoever has asked for a page that the portal is still making."""
    gate.portal.may.clear()
    client = await gate.client()
    client.send(raw)
    await gate.until(lambda: gate.portal.asked)
    return client


@pytest.mark.parametrize("path", [b"/_ecluse", b"/_ecluse/", b"/_ecluse/login?to=/a", b"/_ecluse/no/such/page"])
async def test_a_reserved_path_goes_to_the_portal_and_to_no_application(path: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        for host in (b"permis.localhost", PORTAL):
            lines = SIGNED_IN + b"\r\nX-A: 1\r\nAccept-Language: fr\r\n\r\n"
            raw = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + lines
            assert (await gate.once(raw)).status == 303
            call = gate.portal.asked.pop().call
            assert (call.purpose, call.method, call.target) == ("endpoint", "GET", path.decode())
            assert (call.host, call.authority) == (host.decode(), host.decode())
            assert call.headers == {b"accept-language": b"fr"}
            assert call.cookies == SIGNED_IN.removeprefix(b"Cookie: ")
        assert app.peers == []


async def test_a_person_at_an_address_that_the_portal_lacks_is_led_to_its_own_page() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(portal_ask(b"GET /nowhere", b"Accept: text/html"))
        assert (answer.status, answer.body) == (404, b"route.reserved html /")
        answer = await gate.once(portal_ask(b"GET /nowhere", b"Accept: application/json"))
        assert (answer.status, answer.body) == (404, b"route.reserved json")
        answer = await gate.once(ask(b"GET /_ECLUSE/x", b"Accept: text/html"))
        assert (answer.status, answer.body) == (404, b"route.reserved html")


async def test_what_came_twice_is_joined() -> None:
    """RFC 9110 5.3: so that two Content-Type are none that is known."""
    async with application() as app, gateway(app) as gate:
        lines = (b"Content-Type: a", b"Accept: b", b"content-type: c", b"X-A: d", b"Content-Type: e")
        await gate.once(ask(b"GET /_ecluse/login", *lines))
        assert gate.portal.asked[0].call.headers == {b"content-type": b"a, c, e", b"accept": b"b"}


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE"])
async def test_a_directory_shows_who_it_is_at_its_own_address_alone(method: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        shown = (b"Authorization: Bearer abc", b"Content-Length: 2")
        for path in (b"/_ecluse/scim/v2/Users/1", b"/_ecluse/login", b"/_ecluse/scim"):
            await gate.once(portal_ask(method + b" " + path, *shown) + b"{}")
        await gate.once(ask(method + b" /_ecluse/scim/v2/Users/1", *shown) + b"{}")
        calls = [asked.call for asked in gate.portal.asked]
        assert [call.headers.get(b"authorization") for call in calls] == [b"Bearer abc", None, None, None]
        assert {call.method for call in calls} == {method.decode()}
        assert gate.portal.asked[0].body == b"{}"


@pytest.mark.parametrize(
    "lines",
    [
        (b"Connection: Upgrade", b"Upgrade: websocket"),
        (b"Upgrade: websocket",),
        (b"Connection: upgrade, close", b"upgrade: h2c"),
    ],
)
async def test_invariant_10_a_websocket_is_no_navigation_to_the_portal_either(lines: tuple[bytes, ...]) -> None:
    """A hop-by-hop line is cut from the head; what tells that this is no page that a person sees must not be."""
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /_ecluse/login?to=/", b"Sec-Fetch-Dest: document", *lines))
        call = gate.portal.asked[0].call
        assert kind_of(call.method.encode(), call.headers.items()) == "other"


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
        assert (app.peers, gate.portal.asked) == ([], [])


@pytest.mark.parametrize("path", [b"//_ecluse/login", b"/_ecluse;jsessionid=1/login", b"/_ECLUSE/login"])
async def test_nor_where_an_application_is_read_leniently(path: bytes) -> None:
    lenient = "paths: {parameters: [jsessionid], case: insensitive, merge_slashes: true}\n"
    async with application() as app, gateway(app, app=lenient) as gate:
        assert (await gate.once(ask(b"GET " + path, SIGNED_IN))).status in {400, 404}
        assert (app.peers, gate.portal.asked) == ([], [])


@pytest.mark.parametrize("path", [b"/a", b"/public/a", b"/metrics", b"/_eclus"])
async def test_on_the_portals_host_everything_else_is_unknown(path: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(portal_ask(b"GET " + path))).status == 404
        assert (app.peers, gate.portal.asked) == ([], [])


async def test_the_portal_learns_who_asks_from_us_and_not_from_headers() -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /_ecluse/login", b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https"))
        call = gate.portal.asked[0].call
        assert (call.client, call.scheme, call.app.name if call.app else "") == ("127.0.0.1", "http", "permis")
        assert call.snapshot is gate.plane.holder.snapshot
        assert len(call.request_id) == 32
        assert call.headers == {}


async def test_behind_a_listed_proxy_the_portal_sees_the_browser() -> None:
    async with application() as app, gateway(app, gateway="trusted_proxies: [127.0.0.0/8]\n") as gate:
        await gate.once(ask(b"GET /_ecluse/login", b"X-Forwarded-For: 9.9.9.9, 192.0.2.7", b"X-Forwarded-Proto: https"))
        call = gate.portal.asked[0].call
        assert (call.client, call.scheme) == ("192.0.2.7", "https")


FRAMED = {
    "counted": (b"Content-Length: 3", b"a=b"),
    "in chunks": (b"Transfer-Encoding: chunked", b"1\r\na\r\n2\r\n=b\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("framed", FRAMED)
@pytest.mark.parametrize("pieces", ["one", "head and body", "byte by byte"])
async def test_a_form_reaches_the_portal_whole_and_bare(framed: str, pieces: str) -> None:
    line, body = FRAMED[framed]
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        head = ask(b"POST /_ecluse/logout", line)
        cut = {"one": [head + body], "head and body": [head, body]}.get(pieces, [head, *(bytes([b]) for b in body)])
        for piece in cut:
            assert gate.portal.asked == [], "no step runs on half a form"
            client.send(piece)
            await asyncio.sleep(0.01)
        assert (await client.answer()).status == 303
        assert [asked.body for asked in gate.portal.asked] == [b"a=b"]
        assert (await client.ask(ask(b"GET /public/a"))).status == 200


async def test_who_asks_first_whether_to_send_a_form_is_told_to() -> None:
    """RFC 9110 10.1.1"""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /_ecluse/saml/soap", b"Expect: 100-continue", b"Content-Length: 3"))
        assert (await client.answer()).status == 100
        client.send(b"a=b")
        assert (await client.answer()).status == 303


async def test_k102_a_form_that_breaks_off_is_nobodys() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /_ecluse/logout", b"Content-Length: 100", body=b"a=1"))
        await gate.until(lambda: any(connection.active.upstream for connection in gate.plane.connections))
        client.close()
        await gate.until(lambda: not gate.plane.connections)
        assert gate.portal.asked == []


@pytest.mark.parametrize("framing", [b"Content-Length: 100", b"Transfer-Encoding: chunked"])
async def test_a_form_that_never_ends_is_told_so(framing: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /_ecluse/logout", framing))
        await gate.until(lambda: any(connection.active.upstream for connection in gate.plane.connections))
        await gate.clock.passes(3600)
        assert (await client.answer()).status == 408
        assert gate.portal.asked == []


async def test_half_forms_of_one_client_take_so_much_room_and_no_more() -> None:
    """Invariant 15: 300 of these held 130 MB, and as many connections as there may be some gigabytes."""
    async with application() as app, gateway(app) as gate:
        head = portal_ask(b"POST /_ecluse/saml/acs", b"Content-Length: 524288")
        clients = [await gate.client() for _ in range(40)]
        for client in clients:
            client.send(head + bytes(524287))
        refused = MOST_OF_ONE // (524287 - UNCOUNTED)
        await gate.until(lambda: gate.log.named("request.refused"))
        await gate.until(lambda: sum(one.active.upstream is not None for one in gate.plane.connections) <= refused)
        # A usual form goes on, and so does another's; what is whole makes room.
        small = portal_ask(b"POST /_ecluse/saml/acs", b"Content-Length: 20000")
        assert (await gate.once(small + bytes(20000))).status == 303
        for client in clients:
            client.close()
        await gate.until(lambda: not any(one.active.upstream for one in gate.plane.connections))
        assert (await gate.once(head + bytes(524288))).status == 303


async def begun(gate: Gateway) -> list[ClientConnection]:
    await gate.until(lambda: any(connection.active.upstream for connection in gate.plane.connections))
    return list(gate.plane.connections)


async def test_a_form_has_a_minute() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /_ecluse/logout", b"Content-Length: 100"))
        (connection,) = await begun(gate)
        for _ in range(6):
            assert connection.active.upstream is not None
            connection.data_received(b"a")
            await gate.clock.passes(11)
        assert (await client.answer()).status == 408


async def test_a_form_is_64_kb_at_most() -> None:
    async with application() as app, gateway(app) as gate:
        assert (await gate.once(ask(b"POST /_ecluse/logout", b"Content-Length: 65537"))).status == 413
        most = ask(b"POST /_ecluse/logout", b"Content-Length: 65536", body=bytes(65536))
        assert (await gate.once(most)).status == 303
        assert [len(asked.body) for asked in gate.portal.asked] == [65536]


async def test_a_saml_message_is_512_kb_at_most_and_for_the_portals_host_alone() -> None:
    async with application() as app, gateway(app) as gate:
        line = b"POST /_ecluse/saml/acs"
        assert (await gate.once(portal_ask(line, b"Content-Length: 524289"))).status == 413
        assert (await gate.once(portal_ask(line, b"Content-Length: 524288") + bytes(524288))).status == 303
        assert (await gate.once(ask(line, b"Content-Length: 65537"))).status == 413


async def test_a_form_in_chunks_is_64_kb_at_most() -> None:
    async with application() as app, gateway(app) as gate:
        body = b"8001\r\n" + bytes(32769) + b"\r\n"
        answer = await gate.once(ask(b"POST /_ecluse/logout", b"Transfer-Encoding: chunked", body=body * 2))
        assert (answer.status, gate.portal.asked) == (413, [])


async def test_a_form_takes_the_room_of_its_bytes_however_small_its_pieces_and_once() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.may.clear()
        client = await gate.client()
        client.send(ask(b"POST /_ecluse/logout", b"Content-Length: 60000"))
        await gate.until(lambda: any(connection.active.upstream for connection in gate.plane.connections))
        (connection,) = gate.plane.connections
        tracemalloc.start()
        try:
            for _ in range(29_999):
                connection.data_received(bytes((97, 98)))
            half = tracemalloc.get_traced_memory()[0]
            connection.data_received(bytes((97, 98)))
            await gate.until(lambda: gate.portal.asked)
            whole = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        assert gate.portal.asked[0].body == b"ab" * 30_000
        assert half < 90_000
        assert whole < 90_000
        gate.portal.may.set()
        assert (await client.answer()).status == 303


async def test_the_body_of_a_form_that_needs_a_sign_in_stays_here() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        form = ask(b"POST /a", b"Accept: text/html", b"Content-Length: 9", body=b"secret=42")
        client.send(form + ask(b"GET /public/a"))
        assert [(await client.answer()).status for _ in range(2)] == [303, 200]
        assert [asked.body for asked in gate.portal.asked] == [b""]
        # One that is not here yet: nothing behind it is read as a request.
        client.send(ask(b"POST /a", b"Accept: text/html", b"Content-Length: 9"))
        answer = await client.answer()
        assert (answer.status, answer.values(b"Connection")) == (303, [b"close"])


async def test_a_page_is_sent_once_and_dated_whatever_it_is_asked_by() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = Page(200, ((b"Content-Type", b"text/html"),), b"<p>")
        client = await gate.client()
        got = await client.ask(ask(b"GET /_ecluse/login"))
        assert (got.status, got.body, got.values(b"Content-Length")) == (200, b"<p>", [b"3"])
        assert parsedate_to_datetime(got.values(b"Date")[0].decode())
        client.send(ask(b"HEAD /_ecluse/login"))
        head = await client.answer(head_only=True)
        assert (head.status, head.body, head.values(b"Content-Length")) == (200, b"", [b"3"])
        old = await gate.once(ask(b"GET /_ecluse/login").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert (old.status, old.body, old.values(b"Connection")) == (200, b"<p>", [b"close"])


async def test_a_portal_that_faults_is_a_500_and_says_nothing() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = RuntimeError("of a person's name")
        answer = await gate.once(ask(b"GET /_ecluse/login"))
        assert answer.status == 500
        assert b"person" not in answer.body
        gate.faults = 1


async def test_a_fault_has_no_body_either_where_only_the_head_was_asked_for() -> None:
    """RFC 9110 9.3.2: what came after the head would be read as the next answer."""
    async with application() as app, gateway(app) as gate:
        gate.portal.page = RuntimeError()
        client = await gate.client()
        client.send(ask(b"HEAD /_ecluse/login"))
        assert (await client.answer(head_only=True)).status == 500
        assert await client.is_closed()
        gate.faults = 1


async def test_a_portal_that_does_not_answer_is_a_504() -> None:
    async with application() as app, gateway(app) as gate:
        client = await held(gate, ask(b"GET /_ecluse/login"))
        await gate.clock.passes(50)
        assert await client.is_open()
        await gate.clock.passes(12)
        assert (await client.answer()).status == 504


async def test_what_is_begun_goes_on_to_its_end_when_the_browser_has_left_and_its_page_is_nobodys() -> None:
    async with application() as app, gateway(app) as gate:
        client = await held(gate, ask(b"GET /_ecluse/logout"))
        client.close()
        await gate.until(lambda: not gate.plane.connections)
        gate.portal.may.set()
        await gate.until(lambda: gate.portal.ended == 1)


async def test_nor_does_it_go_to_who_asks_next_on_the_connection() -> None:
    async with application() as app, gateway(app) as gate:
        client = await held(gate, ask(b"GET /_ecluse/login") + ask(b"GET /public/a"))
        await gate.clock.passes(61)
        assert (await client.answer()).status == 504
        gate.portal.may.set()
        assert (await client.answer()).status == 200
        await gate.until(lambda: gate.portal.ended == 1)
        assert (await client.ask(ask(b"GET /public/a"))).status == 200


class Body:
    """model.kept_post.KeptBody, of nothing."""

    size = 0

    def __init__(self, said: list[str]) -> None:
        self._said = said

    async def read(self) -> bytes:
        raise AssertionError("nobody is there for it")

    def close(self) -> None:
        self._said.append("closed")


async def test_a_kept_post_is_given_back_with_its_file_closed_when_the_browser_has_left() -> None:
    """Else each such click would keep one more file open, until the worker can open none."""
    async with application() as app, gateway(app) as gate:
        said: list[str] = []
        give_back, done = (lambda: said.append("given back")), (lambda: said.append("done"))
        gate.portal.page = SendOn("/a", "", "/_ecluse/kept", Body(said), give_back, done)
        client = await held(gate, ask(b"POST /_ecluse/kept/id/a", b"Content-Length: 0"))
        client.close()
        await gate.until(lambda: not gate.plane.connections)
        gate.portal.may.set()
        await gate.until(lambda: said)
        assert said == ["closed", "given back"]
        assert app.peers == []


async def test_a_fault_after_the_browser_has_left_is_told() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = RuntimeError("late")
        client = await held(gate, ask(b"GET /_ecluse/logout"))
        client.close()
        await gate.until(lambda: not gate.plane.connections)
        gate.portal.may.set()
        await gate.until(lambda: gate.log.named("gateway.fault"))
        gate.faults = 1
