"""A POST that names another method: never another operation than the one that was judged (invariant 2)."""

import pytest

from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

ACCESS = """\
  - {path: /pages/**, methods: [GET, POST], allow: anyone}
  - {path: /pages/**, methods: [PUT, PATCH, DELETE], allow: {group: redacteurs}}
"""
TAKEN = ACCESS + "method_override: true"

NAMES = [b"X-HTTP-Method-Override", b"x-http-method", b"X-Method-Override"]


@pytest.mark.parametrize("name", [*NAMES, b"X_HTTP_Method_Override", b"X.HTTP.Method.Override"])
async def test_it_is_refused_and_told_and_nothing_is_done(name: bytes) -> None:
    async with application() as behind, gateway(behind, app=ACCESS) as gate:
        for number, method in enumerate((b"POST", b"GET", b"POST"), 1):
            answer = await gate.once(ask(method + b" /pages/1", name + b": DELETE"))
            assert answer.status == 400
            assert not behind.requests
            told = gate.log.named("request.refused")
            assert len(told) == number
            assert told[-1]["code"] == "wire.method_override"
            assert "method_override: true" in str(told[-1]["detail"])


async def test_what_names_its_own_method_goes_on() -> None:
    async with application() as behind, gateway(behind, app=ACCESS) as gate:
        assert (
            await gate.once(ask(b"POST /pages/1?_method=POST", NAMES[0] + b": post", b"Content-Length: 0"))
        ).status == 200
        assert b"\r\nX-HTTP-Method-Override: post\r\n" in behind.requests.pop()


@pytest.mark.parametrize("name", NAMES)
async def test_where_the_file_takes_it_the_named_method_is_judged_and_the_name_goes_on(name: bytes) -> None:
    async with application() as behind, gateway(behind, app=TAKEN) as gate:
        for user, group, status in (("paul", "ONDE", 403), ("ines", "redacteurs", 200)):
            own = gate.sign_in(uid=user, groups=group)
            client = await gate.client()
            for named in (b"DELETE", b"put", b"PATCH"):
                line = name + b": " + named
                # Before and behind it, the same POST without a name, on one connection.
                assert (await client.ask(ask(b"POST /pages/1", own))).status == 200
                behind.requests.clear()
                assert (await client.ask(ask(b"POST /pages/1", own, line))).status == status
                assert [b"\r\n" + line + b"\r\n" in request for request in behind.requests] == [True] * (status == 200)
                assert (await client.ask(ask(b"POST /pages/1", own))).status == 200
                behind.requests.clear()


async def test_a_query_is_judged_likewise_however_often_the_path_was_asked_without() -> None:
    async with application() as behind, gateway(behind, app=TAKEN) as gate:
        own = gate.sign_in(uid="paul", groups="ONDE")
        client = await gate.client()
        for query in (b"?a=1", b"?_method=DELETE", b"?a=2", b"?%5fmethod=delete", b"?a=3", b"?_method=DELETE"):
            status = 403 if b"ethod" in query else 200
            assert (await client.ask(ask(b"POST /pages/1" + query, own))).status == status, query
        assert len(behind.requests) == 3


async def test_a_connection_option_does_not_take_the_name_away() -> None:
    async with application() as behind, gateway(behind, app=TAKEN) as gate:
        own = gate.sign_in(uid="ines", groups="redacteurs")
        lines = (own, b"Connection: X-HTTP-Method-Override", b"X-HTTP-Method-Override: DELETE")
        assert (await gate.once(ask(b"POST /pages/1", *lines))).status == 400
        assert not behind.requests


async def test_our_own_pages_know_no_such_thing() -> None:
    async with application() as behind, gateway(behind, app=ACCESS) as gate:
        answer = await gate.once(ask(b"GET /_ecluse/session?_method=DELETE", b"X-HTTP-Method-Override: DELETE"))
        assert answer.values(b"Location") == [b"/portal"]
