"""From a head to a seat, a decision and the application."""

from dataclasses import replace

import pytest

from gateway.model.session import Seat
from tests.config.samples import METROPOLE
from tests.proxy.applications import application
from tests.proxy.gateways import SIGNED_IN, ask, blot, gateway, reached
from tests.proxy.stand_ins import COOKIE, identity, seat

TWO = """\
version: 1
app: other
hosts: [other.localhost]
upstream: {{url: "http://127.0.0.1:{port}"}}
providers: [metropole]
translate: {{headers: {{X-Uid: {{from: uid}}, X-Gateway: {{value: ecluse}}}}, cookies: {{uid: {{from: uid}}}}}}
access: [{{path: /public/**, allow: anyone}}, {{path: /**, allow: signed_in}}]
"""


async def test_a_seat_is_touched_where_its_deadline_would_move() -> None:
    async with application() as app, gateway(app) as gate:
        gate.sign_in()
        held = gate.sessions.hot[COOKIE]
        client = await gate.client()
        await client.ask(ask(b"GET /a", SIGNED_IN))
        assert gate.sessions.touched == []
        held.deadline = 0.0
        await client.ask(ask(b"GET /a", SIGNED_IN))
        assert gate.sessions.touched == [held]


async def test_one_connection_to_two_applications() -> None:
    """Each has its own injected names; what is remembered of the one says nothing of the other."""
    async with application() as app, gateway(app, changes={"apps/other.yaml": TWO.format(port=app.port)}) as gate:
        gate.sign_in(uid="jdupont")
        client = await gate.client()
        forged = (SIGNED_IN, b"X-Uid: forged", b"X-Remote-User: forged")
        for _ in range(2):
            await client.ask(ask(b"GET /a", *forged))
            assert blot(app.requests.pop()) == reached(
                b"GET /a", b"X-Uid: forged", b"Cookie: CTSESSION=present", injected=(b"X-Remote-User: jdupont",)
            )
            other = ask(b"GET /a", *forged).replace(b"permis.localhost", b"other.localhost")
            assert (await client.ask(other)).status == 401
            gate.sessions.cold[COOKIE] = seat("other.localhost", identity(uid="amartin"))
            assert (await client.ask(other.replace(b"/a", b"/public/a"))).status == 200
            assert b"forged" not in app.requests[-1].replace(b"X-Remote-User: forged", b"")
            assert b"\r\nX-Uid: amartin\r\n" in app.requests.pop()
            del gate.sessions.cold[COOKIE]
            gate.sign_in(uid="jdupont")


async def test_one_cookie_line_is_read_for_each_application_anew() -> None:
    line = b"Cookie: uid=forged; CTSESSION=forged"
    async with application() as app, gateway(app, changes={"apps/other.yaml": TWO.format(port=app.port)}) as gate:
        client = await gate.client()
        for _ in range(2):
            await client.ask(ask(b"GET /public/a", line))
            assert b"\r\nCookie: uid=forged\r\n" in app.requests.pop()
            await client.ask(ask(b"GET /public/a", line).replace(b"permis.localhost", b"other.localhost"))
            assert b"\r\nCookie: CTSESSION=forged\r\n" in app.requests.pop()


async def test_a_person_on_an_open_page_is_told_of_and_nobody_is_not() -> None:
    async with application() as app, gateway(app, changes={"apps/other.yaml": TWO.format(port=app.port)}) as gate:
        gate.sessions.hot[COOKIE] = seat("other.localhost", identity(uid="jdupont"))
        for line, seen in ((SIGNED_IN, True), (b"Accept: */*", False)):
            await gate.once(ask(b"GET /public/a", line).replace(b"permis.localhost", b"other.localhost"))
            request = app.requests.pop()
            assert (b"\r\nX-Uid: jdupont\r\n" in request, b"\r\nCookie: uid=jdupont\r\n" in request) == (seen, seen)
            assert (b"\r\nX-Gateway: ecluse\r\n" in request) is seen


@pytest.mark.parametrize(
    ("line", "end"),
    [
        (b"GET /public/a", b""),
        (b"POST /public/a", b"Content-Length: 0"),
        (b"PUT /public/a", b"Content-Length: 0"),
        (b"PATCH /public/a", b"Content-Length: 0"),
        (b"DELETE /public/a", b""),
    ],
)
async def test_a_request_without_a_body_says_so_where_servers_ask(line: bytes, end: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(line))
        assert blot(app.requests[0]) == reached(line, end=end)


async def test_a_length_of_nothing_is_kept() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(2):
            await client.ask(ask(b"GET /public/a", b"Content-Length: 0"))
            assert blot(app.requests.pop()) == reached(b"GET /public/a", end=b"Content-Length: 0")


async def test_repeated_lines_with_a_body_keep_their_length() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for line in (b"POST /public/a", b"POST /public/b", b"PUT /public/b", b"GET /public/b"):
            await client.ask(ask(line, b"Content-Length: 3", body=b"abc"))
            assert blot(app.requests.pop()) == reached(line, end=b"Content-Length: 3", body=b"abc")


