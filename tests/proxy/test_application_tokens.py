"""Tokens to an application, from a client's bytes to those that the application gets."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from gateway.access.preparation import Preparation
from gateway.tokens.spec import SigningKey
from tests.proxy.applications import Application, application
from tests.proxy.gateways import Gateway, ask, gateway
from tests.proxy.stand_ins import COOKIE
from tests.tokens.keys import key, pem

FILES = {"gateway": "tokens: {keys: [{key: {file: tokens.pem}}]}\n"}
SECRETS = {"file:tokens.pem": pem("ES256")}
HEADER = "translate: {headers: {X-Remote-User: {from: uid}}, jwt: {header: X-App-Token, life: 60s}}\n"
COOKIE_FORM = "translate: {headers: {X-Remote-User: {from: uid}}, jwt: {cookie: APPTOKEN, life: 60s}}\n"
BEARER = "translate: {headers: {X-Remote-User: {from: uid}}, jwt: {header: Authorization, life: 60s}}\n"


class Signing:
    """A worker's preparation. `keys`: the live ones."""

    def __init__(self) -> None:
        self.keys: tuple[SigningKey, ...] = (key("ES256"),)
        self.prepare = Preparation(
            keys=lambda: self.keys,
            in_thread=asyncio.to_thread,
            chance=secrets.token_bytes,
            wall=time.time,
            monotonic=monotonic,
        )


@asynccontextmanager
async def signing(translate: str = HEADER) -> AsyncIterator[tuple[Application, Gateway, Signing]]:
    """An application that is sent tokens, the gateway before it, and what signs."""
    here = Signing()
    async with (
        application() as app,
        gateway(app, changes=files(app, translate), secrets=SECRETS, prepare=here.prepare, **FILES) as gate,
    ):
        yield app, gate, here


def tokens(raw: bytes) -> Iterator[dict[str, object]]:
    """The claims of each thing in a request that has the form of a JWT."""
    for word in raw.replace(b"=", b" ").replace(b";", b" ").split():
        if word.count(b".") == 2 and word.startswith(b"ey"):
            yield json.loads(base64.urlsafe_b64decode(word.split(b".")[1] + b"=="))


def one(raw: bytes) -> dict[str, object]:
    (found,) = tokens(raw)
    return found


def files(app: Application, translate: str) -> dict[str, str]:
    return {
        "apps/permis.yaml": (
            "version: 1\napp: permis\nhosts: [permis.localhost]\n"
            f'upstream: {{url: "http://127.0.0.1:{app.port}"}}\nproviders: [metropole]\n{translate}'
            "access:\n  - {path: /public/**, allow: anyone}\n  - {path: /**, allow: signed_in}\n"
        )
    }


FORGED = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJmb3JnZWQifQ."


@pytest.mark.parametrize(
    ("translate", "line", "before"),
    [
        (HEADER, b"GET /a", b"\r\nX-App-Token: ey"),
        (COOKIE_FORM, b"GET /a", b"\r\nCookie: APPTOKEN=ey"),
        (BEARER, b"GET /a", b"\r\nAuthorization: Bearer ey"),
    ],
)
async def test_the_application_gets_a_token_of_the_person_who_asks(translate: str, line: bytes, before: bytes) -> None:
    async with signing(translate) as (app, gate, _):
        cookie = gate.sign_in(uid="jdupont")
        assert (await gate.once(ask(line, cookie))).status == 200
        assert app.requests[0].count(before) == 1
        claims = one(app.requests[0])
        assert (claims["iss"], claims["aud"], claims["sub"]) == ("http://portail.localhost:8080", "permis", "subject-1")


@pytest.mark.parametrize("line", [b"GET /public/a", b"OPTIONS /public/a", b"POST /public/a"])
async def test_nobody_has_a_token(line: bytes) -> None:
    async with signing() as (app, gate, _):
        assert (await gate.once(ask(line))).status == 200
        assert not list(tokens(app.requests[0]))


