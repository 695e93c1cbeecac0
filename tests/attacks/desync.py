"""HR03 to HR08 and HR13, with garden.py HR01, mutations.py HR02 and HR12, and tunnels.py HR09 and HR11. attacks.md 2.3.

One reading of where a message ends, or none.

What is smuggled is always a request for /admin/smuggled: not a byte of it may reach the application as a request.
"""

from tests.attacks import garden, mutations, tunnels
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.forms import FORMS, PUBLIC_FIRST
from tests.attacks.outcomes import check_identity, denied, is_login_redirect, passed, r400, unseen
from tests.attacks.recorder import Script, ok
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import World

APP = "prefix-deny"
SMUGGLED = request(APP, "/admin/smuggled", b"X-Smuggled: 1")


def post(*lines: bytes, body: bytes = b"", app: str = APP, target: str = "/public/page", cookie: bytes = b"") -> bytes:
    """`body` as it is: whatever length is told stands in `lines`."""
    return request(app, target, *lines, method=b"POST", cookie=cookie) + body


def refused(*lines: bytes, body: bytes = SMUGGLED) -> Run:
    async def run(world: World) -> None:
        for app in FORMS:
            r400(world, await world.send(post(*lines, body=body, app=app), expected=2))

    return run


def none_smuggled(world: World) -> None:
    """No request for it reached the application: at most as a part of a body."""
    targets = [found.target for found in world.recorder.requests]
    expect(b"/admin/smuggled" not in targets, f"a smuggled request reached the application: {targets}")


CHUNKED = b"Transfer-Encoding: chunked"
ENDED = b"0\r\n\r\n" + SMUGGLED


async def cl_0(world: World) -> None:
    """A body is a body on every kind of route: on pages of the application, of ours, and on refusals."""
    for app in FORMS:
        for target in ("/public/page", "/read", "/admin", "/_ecluse/logout", "/_ecluse/unknown", "/private/page"):
            head = post(b"Content-Length: %d" % len(SMUGGLED), app=app, target=target)
            seen = await world.send(head + SMUGGLED + request(app, "/public/page"), expected=2)
            none_smuggled(world)
            bodies = [found.body for found in world.recorder.requests if found.method == b"POST"]
            expect(bodies in ([], [SMUGGLED]), f"the body arrived as {bodies}")
            expect(len(seen.answers) <= 2, f"{len(seen.answers)} answers for two requests: {seen}")
    if not world.is_gateway:
        await relayed(world)


async def relayed(world: World) -> None:
    """The control: sent as a request, it is seen as one."""
    await world.send(SMUGGLED)
    none_smuggled(world)


async def zero_cl(world: World) -> None:
    """The application answers before the body has come: what comes then is still a body, and the connection is not
    used for another person's request."""
    world.recorder.scripts[b"/public/early"] = Script(ok(b"early"), early=True)
    head = post(b"Content-Length: %d" % (len(SMUGGLED) + 5), app=APP, target="/public/early")
    seen = await world.send([head, SMUGGLED], pause=0.2, expected=2)
    none_smuggled(world)
    expect(seen.answer.body == b"early", f"the early answer did not come: {seen}")
    expect(seen.closed or len(seen.answers) == 1, f"something more was answered: {seen}")
    early = {number for number, _ in world.recorder.pieces}
    passed(world, await world.send(request(APP, "/public/page")))
    reused = early & {found.connection for found in world.recorder.requests}
    expect(not reused, "a connection with half a request on it was used again")
    if not world.is_gateway:
        await relayed(world)


def te_0(target: str) -> Run:
    """A chunked body to a route that answers by itself."""
    size = b"%x\r\n" % len(SMUGGLED)

    async def run(world: World) -> None:
        for app in PUBLIC_FIRST:
            data = post(CHUNKED, *NAVIGATION, app=app, target=target) + size + SMUGGLED + b"\r\n0\r\n\r\n"
            seen = await world.send(data + request(app, "/public/page"), expected=2)
            none_smuggled(world)
            expect(seen.answer.status in (401, 403, 404, 405, 415), f"{target}: {seen}")
            expect(all(found.target == b"/public/page" for found in world.recorder.requests), f"{seen}")
        if not world.is_gateway:
            await relayed(world)

    return run