async def test_a_cold_seat_is_waited_for_and_the_client_may_leave_meanwhile() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /a", SIGNED_IN))
        client.close()
        await gate.until(lambda: not gate.plane.connections)
        assert app.peers == []


@pytest.mark.parametrize("framing", ["Content-Length: 5", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("split", [0, 3])
async def test_a_body_that_came_while_a_seat_was_awaited_goes_on(framing: str, split: int) -> None:
    """On a connection that is kept, so that nothing else is awaited after the seat."""
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        await client.ask(ask(b"GET /public/a"))
        gate.sessions.cold[COOKIE] = seat("permis.localhost", identity(uid="jdupont"))
        body = b"hello" if framing.startswith("Content") else b"5\r\nhello\r\n0\r\n\r\n"
        raw = ask(b"POST /a", SIGNED_IN, framing.encode(), body=body)
        client.send(raw[: len(raw) - split])
        await gate.until(lambda: gate.sessions.loads)
        client.send(raw[len(raw) - split :])
        assert (await client.answer()).status == 200
        assert b"hello" in app.requests[-1]


async def test_a_program_brings_nobody_elses_cookie() -> None:
    """Behind a listed proxy, the request before it was another person's."""

    class Programs:
        def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
            return seat("permis.localhost", identity(uid="program"), token)

        async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
            raise AssertionError("it is known")

    api = "api: {providers: [metropole], paths: [/api/**]}"
    tokens = {"providers/metropole.yaml": METROPOLE.replace("  scopes:", "  api: {audience: [a]}\n  scopes:")}
    async with application() as app, gateway(app, app=api, changes=tokens) as gate:
        gate.plane.callers = Programs()
        client = await gate.client()
        await client.ask(ask(b"GET /a", gate.sign_in() + b"; JSESSIONID=of-jdupont"))
        assert (await client.ask(ask(b"GET /api/a", b"Authorization: Bearer a", b"Cookie: a=1"))).status == 200
        assert b"\r\nCookie: CTSESSION=present\r\n" in app.requests[-1]


@pytest.mark.parametrize("accept", [b"Accept: application/json", b"Accept: text/html", b"Sec-Fetch-Mode: navigate"])
async def test_a_program_whose_token_is_too_weak_is_told_what_it_needs_and_never_where_to_sign_in(
    accept: bytes,
) -> None:
    """RFC 9470 3. Invariant 10."""
    who = replace(identity(uid="program"), acr="eidas1", authenticated_at=1)

    class Programs:
        def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
            return seat("permis.localhost", who, b"") if token != b"other" else None

        async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
            elsewhere = replace(who, provider="departement")
            return seat("permis.localhost", elsewhere, b"")

    api = (
        "  - {path: /api/strong, allow: {acr_min: eidas2}}\n  - {path: /api/new, allow: {max_age: 5m}}\n"
        "  - {path: /api/card, allow: {amr: hwk}}\n  - {path: /api/**, allow: signed_in}\n"
        "api: {providers: [metropole], paths: [/api/**]}\n"
    )
    tokens = {"providers/metropole.yaml": METROPOLE.replace("  scopes:", "  api: {audience: [a]}\n  scopes:")}
    async with application() as app, gateway(app, app=api, changes=tokens) as gate:
        gate.plane.callers = Programs()
        client = await gate.client()
        for path, wanted in (
            (b"strong", b', acr_values="eidas2 eidas3"'),
            (b"new", b', max_age="300"'),
            (b"card", b""),
        ):
            answer = await client.ask(ask(b"GET /api/" + path, b"Authorization: Bearer a", accept))
            assert (answer.status, answer.body.split()[0]) == (401, b"api.too_weak")
            told = b'Bearer error="insufficient_user_authentication"' + wanted
            assert answer.values(b"WWW-Authenticate") == [told]
            assert b"Location" not in answer.head
        # Of a provider that is not listened to: no stronger token of it would do.
        for path in (b"x", b"strong"):
            answer = await client.ask(ask(b"GET /api/" + path, b"Authorization: Bearer other", accept))
            assert (answer.status, answer.values(b"WWW-Authenticate")) == (401, [b'Bearer error="invalid_token"'])
        assert app.requests == []
        assert (await client.ask(ask(b"GET /api/x", b"Authorization: Bearer a", accept))).status == 200


async def test_an_application_that_is_told_of_sign_outs_has_its_cookies_seen_where_they_are_other_ones() -> None:
    """And no other application's, nobody's, and not at each request."""
    async with application() as app, gateway(app, app="logout: {url: /bye}\n") as gate:
        gate.sign_in()
        held = gate.sessions.hot[COOKIE]
        client = await gate.client()
        for cookies in (b"", b"; a=1", b"; a=1", b"; a=2; CTSESSION=forged"):
            await client.ask(ask(b"GET /a", SIGNED_IN + cookies))
        await client.ask(ask(b"GET /public/a", b"Cookie: a=3"))
        assert gate.seen == [(held, "permis", "permis.localhost", line) for line in (b"", b"a=1", b"a=2")]
    async with application() as app, gateway(app) as gate:
        gate.sign_in()
        await gate.once(ask(b"GET /a", SIGNED_IN + b"; a=1"))
        assert gate.seen == []
