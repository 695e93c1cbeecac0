"""Questions that need no parser: what is remembered of those of before changes no answer, and lets nobody in."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from gateway.model.session import Seat
from gateway.proxy import client as connections
from gateway.proxy.known_questions import KnownQuestion
from gateway.proxy.memo import Memo
from gateway.proxy.request import Request
from gateway.proxy.services import Services
from tests.bench.fronts import KINDS, question
from tests.bench.lane import cookie_of
from tests.config.samples import sample_snapshot
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS
from tests.proxy.applications import application
from tests.proxy.gateways import Answer, Client, Gateway, files, gateway
from tests.proxy.stand_ins import Holder, identity, seat

_EACH_TIME = re.compile(rb"\r\n(?:Date|X-Request-Id): [^\r]*|</?code>|[0-9a-f]{32}")
BOTH = GATEWAY.replace("127.0.0.1/32", "127.0.0.1/32, 127.0.0.2/32")
WITHOUT = GATEWAY.replace("127.0.0.1/32", "127.0.0.2/32")
OTHER_SECRET = {"env:FRONT": SECRET[::-1]}


class Known:
    """How many questions needed no parser."""

    def __init__(self) -> None:
        self.count = 0


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    counted, before = Known(), connections.known_question

    def known_question(head: bytes, request: Request, memo: Memo, plane: Services) -> KnownQuestion | None:
        found = before(head, request, memo, plane)
        counted.count += found is not None
        return found

    monkeypatch.setattr(connections, "known_question", known_question)
    return counted


@asynccontextmanager
async def fronted(kind: str, settings: str = GATEWAY) -> AsyncIterator[Gateway]:
    async with application() as behind:
        app = f"front: {kind}\nlogout: {{links: [/bye]}}"
        async with gateway(behind, app=app, gateway=settings, secrets=SECRETS) as gate:
            gate.sessions.hot = people()
            yield gate
            assert not behind.requests, "a question is never sent on"


def people() -> Mapping[bytes, Seat]:
    return {
        cookie_of(number): seat("permis.localhost", identity(uid=f"person-{number}"), cookie_of(number))
        for number in range(4)
    }


async def told(client: Client, raw: bytes) -> tuple[int, bytes, bytes]:
    answer = await client.ask(raw)
    return answer.status, _EACH_TIME.sub(b"", answer.head), _EACH_TIME.sub(b"", answer.body)


# What may be another one the next time: the front's words, the browser's, and what neither should send.
TARGETS = (b"/a", b"/a?b=c", b"/public/x", b"/admin/x", b"/bye", b"/_ecluse/session", b"/_ECLUSE", b"/public/../admin",
    b"/public/%2e%2e/a", b"/public//x", b"a", b"*", b"/a b", b"/a HTTP/1.1", b"/\xc3\xa9", b"/" + b"q" * 9000,
    b"http://permis.localhost/a", b"http://other.localhost/a", b"/_ecluse/authz/nginx", b"%", b"")  # fmt: skip
METHODS = (b"GET", b"HEAD", b"POST", b"TRACE", b"CONNECT", b"get", b"GET /public/x", b"")
LINES = (b"Accept: */*", b"Content-Length: 0", b"Content-Length: 5", b"Connection: close", b"Connection: X-Own",
    b"Connection: upgrade", b"Upgrade: websocket", b"X-Remote-User: forged", b"X_Remote_User: forged", b"X-Own: 1",
    b"X-Original-URI: /public/x", b"x-original-method: GET", b"X-Forwarded-Host: permis.localhost",
    b"Authorization: Basic a", b"X-HTTP-Method-Override: DELETE", b"Host: permis.localhost",
    b"X-Ecluse-Front: " + SECRET, b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Cookie: own=1",
    b"X-Real-IP: 192.0.2.9", b"X-Forwarded-Port: 8000", b"TE: trailers", b"Content-Type: text/plain", b"X-Empty:",
    b"X-Blank:  a ", b"If-None-Match: \"a\"")  # fmt: skip


def another(draw: random.Random, kind: str) -> bytes:
    """One with a few changes; mostly of values alone."""
    target = draw.choice(TARGETS) if draw.random() < 0.3 else b"/a?%d" % draw.randrange(5)
    raw = question(kind, draw.randrange(6), target)
    if draw.random() < 0.2:
        method = draw.choice(METHODS)
        raw = re.sub(rb"((?:-Method: )|^)(?:GET)", rb"\1" + method, raw, count=draw.choice((1, 2)))
    if draw.random() < 0.2:
        host = draw.choice(
            (b"other.localhost", b"PERMIS.localhost", b"portail.localhost", b"a b", b"permis.localhost:80")
        )
        raw = raw.replace(b"permis.localhost:8080", host, draw.choice((1, 2)))
    if draw.random() < 0.1:
        raw = raw.replace(SECRET, draw.choice((SECRET[:-1], SECRET + b"0", b"", b"\xff" * len(SECRET))))
    if draw.random() < 0.4:
        lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
        for line in draw.choices(LINES, k=draw.randint(1, 2)):
            lines.insert(draw.randint(1, len(lines)), line)
        raw = b"\r\n".join((*lines, b"", b""))
    if draw.random() < 0.05:
        raw = raw.replace(b" HTTP/1.1\r\n", draw.choice((b" HTTP/1.0\r\n", b" HTTP/1.2\r\n")), 1)
    return raw


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_asked_before_changes_no_answer(kind: str, known: Known) -> None:
    """Each on a connection that knows nothing, then on one that has asked all the others."""
    draw = random.Random(kind)
    async with fronted(kind) as gate:
        warm = await gate.client()
        for _ in range(120):
            raw, fresh = another(draw, kind), await gate.client()
            stripped = count_stripped(gate)
            expected = await told(fresh, raw)
            once = count_stripped(gate)
            fresh.close()
            gate.clients.remove(fresh)
            assert await told(warm, raw) == expected, raw
            assert count_stripped(gate) - once == once - stripped, raw
            if b"\r\nConnection: close" in expected[1]:
                warm = await gate.client()
                # As a front that has asked before.
                assert (await told(warm, question(kind)))[0] == 200
        assert known.count > 20, known.count


def count_stripped(gate: Gateway) -> int:
    return sum(lane.stripped for lane in gate.plane.tables.lanes)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_second_question_of_a_front_needs_no_parser_whoever_it_is_about(kind: str, known: Known) -> None:
    async with fronted(kind) as gate:
        client = await gate.client()
        for number in range(4):
            answer = await client.ask(question(kind, number, b"/a?%d" % number))
            assert answer.values(b"X-Remote-User") == [b"person-%d" % number]
        assert known.count == 3
        # Another connection of the front has to ask once.
        other = await gate.client()
        assert [(await other.ask(question(kind, 1))).status for _ in range(2)] == [200, 200]
        assert known.count == 4


async def from_address(gate: Gateway, address: str) -> Client:
    opened = await asyncio.open_connection(gate.host, gate.port, local_addr=(address, 0))
    client = Client(*opened)
    gate.clients.append(client)
    return client


def reloaded(gate: Gateway, secrets: Mapping[str, bytes], app: str = "front: nginx", settings: str = BOTH) -> None:
    holder = gate.plane.holder
    assert isinstance(holder, Holder)
    holder.snapshot = sample_snapshot({**files(1, app=app, gateway=settings)}, {**secrets})
    gate.plane.snapshot_swapped()
    gate.sessions.hot = people()


async def test_a_front_that_is_listed_no_more_is_told_nothing_though_another_one_asks_the_same() -> None:
    async with fronted("nginx", settings=BOTH) as gate:
        one, other = await from_address(gate, "127.0.0.1"), await from_address(gate, "127.0.0.2")
        for client in (one, other):
            assert (await client.ask(question("nginx"))).status == 200
        reloaded(gate, SECRETS, settings=WITHOUT)
        assert (await other.ask(question("nginx"))).status == 200
        answer = await one.ask(question("nginx"))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])
        assert answer.body.startswith(b"front.unknown")


async def test_the_secret_is_looked_at_each_time() -> None:
    async with fronted("nginx") as gate:
        client = await gate.client()
        for _ in range(2):
            assert (await client.ask(question("nginx"))).status == 200
        answer = await client.ask(question("nginx").replace(SECRET, SECRET[::-1]))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])


async def test_the_secret_of_before_a_reload_opens_nothing() -> None:
    async with fronted("nginx", settings=BOTH) as gate:
        one, other = await gate.client(), await gate.client()
        assert (await one.ask(question("nginx"))).status == 200
        reloaded(gate, OTHER_SECRET)
        assert (await other.ask(question("nginx").replace(SECRET, SECRET[::-1]))).status == 200
        assert (await one.ask(question("nginx"))).status == 403


async def test_a_front_asks_in_vain_about_an_application_that_names_another_one_now() -> None:
    async with fronted("nginx", settings=BOTH) as gate:
        client = await gate.client()
        assert (await client.ask(question("nginx"))).status == 200
        reloaded(gate, SECRETS, app="front: haproxy")
        answer = await client.ask(question("nginx"))
        assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])


async def test_a_front_asks_in_vain_about_another_application_whose_heads_are_known() -> None:
    # Of a question that has lines which an application does not see, more is asked.
    unseen = (b"X-Forwarded-Port", b"X-Forwarded-Server", b"X-Real-Ip")
    raw = b"\r\n".join(line for line in question("traefik").split(b"\r\n") if not line.startswith(unseen))
    kept = [line for line in raw.split(b"\r\n")[2:] if not line.startswith((b"X-", b"Connection"))]
    said = [b"X-Forwarded-For: 192.0.2.0", b"X-Forwarded-Proto: http"]
    there = b"Host: autre.localhost:8080"
    async with application() as behind:
        app = files(behind.port)["apps/permis.yaml"].replace("permis", "autre")
        changes = {"apps/autre.yaml": app}
        async with gateway(behind, app="front: traefik", gateway=GATEWAY, secrets=SECRETS, changes=changes) as gate:
            gate.sessions.hot = people()
            client = await gate.client()
            assert (await client.ask(raw)).status == 200
            direct = [b"GET /public/x HTTP/1.1", there, *kept[:-2], b"Connection: keep-alive", *said, b"", b""]
            at = direct.index(next(line for line in direct if line.startswith(b"Referer")))
            direct.insert(at, direct.pop(direct.index(b"Connection: keep-alive")))
            assert (await client.ask(b"\r\n".join(direct))).body == b"ok"
            about = raw.replace(b"X-Forwarded-Host: permis", b"X-Forwarded-Host: autre").replace(b"/app/", b"/public/")
            # One head at both, whose policies are the same.
            assert len(gate.plane.tables.known.heads) == 1
            assert there.partition(b" ")[2] in gate.plane.tables.by_host
            answer = await client.ask(about)
            assert (answer.status, answer.values(b"X-Request-Id")) == (403, [])


async def test_what_one_application_does_not_see_another_does_though_its_front_says_the_host_in_a_value() -> None:
    """Traefik asks about both in the same lines: X-Own is written for the one, and the client's own for the other."""
    raw = question("traefik")
    own = raw.replace(b"\r\n\r\n", b"\r\nX-Own: 1\r\n\r\n")
    async with application() as behind:
        before = files(behind.port)["apps/permis.yaml"] + "front: traefik\n"
        changes = {
            "apps/permis.yaml": before.replace("X-Remote-User", "X-Own"),
            "apps/autre.yaml": before.replace("permis", "autre").replace("X-Remote-User", "X-Other"),
        }
        async with gateway(behind, gateway=GATEWAY, secrets=SECRETS, changes=changes) as gate:
            gate.sessions.hot = people()
            client = await gate.client()
            assert (await client.ask(own)).values(b"X-Own") == [b"person-0"]
            for asked in (raw, own, own):
                about = asked.replace(b"X-Forwarded-Host: permis", b"X-Forwarded-Host: autre")
                assert (await client.ask(about.replace(b"/app/", b"/public/"))).status == 200, asked


