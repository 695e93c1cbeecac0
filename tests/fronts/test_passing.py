"""Fronts that pass what we answer on to the browser (Traefik, Envoy): whole answers, and none that looks like an
allowance but one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.model.ports import Page
from tests.fronts.fronts import GATEWAY, SECRET, SECRETS
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, Answer, Gateway, ask, gateway

SHOWN = b"X-Ecluse-Front: " + SECRET
NAVIGATION = (b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document", b"Accept: text/html")
KINDS = pytest.mark.parametrize("kind", ["traefik", "envoy"])


@asynccontextmanager
async def fronted(kind: str, more: str = "", settings: str = GATEWAY) -> AsyncIterator[Gateway]:
    app = f"front: {kind}\n{more}"
    async with application() as behind, gateway(behind, app=app, gateway=settings, secrets=SECRETS) as gate:
        yield gate
        assert not behind.requests, "a question is never sent on"


def question(kind: str, method: bytes, target: bytes, *lines: bytes, host: bytes = HOST) -> bytes:
    """As this front asks it."""
    if kind == "envoy":
        return ask(method + b" /_ecluse/authz/envoy" + target, SHOWN, *lines).replace(HOST, host, 1)
    said = (b"X-Forwarded-Method: " + method, b"X-Forwarded-Uri: " + target, b"X-Forwarded-Host: " + host)
    raw = ask(b"GET /_ecluse/authz/traefik", SHOWN, *said, *lines)
    return raw.replace(b"\r\nHost: " + HOST, b"\r\nHost: 127.0.0.1:8080", 1)


@KINDS
async def test_a_person_who_may_is_announced(kind: str) -> None:
    async with fronted(kind) as gate:
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(question(kind, b"GET", b"/a%20b?x=1", cookie + b"; own=1; CTSESSION=forged"))
        assert answer.status == 200
        assert answer.values(b"X-Remote-User") == [b"helene"]
        assert answer.values(b"Cookie") == [b"CTSESSION=present; own=1"]
        assert len(answer.values(b"X-Request-Id")[0]) == 32


async def test_traefik_is_told_no_empty_line_and_envoy_what_it_takes_off() -> None:
    forged = (b"X-Remote-User: forged", b"X_Remote_User: forged", b"X-Request-Id: forged")
    async with fronted("traefik") as gate:
        answer = await gate.once(question("traefik", b"GET", b"/public/", forged[0]))
        names = (b"X-Remote-User", b"Cookie", b"Authorization")
        assert (answer.status, [answer.values(name) for name in names]) == (200, [[], [], []])
        answer = await gate.once(question("traefik", b"GET", b"/public/", *forged))
        assert (answer.status, answer.body.partition(b" ")[0]) == (400, b"front.header")
    async with fronted("envoy") as gate:
        answer = await gate.once(question("envoy", b"GET", b"/public/", *forged))
        told = answer.values(b"X-Envoy-Auth-Headers-To-Remove")
        assert (answer.status, told) == (200, [b"X_Remote_User, X-Remote-User, Authorization, Cookie"])


@KINDS
async def test_what_is_not_allowed_is_answered_as_to_the_browser_itself(kind: str) -> None:
    async with fronted(kind, 'logout: {links: ["/bye"]}') as gate:
        answer = await gate.once(question(kind, b"GET", b"/private?x=1", *NAVIGATION))
        assert (answer.status, answer.values(b"Location")) == (303, [b"/portal"])
        call = gate.portal.asked[-1].call
        assert (call.purpose, call.target, call.host, call.method) == (
            "challenge",
            "/private?x=1",
            HOST.decode(),
            "GET",
        )
        answer = await gate.once(question(kind, b"GET", b"/private"))
        assert (answer.status, answer.body.partition(b" ")[0]) == (401, b"session.required")
        cookie = gate.sign_in(uid="helene")
        answer = await gate.once(question(kind, b"GET", b"/admin/x", cookie, b"Accept: text/html"))
        assert answer.status == 403
        assert "Réservé aux administrateurs.".encode() in answer.body
        assert len(gate.log.named("access.denied")) == 1
        answer = await gate.once(question(kind, b"GET", b"/bye", cookie))
        assert (answer.status, gate.portal.asked[-1].call.purpose) == (303, "logout")
        answer = await gate.once(question(kind, b"GET", b"/public/../admin/x", cookie))
        assert answer.status == 400


@KINDS
@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_no_page_of_ours_looks_like_an_allowance(kind: str, status: int) -> None:
    """Any 2xx would let the request pass, with every header that the client sent."""
    async with fronted(kind, 'logout: {links: ["/bye"]}') as gate:
        gate.portal.page = Page(status, ((b"Set-Cookie", b"a=b"),), b"the page")
        for target, lines in ((b"/private", NAVIGATION), (b"/bye", ())):
            answer: Answer = await gate.once(question(kind, b"GET", target, *lines))
            assert (answer.status, answer.body, answer.values(b"Set-Cookie")) == (401, b"the page", [b"a=b"])
        assert len(gate.portal.asked) == 2


@KINDS
async def test_our_own_paths_are_not_asked_about(kind: str) -> None:
    async with fronted(kind) as gate:
        cookie = gate.sign_in(uid="helene")
        for target in (b"/_ecluse/session", b"/_ecluse/authz/envoy/x", b"/_ecluse"):
            answer = await gate.once(question(kind, b"GET", target, cookie))
            assert (answer.status, answer.body, answer.values(b"X-Remote-User")) == (401, b"", [])
        assert not gate.portal.asked


@KINDS
async def test_a_head_that_is_asked_about(kind: str) -> None:
    """Traefik asks by GET and waits for the body; Envoy by HEAD, and takes what follows for the next answer."""
    async with fronted(kind) as gate:
        client, cookie = await gate.client(), gate.sign_in(uid="helene")
        for target, status in ((b"/x", 200), (b"/admin/x", 403), (b"/x", 200)):
            client.send(question(kind, b"HEAD", target, cookie))
            answer = await client.answer(head_only=kind == "envoy")
            assert answer.status == status
        assert (await client.ask(question(kind, b"GET", b"/x", cookie))).status == 200


@KINDS
async def test_a_form_is_asked_about_without_its_body(kind: str) -> None:
    async with fronted(kind) as gate:
        cookie = gate.sign_in(uid="helene")
        assert (await gate.once(question(kind, b"POST", b"/x", cookie, b"Content-Length: 0"))).status == 200
        answer = await gate.once(question(kind, b"POST", b"/x", cookie, b"Content-Length: 3") + b"a=1")
        assert (answer.status, answer.body.partition(b" ")[0]) == (400, b"front.question")
        answer = await gate.once(
            question(kind, b"POST", b"/private", *NAVIGATION, b"Origin: http://permis.localhost:8080")
        )
        assert (answer.status, gate.portal.asked[-1].call.method) == (303, "POST")


async def test_nothing_but_questions_is_answered_at_their_host() -> None:
    async with fronted("traefik") as gate:
        cookie = gate.sign_in(uid="helene")
        for target in (b"/", b"/_ecluse/login", b"/_ecluse/session", b"/x", b"/_ecluse/authzx"):
            raw = ask(b"GET " + target, cookie, SHOWN).replace(HOST, b"127.0.0.1:8080", 1)
            answer = await gate.once(raw)
            assert answer.status in (404, 421), target
        asked = question("traefik", b"GET", b"/x", cookie, host=b"127.0.0.1")
        assert (await gate.once(asked)).status == 403
        assert not gate.portal.asked
    async with fronted("traefik", settings=GATEWAY.replace("host: 127.0.0.1", "host: ecluse.internal")) as gate:
        assert (await gate.once(question("traefik", b"GET", b"/public/"))).status == 421


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("traefik", b"GET /_ecluse/authz/traefik/x"),
        ("traefik", b"POST /_ecluse/authz/traefik"),
        ("envoy", b"GET /_ecluse/authz/envoy"),
        ("envoy", b"GET /_ecluse/authz/envoyx"),
        ("envoy", b"GET /_ecluse/authz/envoy?x"),
    ],
)
async def test_a_question_in_another_form_is_none(kind: str, raw: bytes) -> None:
    async with fronted(kind) as gate:
        said = (b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: /public/", b"X-Forwarded-Host: " + HOST)
        answer = await gate.once(ask(raw, SHOWN, gate.sign_in(uid="helene"), *said))
        assert (answer.status, answer.body.partition(b" ")[0]) == (400, b"front.question")


@pytest.mark.parametrize(
    "target",
    [
        b"/public//x", b"/public/%2e%2e/admin", b"/public%2fx", b"/public/;x", b"/public/\\x", b"/public/%00", b"//x",
        b"/..", b"/public/../../../_ecluse/authz/envoy/public/",
    ],
)  # fmt: skip
async def test_what_envoy_asks_behind_its_path_is_read_once_and_never_allowed(target: bytes) -> None:
    async with fronted("envoy") as gate:
        answer = await gate.once(
            question("envoy", b"GET", target, gate.sign_in(uid="helene", groups="administrateurs"))
        )
        assert (answer.status, answer.values(b"X-Remote-User")) == (400, [])
