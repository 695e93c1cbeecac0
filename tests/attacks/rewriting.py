"""RW: addresses that are rewritten lead where they led, or to the public address; and nothing else comes of it."""

import gzip

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Answer
from tests.attacks.recorder import Script
from tests.attacks.request import request
from tests.attacks.world import World

APP = "rewritten"
TARGET = "/public/rewritten"


async def answered(world: World, *lines: bytes, status: bytes = b"200 OK", body: bytes = b"ok") -> Answer:
    """What a browser gets where the application answers with these header lines."""
    head = b"\r\n".join((b"HTTP/1.1 " + status, *lines, b"Content-Length: %d" % len(body), b"", b""))
    world.recorder.scripts[TARGET.encode()] = Script(head + body, close=True)
    seen = await world.send(request(APP, TARGET))
    return seen.answer


# --- RW01: an address of another origin is left alone ---

ELSEWHERE = (
    b"http://intranet:8080@evil.example/", b"http://intranet:8080.evil.example/", b"http://intranet:80800/",
    b"http://intranet:8080\\@evil.example/", b"http://intranet:8080%40evil.example/", b"http://intranet:8080;@evil/",
    b"//intranet:8080@evil.example/", b"http://intern.example.evil.example/", b"http://evil-intern.example/",
    b"http:\\\\intern.example/", b"javascript://intern.example/%0aalert(1)", b"http://user:x@intern.example/",
)  # fmt: skip


def left_alone(address: bytes) -> Run:
    async def run(world: World) -> None:
        refresh, link = b"0;url=" + address, b"<" + address + b">; rel=next"
        lines = (b"Location: " + address, b"Refresh: " + refresh, b"Link: " + link)
        answer = await answered(world, *lines, status=b"302 Found")
        for name, value in ((b"location", address), (b"refresh", refresh), (b"link", link)):
            expect(answer.all(name) == [value], f"{name!r} is {answer.all(name)}")

    return run


async def made_public(world: World) -> None:
    """The control of RW01."""
    for inside in (
        b"http://intranet:8080",
        b"http://intern.example",
        b"https://INTERN.example",
        b"HTTP://Intranet:8080",
    ):
        answer = await answered(world, b"Location: " + inside + b"/a?b", status=b"302 Found")
        expect(answer.header(b"location") == world.url(APP, "/a?b").encode(), f"{inside!r}: {answer}")


async def long_to_read(world: World) -> None:
    """Where addresses are looked for, too: each is read once."""
    for line in (b"Link: " + b"<" * 50_000, b"Link: <" + b" " * 50_000, b"Refresh: 0;url=" + b" " * 50_000):
        answer = await answered(world, line)
        expect(answer.status == 200, f"{line[:20]!r}: {answer.status}")


# --- RW02: cookies ---


async def never_wider(world: World) -> None:
    """A cookie's Domain is left out or stays: it comes to no host that the application did not name."""
    for domain in (b"intranet", b".intern.example", b"localhost", b"example", b"evil.example", b".", b"*"):
        answer = await answered(world, b"Set-Cookie: a=1; Path=/; Domain=" + domain)
        kept = b"a=1; Path=/; Domain=" + domain
        expect(answer.header(b"set-cookie") in (kept, b"a=1; Path=/"), f"{domain!r}: {answer}")
    answer = await answered(world, b"Set-Cookie: a=1; Domain=intranet")
    expect(answer.header(b"set-cookie") == b"a=1", f"the control: {answer}")


async def never_ours(world: World) -> None:
    names = (b"__Host-ecluse", b"__host-ecluse-b", b"__Host-Ecluse", b"=__Host-ecluse")
    answer = await answered(world, *(b"Set-Cookie: " + name + b"=x; Path=/; Domain=intranet" for name in names))
    expect(answer.all(b"set-cookie") == [], f"{answer}")


# --- RW03: no second line, no second response ---


async def one_response(world: World) -> None:
    """What follows an address goes on as it came; a line end in it ends the response as ever."""
    answer = await answered(world, b"Location: http://intranet:8080/%0d%0aSet-Cookie:%20a=1", status=b"302 Found")
    expect(answer.header(b"location") == world.url(APP, "/%0d%0aSet-Cookie:%20a=1").encode(), f"{answer}")
    expect(answer.all(b"set-cookie") == [], f"{answer}")
    for broken in (b"Location: http://intranet:8080/\rSet-Cookie: a=1", b"Location: http://intranet:8080/\0"):
        answer = await answered(world, broken, status=b"302 Found")
        expect(answer.status == 502 and not answer.all(b"set-cookie"), f"{broken!r}: {answer}")


async def no_front_is_told(world: World) -> None:
    answer = await answered(
        world, b"X-Accel-Redirect: http://intranet:8080/secret", b"Server: IIS/6", b"X-Frame-Options: ALLOW"
    )
    expect(not answer.all(b"x-accel-redirect") and not answer.all(b"server"), f"{answer}")
    expect(answer.all(b"x-frame-options") == [b"DENY"], f"{answer}")


# --- RW04: pages ---


async def pages_lead_where_they_led(world: World) -> None:
    for address in ELSEWHERE:
        body = b'<a href="' + address + b'">'
        answer = await answered(world, b"Content-Type: text/html", body=body)
        # Behind the host of another origin, what looks like an address is a part of a name.
        expect(answer.body == body, f"{address!r} became {answer.body!r}")
    answer = await answered(world, b"Content-Type: text/html", body=b'<a href="http://intranet:8080/a">ancien')
    wanted = b'<a href="' + world.url(APP, "/a").encode() + b'">neuf'
    expect(answer.body == wanted, f"the control: {answer.body!r}")


