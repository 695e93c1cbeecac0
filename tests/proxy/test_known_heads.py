"""Heads that need no parser: what is taken over from heads of before is what a parser would read."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.access import remembered
from gateway.model.errors import GatewayError
from gateway.proxy import known_heads as module
from gateway.proxy.known_heads import parts, split
from gateway.proxy.request import Request
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pools import Pools
from tests.config.samples import PERMIS, PLAIN_APP, sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import HOST, ask, gateway
from tests.proxy.stand_ins import identity, seat

LONGEST = 8192
SOMEBODY = seat("permis.localhost", identity(uid="jdupont"))


def places(changes: Mapping[str, str] | None = None) -> RequestTables:
    return RequestTables(sample_snapshot(changes), Pools(None, None, None), iter(range(10_000)))  # type: ignore[arg-type]


def facts(request: Request) -> tuple[object, ...]:
    passed = request.passed()
    return (
        request.line.text, passed, request.lines, list(request.fields), request.cookie, dict(request.rare),
        request.framing, request.expects, request.bound, request.keep_alive, request.host.name,
    )  # fmt: skip


def read(head: bytes, here: RequestTables, request: Request | None = None) -> tuple[object, ...] | None:
    """What a connection reads; None where it refuses."""
    request = request or Request()
    try:
        if not request.read_usual(head, here, LONGEST):
            request.read_any(head, here)
    except GatewayError:
        return None
    return facts(request)


def let_in(head: bytes, here: RequestTables, *, person: bool = True) -> None:
    """As where the head goes to the application."""
    request = Request()
    assert request.read_usual(head, here, LONGEST)
    request.seat = SOMEBODY if person else None
    if request.unkept:
        request.remember(here)


def is_known(head: bytes, here: RequestTables) -> bool:
    end = head.find(b"\r\n")
    key, values = parts(head[end:])
    host = here.by_host.get(values[0])
    known = None if host is None else here.known.heads.get((host.lane.policy, key))
    if host is None or known is None:
        return False
    return Request().read_as(known, host, values, head[:end], head[end:], here)


def head_of(lines: Sequence[tuple[bytes, bytes]], target: bytes = b"/public/a", version: bytes = b"1.1") -> bytes:
    first = [b"GET %b HTTP/%b" % (target, version), b"Host: " + HOST]
    return b"\r\n".join((*first, *(b"%b: %b" % line for line in lines), b"", b""))


BEFORE = head_of(((b"Accept", b"*/*"), (b"Referer", b"/a"), (b"Cookie", b"a=1"), (b"X-Lang", b"fr")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"", b""),
        (b"Referer: /a", b"Referer: /b"),
        (b"Referer: /a", b"Referer: \xe9\tb c"),
        (b"Cookie: a=1", b"Cookie: a=2; b=3"),
        (b"X-Lang: fr", b"X-Lang: x: y"),
        (b"/public/a HTTP/1.1", b"/public/b?q HTTP/1.0"),
    ],
)
def test_a_head_with_other_values_of_its_own_is_known(old: bytes, new: bytes) -> None:
    here = places()
    let_in(BEFORE, here)
    head = BEFORE.replace(old, new)
    assert is_known(head, here)
    assert read(head, here) == read(head, places())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Host: permis", b"Host: autre"),
        (b"Accept: */*", b"Accept: text/html"),
        (b"Referer: ", b"referer: "),
        (b"Referer: ", b"Referer:"),
        (b"Referer: ", b"Referer:  "),
        (b"Referer: ", b"Referer : "),
        (b"Referer: /a", b"Referer: /a "),
        (b"Referer: /a", b"Referer: "),
        (b"Referer: /a", b"Referer: /a\r\n b"),
        (b"Referer: /a", b"Referer: /a\nX-Y: z"),
        (b"Referer: /a", b"Referer: /a\rX-Y: z"),
        (b"Referer: /a", b"Referer: /a\0"),
        (b"Referer: /a", b"Referer: /a\x7f"),
        (b"Referer: /a", b"Referer: /a\r\n\r\nGET / HTTP/1.1"),
        (b"Referer: /a", b"Referer: /a\r\nReferer: /a"),
        (b"Referer: /a", b"Referer: /a\r\nX-Remote-User: admin"),
        (b"Referer: /a", b"Referer: /a\r\nContent-Length: 5"),
        (b"Referer: /a\r\n", b""),
        (b"Referer: /a\r\nCookie: a=1", b"Cookie: a=1\r\nReferer: /a"),
        (b"X-Lang", b"X-Remote-User"),
        (b"X-Lang", b"X_Lang"),
        (b"X-Lang", b"Connection"),
        (b"HTTP/1.1\r\n", b"HTTP/1.1\r\n\r\n"),
        (b"\r\n\r\n", b"\r\n\r\n\r\n\r\n"),
        (b"\r\nX-Lang", b"\nX-Lang"),
    ],
)
def test_everything_else_is_the_parser_s(old: bytes, new: bytes) -> None:
    here = places()
    let_in(BEFORE, here)
    assert not is_known(BEFORE.replace(old, new), here)


@pytest.mark.parametrize(
    "line",
    [
        (b"Connection", b"close"),
        (b"Connection", b"Accept, keep-alive"),
        (b"Authorization", b"Basic a"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Upgrade", b"a"),
        (b"Expect", b"100-continue"),
        (b"X-HTTP-Method-Override", b"GET"),
        (b"X-Remote-User", b"admin"),
        (b"X-Unknown_Name", b"a"),
        (b"Accept", b"a\r\nAccept: b"),
        (b"X-Empty", b""),
        (b"Secret-Token", b"a"),
        (b"Accept", b"a" * 2048),
    ],
)
def test_what_such_a_head_says_is_read_each_time(line: tuple[bytes, bytes]) -> None:
    here = places()
    head = head_of([(b"Accept-Language", b"fr"), line])
    request = Request()
    if not request.read_usual(head, here, LONGEST):
        request.read_any(head, here)
    if request.unkept:
        request.seat = SOMEBODY
        request.remember(here)
    assert not here.known.heads


def test_values_of_people_are_not_remembered() -> None:
    here = places()
    names = (b"Cookie", b"Referer", b"X-CSRF-Token", b"If-None-Match", b"X-Forwarded-For", b"Content-Type")
    own = [(name, b"SECRET") for name in names]
    let_in(head_of(((b"Accept", b"*/*"), *own)), here)
    (((_, key), known),) = here.known.heads.items()
    kept = key + b"".join(known.pieces) + b"".join(known.lines([b""] * (1 + len(own))))
    assert b"SECRET" not in kept


OTHERS = {
    "apps/autre.yaml": PERMIS.replace("permis", "autre"),
    "apps/tiers.yaml": PERMIS.replace("permis", "tiers").replace("X-Remote-User", "X-Lang"),
    "apps/toit.yaml": PERMIS.replace("permis", "toit"),
    "apps/etage.yaml": PLAIN_APP.replace("permis.localhost]", "toit.localhost]\npath: /e")
    .replace("permis", "etage")
    .replace("/**", "/e/**"),
}


@pytest.mark.parametrize(
    ("host", "known"),
    [
        (b"autre.localhost", True),
        (b"autre.localhost:8080", True),
        # Not asked for before, so that nobody has read this spelling.
        (b"AUTRE.localhost", False),
        (b"autre.localhost ", False),
        (b" autre.localhost", False),
        (b"", False),
        # X-Lang is written for this application alone: of clients it takes none.
        (b"tiers.localhost", False),
        # Each path of it may be another application's.
        (b"toit.localhost", False),
    ],
)
def test_a_head_is_known_at_every_host_of_which_the_policy_is_the_same(host: bytes, known: bool) -> None:
    def other() -> RequestTables:
        tables = places(OTHERS)
        for name in (b"autre.localhost", b"autre.localhost:8080", b"tiers.localhost", b"toit.localhost"):
            tables.find(name)
        return tables

    here, head = other(), BEFORE.replace(HOST, host)
    let_in(BEFORE, here)
    assert is_known(head, here) is known
    request = Request()
    assert read(BEFORE, here, request) == read(BEFORE, other())
    for each in (head, BEFORE, head):
        assert read(each, here, request) == read(each, other())
    assert len(here.known.heads) == 1


@pytest.mark.parametrize("host", [b"Host", b"host", b"HOST", b"hOst"])
def test_a_host_stands_where_it_stood_in_the_spelling_that_it_had(host: bytes) -> None:
    head = BEFORE.replace(b"Host: " + HOST + b"\r\n", b"").replace(b"Cookie:", host + b": " + HOST + b"\r\nCookie:")
    here = places()
    let_in(head, here)
    assert is_known(head, here) is (host.lower() == host or host.title() == host)
    assert read(head, here) == read(head, places())
    assert not is_known(BEFORE, here)


def test_two_hosts_are_none() -> None:
    here = places()
    let_in(BEFORE, here)
    for line in (b"Host: ", b"host: ", b"HOST: "):
        for twice in (b"\r\nAccept", b"\r\n\r\n"):
            assert read(BEFORE.replace(twice, b"\r\n" + line + HOST + twice), here) is None


def test_strangers_push_out_nothing_that_others_use() -> None:
    here = places()
    let_in(BEFORE, here)
    for number in range(2 * remembered._NEWCOMERS):
        let_in(BEFORE.replace(b"*/*", b"text/%d" % number), here, person=False)
    assert is_known(BEFORE, here)
    for number in range(2 * remembered._NEWCOMERS):
        let_in(BEFORE.replace(b"*/*", b"image/%d" % number), here)
    assert len(here.known.heads) <= remembered._NEWCOMERS + module._MOST


def test_what_was_read_under_another_snapshot_is_not_remembered_under_this_one() -> None:
    here, there = places(), RequestTables(sample_snapshot(), Pools(None, None, None), iter((20_000, 20_001)))  # type: ignore[arg-type]
    request = Request()
    request.read_usual(BEFORE, here, LONGEST)
    request.remember(there)
    assert not there.known.heads


# --- against the parser

LINES = (b"Accept", b"Cookie", b"Content-Length", b"X-Forwarded-For", b"Referer", b"X-Remote-User", b"Connection",
         b"Authorization", b"traceparent", b"Expect", b"Transfer-Encoding", b"Upgrade", b"cookie", b"X-A")  # fmt: skip
texts = some.sampled_from(
    [b"a", b"1", b"10", b"007", b"a=b; c=d", b"keep-alive", b"close", b"100-continue", b"chunked", b"x, y", b"", b" ",
     b"\t", b"\xff", b"\x01", b"\0", b"\n", b"\r", b"\r\n", b"\r\n ", b"\r\nX-Remote-User: admin", b"\r\nCookie: a",
     b":", b": ", b"NTLM x"]
)  # fmt: skip
values = some.lists(texts, max_size=3).map(b"".join)
heads = some.lists(some.tuples(some.sampled_from(LINES), values), min_size=1, max_size=6)
versions = some.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0"])


@given(heads, some.lists(some.tuples(some.integers(0, 5), values, versions), max_size=4))
def test_what_is_taken_over_is_what_a_parser_reads(
    lines: list[tuple[bytes, bytes]], new: list[tuple[int, bytes, bytes]]
) -> None:
    """Head after head on one connection and on new ones, each with a value that is new, and each let in."""
    here, kept = places(), Request()
    for place, value, version in [(-1, b"", b"1.1"), *new]:
        lines = [(name, value if at == place else old) for at, (name, old) in enumerate(lines)]
        head = head_of(lines, b"/public/b", version)
        if head.count(b"\r\n\r\n") != 1:
            return
        expected = read(head, places())
        other = Request()
        for request in (kept, other):
            assert read(head, here, request) == expected
        if expected is None:
            return
        if other.unkept:
            other.seat = SOMEBODY
            other.remember(here)


def test_it_is_the_usual_way() -> None:
    """A browser's next request: without this, the test above would hold of a gateway that parses all."""
    here = places()
    lines = [(b"Referer", b"/a"), (b"Cookie", b"a=1"), (b"Content-Length", b"1"), (b"X-Forwarded-For", b"192.0.2.1")]
    let_in(head_of(lines), here)
    for at, value in enumerate((b"/b", b"a=2", b"20", b"192.0.2.7")):
        lines[at] = (lines[at][0], value)
        assert is_known(head_of(lines), here)
        assert read(head_of(lines), here) == read(head_of(lines), places())


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
    "between",
    [
        (b"X-Remote-User", b"admin"),
        (b"Connection", b"Accept"),
        (b"Authorization", b"Basic a"),
        (b"Accept-Language", b"f" * 2100),
        (b"Referer", b"/b"),
    ],
)
def test_what_a_head_between_said_is_not_what_the_one_before_it_said(between: tuple[bytes, bytes]) -> None:
    """One that is not kept leaves nothing behind: the same bytes as before it are read as they were."""
    here, request = places(), Request()
    head, other = head_of([(b"Accept", b"a"), (b"Cookie", b"a=1")]), head_of([(b"Cookie", b"a=2"), between])
    for each in (head, other, head):
        assert read(each, here, request) == read(each, places())
        if request.unkept:
            request.remember(here)


def test_parts_are_those_of_one_head_alone() -> None:
    """Lines of which the value is empty, or ends with a blank, are not parted: else a value could be another's."""
    one, other = b"\r\nReferer: \r\nCookie: a\r\n\r\n", b"\r\nReferer: a\r\nCookie: \r\n\r\n"
    assert split(one) == split(other) == (b"\r\nReferer: \r\nCookie: \r\n\r\n", [b"a"])
    first = b"\r\nHost: a"
    assert parts(first + one) == parts(first + other) == (b"\r\nHost: \r\nReferer: \r\nCookie: \r\n\r\n", [b"a", b"a"])
    here = places()
    for block in (one, other):
        let_in(b"GET /public/a HTTP/1.1\r\nHost: " + HOST + block, here)
    assert not here.known.heads