async def test_a_connection_that_is_to_end_ends_and_a_body_is_never_one_of_a_question() -> None:
    async with fronted("nginx") as gate:
        for _ in range(3):
            client = await gate.client()
            for _ in range(2):
                assert (await client.ask(question("nginx"))).status == 200
                empty = question("nginx").replace(b"\r\n\r\n", b"\r\nContent-Length: 0\r\n\r\n")
                assert (await client.ask(empty)).status == 200
            closing = question("nginx").replace(b"keep-alive", b"close")
            answer = await client.ask(closing)
            assert answer.values(b"Connection") == [b"close"]
            assert await client.is_closed()
        client = await gate.client()
        for _ in range(2):
            assert (await client.ask(question("nginx"))).status == 200
        full = question("nginx").replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n")
        assert (await client.ask(full)).status == 400


async def test_a_question_below_another_front_s_path_is_that_front_s() -> None:
    """Envoy's is known by its lines alone, and its path says what it asks about."""
    for path in (b"/nginx/a", b"/traefik", b"/envoyx/a", b"/envoy", b"/envoy?/a", b"//a", b"/ENVOY/a"):
        async with fronted("envoy") as gate:
            asked = question("envoy", target=b"").replace(b"/envoy ", path + b" ")
            fresh, warm = await gate.client(), await gate.client()
            assert (await told(warm, question("envoy")))[0] == 200
            expected = await told(fresh, asked)
            assert (expected[0], await told(warm, asked)) == (400, expected), path


