"""What a server in front may ask, what it is told, and who is told nothing: questions as bytes, on a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS
from tests.proxy.applications import Application, application
from tests.proxy.gateways import HOST, Answer, Client, Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE, identity, seat
from tests.proxy.test_alike import API, TOKENS, Programs

SHOWN = b"X-Ecluse-Front: " + SECRET
NAVIGATION = (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document", b"Accept: text/html")
TOLD_NOTHING = ((b"X-Remote-User", b""), (b"Authorization", b""), (b"Cookie", b""))


@asynccontextmanager
async def fronted(app: str = "front: nginx", settings: str = GATEWAY) -> AsyncIterator[tuple[Gateway, Application]]:
    async with application() as behind, gateway(behind, app=app, gateway=settings, secrets=SECRETS) as gate:
        yield gate, behind
        assert not behind.requests, "a question is never sent on"


def question(
    method: bytes, target: bytes, *lines: bytes, path: bytes = b"GET /_ecluse/authz/nginx", shown: bytes = SHOWN
) -> bytes:
    """As nginx asks it."""
    return ask(path, shown, b"X-Original-Method: " + method, b"X-Original-URI: " + target, *lines)


def told(answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
    """What the front writes over the client's lines."""
    ours = (b"Date", b"X-Request-Id", b"Cache-Control", b"Content-Length", b"Connection")
    lines = [line.partition(b": ") for line in answer.head.split(b"\r\n")[1:-2]]
    return tuple((name, value) for name, _, value in lines if name not in ours)


async def test_a_person_who_may_is_announced_in_every_line_that_the_file_names() -> None:
    async with fronted() as (gate, _):
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(question(b"GET", b"/a%20b?x=1", cookie + b"; own=1; CTSESSION=forged"))
        assert answer.status == 200
        assert told(answer) == (
            (b"X-Remote-User", b"helene"),
            (b"Authorization", b""),
            (b"Cookie", b"CTSESSION=present; own=1"),
        )
        assert answer.body == b""
        assert len(answer.values(b"X-Request-Id")[0]) == 32


async def test_a_public_page_is_allowed_and_every_line_is_empty() -> None:
    async with fronted() as (gate, _):
        answer = await gate.once(question(b"GET", b"/public/", b"X-Remote-User: forged", b"Cookie: CTSESSION=forged"))
        assert (answer.status, told(answer)) == (200, TOLD_NOTHING)


async def test_what_is_not_allowed_is_a_401_or_a_403_without_a_page() -> None:
    """nginx turns all else, a 302 included, into a 500."""
    async with fronted(app='front: nginx\nlogout: {links: ["/bye"]}') as (gate, _):
        cookie = gate.sign_in(uid="helene")
        for asked, status, would_be in (
            (question(b"GET", b"/private"), 401, b"401"),
            (question(b"GET", b"/private", *NAVIGATION), 401, b"401"),
            (question(b"GET", b"/bye", cookie), 401, b"401"),
            (question(b"GET", b"/admin/x", cookie), 403, b"403"),
            (question(b"GET", b"/public/../admin/x", cookie), 403, b"400"),
            (question(b"TRACE", b"/public/x"), 403, b"405"),
            (question(b"GET", b"/_ECLUSE/x"), 403, b"404"),
        ):
            answer = await gate.once(asked)
            assert (answer.status, answer.values(b"X-Ecluse-Status"), answer.body) == (status, [would_be], b"")
            assert not answer.values(b"X-Remote-User")
        # The front sends the request itself here next, and that one is logged.
        assert not gate.log.events
        assert not gate.portal.asked


async def test_a_seat_of_the_store_is_waited_for_and_a_store_that_is_away_lets_nobody_in() -> None:
    async with fronted() as (gate, _):
        gate.sessions.cold[COOKIE] = seat(HOST.decode(), identity(uid="helene"))
        cookie = b"Cookie: __Host-ecluse=" + COOKIE
        assert told(await gate.once(question(b"GET", b"/", cookie)))[0] == (b"X-Remote-User", b"helene")
        gate.sessions.hot.clear()
        gate.sessions.error = GatewayError(store_codes.UNREACHABLE, "away")
        answer = await gate.once(question(b"GET", b"/", cookie))
        assert (answer.status, answer.values(b"X-Ecluse-Status")) == (403, [b"503"])