SPELLINGS = (
    b"X-App-Token",
    b"x-app-token",
    b"X_App_Token",
    b"x.app.token",
    b"XAppToken",
    b"X-App_Token",
    b"X--App-Token",
)


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("line", [b"GET /a", b"GET /public/a", b"OPTIONS /public/a"])
async def test_invariant_3_a_clients_header_of_that_name_never_passes(name: bytes, line: bytes) -> None:
    async with signing() as (app, gate, _):
        cookie = gate.sign_in()
        for lines in ((name + b": " + FORGED,), (name + b": " + FORGED, cookie)):
            assert (await gate.once(ask(line, *lines))).status in (200, 401)
        assert all(FORGED not in request for request in app.requests)
        assert app.requests


@pytest.mark.parametrize(
    "brought",
    [
        b"APPTOKEN=%b", b"apptoken=%b", b"app_token=%b", b"APP-TOKEN=%b", b" APPTOKEN =%b", b"a=1; APPTOKEN=%b; b=2",
        b'a="x; APPTOKEN=%b"', b"a=1, APPTOKEN=%b", b"%%41PPTOKEN=%b", b"APP.TOKEN=%b", b"$APPTOKEN=%b",
    ],
)  # fmt: skip
async def test_invariant_3_a_clients_cookie_of_that_name_never_passes_in_any_reading(brought: bytes) -> None:
    async with signing(COOKIE_FORM) as (app, gate, _):
        cookie = gate.sign_in()
        for line in (b"GET /a", b"GET /public/a"):
            await gate.once(ask(line, b"Cookie: " + brought % FORGED))
            await gate.once(ask(line, cookie + b"; " + brought % FORGED))
        assert all(FORGED not in request for request in app.requests)
        assert app.requests


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"Basic ", b""])
async def test_invariant_3_a_clients_authorization_never_passes_where_ours_stands(scheme: bytes) -> None:
    async with signing(BEARER) as (app, gate, _):
        cookie = gate.sign_in()
        for lines in ((b"Authorization: " + scheme + FORGED,), (cookie, b"Authorization: " + scheme + FORGED)):
            await gate.once(ask(b"GET /public/a", *lines))
        assert len(app.requests) == 2
        assert all(FORGED not in request for request in app.requests)
        assert app.requests[1].lower().count(b"\r\nauthorization:") == 1


async def test_invariant_16_two_people_on_one_connection_have_each_their_own() -> None:
    """As behind a proxy that joins requests; the same lines but for the cookie."""
    async with signing("translate: {jwt: {header: X-App-Token, life: 60s, claims: {uid: {from: uid}}}}\n") as here:
        app, gate, _ = here
        one_of, other = gate.sign_in(uid="jdupont"), gate.sign_in(COOKIE[::-1], uid="mmartin")
        client = await gate.client()
        for cookie, who in ((one_of, "jdupont"), (other, "mmartin"), (one_of, "jdupont"), (other, "mmartin")):
            assert (await client.ask(ask(b"GET /a", cookie))).status == 200
            assert one(app.requests[-1])["uid"] == who
        gate.sign_in(uid="lea")
        assert (await client.ask(ask(b"GET /a", one_of))).status == 200
        assert one(app.requests[-1])["uid"] == "lea", "the same cookie line, another session"


async def test_a_key_that_is_gone_signs_nothing_that_is_sent() -> None:
    async with signing() as (app, gate, signer):
        client, cookie = await gate.client(), gate.sign_in()
        kids = []
        for keys in ((key("ES256"),), (key("ES256", 1), key("ES256")), (key("ES256", 1),)):
            signer.keys = keys
            # As after a reload: nothing is kept ready.
            gate.sessions.hot[COOKIE].outcomes.clear()
            assert (await client.ask(ask(b"GET /a", cookie))).status == 200
            head = app.requests[-1].partition(b"X-App-Token: ")[2].partition(b".")[0]
            kids.append(json.loads(base64.urlsafe_b64decode(head + b"=="))["kid"])
        assert kids == [key("ES256").id, key("ES256").id, key("ES256", 1).id]


async def test_a_warm_request_makes_nothing_anew() -> None:
    async with signing() as (app, gate, _):
        client, cookie = await gate.client(), gate.sign_in()
        for _ in range(20):
            assert (await client.ask(ask(b"GET /a", cookie))).status == 200
        assert len({one(request)["jti"] for request in app.requests}) == 1