async def test_where_a_listener_leads_to_https_a_question_is_led_by_its_own_address_each_time() -> None:
    """A reload may name a front while the listener is the one of the start. The one that asks is reached by http."""
    async with application() as behind:
        app = files(behind.port, app="front: traefik\n")["apps/permis.yaml"]
        changes = {
            "apps/permis.yaml": app + "public: {scheme: https}\n",
            "apps/autre.yaml": app.replace("permis", "autre"),
        }
        there = gateway(behind, gateway=GATEWAY, secrets=SECRETS, changes=changes, redirects="https")
        async with there as gate:
            gate.sessions.hot = people()
            client = await gate.client()
            for number in (0, 1, 2):
                asked = question("traefik", number).replace(b"Host: 127.0.0.1", b"Host: autre.localhost")
                assert (await client.ask(asked)).values(b"X-Remote-User") == [b"person-%d" % number]


async def test_an_ended_session_is_no_allowance(known: Known) -> None:
    """Of a person nothing is remembered."""
    async with fronted("nginx") as gate:
        client = await gate.client()
        for number in (1, 1, 2):
            assert (await client.ask(question("nginx", number))).status == 200
        del gate.sessions.hot[cookie_of(1)]
        assert (await client.ask(question("nginx", 1))).status == 401
        assert (await client.ask(question("nginx", 2))).status == 200
        assert known.count == 4