@pytest.mark.parametrize(
    "shown",
    [b"X-Other: 1", b"X-Ecluse-Front:", b"X-Ecluse-Front: " + SECRET[:-1], SHOWN + b"0", SHOWN + b"\r\n" + SHOWN],
)
async def test_who_does_not_show_the_secret_is_told_nothing(shown: bytes) -> None:
    async with fronted() as (gate, _):
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(question(b"GET", b"/", cookie, shown=shown))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])
        assert answer.body.startswith(b"front.unknown")


async def test_who_is_no_listed_proxy_is_told_nothing_even_with_the_secret() -> None:
    settings = GATEWAY.replace("127.0.0.1/32", "10.0.0.1/32")
    async with fronted(settings=settings) as (gate, _):
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(question(b"GET", b"/", cookie))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])
        assert gate.log.named("request.refused")[0]["code"] == "front.unknown"


async def test_where_no_front_is_spoken_of_the_portal_answers_as_for_any_page_that_is_not_there() -> None:
    async with fronted(app="", settings="trusted_proxies: [127.0.0.1/32]\n") as (gate, _):
        answer = await gate.once(question(b"GET", b"/", gate.sign_in(uid="helene")))
        assert (answer.status, answer.values(b"X-Remote-User")) == (303, [])
        assert gate.portal.asked[0].call.target == "/_ecluse/authz/nginx"


async def test_an_application_that_names_no_front_is_asked_about_in_vain() -> None:
    async with fronted(app="") as (gate, _):
        answer = await gate.once(question(b"GET", b"/", gate.sign_in(uid="helene")))
        assert (answer.status, answer.values(b"X-Ecluse-Status")) == (403, [b"403"])
        assert told(answer) == ((b"X-Ecluse-Status", b"403"),)


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (b"GET /_ecluse/authz", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/apache", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/nginx/", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/nginx?a", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"POST /_ecluse/authz/nginx", (b"X-Original-Method: GET", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/nginx", ()),
        (b"GET /_ecluse/authz/nginx", (b"X-Original-URI: /",)),
        (b"GET /_ecluse/authz/nginx", (b"X-Original-Method: GET",)),
        (b"GET /_ecluse/authz/nginx", (b"X-Original-Method: GET", b"X-Original-URI:")),
        # The front's line and the client's: one of the two readings is wrong.
        (b"GET /_ecluse/authz/nginx", (b"X-Original-Method: GET", b"X-Original-URI: /public/", b"X-Original-URI: /")),
        (b"GET /_ecluse/authz/nginx", (b"X-Original-Method: GET", b"x-original-method: PUT", b"X-Original-URI: /")),
        # The front took a line off that the application sees.
        (
            b"GET /_ecluse/authz/nginx",
            (b"X-Original-Method: GET", b"X-Original-URI: /", b"X-Own: 1", b"Connection: X-Own"),
        ),
    ],
)
async def test_a_question_is_whole_and_says_each_thing_once(path: bytes, lines: tuple[bytes, ...]) -> None:
    async with fronted() as (gate, _):
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(ask(path, SHOWN, cookie, *lines))
        assert (answer.status, answer.body.partition(b" ")[0]) == (400, b"front.question")
        assert not answer.values(b"X-Remote-User")


async def test_a_question_has_no_body() -> None:
    async with fronted() as (gate, _):
        lines = (SHOWN, b"X-Original-Method: POST", b"X-Original-URI: /public/", b"Content-Length: 3")
        answer = await gate.once(ask(b"GET /_ecluse/authz/nginx", *lines, body=b"a=1"))
        assert (answer.status, answer.body.partition(b" ")[0]) == (400, b"front.question")


async def test_a_page_of_ours_is_never_answered_by_a_question() -> None:
    """The request itself comes next, and is no question without the secret."""
    async with fronted() as (gate, _):
        for target in (b"/_ecluse/authz/nginx", b"/_ecluse/session", b"/_ecluse"):
            answer = await gate.once(question(b"GET", target, gate.sign_in(uid="helene")))
            assert (answer.status, answer.body, answer.values(b"X-Remote-User")) == (401, b"", [])
        assert not gate.portal.asked


