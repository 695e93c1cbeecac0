"""A head of which only some values are new: what is taken over without another parsing is what a parser would read."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.model.errors import GatewayError
from gateway.proxy.http1.header_delta import header_delta
from gateway.proxy.request import Request
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pool import Pools
from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import ask, gateway

BEFORE = b"Host: a\r\nAccept: */*\r\nReferer: /a\r\n\r\n".split(b"\r\n")
BEGINNINGS = (b"", b"Accept: ", b"Referer: ")


def found(now: bytes) -> list[tuple[int, bytes]] | None:
    return header_delta(BEFORE, now.split(b"\r\n"), BEGINNINGS)


@pytest.mark.parametrize(
    ("now", "new"),
    [
        (b"Host: a\r\nAccept: */*\r\nReferer: /a\r\n\r\n", []),
        (b"Host: a\r\nAccept: */*\r\nReferer: /b\r\n\r\n", [(2, b"/b")]),
        (b"Host: a\r\nAccept: x y\tz\r\nReferer: \xe9 \t\r\n\r\n", [(1, b"x y\tz"), (2, b"\xe9")]),
    ],
)
def test_a_value_of_text_is_taken_over(now: bytes, new: list[tuple[int, bytes]]) -> None:
    assert found(now) == new


@pytest.mark.parametrize(
    "now",
    [
        b"Host: b\r\nAccept: */*\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\naccept: x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept : x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept:x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept:  x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept: \r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAcceptX: x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\n Accept: x\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\n\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept: x\nX-Y: z\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept: x\rX-Y: z\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept: x\0\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nAccept: x\x7f\r\nReferer: /a\r\n\r\n",
        b"Host: a\r\nReferer: /a\r\nAccept: */*\r\n\r\n",
        b"Host: a\r\nAccept: */*\r\n\r\n",
        b"Host: a\r\nAccept: */*\r\nReferer: /a\r\nX: y\r\n\r\n",
    ],
)
def test_everything_else_is_the_parser_s(now: bytes) -> None:
    assert found(now) is None


# --- against the parser


def places() -> RequestTables:
    return RequestTables(sample_snapshot(), Pools(None, None, None), iter(range(10_000)))  # type: ignore[arg-type]


def facts(request: Request) -> tuple[object, ...]:
    rare = dict(request.rare)
    return (
        request.line.text, request.lines, list(request.fields), request.cookie, rare, request.framing, request.expects,
        request.bound, request.keep_alive, request.host.name,
    )  # fmt: skip


def parsed(head: bytes, here: RequestTables) -> tuple[object, ...] | None:
    request = Request()
    try:
        if not request.parse_usual(head):
            request.parse(head)
        request.read(head, here)
    except GatewayError:
        return None
    return facts(request)


LINES = (b"Accept", b"Cookie", b"Content-Length", b"X-Forwarded-For", b"Referer", b"X-Remote-User", b"Connection",
         b"Authorization", b"traceparent", b"Expect", b"Transfer-Encoding", b"Upgrade")  # fmt: skip
texts = some.sampled_from(
    [b"a", b"1", b"10", b"007", b"a=b; c=d", b"keep-alive", b"close", b"100-continue", b"chunked", b"x, y", b"", b" ",
     b"\t", b"\xff", b"\x01", b"\0", b"\n", b"\r", b"\r\n", b"\r\nX-Remote-User: admin", b":", b"NTLM x"]
)  # fmt: skip
values = some.lists(texts, max_size=3).map(b"".join)
heads = some.lists(some.tuples(some.sampled_from(LINES), values), min_size=1, max_size=6)


def head_of(lines: list[tuple[bytes, bytes]], target: bytes = b"/public/a") -> bytes:
    return b"\r\n".join([b"GET %b HTTP/1.1" % target, b"Host: permis.localhost"]
                        + [b"%b: %b" % line for line in lines]) + b"\r\n\r\n"  # fmt: skip


@given(heads, some.lists(some.tuples(some.integers(0, 5), values), max_size=4))
def test_what_is_taken_over_is_what_a_parser_reads(
    lines: list[tuple[bytes, bytes]], new: list[tuple[int, bytes]]
) -> None:
    """Head after head on one connection, each with a value or two that are new."""
    here, request = places(), Request()
    first = head_of(lines)
    if first.count(b"\r\n\r\n") != 1 or parsed(first, here) is None:
        return
    request.parse(first)
    request.read(first, here)
    for place, value in new:
        lines = [(name, value if at == place else old) for at, (name, old) in enumerate(lines)]
        head = head_of(lines, b"/public/b")
        if head.count(b"\r\n\r\n") != 1:
            return
        expected = parsed(head, here)
        try:
            same = request.same_lines(head, here)
        except GatewayError:
            assert expected is None
            return
        if same:
            assert facts(request) == expected
        elif expected is None:
            return
        else:
            request.parse(head)
            request.read(head, here)


def test_it_is_the_usual_way() -> None:
    """A browser's next request: without this, the test above would hold of a gateway that parses all."""
    here, request = places(), Request()
    lines = [(b"Accept", b"*/*"), (b"Cookie", b"a=1"), (b"Content-Length", b"1"), (b"X-Forwarded-For", b"192.0.2.1")]
    request.parse(head_of(lines))
    request.read(head_of(lines), here)
    for at, value in enumerate((b"text/html", b"a=2", b"20", b"192.0.2.7")):
        lines[at] = (lines[at][0], value)
        assert request.same_lines(head_of(lines), here)
        assert facts(request) == parsed(head_of(lines), here)


