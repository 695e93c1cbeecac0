"""One JSON line per request."""

import json

from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

ON = "access_log: true\n"


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
        assert not any(word in everything for word in (b"secret", b"jdupont", b"ecluse="))


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