@pytest.mark.parametrize(
    ("method", "target"),
    [
        (b"GET", b"/public/x HTTP/1.1"),
        (b"GET", b"/public/ x"),
        (b"GET /public/", b"/admin/x"),
        (b"GET", b"public/x"),
        (b"GET", b"*"),
        (b"CONNECT", b"permis.localhost:80"),
        (b"GET", b"http://other.localhost/public/"),
        (b"GET", b"/public//x"),
        (b"GET", b"/public/%2e%2e/admin"),
        (b"GET", b"/public%2fx"),
        (b"GET", b"/public/;x"),
        (b"GET", b"/public/#x"),
        (b"GET", b"/public/\\x"),
        (b"GET", b"/public/%00"),
        (b"GET", b"/public/\xc3\xa9"),
        (b"GET", b"http://[::1"),
        (b"GET", b"%"),
        (b"GET", b":"),
        (b"G\xc3\x89T", b"/public/"),
        (b"get", b"/public/"),
    ],
)
async def test_what_a_front_may_read_otherwise_is_never_allowed(method: bytes, target: bytes) -> None:
    """Invariant 2, and K052: no fault leads to an allowance."""
    async with fronted() as (gate, _):
        answer = await gate.once(question(method, target, gate.sign_in(uid="helene")))
        assert answer.status == 403
        assert not answer.values(b"X-Remote-User")


async def test_the_host_is_the_one_that_the_front_names_and_a_seat_of_another_opens_nothing() -> None:
    async with fronted() as (gate, _):
        lines = [SHOWN, b"X-Original-Method: GET", b"X-Original-URI: /", gate.sign_in(uid="helene"), b"", b""]
        for host, status in ((HOST, 200), (b"other.localhost", 421), (b"portail.localhost", 403), (b"a b", 400)):
            asked = b"\r\n".join([b"GET /_ecluse/authz/nginx HTTP/1.1", b"Host: " + host, *lines])
            answer = await gate.once(asked)
            assert (host, answer.status) == (host, status)
            assert bool(answer.values(b"X-Remote-User")) == (status == 200)


@pytest.mark.parametrize("name", [b"X-Original-Host", b"X-Forwarded-Host", b"X-Forwarded-Uri", b"X-Forwarded-Method"])
async def test_what_another_kind_of_front_would_say_changes_nothing(name: bytes) -> None:
    """These lines are the client's own here. Where the front would pass them on, it is not told to."""
    async with fronted() as (gate, _):
        answer = await gate.once(question(b"GET", b"/private", name + b": /public/"))
        assert answer.status in (401, 403)


@pytest.mark.parametrize(
    "name", [b"X-Remote--User", b"XRemoteUser", b"X_Remote_User", b"Remote-User", b"X-Original-URL", b"Shib-Session-ID"]
)
async def test_a_line_that_the_front_would_pass_on_is_not_allowed(name: bytes) -> None:
    """nginx cannot take a line off whose name it is not told beforehand."""
    async with fronted() as (gate, _):
        answer = await gate.once(question(b"GET", b"/public/", name + b": forged"))
        assert (answer.status, answer.values(b"X-Ecluse-Status")) == (403, [b"400"])


@pytest.mark.parametrize("name", [b"Forwarded", b"X-Real-IP", b"CF-Connecting-IP", b"Proxy-Connection", b"TE"])
async def test_what_honest_servers_on_the_way_add_hinders_nobody(name: bytes) -> None:
    async with fronted() as (gate, _):
        assert (await gate.once(question(b"GET", b"/public/", name + b": x"))).status == 200


async def test_the_client_is_the_one_that_the_front_names() -> None:
    rules = "front: nginx\n"
    async with application() as behind:
        changes = {"apps/reseau.yaml": NETWORK.format(port=behind.port)}
        async with gateway(behind, app=rules, gateway=GATEWAY, secrets=SECRETS, changes=changes) as gate:
            for client, status in ((b"10.1.2.3", 200), (b"192.0.2.1", 403)):
                lines = (b"X-Forwarded-For: " + client, b"X-Original-Method: GET", b"X-Original-URI: /")
                asked = ask(b"GET /_ecluse/authz/nginx", SHOWN, *lines).replace(HOST, b"reseau.localhost")
                assert (await gate.once(asked)).status == status


NETWORK = """version: 1
app: reseau
hosts: [reseau.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
front: nginx
providers: [metropole]
access:
  - {{path: /**, allow: {{network: 10.0.0.0/8}}}}
"""


async def test_one_connection_carries_questions_and_requests_and_never_takes_one_for_the_other() -> None:
    """nginx keeps its connections: after a question, a stranger's request on the same one is no question."""
    async with application() as behind, gateway(behind, app="front: nginx", gateway=GATEWAY, secrets=SECRETS) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="helene")
        for _ in range(3):
            answer = await client.ask(question(b"GET", b"/x", cookie))
            assert told(answer)[0] == (b"X-Remote-User", b"helene")
            answer = await client.ask(ask(b"GET /x", cookie))
            assert (answer.body, answer.values(b"X-Remote-User")) == (b"ok", [])
            answer = await client.ask(question(b"GET", b"/admin/x", cookie))
            assert answer.status == 403
            answer = await client.ask(ask(b"GET /private"))
            assert answer.status == 401
        assert len(behind.requests) == 3