async def test_nothing_of_a_person_is_remembered() -> None:
    async with fronted("nginx") as gate:
        client = await gate.client()
        for number in range(3):
            assert (await client.ask(question("nginx", number, b"/a?name=helene"))).status == 200
        tables = gate.plane.tables
        kept = b"".join((*tables.asked.questions, *(head for _, head in tables.known.heads)))
        assert kept.count(b"X-Original-URI") == 1
        for number in range(3):
            assert cookie_of(number) not in kept
        for own in (SECRET, b"helene", b"192.0.2.", b"JSESSIONID"):
            assert own not in kept


async def test_what_is_remembered_is_bounded() -> None:
    async with fronted("nginx") as gate:
        client = await gate.client()
        for number in range(400):
            raw = question("nginx").replace(b"\r\n\r\n", b"\r\nX-Name-%d: a\r\n\r\n" % number)
            assert (await client.ask(raw)).status == 200
        tables = gate.plane.tables
        assert len(tables.asked.questions) <= tables.newcomers.most


async def test_a_question_and_a_request_on_one_connection_are_not_taken_for_each_other() -> None:
    async with fronted("haproxy") as gate:
        client = await gate.client()
        for _ in range(3):
            answer: Answer = await client.ask(question("haproxy", 1))
            assert answer.values(b"X-Remote-User") == [b"person-1"]
            bare = question("haproxy", 1).replace(b"X-Ecluse-Front: " + SECRET + b"\r\n", b"")
            answer = await client.ask(bare)
            assert (answer.status, answer.values(b"X-Remote-User")) == (403, [])
            client = await gate.client() if answer.values(b"Connection") else client