async def test_a_change_is_seen_by_everything_behind_it() -> None:
    """The application, our cookie, the length of a body, and who asks, on one connection."""
    async with application() as app, gateway(app, gateway="trusted_proxies: [127.0.0.1]\n") as gate:
        own = gate.sign_in(uid="jdupont")
        client = await gate.client()
        line = b"POST /a"
        for number in range(3):
            body = b"x" * (10**number)
            lines = (b"Accept: %d" % number, own + b"; a=%d" % number, b"X-Forwarded-For: 192.0.2.%d" % number)
            length = b"Content-Length: %d" % len(body)
            assert (await client.ask(ask(line, *lines, length, body=body))).status == 200
            request = app.requests.pop()
            assert b"\r\nX-Forwarded-For: 192.0.2.%d, 127.0.0.1\r\n" % number in request
            assert request.endswith(length + b"\r\n\r\n" + body)
            assert b"\r\nAccept: %d\r\nCookie: CTSESSION=present; a=%d\r\n" % (number, number) in request
        other = own[:-1] + b"!"
        lines = (b"Accept: 3", other + b"; a=3", b"X-Forwarded-For: 192.0.2.3", b"Content-Length: 1")
        assert (await client.ask(ask(line, *lines, body=b"x"))).status == 401
        assert app.requests == []


async def test_changed_values_meet_the_limits() -> None:
    limits = "limits: {headers: 1KB}\n"
    async with application() as app, gateway(app, gateway=limits) as gate:
        client = await gate.client()
        assert (await client.ask(ask(b"GET /public/a", b"A: 1"))).status == 200
        assert (await client.ask(ask(b"GET /public/a", b"A: " + b"1" * 1100))).status == 431
        assert len(app.requests) == 1


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (b"Host: permis.localhost", b"Host: portail.localhost"),
        (b"Connection: keep-alive", b"Connection: close"),
        (b"Connection: keep-alive", b"Connection: Accept"),
        (b"Authorization: Basic a", b"Authorization: NTLM a"),
        (b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip"),
        (b"Upgrade: a", b"Upgrade: b"),
    ],
)
def test_whom_it_is_for_and_where_it_ends_is_never_taken_over(before: bytes, now: bytes) -> None:
    here, request = places(), Request()
    lines = [b"GET /public/a HTTP/1.1", b"Host: permis.localhost", b"Accept: x", before, b"", b""]
    if before.startswith(b"Host"):
        del lines[1]
    head = b"\r\n".join(lines)
    request.parse(head)
    request.read(head, here)
    assert not request.same_lines(head.replace(before, now), here)


@pytest.mark.parametrize(
    "between",
    [
        (b"X-Remote-User", b"admin"),
        (b"Connection", b"Accept"),
        (b"Authorization", b"Basic a"),
        (b"Accept-Language", b"f" * 2100),
    ],
)
def test_what_a_head_between_said_is_not_what_the_one_before_it_said(between: tuple[bytes, bytes]) -> None:
    """One that is not kept leaves nothing behind: the same bytes as before it are read as they were."""
    here, request = places(), Request()
    head, other = head_of([(b"Accept", b"a"), (b"Cookie", b"a=1")]), head_of([(b"Cookie", b"a=2"), between])
    for each in (head, other, head):
        expected = parsed(each, here)
        if not request.same_lines(each, here):
            request.parse(each)
            request.read(each, here)
        assert facts(request) == expected