async def test_a_head_is_asked_about_and_the_answer_is_that_to_the_question() -> None:
    async with fronted() as (gate, _):
        client, cookie = await gate.client(), gate.sign_in(uid="helene")
        for _ in range(2):
            assert (await client.ask(question(b"HEAD", b"/x", cookie))).status == 200
            assert (await client.ask(question(b"HEAD", b"/admin/x", cookie))).status == 403


async def test_a_websocket_is_asked_about_with_its_origin() -> None:
    asks = (b"Connection: upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")  # fmt: skip
    async with fronted(app="front: nginx\ntunnel: {protocols: [websocket]}") as (gate, _):
        cookie = gate.sign_in(uid="helene")
        for origin, status in (
            (b"Origin: http://permis.localhost:8080", 200),
            (b"Origin: https://evil.example", 403),
            (b"X-Other: no origin", 403),
        ):
            assert (await gate.once(question(b"GET", b"/x", cookie, origin, *asks))).status == status
    async with fronted() as (gate, _):
        own = b"Origin: http://permis.localhost:8080"
        assert (await gate.once(question(b"GET", b"/x", gate.sign_in(uid="helene"), own, *asks))).status == 403


async def test_questions_one_behind_the_other_are_answered_in_order() -> None:
    async with fronted() as (gate, _):
        client, cookie = await gate.client(), gate.sign_in(uid="helene")
        client.send(b"".join(question(b"GET", target, cookie) for target in (b"/x", b"/admin/x", b"/y")))
        assert [(await client.answer()).status for _ in range(3)] == [200, 403, 200]


async def test_a_front_of_http_1_0_is_answered_and_left() -> None:
    async with fronted() as (gate, _):
        client: Client = await gate.client()
        client.send(question(b"GET", b"/x", gate.sign_in(uid="helene")).replace(b" HTTP/1.1", b" HTTP/1.0", 1))
        assert (await client.answer()).status == 200
        assert await client.is_closed()


async def test_a_front_that_takes_lines_off_is_told_which() -> None:
    """Also those of the injected names that are empty now, and those in which the front itself speaks."""
    async with fronted(app="front: haproxy") as (gate, _):
        lines = (gate.sign_in(uid="helene"), b"X_Remote_User: forged", b"X-Remote-User: forged", b"Remote-User: forged")
        answer = await gate.once(question(b"GET", b"/x", *lines, path=b"GET /_ecluse/authz/haproxy"))
        assert answer.status == 200
        assert answer.values(b"X-Ecluse-Remove") == [
            b"X_Remote_User, Remote-User, x-original-method, x-original-uri, Authorization"
        ]
        assert answer.values(b"X-Remote-User") == [b"helene"]


async def test_a_front_asks_about_its_own_applications_alone() -> None:
    async with fronted(app="front: haproxy") as (gate, _):
        answer = await gate.once(question(b"GET", b"/x", gate.sign_in(uid="helene")))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])


@pytest.mark.parametrize("forward", [False, True])
async def test_a_programs_token_reaches_the_application_only_where_its_file_says_so(forward: bool) -> None:
    app = f"{API}\nfront: nginx\n"
    app = app.replace("api: {", "api: {forward: true, ") if forward else app
    async with (
        application() as behind,
        gateway(behind, app=app, gateway=GATEWAY, changes=TOKENS, callers=Programs(), secrets=SECRETS) as gate,
    ):
        line = b"Authorization: Bearer tok"
        answer = await gate.once(question(b"GET", b"/api/x", line))
        assert answer.values(b"X-Remote-User") == [b"program-tok"]
        assert answer.values(b"Authorization") == [b"Bearer tok" if forward else b""]


async def test_a_page_that_a_front_passes_to_the_browser_never_looks_like_an_allowance() -> None:
    """Traefik lets a request pass by any 2xx, and a page of the portal may be a 200."""
    asked = (b"GET /_ecluse/authz/traefik", SHOWN, b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /x")
    async with fronted(app="front: traefik") as (gate, _):
        for status in (200, 204, 299):
            gate.portal.page = Page(status, ((b"X-Kept", b"1"),), b"a page for somebody who waits")
            navigates = (b"X-Forwarded-Host: " + HOST, b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document")
            answer = await gate.once(ask(*asked, *navigates))
            assert (answer.status, answer.values(b"X-Kept"), answer.body) == (401, [b"1"], gate.portal.page.body)
        assert len(gate.portal.asked) == 3
