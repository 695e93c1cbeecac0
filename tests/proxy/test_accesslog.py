"""One JSON line per request."""

import json
import os

import pytest

from gateway.ops.log import short_reference
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

ON = "access_log: true\n"
TOO_MUCH = b"x" * 70_000 + b"\r\n\r\n"


async def test_a_line_says_who_asked_what_and_what_came_of_it() -> None:
    async with application() as app, gateway(app, gateway=ON) as gate:
        client = await gate.client()
        await client.ask(ask(b"POST /public/a?secret=42", b"Content-Length: 2", body=b"hi"))
        await client.ask(ask(b"GET /admin/", gate.sign_in(uid="jdupont")))
        await client.ask(ask(b"GET /_ecluse/enter?code=secret"))
        lines = [json.loads(line) for line in gate.log.lines]
        assert [(line["method"], line["path"], line["status"]) for line in lines] == [
            ("POST", "/public/a", 200),
            ("GET", "/admin/", 403),
            ("GET", "/_ecluse/enter", 303),
        ]
        assert {(line["event"], line["app"], line["client"]) for line in lines} == {("access", "permis", "127.0.0.1")}
        assert {line["revision"] for line in lines} == {gate.plane.holder.snapshot.revision}
        assert all(line["ms"] >= 0 and len(line["request_id"]) == 32 and line["time"].endswith("Z") for line in lines)
        assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in gate.log.lines)
        everything = b"".join(gate.log.lines)
        assert not any(word in everything for word in (b"secret", b'"jdupont"', b"ecluse="))


async def test_behind_a_listed_proxy_it_is_the_browser_who_asked() -> None:
    async with application() as app, gateway(app, gateway=ON + "trusted_proxies: [127.0.0.1]\n") as gate:
        client = await gate.client()
        for address in (b"192.0.2.7", b"192.0.2.8"):
            await client.ask(ask(b"GET /public/a", b"X-Forwarded-For: " + address))
        assert [json.loads(line)["client"] for line in gate.log.lines] == ["192.0.2.7", "192.0.2.8"]


async def test_the_session_of_an_application_in_a_path_is_not_logged() -> None:
    lenient = "paths: {parameters: [jsessionid], cookieless: true}\n"
    async with application() as app, gateway(app, gateway=ON, app=lenient) as gate:
        client = await gate.client()
        for path in (b"/public;jsessionid=SECRET/a;jsessionid=SECRET", b"/(A(SECRET)S(SECRET))/public/a"):
            assert (await client.ask(ask(b"GET " + path))).status == 200
        assert b"SECRET" not in b"".join(gate.log.lines)
        shown = [json.loads(line)["path"] for line in gate.log.lines]
        assert shown == ["/public;jsessionid=_/a;jsessionid=_", "/(A(_))/public/a"]


async def test_no_path_breaks_a_line() -> None:
    async with application() as app, gateway(app, gateway=ON) as gate:
        client = await gate.client()
        for path in (b"/public/%22", b"/public/'[]|", b"/public/" + b"a" * 3000):
            await client.ask(ask(b"GET " + path))
        read = [json.loads(line) for line in gate.log.lines]
        assert read[0]["path"] == "/public/%22"
        assert max(map(len, gate.log.lines)) < 2048


async def test_a_broken_answer_is_logged_too_and_nothing_where_the_log_is_off() -> None:
    async with application(b"nonsense\r\n\r\n") as app, gateway(app, gateway=ON) as gate:
        await gate.once(ask(b"GET /public/a"))
        assert json.loads(gate.log.lines[0])["status"] == 502
    async with application() as app, gateway(app) as gate:
        await gate.once(ask(b"GET /public/a"))
        assert gate.log.lines == []


async def test_a_line_names_the_rule_and_the_person_by_the_logs_own_name_for_them() -> None:
    async with application() as app, gateway(app, gateway=ON) as gate:
        client = await gate.client()
        await client.ask(ask(b"GET /public/a"))
        await client.ask(ask(b"GET /private/a", gate.sign_in(uid="jdupont")))
        await client.ask(ask(b"GET /admin/", gate.sign_in(uid="jdupont")))
        await client.ask(ask(b"GET /_ecluse/enter?code=secret"))
        lines = [json.loads(line) for line in gate.log.lines]
        assert [line.get("person") for line in lines] == [None, "person-subject-1", "person-subject-1", None]
        assert [bool(line.get("rule")) for line in lines] == [True, True, True, False]
        assert all(line["rule"].startswith("policies/apps/permis.yaml:") for line in lines[:3])
        assert {(line["level"], line["pid"]) for line in lines} == {("info", os.getpid())}
        (denied,) = gate.log.named("access.denied")
        assert (denied["person"], denied["client"]) == ("person-subject-1", "127.0.0.1")
        assert [line.get("reference") for line in lines] == [None, None, short_reference(denied["request_id"]), None]


@pytest.mark.parametrize(
    ("head", "status", "code", "host", "method"),
    [
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "wire.syntax", "", "GET"),
        (b"BREW / HTTP/1.1\r\nHost: permis.localhost\r\n\r\n", 405, "wire.method", "permis.localhost", "BREW"),
        (b"GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n", 421, "route.host_unknown", "nobody.localhost", "GET"),
        (b"GET / HTTP/1.1\r\nHost: a.localhost\r\nX: " + TOO_MUCH, 431, "limit.headers", "a.localhost", "GET"),
        (b'GET / HTTP/1.1\r\nHost: "\\,\xff\r\n\r\n', 400, "wire.host", '"\\,\xff', "GET"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 405, "wire.method", "", ""),
    ],
)  # fmt: skip
async def test_what_is_refused_before_its_application_is_known_says_where_who_and_how(
    head: bytes, status: int, code: str, host: str, method: str
) -> None:
    async with application() as app, gateway(app, gateway=ON) as gate:
        assert (await gate.once(head)).status == status
        (refused,) = gate.log.named("request.refused")
        told = refused["code"], refused["client"], refused["host"], refused["method"]
        assert told == (code, "127.0.0.1", host, method)
        (line,) = [json.loads(line) for line in gate.log.lines]
        assert (line["status"], line["client"], line["host"], line["method"]) == (status, "127.0.0.1", host, method)
        assert line["request_id"] == refused["request_id"]
        assert line["reference"] == short_reference(refused["request_id"])
        assert "path" not in line