async def nothing_half(world: World) -> None:
    """A length that is too long, a chunk that is none: what has come never looks like a whole page."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    for rest in (b"Content-Length: 99\r\n\r\nancien", b"Transfer-Encoding: chunked\r\n\r\n6\r\nancien\r\n"):
        world.recorder.scripts[TARGET.encode()] = Script(head + rest, close=True)
        seen = await world.send(request(APP, TARGET), to_the_end=True)
        whole = seen.received.endswith(b"0\r\n\r\n") or b"Content-Length: 4\r\n" in seen.received
        expect(not whole, f"{rest!r}: {seen}")


async def no_parts(world: World) -> None:
    """A part of a page cannot be rewritten: none passes, whoever asked for it, and however often it comes."""
    part = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Type: %b\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nok"
    )
    for kind in (b"text/html", b"multipart/byteranges; boundary=a"):
        for lines in ((), (b"Range: bytes=0-3", b"If-Range: x", b"Accept-Encoding: br")):
            world.recorder.scripts[TARGET.encode()] = Script(part % kind, close=True)
            seen = await world.send(request(APP, TARGET, *lines))
            expect(seen.answer.status == 502, f"{kind!r}, {lines}: {seen.answer}")
            # Asked again, it was asked for no part.
            found = world.recorder.requests[-1]
            expect(not found.all(b"range") and not found.all(b"if-range"), f"{found.lines}")
            expect(found.all(b"accept-encoding") == [b"identity"], f"{found.lines}")


# A charset of which browsers, gateways and applications think differently.
CHARSETS = (
    b"utf-8", b"utf-16", b"utf-7", b"shift_jis", b"x-user-defined", b"iso-2022-jp", b"utf-8; charset=shift_jis",
    b"'utf-8", b'"utf-8', b"\xff", b"none", b"",
)  # fmt: skip


async def however_it_is_cut(world: World) -> None:
    """In chunks of one byte, under any charset: an address of another origin stays, to the byte."""
    for address in ELSEWHERE:
        body = b'<meta charset="utf-7"><a href="' + address + b'">'
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        for charset in CHARSETS:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=" + charset + b"\r\n"
            world.recorder.scripts[TARGET.encode()] = Script(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
            seen = await world.send(request(APP, TARGET))
            expect(seen.answer.body == body, f"{address!r} in {charset!r} became {seen.answer.body!r}")


async def coded(world: World) -> None:
    """A gzip that is a bomb, has more behind it, is cut off, or is none: never a page that looks whole."""
    page, takes = b'<a href="http://intranet:8080/a">ancien', b"Accept-Encoding: gzip"
    good, bomb = gzip.compress(page, mtime=0), gzip.compress(bytes(16 << 20), mtime=0)
    head = (b"Content-Type: text/html", b"Content-Encoding: gzip")
    for broken in (bomb, good[:-9], good + b"x", b"<p>plain", good[:-8] + bytes(8)):
        lines = b"\r\n".join((b"HTTP/1.1 200 OK", *head, b"Content-Length: %d" % len(broken), b"", b""))
        world.recorder.scripts[TARGET.encode()] = Script(lines + broken, close=True)
        seen = await world.send(request(APP, TARGET, takes), to_the_end=True)
        whole = seen.received.startswith(b"HTTP/1.1 200") and seen.received.endswith(b"0\r\n\r\n")
        expect(len(seen.received) < 8 << 20 and not whole, f"{broken[:20]!r}: {seen.received[:200]!r}")
    lines = b"\r\n".join((b"HTTP/1.1 200 OK", *head, b"Content-Length: %d" % len(good), b"", b""))
    world.recorder.scripts[TARGET.encode()] = Script(lines + good, close=True)
    seen = await world.send(request(APP, TARGET, takes))
    wanted = b'<a href="' + world.url(APP, "/a").encode() + b'">neuf'
    # What is rewritten goes on as plain text.
    is_plain = not seen.answer.header(b"content-encoding")
    expect(seen.answer.body == wanted and is_plain, f"the control: {seen.answer}")


CASES: tuple[Case, ...] = (
    *numbered("RW01", [(repr(address)[:50], left_alone(address)) for address in ELSEWHERE], controlled=False),
    uncontrolled("RW01.13", "its own addresses are made public", made_public),
    uncontrolled("RW01.14", "a header with addresses that is long to read", long_to_read),
    uncontrolled("RW02.1", "no cookie gets a wider domain", never_wider),
    Case("RW02.2", "a cookie of ours passes in no form", never_ours),
    uncontrolled("RW03.1", "no line and no response comes of an address", one_response),
    uncontrolled("RW04.1", "what is another origin is left alone in pages", pages_lead_where_they_led),
    uncontrolled("RW04.2", "half a page never looks whole", nothing_half),
    Case("RW04.3", "no part of a page", no_parts),
    uncontrolled("RW04.4", "another origin, however it is cut, in any charset", however_it_is_cut),
    uncontrolled("RW04.5", "a coding that lies", coded),
    Case("RW03.2", "no front is told anything", no_front_is_told),
)
