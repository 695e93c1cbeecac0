"""WebDAV methods, which reach further than the path of their line: nothing of that is done that rules refuse."""

import pytest

from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

METHODS = "methods: [PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK]"
HERE = b"http://permis.localhost:8080"


@pytest.mark.parametrize("method", [b"PROPFIND", b"MKCOL", b"MOVE", b"LOCK", b"REPORT", b"MERGE"])
async def test_without_its_name_in_the_file_no_such_method_passes(method: bytes) -> None:
    async with application() as behind, gateway(behind) as gate:
        assert (await gate.once(ask(method + b" /public/a"))).status == 405
        assert not behind.requests
    async with application() as behind, gateway(behind, app="methods: [ACL]") as gate:
        assert (await gate.once(ask(method + b" /public/a"))).status == 405
        assert not behind.requests


async def test_what_is_named_passes_byte_for_byte() -> None:
    async with application() as behind, gateway(behind, app=METHODS) as gate:
        own = gate.sign_in()
        client = await gate.client()
        for line, *headers in (
            (b"PROPFIND /public/", b"Depth: 1"),
            (b"PROPFIND /x", b"Depth: 0"),
            (b"MKCOL /x/y",),
            (b"PROPPATCH /x/y",),
            (b"MOVE /x/y", b"Destination: " + HERE + b"/x/z", b"Overwrite: F"),
            (b"COPY /x/y", b"Destination: /x/z", b"Depth: 0"),
            (b"LOCK /x/y", b"Depth: 0", b"If: (<urn:uuid:1>)"),
            (b"PUT /x/y", b"If: <" + HERE + b"/x/y> (<urn:uuid:1>)", b"Content-Length: 0"),
            (b"UNLOCK /x/y", b"Lock-Token: <urn:uuid:1>"),
            (b"DELETE /x/y",),
        ):
            assert (await client.ask(ask(line, own, *headers))).status == 200, line
            seen = behind.requests.pop()
            assert seen.startswith(line + b" HTTP/1.1\r\n")
            assert [b"\r\n" + one + b"\r\n" in seen for one in headers] == [True] * len(headers), seen
        assert not behind.requests


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        # /admin is below, and another's.
        (b"PROPFIND /", (b"Depth: 1",), 403),
        (b"PROPFIND /", (), 403),
        (b"PROPFIND /", (b"Depth: infinity",), 403),
        (b"PROPFIND /", (b"Connection: Depth", b"Depth: 0"), 403),
        (b"DELETE /", (), 403),
        (b"DELETE /", (b"Depth: 0",), 403),
        (b"LOCK /", (), 403),
        (b"MOVE /", (b"Destination: /x",), 403),
        (b"COPY /", (b"Destination: /x",), 403),
        (b"PROPFIND /admin/", (b"Depth: 0",), 403),
        # Where it leads is another's.
        (b"MOVE /x", (b"Destination: /admin/x",), 403),
        (b"MOVE /x", (b"Destination: /%61dmin/x",), 403),
        (b"COPY /x", (b"Destination: " + HERE + b"/admin", b"Depth: 0"), 403),
        (b"COPY /x", (b"Destination: /",), 403),
        (b"PUT /x", (b"If: </admin/x> (<urn:uuid:1>)",), 403),
        (b"UNLOCK /x", (b"If: <" + HERE + b"/admin/x> (<urn:uuid:1>)",), 403),
        # It is not told where it leads, or in two ways.
        (b"MOVE /x", (), 403),
        (b"COPY /x", (b"Connection: Destination", b"Destination: /admin/x", b"Depth: 0"), 400),
        (b"COPY /x", (b"Destination: /y", b"Destination: /admin/x"), 400),
        (b"COPY /x", (b"Depth: 0", b"Depth: infinity", b"Destination: /y"), 400),
        (b"MOVE /x", (b"Destination: http://other.localhost/y",), 400),
        (b"MOVE /x", (b"Destination: https://permis.localhost:8080/y",), 400),
        (b"MOVE /x", (b"Destination: /y/../admin/x",), 400),
        (b"MOVE /x", (b"Destination: /y%2f..%2fadmin",), 400),
        (b"MOVE /x", (b"Destination: //admin/x",), 400),
        (b"MOVE /x", (b"Destination: /_ecluse/session",), 400),
        (b"MOVE /x", (b"Dest.ination: /y",), 403),
        (b"PROPFIND /", (b"De_pth: 0",), 403),
        (b"PROPFIND /_ecluse/session", (), 303),
    ],
)  # fmt: skip
async def test_what_reaches_further_than_the_person_may_is_refused(
    line: bytes, headers: tuple[bytes, ...], status: int
) -> None:
    async with application() as behind, gateway(behind, app=METHODS) as gate:
        own = gate.sign_in(uid="paul", groups="ONDE")
        client = await gate.client()
        assert (await client.ask(ask(b"GET /x", own))).status == 200
        assert (await client.ask(ask(line, own, *headers))).status == status
        assert [request[:4] for request in behind.requests] == [b"GET "]


async def test_one_who_may_do_all_of_it_is_let_through() -> None:
    async with application() as behind, gateway(behind, app=METHODS) as gate:
        own = gate.sign_in(uid="root", groups="administrateurs")
        for line, *headers in (
            (b"PROPFIND /", b"Depth: 1"),
            (b"DELETE /",),
            (b"MOVE /x", b"Destination: /admin/x"),
            (b"PUT /x", b"If: </admin/x> (<urn:uuid:1>)"),
        ):
            assert (await gate.once(ask(line, own, *headers))).status == 200
        assert len(behind.requests) == 4


async def test_a_head_that_came_before_is_read_anew_for_each_line() -> None:
    """Programs send the same header with every request of a connection."""
    async with application() as behind, gateway(behind, app=METHODS) as gate:
        own = gate.sign_in(uid="paul", groups="ONDE")
        client = await gate.client()
        for depth in (b"0", b"1", b"0"):
            for path, statuses in ((b"/", (200, 403)), (b"/x", (200, 200)), (b"/admin/", (403, 403))):
                answer = await client.ask(ask(b"PROPFIND " + path, own, b"Depth: " + depth))
                assert answer.status == statuses[depth != b"0"], (depth, path)
        assert len(behind.requests) == 5


async def test_nobody_is_asked_to_sign_in_where_what_is_below_asks_for_it() -> None:
    async with application() as behind, gateway(behind, app=METHODS) as gate:
        assert (await gate.once(ask(b"PROPFIND /public/", b"Depth: 1"))).status == 200
        assert (await gate.once(ask(b"MOVE /public/a", b"Destination: /x"))).status == 401
        assert len(behind.requests) == 1


async def test_of_other_applications_these_headers_say_nothing() -> None:
    async with application() as behind, gateway(behind) as gate:
        for line in (b"Destination: /../x", b"Depth: many", b"If: (", b"Destination: a\r\nDestination: b"):
            assert (await gate.once(ask(b"GET /public/a", line))).status == 200
            assert b"\r\n" + line + b"\r\n" in behind.requests.pop()


async def test_a_rule_that_asks_for_the_path_cannot_be_asked_about_what_is_below() -> None:
    when = "  - {path: /dav/**, allow: {when: '!request.path.startsWith(\"/dav/secret\")'}}\n"
    async with application() as behind, gateway(behind, app=when + METHODS) as gate:
        own = gate.sign_in()
        for depth, status in ((b"0", 200), (b"1", 403)):
            assert (await gate.once(ask(b"PROPFIND /dav/", own, b"Depth: " + depth))).status == status
        assert len(behind.requests) == 1
