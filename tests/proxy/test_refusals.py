"""What the data plane answers by itself (invariant 10: a sign-in starts only for a top-level navigation)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.ops.log import short_reference
from gateway.portal.http.pages import Pages
from tests.config.samples import METROPOLE
from tests.proxy.applications import Application, application
from tests.proxy.gateways import GATEWAY, Gateway, ask, files, gateway
from tests.proxy.test_counted_for import Programs

HTML = b"Accept: text/html,*/*;q=0.8"
DOCUMENT = b"Sec-Fetch-Dest: document"
LONG = "/long/~.*b[ab]{97,300}x"
IN_RULES = f"  - {{path: '{LONG}', allow: anyone}}"
LONG_PATHS = {
    "access": IN_RULES,
    "limits": f"limits: {{paths: [{{path: '{LONG}', body: 1MB}}]}}",
    "api": f"api: {{providers: [metropole], paths: ['{LONG}']}}",
    "api.opaque": f"api: {{providers: [metropole], paths: [/**], opaque: {{metropole: {{paths: ['{LONG}']}}}}}}",
    "logout.links": f"logout: {{links: ['{LONG}']}}",
    "logout.links with parameters": f"logout: {{links: ['{LONG}?do=logout']}}",
}
WITH_TOKENS = METROPOLE.replace("  scopes:", "  api: {audience: [a], introspection: true}\n  scopes:")


@pytest.mark.parametrize("line", [b"GET /a?b=c", b"POST /a"])
@pytest.mark.parametrize("headers", [(HTML,), (DOCUMENT,), (DOCUMENT, b"Accept: */*"), (b"accept: TEXT/HTML",)])
async def test_invariant_10_a_navigation_goes_to_the_portal(line: bytes, headers: tuple[bytes, ...]) -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(line, *headers))
        assert (answer.status, answer.values(b"Location")) == (303, [b"/portal"])
        (portal,) = gate.portal.asked
        assert (portal.call.purpose, portal.call.challenge_reason) == ("challenge", "session.required")
        assert portal.received.startswith(line + b" HTTP/1.1\r\nhost: permis.localhost\r\n")
        assert app.peers == []


@pytest.mark.parametrize(
    ("line", "headers", "body"),
    [
        (b"GET /a?b=c", (b"Sec-Fetch-Dest: iframe", HTML), b"session.required frame http://permis.localhost:8080/_ecluse/login?to=/a%3Fb%3Dc"),
        (b"GET /a", (b"Sec-Fetch-Dest: object",), b"session.required frame http://permis.localhost:8080/_ecluse/login?to=/a"),
        (b"GET /a", (), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"GET /a", (b"Accept: */*",), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"GET /a", (HTML, b"X-Requested-With: XMLHttpRequest"), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"GET /a", (b"Sec-Fetch-Dest: empty", HTML), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"GET /a", (HTML, b"Sec-Purpose: prefetch"), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"GET /a", (HTML, b"Connection: Upgrade", b"Upgrade: websocket"), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"PUT /a", (HTML,), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
        (b"DELETE /a", (DOCUMENT,), b"session.required json http://permis.localhost:8080/_ecluse/login?to=/"),
    ],
)  # fmt: skip
async def test_invariant_10_all_else_is_a_401(line: bytes, headers: tuple[bytes, ...], body: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        for _ in range(2):
            answer = await client.ask(ask(line, *headers))
            assert (answer.status, answer.body) == (401, body)
            assert answer.values(b"Location") == []
        assert (app.peers, gate.portal.asked) == ([], [])


@pytest.mark.parametrize("headers", [(HTML,), (DOCUMENT,), (), (b"Sec-Fetch-Dest: iframe",)])
async def test_invariant_10_who_is_signed_in_and_refused_gets_403_and_no_redirect(headers: tuple[bytes, ...]) -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /admin/", gate.sign_in(), *headers))
        assert (answer.status, answer.values(b"Location")) == (403, [])
        assert "Réservé aux administrateurs." in answer.body.decode()
        (event,) = gate.log.named("access.denied")
        assert (event["app"], event["code"], event["client"]) == ("permis", "policy.unknown", "127.0.0.1")
        assert str(event["rule"]).startswith("policies/apps/permis.yaml:")
        assert event["revision"] == gate.plane.holder.snapshot.revision
        assert (app.peers, gate.portal.asked) == ([], [])


async def test_who_is_refused_as_one_person_may_be_another_and_comes_back_to_the_page() -> None:
    async with application() as app, gateway(app, app="  - {path: /closed, deny: anyone}") as gate:
        seat = gate.sign_in()
        for headers, shown in (((seat, HTML), True), ((seat,), False), ((HTML,), False)):
            answer = await gate.once(ask(b"GET /closed", *headers))
            assert (answer.status, b" /_ecluse/login?to=/closed&other_account=1" in answer.body) == (403, shown)
            assert b" others" not in answer.body, "it listens to one provider"


async def test_nobody_is_led_from_a_closed_page_to_the_rest_of_the_application_and_never_to_the_same_page() -> None:
    async with application() as app, gateway(app, app="  - {path: /closed, deny: anyone}") as gate:
        answer = await gate.once(ask(b"GET /closed?a=1", HTML))
        assert (answer.status, answer.body) == (403, b"policy.denied html /")
        assert (await gate.once(ask(b"GET /closed"))).body == b"policy.denied json"
    async with application() as app, gateway(app, app="  - {path: /, deny: anyone}") as gate:
        assert (await gate.once(ask(b"GET /?a=1", HTML))).body == b"policy.denied html"


@pytest.mark.parametrize(
    ("referer", "to"),
    [
        (b"http://permis.localhost:8080/page?x=1", b"/page%3Fx%3D1"),
        (b"http://permis.localhost:8080/", b"/"),
        (b"http://permis.localhost:8080", b"/"),
        (b"http://permis.localhost/page", b"/"),
        (b"https://permis.localhost:8080/page", b"/"),
        (b"http://permis.localhost:8080.evil.example/page", b"/"),
        (b"http://permis.localhost:8080@evil.example/page", b"/"),
        (b"http://permis.localhost:8080//evil.example", b"/"),
        (b"http://permis.localhost:8080/_ecluse/logout", b"/"),
        (b"http://permis.localhost:8080/a/../b", b"/"),
        (b"http://permis.localhost:8080/\xe9", b"/"),
        (b"http://[::1", b"/"),
        (b"http://[", b"/"),
        (b"http://\xe2\x84\x80/", b"/"),
        (b"//evil.example/page", b"/"),
        (b"/page", b"/"),
        (b"", b"/"),
    ],
)
async def test_a_script_is_sent_back_to_the_page_that_made_its_request(referer: bytes, to: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /api", b"Referer: " + referer))
        assert (answer.status, answer.body.rpartition(b"?to=")[2]) == (401, to)


async def test_the_login_url_comes_from_the_files_and_not_from_the_host_header() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(b"GET /a HTTP/1.1\r\nHost: PERMIS.localhost.:9999\r\n\r\n")
        assert answer.body.endswith(b" http://permis.localhost:8080/_ecluse/login?to=/")


async def test_a_refusal_keeps_the_connection_where_nothing_is_left_on_it() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /a"))).values(b"Connection") == []
        assert (await client.ask(ask(b"POST /a", b"Content-Length: 5", body=b"hello"))).values(b"Connection") == []
        assert (await client.ask(ask(b"HEAD /a"))).status == 401
        assert (await client.ask(ask(b"GET /public/a"))).body == b"ok"
        assert len(app.requests) == 1


@pytest.mark.parametrize("answer", [(401, ()), (303, (HTML,))])
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: 100000", b"hello"),
        (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked", b""),
    ],
)
async def test_hr08_a_body_that_goes_nowhere_is_never_read_as_a_request(
    answer: tuple[int, tuple[bytes, ...]], framing: bytes, body: bytes
) -> None:
    status, headers = answer
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /private", framing, *headers, body=body) + ask(b"GET /public/smuggled"))
        assert (await client.answer()).status == status
        client.send(ask(b"GET /public/smuggled"))
        assert await client.is_closed()
        assert app.requests == []
        assert all(b"hello" not in portal.received for portal in gate.portal.asked)


async def test_what_lingers_is_bounded() -> None:
    async with application() as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"POST /private", b"Content-Length: 10000000"))
        assert (await client.answer()).status == 401
        client.send(bytes(1 << 20))
        await gate.until(lambda: not gate.plane.connections, 1)


async def test_a_page_carries_the_reference_that_the_log_has() -> None:
    async with application() as app, gateway(app) as gate:
        gate.plane.pages = Pages()
        answer = await gate.once(ask(b"GET /admin/", gate.sign_in(), HTML, b"Accept-Language: fr"))
        id = str(gate.log.named("access.denied")[0]["request_id"])
        assert len(id) == 32
        assert short_reference(id) in answer.body.decode()
        assert answer.values(b"Content-Type") == [b"text/html; charset=utf-8"]
        assert answer.values(b"Cache-Control") == [b"no-store"]


@pytest.mark.parametrize("host", [b"nobody.localhost", b"a b"])
@pytest.mark.parametrize(
    ("language", "page"),
    [((b"accept-LANGUAGE: en-GB, fr;q=0.5",), "en"), ((b"Accept-Language: fr",), "fr"), ((), "fr")],
)
async def test_what_went_no_further_than_its_head_is_refused_in_the_readers_language(
    host: bytes, language: tuple[bytes, ...], page: str
) -> None:
    async with application() as app, gateway(app) as gate:
        gate.plane.pages = Pages()
        answer = await gate.once(b"\r\n".join((b"GET / HTTP/1.1", b"Host: " + host, HTML, *language, b"", b"")))
        assert answer.status in {400, 421}
        assert f'<html lang="{page}">' in answer.body.decode()


@pytest.mark.parametrize(
    ("client_said", "kept"), [(b"HTTP/1.0", b"close"), (b"HTTP/1.0\r\nConnection: keep-alive", b"keep-alive")]
)
async def test_a_refusal_to_http_1_0(client_said: bytes, kept: bytes) -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(b"GET /a " + client_said + b"\r\nHost: permis.localhost\r\n\r\n")
        assert answer.values(b"Connection") == [kept]


async def test_what_cannot_be_said_to_the_application_names_the_header_in_the_log_alone() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /a", gate.sign_in(uid=("jdupont", "other"))))
        assert (answer.status, app.requests) == (403, [])
        assert b"X-Remote-User" not in answer.body
    (denied,) = gate.log.named("access.denied")
    assert denied["code"] == "translation.several"
    assert denied["detail"] == "X-Remote-User: 2 values and no `join`"


@pytest.mark.parametrize("method", [b"FOO", b"get", b"TRACE", b"CONNECT"])
async def test_a_405_says_what_is_allowed(method: bytes) -> None:
    """RFC 9110 15.5.6."""
    async with application() as app, gateway(app) as gate:
        target = b"permis.localhost:80" if method == b"CONNECT" else b"/public/"
        answer = await gate.once(method + b" " + target + b" HTTP/1.1\r\nHost: permis.localhost\r\n\r\n")
        assert (answer.status, answer.values(b"Allow")) == (405, [b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"])
        assert app.peers == []


# Hosts of one site, as browsers see it.
SITE = {"gateway.yaml": GATEWAY.replace("portail.localhost", "portail.permis.localhost")}
SAME_SITE = (HTML, b"Sec-Fetch-Dest: iframe", b"Sec-Fetch-Site: same-site")
LISTED = b"Referer: http://intranet.permis.localhost:8080/"


@asynccontextmanager
async def embedding(app: Application) -> AsyncIterator[Gateway]:
    async with gateway(app, changes=SITE, app="embedded_by: [intranet.permis.localhost]") as gate:
        yield gate


@pytest.mark.parametrize("referer", [LISTED, b"Referer: http://permis.localhost:8080/a?b=c"])
async def test_invariant_10_a_frame_of_a_listed_host_goes_to_the_portal(referer: bytes) -> None:
    async with application() as app, embedding(app) as gate:
        client = await gate.client()
        for _ in range(2):
            answer = await client.ask(ask(b"GET /a?b=c", *SAME_SITE, referer))
            assert (answer.status, answer.values(b"Location")) == (303, [b"/portal"])
        assert {each.call.purpose for each in gate.portal.asked} == {"challenge"}
        assert app.peers == []


@pytest.mark.parametrize(
    ("line", "headers"),
    [
        (b"GET /a", SAME_SITE),
        (b"GET /a", (*SAME_SITE, b"Referer: http://autre.permis.localhost:8080/")),
        (b"GET /a", (*SAME_SITE, b"Referer: https://intranet.permis.localhost:8080/")),
        (b"GET /a", (HTML, b"Sec-Fetch-Dest: iframe", b"Sec-Fetch-Site: cross-site", LISTED)),
        (b"GET /a", (HTML, b"Sec-Fetch-Dest: iframe", LISTED)),
        (b"GET /a", (HTML, b"Sec-Fetch-Dest: empty", b"Sec-Fetch-Site: same-site", LISTED)),
        (b"GET /a", (HTML, b"Sec-Fetch-Dest: image", b"Sec-Fetch-Site: same-site", LISTED)),
        (b"GET /a", (*SAME_SITE, LISTED, b"Sec-Purpose: prefetch")),
        (b"GET /a", (*SAME_SITE, LISTED, b"Sec-Fetch-Site: same-site")),
        (b"POST /a", (*SAME_SITE, LISTED)),
        (b"HEAD /a", (*SAME_SITE, LISTED)),
    ],
)
async def test_invariant_10_no_other_frame_does(line: bytes, headers: tuple[bytes, ...]) -> None:
    async with application() as app, embedding(app) as gate:
        answer = await gate.once(ask(line, *headers))
        assert (answer.status, answer.values(b"Location")) == (401, [])
        assert (app.peers, gate.portal.asked) == ([], [])


async def test_invariant_10_nor_does_one_where_the_file_lists_nobody() -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(ask(b"GET /a", *SAME_SITE, b"Referer: http://permis.localhost:8080/"))
        assert (answer.status, answer.values(b"Location"), gate.portal.asked) == (401, [], [])


async def test_a_person_who_may_not_is_told_so_within_a_listed_frame_and_in_no_other() -> None:
    async with application() as app, embedding(app) as gate:
        seat = gate.sign_in()
        for referer, framed in ((LISTED, True), (b"Referer: http://autre.permis.localhost:8080/", False)):
            answer = await gate.once(ask(b"GET /admin/", seat, *SAME_SITE, referer))
            told = b"policy.unknown %b /_ecluse/login?to=/admin/&other_account=1 " % (b"frame" if framed else b"html")
            assert (answer.status, answer.body.startswith(told)) == (403, True), answer
        assert (app.peers, gate.portal.asked) == ([], [])


async def test_a_path_whose_expressions_take_too_long_is_refused_with_its_reason() -> None:
    async with application() as app, gateway(app, app=IN_RULES) as gate:
        answer = await gate.once(ask(b"GET /long/" + b"ab" * 3950))
        assert answer.status == 403
        assert answer.body.startswith(b"policy.expression ")
        assert (await gate.once(ask(b"GET /long/" + b"ab" * 97 + b"x"))).status == 200
        assert len(app.peers) == 1


@pytest.mark.parametrize("key", LONG_PATHS)
@pytest.mark.parametrize("headers", [(), (b"Authorization: Bearer a",), (HTML,)])
async def test_so_is_it_wherever_the_file_names_paths(key: str, headers: tuple[bytes, ...]) -> None:
    changes = {"providers/metropole.yaml": WITH_TOKENS}
    async with application() as app, gateway(app, app=LONG_PATHS[key], changes=changes, callers=Programs()) as gate:
        answer = await gate.once(ask(b"GET /long/" + b"ab" * 3950 + b"?do=logout", *headers))
        assert (answer.status, answer.body.partition(b" ")[0]) == (403, b"policy.expression")
        assert app.peers == []


async def test_so_is_it_where_a_path_has_other_headers() -> None:
    async with application() as app:
        others = f"translate:\n  paths: [{{path: '{LONG}', omit: [X-Remote-User]}}]\n"
        file = files(app.port)["apps/permis.yaml"].replace("translate:\n", others)
        async with gateway(app, changes={"apps/permis.yaml": file}) as gate:
            answer = await gate.once(ask(b"GET /long/" + b"ab" * 3950))
            assert (answer.status, answer.body.partition(b" ")[0]) == (403, b"policy.expression")
            assert app.peers == []
