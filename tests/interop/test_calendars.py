"""Radicale, a CalDAV server: a calendar is made, filled, asked and moved in through the gateway."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from deploy.demo.ports import free
from tests.interop.servers import found, running
from tests.proxy.gateways import Answer, Gateway, ask, gateway

pytestmark = pytest.mark.service

PUBLIC = b"http://permis.localhost:8080"
METHODS = "methods: [PROPFIND, PROPPATCH, MKCOL, MKCALENDAR, MOVE, REPORT]"
APP = """version: 1
app: permis
hosts: [permis.localhost]
upstream: {{url: http://127.0.0.1:{port}}}
providers: [metropole]
{methods}
translate: {{headers: {{X-Remote-User: {{from: uid}}, X-Forwarded-Port: {{value: "8080"}}}}}}
access:
  - {{path: /**, allow: signed_in}}
"""
SETTINGS = """[server]
hosts = 127.0.0.1:{port}
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = {folder}/collections
[web]
type = none
"""
EVENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//FR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20271127T100000Z\r\n"
    b"DTSTART:20271201T090000Z\r\nDTEND:20271201T100000Z\r\nSUMMARY:Conseil municipal\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)
QUERY = (
    b'<?xml version="1.0"?><C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>'
    b'<C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>'
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder, (port,) = tmp_path_factory.mktemp("radicale"), free(1)
    (folder / "config").write_text(SETTINGS.format(port=port, folder=folder))
    with running([found("radicale"), "--config", str(folder / "config")], folder / "radicale.log", port):
        yield port


@asynccontextmanager
async def before(port: int, methods: str = METHODS) -> AsyncIterator[Gateway]:
    async with gateway(0, changes={"apps/permis.yaml": APP.format(port=port, methods=methods)}) as gate:
        yield gate


async def dav(gate: Gateway, line: bytes, *lines: bytes, body: bytes = b"") -> Answer:
    sized = (b"Content-Length: %d" % len(body),) if body else ()
    asked = ask(line, *lines, *sized, body=body).replace(
        b"Host: permis.localhost\r\n", b"Host: permis.localhost:8080\r\n"
    )
    return await gate.once(asked)


async def test_a_calendar_is_made_filled_asked_and_moved_in(port: int) -> None:
    async with before(port) as gate:
        helene = gate.sign_in(uid="helene")
        assert (await dav(gate, b"PROPFIND /", helene, b"Depth: 0")).status == 207
        assert (await dav(gate, b"MKCALENDAR /helene/agenda/", helene)).status == 201
        event = (helene, b"Content-Type: text/calendar")
        assert (await dav(gate, b"PUT /helene/agenda/a.ics", *event, body=EVENT)).status == 201
        listed = await dav(gate, b"PROPFIND /helene/agenda/", helene, b"Depth: 1")
        assert (listed.status, b"/helene/agenda/a.ics" in listed.body) == (207, True)
        there = b"Destination: " + PUBLIC + b"/helene/agenda/b.ics"
        assert (await dav(gate, b"MOVE /helene/agenda/a.ics", helene, there)).status == 201
        found = await dav(gate, b"REPORT /helene/agenda/", helene, b"Depth: 1", body=QUERY)
        assert (found.status, b"b.ics" in found.body, b"Conseil municipal" in found.body) == (207, True, True)
        assert (await dav(gate, b"DELETE /helene/agenda/b.ics", helene)).status == 200


async def test_another_person_is_another_and_without_the_names_in_the_file_nothing_passes(port: int) -> None:
    async with before(port) as gate:
        paul = gate.sign_in(uid="paul")
        assert (await dav(gate, b"PROPFIND /helene/agenda/", paul, b"Depth: 1")).status == 403
        assert (await dav(gate, b"PROPFIND /paul/", b"X-Remote-User: paul", b"Depth: 0")).status == 401
    async with before(port, "") as gate:
        assert (await dav(gate, b"PROPFIND /", gate.sign_in(uid="helene"), b"Depth: 0")).status == 405