HR03 = (
    ("CL.TE", refused(b"Content-Length: %d" % len(ENDED), CHUNKED, body=ENDED)),
    ("TE.CL", refused(CHUNKED, b"Content-Length: 4", body=b"5c\r\n" + SMUGGLED + b"\r\n0\r\n\r\n")),
    ("TE.TE, two codings", refused(CHUNKED, b"Transfer-Encoding: identity", body=ENDED)),
    ("TE.TE, obfuscated", refused(b"Transfer-Encoding: xchunked", CHUNKED, body=ENDED)),
    ("CL.CL, different", refused(b"Content-Length: 0", b"Content-Length: %d" % len(SMUGGLED))),
    ("CL.CL, the same", refused(*[b"Content-Length: %d" % len(SMUGGLED)] * 2)),
    ("CL.0", cl_0),
    ("0.CL", zero_cl),
    ("TE.0 on a page that wants a sign-in", te_0("/private/page")),
    ("TE.0 on a page that is refused", te_0("/admin")),
    ("TE.0 on a page of ours", te_0("/_ecluse/login")),
    ("chunked twice", refused(CHUNKED, CHUNKED, body=ENDED)),
    ("chunked, identity", refused(b"Transfer-Encoding: chunked, identity", body=ENDED)),
    ("gzip, chunked", refused(b"Transfer-Encoding: gzip, chunked", body=ENDED)),
    ("identity", refused(b"Transfer-Encoding: identity", body=ENDED)),
    ("a vertical tab before chunked", refused(b"Transfer-Encoding:\x0bchunked", body=ENDED)),
    ("a blank before the colon", refused(b"Transfer-Encoding : chunked", body=ENDED)),
    ("a blank before the name", refused(b"X: y", b" Transfer-Encoding: chunked", body=ENDED)),
    ("a bare CR before the name", refused(b"X: y\r Transfer-Encoding: chunked", body=ENDED)),
    ("quoted", refused(b'Transfer-Encoding: "chunked"', body=ENDED)),
    ("a Kelvin sign for the k", refused("Transfer-Encoding: chun\u212aed".encode(), body=ENDED)),
    ("a comma first", refused(b"Transfer-Encoding: ,chunked", b"Content-Length: 5", body=ENDED)),
)


async def te_in_http_10(world: World) -> None:
    for app in FORMS:
        data = request(app, "/public/page", CHUNKED, method=b"POST", version=b"HTTP/1.0") + ENDED
        r400(world, await world.send(data, expected=2))


async def disguised(world: World) -> None:
    """`Transfer_Encoding`, `Content.Length`: no framing to us, and none to the application, which never sees them."""
    for app in FORMS:
        lines = (b"Transfer_Encoding: chunked", b"Content.Length: 999", b"Content_Length: 999", b"Content-Length: 3")
        found = passed(world, await world.send(post(*lines, body=b"a=1", app=app)))
        expect(found.body == b"a=1" and found.all(b"content-length") == [b"3"], f"arrived as {found.raw!r}")
        names = [name for name, _ in found.lines if b"_" in name or b"." in name]
        expect(not names, f"{names} reached the application")


LENGTHS = (b"+1", b"-1", b"0x10", b"1_0", b"010", b"1, 1", b"", b"1Z", b"1" + b"0" * 23, "\u0661".encode(), b"1 1",
           b"1.0", b"1e1", b"0 \x0b", b"00", b"18446744073709551617")  # fmt: skip


# --- HR05: chunks ---

