"""Each real front with its configuration of deploy/fronts: what reaches an application behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from deploy.demo.ports import free
from tests.attacks.world import MARK
from tests.fronts.corpora import cookie_lines, header_lines, paths
from tests.fronts.fronts import COMMANDS, GATEWAY, SECRET, SECRETS, Ports, running_front
from tests.proxy.applications import Application, application
from tests.proxy.gateways import HOST, Answer, Client, Gateway, ask, files, gateway

pytestmark = [pytest.mark.service, pytest.mark.parametrize("kind", COMMANDS)]

NAVIGATION = (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document", b"Accept: text/html")
# What is not allowed they answer as we answered the question; the others send the request to us.
PASSING = ("traefik", "envoy")
# What the gateway writes and no front does: a request that has it came by the gateway.
BY_THE_GATEWAY = b"\r\nForwarded: "


@dataclass
class Front:
    gate: Gateway
    application: Application
    port: int
    _kept: Client | None = None

    async def client(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20))
        self.gate.clients.append(client)
        return client

    async def ask(self, raw: bytes) -> tuple[Answer, list[bytes]]:
        """The answer, and what reached the application of it. The connection is kept as long as nginx keeps it."""
        self.application.requests.clear()
        client = self._kept or await self.client()
        client.send(raw)
        answer = await client.answer(head_only=raw.startswith(b"HEAD "))
        self._kept = None if b"connection: close" in answer.head.lower() else client
        return answer, list(self.application.requests)


@asynccontextmanager
async def fronted(folder: Path, kind: str) -> AsyncIterator[Front]:
    """The application is told of people in X-Remote-User and in the cookie app_user."""
    async with application() as behind:
        file = files(behind.port, app=f"front: {kind}")["apps/permis.yaml"]
        changes = {"apps/permis.yaml": file.replace("CTSESSION", "app_user")}
        async with gateway(behind, gateway=GATEWAY, secrets=SECRETS, changes=changes) as gate:
            (port,) = free(1)
            with running_front(kind, folder, Ports(port, gate.port, behind.port), HOST.decode()):
                yield Front(gate, behind, port)


def values(request: bytes, name: bytes) -> list[bytes]:
    head = request.partition(b"\r\n\r\n")[0]
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    return [value for key, _, value in lines if key.lower() == name.lower()]


async def test_what_the_application_sees_of_a_person(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        lines = (b"Accept: text/html", b"User-Agent: Firefox", b"X-Remote-User: forged", b"Authorization: Own x")
        answer, (came,) = await front.ask(ask(b"GET /permis/a%20b?x=1", *lines, cookie + b"; a=b"))
        assert came.startswith(b"GET /permis/a%20b?x=1 HTTP/1.1\r\n")
        assert BY_THE_GATEWAY not in came
        for name, value in (
            (b"Host", HOST), (b"X-Remote-User", b"helene"), (b"Cookie", b"app_user=present; a=b"),
            (b"Accept", b"text/html"), (b"User-Agent", b"Firefox"), (b"Authorization", b"Own x"),
            (b"X-Forwarded-Proto", b"http"),
        ):  # fmt: skip
            assert values(came, name) == [value], name
        # Of one who asks from its own machine, Envoy names the machine.
        assert len(values(came, b"X-Forwarded-For")) == 1
        assert kind == "envoy" or values(came, b"X-Forwarded-For") == [b"127.0.0.1"]
        assert len(values(came, b"X-Request-Id")[0]) == 32
        assert b"ecluse" not in came.lower()
        assert (answer.status, answer.body) == (200, b"ok")
        # Traefik writes it over the application's or not at all.
        assert answer.values(b"Cache-Control") == ([] if kind == "traefik" else [b"private"])
        assert not answer.values(b"X-Remote-User")


async def test_a_form_goes_to_the_application_and_not_to_the_gateway(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        body = b"x=1&" * 50_000
        _, (came,) = await front.ask(ask(b"POST /form", cookie, b"Content-Length: %d" % len(body), body=body))
        assert came.endswith(b"\r\n\r\n" + body)
        assert values(came, b"X-Remote-User") == [b"helene"]
        assert BY_THE_GATEWAY not in came


async def test_nobody_gets_the_gateways_own_answers(kind: str, tmp_path: Path) -> None:
    """A navigation signs in, a script gets its 401, who may not a page that says so: as without nginx."""
    async with fronted(tmp_path, kind) as front:
        answer, came = await front.ask(ask(b"GET /private?x=1", *NAVIGATION))
        assert (answer.status, answer.values(b"Location"), came) == (303, [b"/portal"], [])
        call = front.gate.portal.asked[-1].call
        assert (call.purpose, call.target, call.host) == ("challenge", "/private?x=1", "permis.localhost")
        answer, came = await front.ask(ask(b"GET /private", b"Accept: application/json"))
        assert (answer.status, answer.body.partition(b" ")[0], came) == (401, b"session.required", [])
        cookie = front.gate.sign_in(uid="helene")
        answer, came = await front.ask(ask(b"GET /admin/x", cookie, b"Accept: text/html"))
        assert (answer.status, came) == (403, [])
        assert "Réservé aux administrateurs.".encode() in answer.body
        assert len(front.gate.log.named("access.denied")) == 1


async def test_pages_of_the_gateway_are_its_own_on_every_host(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        answer, came = await front.ask(ask(b"GET /_ecluse/login?to=/x"))
        assert (answer.status, came) == (303, [])
        assert front.gate.portal.asked[-1].call.target == "/_ecluse/login?to=/x"
        assert kind == "envoy" or front.gate.portal.asked[-1].call.client == "127.0.0.1"


async def test_nobody_asks_a_question_of_their_own(kind: str, tmp_path: Path) -> None:
    """Neither in another spelling of the address, nor with the secret, should it be known."""
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        asks = (b"X-Ecluse-Front: " + SECRET, b"X-Original-Method: GET", b"X-Original-URI: /x", cookie)
        for target in (
            b"/_ecluse/authz/" + kind.encode(), b"/_ecluse/authz/nginx?x", b"/_ecluse/%61uthz/nginx",
            b"/_ecluse/authz/haproxy", b"/x/../_ecluse/authz/nginx",
            b"//_ecluse/authz/nginx", b"/_ECLUSE/authz/nginx", b"/_ecluse/authz", b"/_ecluse/./authz/nginx",
            b"/_ecluse/authz/traefik", b"/_ecluse/authz;x/nginx", b"/_ecluse//authz/nginx", b"http://permis.localhost/_ecluse/authz/nginx",
        ):  # fmt: skip
            answer, came = await front.ask(ask(b"GET " + target, *asks))
            # A page of ours that is none goes to the portal, which is a stand-in here.
            assert answer.status in (303, 400, 403, 404), target
            assert b"helene" not in answer.head, target
            assert not came, target


async def test_what_nginx_says_of_a_request_no_client_says(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        for lines in (
            (b"X-Original-URI: /public/x",), (b"X-Original-Method: GET", b"X-Original-URI: /public/x"),
            (b"X-Forwarded-Uri: /public/x", b"X-Forwarded-Method: GET"), (b"X-Forwarded-Host: other.localhost",),
            (b"X-Original_URI: /public/x",), (b"X-Rewrite-URL: /public/x",), (b"X-Ecluse-Front: x",),
            (b"X-Forwarded-For: 10.0.0.1", b"X-Forwarded-Proto: https"),
        ):  # fmt: skip
            answer, came = await front.ask(ask(b"GET /private", *lines))
            assert (answer.status, came) == (401, []), lines


async def test_invariant_2_what_both_read_otherwise_reaches_nobody(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene", groups="administrateurs")
        for target in paths():
            for lines in ((), (cookie,)):
                answer, came = await front.ask(ask(b"GET " + target, *lines))
                if came:
                    # Go writes other letters in escapes: what was judged is what the application gets.
                    escaped = quote(target, safe="/%").encode()
                    assert (kind in ("caddy", "traefik"), escaped != target) == (True, True), (target, came)
                    assert came[0].startswith(b"GET " + escaped + b" "), (target, came)
                else:
                    assert answer.status in (400, 403, 404, 401), (target, answer.head)
        for host in (b"permis.localhost:80:80", b"permis.localhost.", b"PERMIS.localhost", b"permis.localhost/x",
                     b"permis_localhost", b"other.localhost", b"a b", b""):  # fmt: skip
            _, came = await front.ask(b"GET /public/x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
            # Whatever the front makes of it: the host that was asked about is the one that the application sees.
            assert [values(request, b"Host") for request in came] in ([], [[b"permis.localhost"]]), host
        for host in (HOST, b"other.localhost"):
            # RFC 9112 3.2.2: a front that believes the target asks about that host.
            raw = b"GET http://permis.localhost/public/x?y HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
            answer, came = await front.ask(raw)
            assert answer.status in (200, 400, 421)
            for request in came:
                assert request.startswith(b"GET /public/x?y HTTP/1.1\r\n")
                assert values(request, b"Host") == [b"permis.localhost"]


async def test_invariant_3_no_client_says_who_it_is(kind: str, tmp_path: Path) -> None:
    """By nobody on a public page, and by a person: of each line nothing arrives, whichever way the request goes."""
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        by_nginx = 0
        for lines in header_lines():
            for more, told in (((), []), ((cookie,), [b"helene"])):
                answer, came = await front.ask(ask(b"GET /public/x", *lines, *more))
                # Traefik takes a cookie off that Connection names, before it asks.
                taken = kind == "traefik" and any(line.startswith(b"Connection: Cookie") for line in lines)
                assert answer.status in (200, 400), (lines, answer.head)
                for request in came:
                    assert MARK not in request, (lines, request)
                    # Of nobody, some fronts leave the line out, and others write an empty one.
                    assert [value for value in values(request, b"X-Remote-User") if value] == ([] if taken else told), (
                        lines,
                        request,
                    )
                    by_nginx += BY_THE_GATEWAY not in request
        # Names that nginx takes off itself, and those that are injected: the others go by the gateway.
        # Traefik is told to answer 400 in the place of the gateway.
        assert by_nginx > (40 if kind == "traefik" else 500)


async def test_invariants_3_and_4_no_client_says_a_cookie_and_none_sees_ours(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        for lines in cookie_lines():
            for more, told in ((b"", b""), (b"; " + cookie.partition(b": ")[2], b"app_user=present")):
                held = (*lines[:-1], lines[-1] + more)
                answer, came = await front.ask(ask(b"GET /public/x", *held))
                assert answer.status in (200, 400), (lines, answer.head)
                for request in came:
                    said = b"; ".join(values(request, b"Cookie"))
                    # Envoy asks with `!` for a byte that is not ASCII, and the application gets what was judged.
                    assert (kind == "envoy" and b"1!app_user" in said) or MARK not in request, (lines, said)
                    assert b"ecluse" not in said.lower(), (lines, said)
                    assert said.startswith(told), (lines, said)


async def test_no_name_in_connection_takes_off_what_the_gateway_wrote(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        for said in (b"X-Remote-User", b"keep-alive, Authorization, Cookie", b"close, X-Request-Id"):
            answer, reached = await front.ask(ask(b"GET /x", cookie, b"Connection: " + said))
            if kind in PASSING and b"Cookie" in said:
                # It is gone before they ask: nobody is signed in.
                assert (answer.status, reached) == (401, [])
                continue
            (came,) = reached
            assert values(came, b"X-Remote-User") == [b"helene"], came
            named = b",".join(values(came, b"Connection")).lower().split(b",")
            assert {name.strip() for name in named} <= {b"", b"close", b"keep-alive"}, came


async def test_a_trailer_is_no_header(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        raw = ask(b"POST /x", cookie, b"Transfer-Encoding: chunked", b"Trailer: X-Remote-User")
        client = await front.client()
        client.send(raw + b"1\r\na\r\n0\r\nX-Remote-User: " + MARK + b"\r\n\r\n")
        await front.gate.until(lambda: b"\r\na\r\n0\r\n" in front.application.received or front.application.requests)
        came = front.application.received
        assert values(came, b"X-Remote-User") == [b"helene"]
        # HAProxy 3.0 passes them on for what they are; the page about it says so.
        assert kind == "haproxy" or MARK not in came


async def test_orders_of_the_application_to_a_front_are_not_obeyed(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        front.application.then = (
            b'HTTP/1.1 200 OK\r\nX-Accel-Redirect: /_ecluse/authz/nginx\r\nClear-Site-Data: "cookies"\r\n'
            b"Cache-Control: no-cache\r\nContent-Length: 2\r\n\r\nok"
        )
        answer, _ = await front.ask(ask(b"GET /x", front.gate.sign_in(uid="helene")))
        assert (answer.status, answer.body) == (200, b"ok")
        assert not answer.values(b"X-Accel-Redirect")
        assert not answer.values(b"Clear-Site-Data")
        assert answer.values(b"Cache-Control") == [b"no-cache"]


async def test_without_the_gateway_nobody_comes_in(kind: str, tmp_path: Path) -> None:
    async with application() as behind, gateway(behind, app=f"front: {kind}", gateway=GATEWAY, secrets=SECRETS) as gate:
        away, dead = free(2)
        with running_front(kind, tmp_path, Ports(away, dead, behind.port), HOST.decode()):
            answer, came = await Front(gate, behind, away).ask(ask(b"GET /public/x", gate.sign_in(uid="helene")))
            assert (answer.status // 100, came) == (5, [])


async def test_with_a_wrong_secret_no_question_is_answered(kind: str, tmp_path: Path) -> None:
    """The request goes on as any that comes to the gateway, where nothing is lost but time."""
    async with application() as behind, gateway(behind, app=f"front: {kind}", gateway=GATEWAY, secrets=SECRETS) as gate:
        (port,) = free(1)
        ports, changes = Ports(port, gate.port, behind.port), {SECRET.decode(): "guessed"}
        with running_front(kind, tmp_path, ports, HOST.decode(), changes):
            answer, came = await Front(gate, behind, port).ask(ask(b"GET /public/x", gate.sign_in(uid="helene")))
            if kind in PASSING:
                assert (answer.status, came) == (403, [])
            else:
                assert (answer.status, len(came)) == (200, 1)
                assert BY_THE_GATEWAY in came[0]
            assert gate.log.named("request.refused")[0]["code"] == "front.unknown"


async def test_a_session_that_ends_is_over_for_the_next_request(kind: str, tmp_path: Path) -> None:
    async with fronted(tmp_path, kind) as front:
        cookie = front.gate.sign_in(uid="helene")
        assert len((await front.ask(ask(b"GET /x", cookie)))[1]) == 1
        front.gate.plane.revoked(front.gate.sessions.revoke(["session-abcd"]))
        answer, came = await front.ask(ask(b"GET /x", cookie))
        assert (answer.status, came) == (401, [])
