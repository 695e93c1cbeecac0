"""Headers of some paths alone: what an application is told there, elsewhere, and what no client says anywhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.proxy.applications import Application, application
from tests.proxy.gateways import APP, Gateway, ask, gateway

TRANSLATE = """\
translate:
  headers:
    X-Remote-User: {from: uid}
    X-Mail: {from: mail}
  paths:
    - {path: /api/**, headers: {X-Api-User: {from: mail}}, omit: [X-Remote-User]}
    - {path: /api/old/**, headers: {X-Remote-User: {from: mail}}}
    - {path: /public/here, headers: {X-Here: {from: uid, nobody: stranger}}}
"""
FORGED = (b"X-Api-User: admin", b"x_api_user: admin", b"X-Remote-User: admin", b"X-Here: admin", b"x.mail: admin")
NAMES = (b"x-remote-user", b"x-mail", b"x-api-user", b"x-here")
PERSON = {"uid": "helene", "mail": "h@metropole.example"}


@asynccontextmanager
async def running(translate: str = TRANSLATE) -> AsyncIterator[tuple[Application, Gateway]]:
    before, _, behind = APP.format(url="URL", upstream="", more="").partition("translate:")
    async with application() as app:
        file = before.replace("URL", f"http://127.0.0.1:{app.port}") + translate + behind[behind.index("access:") :]
        async with gateway(app, changes={"apps/permis.yaml": file}) as gate:
            yield app, gate


def told(raw: bytes) -> dict[bytes, bytes]:
    """What a request says of the person, by names of whatever spelling."""
    lines = [line.partition(b": ") for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]]
    folded = {name.lower().replace(b"_", b"-").replace(b".", b"-"): value for name, _, value in lines}
    return {name: value for name, value in folded.items() if name in NAMES}


WHERE = [
    (b"/", {b"x-remote-user": b"helene", b"x-mail": b"h@metropole.example"}),
    (b"/apis", {b"x-remote-user": b"helene", b"x-mail": b"h@metropole.example"}),
    (b"/api", {b"x-api-user": b"h@metropole.example", b"x-mail": b"h@metropole.example"}),
    (b"/api/a?b", {b"x-api-user": b"h@metropole.example", b"x-mail": b"h@metropole.example"}),
    (b"/ap%69/a", {b"x-api-user": b"h@metropole.example", b"x-mail": b"h@metropole.example"}),
    # The most specific block alone: what the one above it adds or leaves out is not inherited.
    (b"/api/old/x", {b"x-remote-user": b"h@metropole.example", b"x-mail": b"h@metropole.example"}),
]


async def test_each_path_is_told_what_its_block_says_on_one_connection() -> None:
    async with running() as (app, gate):
        client, cookie = await gate.client(), gate.sign_in(**PERSON)
        for path, expected in (*WHERE, *reversed(WHERE), *WHERE):
            assert (await client.ask(ask(b"GET %b" % path, cookie))).status == 200
            assert told(app.requests.pop()) == expected, path


@pytest.mark.parametrize("forged", FORGED)
async def test_invariant_3_a_name_of_one_path_is_nobodys_to_say_on_any(forged: bytes) -> None:
    async with running() as (app, gate):
        client, cookie = await gate.client(), gate.sign_in(**PERSON)
        for path in (b"/", b"/api", b"/api/old/x", b"/public/a", b"/public/here"):
            for own in ((cookie,), ()) if path.startswith(b"/public") else ((cookie,),):
                assert (await client.ask(ask(b"GET %b" % path, forged, *own))).status == 200
                assert b"admin" not in app.requests.pop(), (path, forged)


async def test_nobody_is_told_what_the_block_says_of_nobody() -> None:
    async with running() as (app, gate):
        await gate.once(ask(b"GET /public/here"))
        await gate.once(ask(b"GET /public/a"))
        assert [told(raw) for raw in app.requests] == [{b"x-here": b"stranger"}, {}]


async def test_invariant_2_two_readings_that_are_told_otherwise_are_refused() -> None:
    text = "paths: {encoding: latin1}\n" + TRANSLATE.replace("path: /api/**", "path: /café/**")
    async with running(text) as (app, gate):
        cookie = gate.sign_in(**PERSON)
        assert (await gate.once(ask(b"GET /caf%C3%A9/x", cookie))).status == 400
        assert app.requests == []


async def test_a_value_that_one_path_cannot_be_sent_refuses_there_alone() -> None:
    text = TRANSLATE.replace("{X-Api-User: {from: mail}}", "{X-Api-User: {from: mail, length: 3}}")
    async with running(text) as (_, gate):
        client, cookie = await gate.client(), gate.sign_in(**PERSON)
        assert [(await client.ask(ask(b"GET %b" % path, cookie))).status for path in (b"/a", b"/api", b"/b")] == [
            200,
            403,
            200,
        ]