BIG = b"5;" + b"x" * 20000 + b"\r\nhello\r\n0\r\n\r\n"
CHUNKS = (
    ("0x1", b"0x1\r\na\r\n0\r\n\r\n"),
    ("a blank after the size", b"1 \r\na\r\n0\r\n\r\n"),
    ("a blank before the size", b" 1\r\na\r\n0\r\n\r\n"),
    ("-0", b"-0\r\n\r\n" + SMUGGLED),
    ("an extension that ends with LF", b"1;a=b\na\r\n0\r\n\r\n"),
    ("a quote left open in an extension", b'1;a="\r\na\r\n0\r\n\r\n'),
    ("20 kB of extension", BIG),
    ("LF only", b"1\na\n0\n\n"),
    ("CR only", b"1\ra\r0\r\r"),
    ("data longer than the size", b"1\r\nab\r\n0\r\n\r\n"),
    ("a size of 2^64", b"10000000000000000\r\na\r\n0\r\n\r\n"),
    ("an empty size", b"\r\na\r\n0\r\n\r\n"),
    ("an underscore in the size", b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n"),
    ("LF after the data", b"1\r\na\n0\r\n\r\n"),
    ("a size of 2^64 and one", b"10000000000000001\r\na\r\n0\r\n\r\n" + SMUGGLED),
)


def malformed_chunks(body: bytes) -> Run:
    """400 and closed. A body streams, so that the head may have gone on: then it has never become a request."""

    async def run(world: World) -> None:
        for app in FORMS:
            seen = await world.send(post(CHUNKED, body=body + SMUGGLED, app=app), expected=2)
            expect(not world.recorder.requests, f"{world.recorder.requests} reached the application; {seen}")
            expect(b"smuggled" not in world.recorder.all_bytes, f"what followed was passed on; {seen}")
            expect(seen.statuses == (400,) and seen.closed, f"expected 400, closed: {seen}")

    return run


async def cut_short(world: World) -> None:
    """Without the last line end: waited for, then given up, and the application never has a whole request."""
    seen = await world.send(post(CHUNKED, body=b"1\r\na\r\n0\r\n"))
    expect(not world.recorder.requests, f"half a request became a whole one: {world.recorder.requests}")
    expect(seen.statuses == (408,) and seen.closed, f"expected 408, closed: {seen}")


async def honest_chunks(world: World) -> None:
    """The control of HR05: chunks as they should be, extensions and all, arrive as one body."""
    for app in FORMS:
        body = b"5\r\nhello\r\n1;a=b\r\n,\r\n06\r\n world\r\n0\r\n\r\n"
        found = passed(world, await world.send(post(CHUNKED, body=body, app=app)))
        expect(found.body == b"hello, world", f"the body is {found.body!r}")


# --- HR07: pipelining ---


def users_of(world: World) -> list[list[bytes]]:
    return [found.all(b"x-remote-user") for found in world.recorder.requests]


async def nobody_and_a_person(world: World) -> None:
    cookie = await world.cookie("prefix-public")
    for first, second in ((b"", cookie), (cookie, b"")):
        data = b"".join(request("prefix-public", "/private/page", cookie=held) for held in (first, second))
        seen = await world.send(data, expected=2)
        expect(seen.statuses == ((401, 200) if second else (200, 401)), f"{seen}")
        expect(users_of(world) == [[b"alice"]], f"the application was told {users_of(world)}")


async def two_people(world: World) -> None:
    alice, bob = [await world.cookie("prefix-public", login) for login in ("alice", "bob")]
    order = [alice, bob, bob, alice, b"", bob, alice]
    data = b"".join(request("prefix-public", "/public/page", cookie=held) for held in order)
    seen = await world.send(data, expected=len(order))
    wanted = [{alice: [b"alice"], bob: [b"bob"], b"": []}[held] for held in order]
    expect(users_of(world) == wanted, f"the application was told {users_of(world)}, not {wanted}; {seen.statuses}")


def nothing_after(*first: bytes, statuses: tuple[int, ...]) -> Run:
    """Whatever follows on the connection is not read as a request."""

    async def run(world: World) -> None:
        for app in FORMS:
            before = b"\r\n".join((b"POST /public/page HTTP/1.1", b"Host: %b.localhost" % app.encode(), *first))
            data = before + b"\r\n\r\n" + request(app, "/admin/smuggled") + request(app, "/public/page")
            seen = await world.send(data, expected=3)
            none_smuggled(world)
            expect(seen.statuses == statuses and seen.closed, f"expected {statuses}, closed: {seen}")
            expect(len(world.recorder.requests) == statuses.count(200), f"{world.recorder.requests}")

    return run


async def thousand(world: World) -> None:
    """Each decided alone, in order; nothing lost."""
    count = 1000
    data = b"".join(request(APP, "/admin" if number % 3 == 0 else f"/public/{number}") for number in range(count))
    seen = await world.send(data, expected=count)
    wanted = tuple(401 if number % 3 == 0 else 200 for number in range(count))
    expect(seen.statuses == wanted, f"{len(seen.answers)} answers; {seen.statuses[:9]}...")
    targets = [found.target for found in world.recorder.requests]
    expect(targets == [b"/public/%d" % number for number in range(count) if number % 3], "out of order, or too many")


HR07 = (
    ("nobody and a person on one connection", nobody_and_a_person),
    ("two people and nobody on one connection", two_people),
    ("after Connection: close", nothing_after(b"Connection: close", b"Content-Length: 0", statuses=(200,))),
    ("after 400", nothing_after(b"Content-Length: +1", statuses=(400,))),
    ("after 413", nothing_after(b"Content-Length: 2000000000", statuses=(413,))),
)

# --- HR08: a body that nobody wants ---


def unread(*lines: bytes, statuses: tuple[int, ...], mark: bytes = b"") -> Run:
    """10 MB to a page that wants a sign-in: answered, drained for a little, closed; what follows is no request."""
    body = (SMUGGLED * (10_000_000 // len(SMUGGLED) + 1))[:10_000_000]

    async def run(world: World) -> None:
        for app in PUBLIC_FIRST:
            data = post(b"Content-Length: %d" % len(body), *lines, app=app, target="/private/page")
            pieces = [data, body[: 1 << 20], body[1 << 20 :], SMUGGLED]
            seen = await world.send(pieces, expected=2, pause=0.1, to_the_end=True)
            unseen(world, seen)
            status, closed = seen.answer.status, seen.closed
            expect(status in statuses and closed and len(seen.answers) == 1, f"expected {statuses}, closed: {seen}")
            expect(mark in seen.answer.body, f"the page does not say {mark!r}: {seen}")

    return run


async def redirect_with_a_body(world: World) -> None:
    """A GET that is sent to sign in, with a body: the body is not read as a request."""
    for app in PUBLIC_FIRST:
        data = request(app, "/private/page", *NAVIGATION, body=SMUGGLED)
        seen = await world.send(data + request(app, "/public/page"), expected=2)
        none_smuggled(world)
        expect(is_login_redirect(seen.answer.header(b"location").decode()), f"{seen}")
        expect(seen.statuses == (303, 200), f"not one answer for each request: {seen}")
        expect([found.target for found in world.recorder.requests] == [b"/public/page"], f"{seen}")


async def small_body_then_a_request(world: World) -> None:
    """The control: a body that came whole costs no connection, and the next request is decided alone."""
    for app in PUBLIC_FIRST:
        data = post(b"Content-Length: 3", body=b"a=1", app=app, target="/private/page")
        seen: Exchange = await world.send(data + request(app, "/public/page"), expected=2)
        expect(seen.statuses[:1] == (401,), f"{seen}")
        expect(len(world.recorder.requests) <= 1, f"{world.recorder.requests}")
        expect(all(found.target == b"/public/page" for found in world.recorder.requests), f"{seen}")
        for found in world.recorder.requests:
            check_identity(found, None)
    if not world.is_gateway:
        denied(world, await world.send(request(APP, "/private/page")))


HR08 = (
    ("a form", unread(*NAVIGATION, statuses=(401,))),
    ("a script", unread(b"Accept: application/json", statuses=(401,))),
    ("a sign-in redirect with a body", redirect_with_a_body),
    ("a small body, then a request", small_body_then_a_request),
)

# --- HR13: PROXY protocol where no server in front speaks it ---

TOLD_V2 = bytes.fromhex("0d0a0d0a000d0a515549540a2111000cc0000201c000020203e803e9")


def told_by_a_stranger(header: bytes) -> Run:
    """Who the client is, no client says: the connection is over, and the application hears nothing."""

    async def run(world: World) -> None:
        for app in FORMS:
            seen = await world.send(header + request(app, "/public/page"), expected=2)
            expect(not world.recorder.requests, f"{world.recorder.requests} reached the application; {seen}")
            expect(set(seen.statuses) <= {400, 405} and seen.closed, f"expected 400 or 405, closed: {seen}")

    return run


HR13 = (
    ("version 1", told_by_a_stranger(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 1001\r\n")),
    ("version 1, of nobody", told_by_a_stranger(b"PROXY UNKNOWN\r\n")),
    ("version 2", told_by_a_stranger(TOLD_V2)),
    ("version 2, behind an empty line", told_by_a_stranger(b"\r\n" + TOLD_V2)),
)

CASES: tuple[Case, ...] = (
    *garden.CASES,
    *mutations.CASES,
    *numbered("HR03", HR03),
    Case("HR03.23", "chunked in HTTP/1.0", te_in_http_10),
    Case("HR03.24", "framing in disguise", disguised),
    *numbered("HR04", ((repr(length), refused(b"Content-Length: " + length)) for length in LENGTHS)),
    *numbered("HR05", ((meaning, malformed_chunks(body)) for meaning, body in CHUNKS)),
    Case("HR05.16", "the last line end is missing", cut_short),
    uncontrolled("HR05.17", "chunks as they should be", honest_chunks),
    *numbered("HR07", HR07[:2], controlled=False),
    *numbered("HR07", HR07[2:], first=3),
    Case("HR07.6", "a thousand deep", thousand),
    *numbered("HR08", HR08),
    *numbered("HR13", HR13),
    *tunnels.CASES,
)
