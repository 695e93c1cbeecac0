"""The invariants of the architecture that the data plane keeps, each by its number.

2, 3 and 10 have files of their own: test_targets.py, test_request.py, test_refusals.py; more of 15 is in
test_heads.py."""

import asyncio

import pytest

from gateway.access import application as application_access
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.http.pages import Pages
from tests.growth import Steps
from tests.proxy.applications import Application, application
from tests.proxy.gateways import SIGNED_IN, Gateway, ask, blot, gateway, reached
from tests.proxy.stand_ins import COOKIE, identity, seat

NARROW = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: "http://127.0.0.1:{port}"}}
providers: [metropole]
translate: {{headers: {{X-Remote-User: {{from: uid}}}}}}
access:
  - {{path: /a/**, allow: signed_in, methods: [GET]}}
  - {{path: /groups/**, allow: {{group: administrateurs}}}}
  - {{path: /open/**, allow: anyone}}
"""


def narrow(app: Application) -> dict[str, str]:
    return {"apps/permis.yaml": NARROW.format(port=app.port)}


# --- 1: deny by default ---


@pytest.mark.parametrize(
    ("line", "signed_in", "status"),
    [
        (b"GET /a/1", False, 401),
        (b"GET /nowhere", False, 403),
        (b"GET /nowhere", True, 403),
        (b"GET /", True, 403),
        (b"GET /A/1", True, 403),
        (b"POST /a/1", True, 403),
        (b"OPTIONS /a/1", True, 403),
        (b"GET /groups/1", True, 403),
        (b"HEAD /groups/1", True, 403),
        (b"HEAD /a/1", False, 401),
    ],
)
async def test_invariant_1_what_no_rule_allows_is_refused(line: bytes, signed_in: bool, status: int) -> None:
    async with application() as app, gateway(app, changes=narrow(app)) as gate:
        cookie = gate.sign_in(uid="jdupont")
        assert (await gate.once(ask(line, *([cookie] if signed_in else [])))).status == status
        assert app.peers == []


@pytest.mark.parametrize("host", [b"nobody.localhost", b"permis.localhost.evil.example", b"127.0.0.1", b"localhost"])
async def test_invariant_1_an_unknown_host_is_nobodys(host: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        gate.sign_in()
        raw = b"GET /public/a HTTP/1.1\r\nHost: " + host + b"\r\n" + SIGNED_IN + b"\r\n\r\n"
        assert (await gate.once(raw)).status == 421
        assert app.peers == []


@pytest.mark.parametrize(
    "cookie",
    [
        b"__Host-ecluse=" + COOKIE[:-1] + b"x",
        b"__Host-ecluse=",
        b"__host-ecluse=" + COOKIE,
        b"__Host-ecluse =" + COOKIE,
        b'__Host-ecluse="' + COOKIE + b'"',
        b"__Host-ecluse-b=" + COOKIE,
        b"x__Host-ecluse=" + COOKIE,
    ],
)
async def test_invariant_1_a_cookie_that_is_not_quite_ours_is_nobody(cookie: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        gate.sign_in()
        assert (await gate.once(ask(b"GET /a", b"Cookie: " + cookie))).status == 401
        assert app.peers == []


async def test_invariant_1_two_cookies_of_ours_are_an_error() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in()
        for headers in ((cookie + b"; __Host-ecluse=" + COOKIE,), (cookie, cookie)):
            answer = await gate.once(ask(b"GET /public/a", *headers))
            assert (answer.status, answer.body.split()[0]) == (400, b"wire.cookie")
        assert app.peers == []


@pytest.mark.parametrize("kept", ["hot", "cold"])
async def test_invariant_1_a_seat_of_another_host_and_a_dead_one_are_nobody(kept: str) -> None:
    async with application() as app, gateway(app) as gate:
        where = getattr(gate.sessions, kept)
        where[COOKIE] = seat("other.localhost", identity(uid="jdupont"))
        assert (await gate.once(ask(b"GET /a", SIGNED_IN))).status == 401
        where[COOKIE] = seat("permis.localhost", identity(uid="jdupont"))
        where[COOKIE].live = False
        assert (await gate.once(ask(b"GET /a", SIGNED_IN))).status == 401
        assert app.peers == []


async def test_invariant_1_a_value_that_cannot_be_written_is_a_refusal() -> None:
    async with application() as app, gateway(app) as gate:
        cookie = gate.sign_in(uid="jdupont\r\nX-Admin: 1")
        assert (await gate.once(ask(b"GET /a", cookie))).status == 403
        assert app.peers == []


async def test_invariant_1_a_fault_of_policy_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret value")

    async with application() as app, gateway(app) as gate:
        monkeypatch.setattr(application_access, "Question", broken)
        gate.faults = 2
        for cookie in (gate.sign_in(), b"Accept: text/html"):
            client = await gate.client()
            client.send(ask(b"GET /a", cookie) + ask(b"GET /a"))
            answer = await client.answer()
            assert (answer.status, answer.body.split()[0]) == (500, b"gateway.fault")
            assert await client.is_closed()
        assert app.peers == []
        assert "secret" not in str(gate.log.events)


@pytest.mark.parametrize("broken", ["cached", "load", "touch"])
async def test_invariant_1_a_fault_of_the_sessions_lets_nobody_in(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError(broken)

    async with application() as app, gateway(app) as gate:
        if broken == "touch":
            gate.sign_in()
            gate.sessions.hot[COOKIE].deadline = 0
        monkeypatch.setattr(gate.sessions, broken, fault)
        gate.faults = 1
        assert (await gate.once(ask(b"GET /a", SIGNED_IN))).status == 500
        assert app.peers == []


# --- 4: the app sees only what its file lists ---


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (b"__Host-ecluse=" + COOKIE, b""),
        (b"a=1; __Host-ecluse=" + COOKIE + b"; b=2", b"a=1; b=2"),
        (b"a=1; __HOST-ECLUSE=x; __Host-ecluse-b=y", b"a=1"),
        (b"__Host_ecluse=x; a=1", b"a=1"),
        (b'"__Host-ecluse"=x; a=1', b"a=1"),
        (b"__Host%2Decluse=x; a=1", b"a=1"),
    ],
)
async def test_invariant_4_no_cookie_of_ours_reaches_the_application(sent: bytes, left: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /public/a", b"Cookie: " + sent))
        assert blot(app.requests[0]) == reached(b"GET /public/a", *((b"Cookie: " + left,) if left else ()))


@pytest.mark.parametrize(
    "ours",
    [b"__Host-ecluse=x", b"__HOST-ECLUSE=x; Path=/", b"__Host-ecluse-b=x", b" __host-ecluse = x", b'"__Host-ecluse"=x'],
)
async def test_invariant_4_no_cookie_of_ours_comes_from_an_application(ours: bytes) -> None:
    lines = b"Set-Cookie: a=1\r\nset-cookie: " + ours + b"\r\nSet-Cookie: b=__Host-ecluse\r\n"
    alone = b"HTTP/1.1 200 OK\r\nSet-Cookie: " + ours + b"\r\nContent-Length: 2\r\n\r\nok"
    among = b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 2\r\n\r\nok"
    async with application(alone, among, alone) as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /public/a"))).values(b"Set-Cookie") == []
        assert (await client.ask(ask(b"GET /public/a"))).values(b"Set-Cookie") == [b"a=1", b"b=__Host-ecluse"]
        assert (await client.ask(ask(b"HEAD /public/a"))).values(b"Set-Cookie") == []


async def test_invariant_4_the_portal_sets_our_cookies() -> None:
    async with application() as app, gateway(app) as gate:
        gate.portal.page = Page(303, ((b"Set-Cookie", b"__Host-ecluse=x"),), b"")
        answer = await gate.once(ask(b"GET /_ecluse/enter?code=x", SIGNED_IN))
        assert answer.values(b"Set-Cookie") == [b"__Host-ecluse=x"]
        assert gate.portal.asked[0].call.cookies == SIGNED_IN.removeprefix(b"Cookie: ")


# --- 9: absent and unreachable are different answers ---


async def unreachable(gate: Gateway, raw: bytes) -> tuple[int, list[bytes]]:
    gate.sessions.error = GatewayError(store_codes.UNREACHABLE, "down")
    gate.plane.pages = Pages()
    answer = await gate.once(raw)
    return answer.status, answer.values(b"Retry-After")


@pytest.mark.parametrize("headers", [(b"Accept: text/html",), (), (b"Sec-Fetch-Dest: iframe",)])
async def test_invariant_9_without_the_store_what_needs_a_person_is_503(headers: tuple[bytes, ...]) -> None:
    async with application() as app, gateway(app) as gate:
        for line in (b"GET /a", b"GET /admin/", b"POST /a"):
            assert await unreachable(gate, ask(line, SIGNED_IN, *headers)) == (503, [b"5"])
        assert (app.peers, gate.portal.asked) == ([], [])


async def test_invariant_9_without_the_store_what_is_everybodys_is_served_to_nobody_in_particular() -> None:
    async with application() as app, gateway(app) as gate:
        assert await unreachable(gate, ask(b"GET /public/a", SIGNED_IN)) == (200, [])
        assert blot(app.requests[0]) == reached(b"GET /public/a")


async def test_invariant_9_a_worker_that_holds_the_seat_needs_no_store() -> None:
    async with application() as app, gateway(app) as gate:
        gate.sign_in()
        assert await unreachable(gate, ask(b"GET /a", SIGNED_IN)) == (200, [])


async def test_invariant_9_a_seat_that_is_only_in_the_store_is_waited_for() -> None:
    async with application() as app, gateway(app) as gate:
        gate.sessions.cold[COOKIE] = seat("permis.localhost", identity(uid="jdupont"))
        client = await gate.client()
        client.send(ask(b"GET /a", SIGNED_IN) * 3)
        assert [(await client.answer()).status for _ in range(3)] == [200] * 3
        assert gate.sessions.loads == 1
        assert b"\r\nX-Remote-User: jdupont\r\n" in app.requests[0]


# --- 14: nothing holds the loop ---

FLOOD = {
    "pipelined": ask(b"GET /b") * 4000,
    "tiny chunks": ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"1\r\na\r\n" * 100_000),
    "empty lines in a body": ask(b"POST /public/a", b"Transfer-Encoding: chunked", body=b"ffff\r\n" + b"\r\n" * 32767),
    "cookies": ask(b"GET /public/a", b"Cookie: " + b"a=b; " * 4000) * 10,
    "escapes": ask(b"GET /public/" + b"%41" * 2600) * 20,
    "empty lines": b"\r\n" * 200_000,
}


# Steps of Python in one turn of the loop, and some milliseconds of them: what does not end there goes on in the next.
MOST_STEPS = 40_000
_QUIET_TURNS = 50


async def most_steps_at_once() -> int:
    """In one turn of the loop, from now until nothing happens any more."""
    steps = Steps()
    most = quiet = 0
    with steps.counted():
        while quiet < _QUIET_TURNS:
            before = steps.number
            await asyncio.sleep(0.001)
            made = steps.number - before
            most, quiet = max(most, made), quiet + 1 if made < 20 else 0
    return most


@pytest.mark.slow
@pytest.mark.parametrize("flood", FLOOD)
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_invariant_14_nothing_holds_the_loop(flood: str) -> None:
    async with application(then=None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(FLOOD[flood])
        most = await most_steps_at_once()
        assert 0 < most < MOST_STEPS


@pytest.mark.slow
@pytest.mark.parametrize("piece", [b"1\r\na\r\n", b"2\r\n\r\n\r\n"])
@pytest.mark.asyncio(loop_factories=["uvloop"])
async def test_invariant_14_no_answer_holds_the_loop(piece: bytes) -> None:
    async with application(then=None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        peer = await app.peer()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + piece * 200_000)
        most = await most_steps_at_once()
        assert 0 < most < MOST_STEPS


async def test_invariant_15_who_sends_too_much_is_told_and_cut() -> None:
    limits = "limits: {url: 100B, headers: 1KB, header_count: 5, body: 1KB, connections_per_client: 3}\n"
    table = [
        (ask(b"GET /public/" + b"a" * 200), 414),
        (ask(b"GET /public/", b"X-A: " + b"a" * 1100), 431),
        (ask(b"GET /public/", *[b"X-%d: a" % number for number in range(5)]), 431),
        (ask(b"POST /public/", b"Content-Length: 1025"), 413),
        (ask(b"POST /public/", b"Transfer-Encoding: chunked", body=b"401\r\n" + b"a" * 1025 + b"\r\n0\r\n\r\n"), 413),
    ]  # fmt: skip
    async with application() as app, gateway(app, gateway=limits) as gate:
        for raw, status in table:
            client = await gate.client()
            assert (await client.ask(raw)).status == status
            assert await client.is_closed()
            client.close()
        assert app.requests == []
