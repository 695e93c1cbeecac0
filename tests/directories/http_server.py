"""A server of JSON about people on a port of 127.0.0.1, which can be slow, lie, and go away."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from aiohttp import web

from gateway.model.directory import Directory, GivenAttribute, HttpSource, KeyPart

TOKEN = "let-me-ask"
PEOPLE: dict[str, object] = {
    "alice": {"uid": "alice", "job": {"number": 4711, "offices": ["12", "34"]}},
    "bob": [{"uid": "bob", "job": {"number": 1}}, {"uid": "bob", "job": {"number": 2}}],
    "another": {"uid": "alice", "job": {"number": 4711}},
    "types": {"uid": "types", "job": {"number": 1.5, "offices": [{}]}},
    "nothing": None,
    "text": "a text",
}
BODIES = {
    "latin": b'{"person": {"uid": "latin", "job": {"number": "\xe9"}}}',
    "twice": b'{"person": {"uid": "twice", "uid": "twice"}}',
    "html": b"<html>",
    "nan": b'{"person": {"uid": "nan", "job": {"number": NaN}}}',
    "deep": b"[" * 100_000,
    "large": b'{"person": {"uid": "' + b"x" * (1 << 20) + b'"}}',
}


class Server:
    """`waits`: seconds before each answer. `asked`: the targets, and what was posted."""

    def __init__(self) -> None:
        self.waits = 0.0
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        uid = request.query.get("uid") or request.match_info.get("uid") or ""
        self.asked.append(request.raw_path)
        if request.method == "POST":
            uid = (await request.json())["uid"]
        await asyncio.sleep(self.waits)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        if uid == "elsewhere":
            raise web.HTTPFound("/people/alice")
        if uid in BODIES:
            return web.Response(body=BODIES[uid], content_type="application/json")
        if uid not in PEOPLE:
            return web.Response(status=404)
        return web.Response(body=json.dumps({"person": PEOPLE[uid]}).encode(), content_type="application/json")


@asynccontextmanager
async def people(port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_route("*", "/people", server.answer)
    app.router.add_route("*", "/people/{uid}", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield server
    finally:
        await runner.cleanup()


def staff(port: int, **changes: Any) -> Directory:
    """Changes are of the directory, or of its source."""
    own = {name: changes.pop(name) for name in list(changes) if name in HttpSource.__slots__ and name != "rows"}
    usual = HttpSource(
        f"http://127.0.0.1:{port}/people/{{uid}}", "GET", ("person",), (IPv4Network("127.0.0.1/32"),), 4,
        TOKEN.encode(), None, None,
    )  # fmt: skip
    key = (KeyPart("uid", "uid", providers=("alpha",)),)
    gives = (
        GivenAttribute("matricule", "/job/number", "number"),
        GivenAttribute("services", "/job/offices", many=True),
    )
    made = Directory("staff", "f1", replace(usual, **own), key, gives, "one", "refuse", 0, 2.0)
    return replace(made, **changes)
