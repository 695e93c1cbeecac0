"""HR02, HR12: how smuggler spells Transfer-Encoding, and responses of a hostile application. attacks.md 2.3."""

from collections.abc import Iterable

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.exchange import Exchange
from tests.attacks.generated_framing import check_framing
from tests.attacks.recorder import Script
from tests.attacks.request import request
from tests.attacks.world import World

APP = "prefix-deny"
SMUGGLED = request(APP, "/admin/smuggled", b"X-Smuggled: 1")
ENDED = b"0\r\n\r\n" + SMUGGLED

# smuggler's `default` tries 13 bytes; its `exhaustive` all that are no letters.
BYTES = (*range(0x01, 0x21), *range(0x7F, 0xA1), 0xFF)
TEMPLATES = (
    ("before the coding", b"Transfer-Encoding:%cchunked"),
    ("behind the name", b"Transfer-Encoding%c: chunked"),
    ("before the name", b"%cTransfer-Encoding: chunked"),
    ("behind the coding", b"Transfer-Encoding: chunked%c"),
    ("in another line", b"X: X%cTransfer-Encoding: chunked"),
    ("between the coding and another line", b"Transfer-Encoding: chunked%cX: X"),
    ("behind a CR", b"X: X\r%cTransfer-Encoding: chunked"),
    ("before a LF", b"X: X%c\nTransfer-Encoding: chunked"),
    ("behind the coding and a CR", b"Transfer-Encoding: chunked\r%cX: X"),
    ("behind the coding, before a LF", b"Transfer-Encoding: chunked%c\nX: X"),
)
PLAIN = (
    b" Transfer-Encoding: chunked", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding\t:\tchunked",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding: cow, chunked", b"Transfer-Encoding: chunked, cow",
    b"Transfer_Encoding: chunked", b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: \"chunked\"",
    b"Transfer-Encoding: Chunked\x00",
)  # fmt: skip


def mutated(lines: Iterable[bytes]) -> Run:
    lines = tuple(lines)

    async def run(world: World) -> None:
        for line in lines:
            # Whichever of the two is believed, the other half is a request for a page that is denied.
            for length in (len(ENDED), 5):
                world.recorder.forget()
                head = request(APP, "/public/page", b"Content-Length: %d" % length, line, method=b"POST")
                seen = await world.send(head + ENDED, expected=2, within=0.1)
                targets = [found.target for found in world.recorder.requests]
                expect(b"/admin/smuggled" not in targets, f"{line!r}, {length}: {targets}; {seen}")
                for found in world.recorder.requests:
                    check_framing(found)
                    odd = [name for name, _ in found.lines if b"transfer" in name.lower()]
                    expect(odd in ([], [b"Transfer-Encoding"]), f"{odd} went on: {found.raw!r}")
        if not world.is_gateway:
            await world.send(SMUGGLED)
            targets = [found.target for found in world.recorder.requests]
            expect(b"/admin/smuggled" not in targets, "the control: sent as a request, it is seen as one")

    return run


HR02 = (
    ("spelled in ten ways", mutated(PLAIN)),
    *((f"a byte {meaning}", mutated(template % byte for byte in BYTES)) for meaning, template in TEMPLATES),
)

# Of whatever stands behind a response, not a byte is anybody's.
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Poison: 1\r\n\r\npoisoned!"
HOSTILE = "/public/hostile"


def answered(answer: bytes, *, close: bool = False, goes_on: bytes = b"", app: str = APP) -> Run:
    """502 or a clean response; never a second one, to the same person or to another."""

    async def run(world: World) -> None:
        world.recorder.scripts[HOSTILE.encode()] = Script(answer, close=close, goes_on=goes_on)
        both = request(app, HOSTILE) + request(app, "/public/page")
        for data in (request(app, HOSTILE), both):
            seen = await world.send(data, expected=data.count(b"HTTP/1.1"), within=0.3)
            clean(seen)
            expect(len(seen.answers) <= data.count(b"HTTP/1.1"), f"one answer too many: {seen}")
        for _ in range(3):
            other = await world.send(request(app, "/public/page"))
            clean(other)
            expect((other.answer.status, other.answer.body) == (200, b"reached"), f"another person got {other}")

    return run


def clean(seen: Exchange) -> None:
    expect(b"oison" not in seen.received, f"what stood behind a response is one: {seen}")
    expect(set(seen.statuses) <= {103, 200, 204, 304, 502, 504}, f"{seen}")


OK, EMPTY = b"HTTP/1.1 200 OK\r\n", b"Content-Length: 0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\n\r\n"
LONG = b"Content-Length: 70\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
HR12 = (
    ("two framings", answered(OK + LONG + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + POISON)),
    ("two lengths", answered(OK + b"Content-Length: 0\r\n" + LONG + b"\r\n" + POISON)),
    ("a NUL in a line", answered(OK + b"X: a\x00b\r\n" + EMPTY + POISON)),
    ("a CR in the reason", answered(b"HTTP/1.1 200 O\rK\r\n" + EMPTY + POISON)),
    ("ends of lines without CR", answered(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n" + POISON)),
    ("a folded line", answered(OK + b"X: a\r\n " + LONG + EMPTY + POISON)),
    ("a blank before the colon", answered(OK + b"Content-Length : 70\r\n" + EMPTY + POISON)),
    ("bytes behind the body", answered(OK + b"Content-Length: 2\r\n\r\nok" + POISON)),
    ("204 with a body", answered(b"HTTP/1.1 204 No Content\r\n" + LONG + b"\r\n" + POISON)),
    ("304 with a body", answered(b"HTTP/1.1 304 Not Modified\r\n" + LONG + b"\r\n" + POISON)),
    ("101 that nobody asked for", answered(SWITCHED + POISON)),
    ("interim responses without end", answered(EARLY, goes_on=EARLY)),
    ("100 kB of header", answered(OK + b"X: " + b"a" * 100_000 + b"\r\n" + EMPTY + POISON)),
    ("no status line", answered(b"hello\r\n\r\n" + POISON)),
    ("a chunk that is cut short", answered(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n", close=True)),
)

# To an application whose file names every fault of `upstream.accept`: what is let through ends where it says, and
# nothing else is loosened.
OLD = "old"
BARE = b"HTTP/1.1 200 OK\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"
ACCEPTED = (
    ("bare LF, and more behind it", BARE + b"Content-Length: 2\n\nok" + POISON),
    ("bare LF and two lengths", BARE + b"Content-Length: 0\nContent-Length: 70\n\n" + POISON),
    ("a padded length, and more behind it", OK + b"Content-Length: 0002\r\n\r\nok" + POISON),
    ("the same length in two forms", OK + b"Content-Length: 2\r\nContent-Length: 02\r\n\r\nok" + POISON),
    ("a length with a sign", OK + b"Content-Length: +2\r\n\r\nok" + POISON),
    ("a length in a list", OK + b"Content-Length: 02, 2\r\n\r\nok" + POISON),
    ("a padded chunk, and more behind it", OK + CHUNKS + b"2 \r\nok\r\n0 \r\n\r\n" + POISON),
    ("a blank before a chunk's size", OK + CHUNKS + b" 2\r\nok\r\n0\r\n\r\n" + POISON),
    ("chunks in HTTP/1.0, and more behind them", b"HTTP/1.0 200 OK\r\n" + CHUNKS + b"2\r\nok\r\n0\r\n\r\n" + POISON),
    ("a length beside chunks", OK + b"Content-Length: 02\r\n" + CHUNKS + b"2\r\nok\r\n0\r\n\r\n" + POISON),
    ("a line without a colon, and more behind it", OK + b"oops\r\nContent-Length: 2\r\n\r\nok" + POISON),
    ("a folded line", OK + b"X: a\r\n Content-Length: 70\r\nContent-Length: 0\r\n\r\n" + POISON),
    ("a CR alone among bare LF", BARE + b"X: a\rContent-Length: 70\nContent-Length: 0\n\n" + POISON),
    ("an interim response with bare LF", b"HTTP/1.1 103 Early Hints\n\n" + POISON),
    ("101 with bare LF", b"HTTP/1.1 101 Switching Protocols\nUpgrade: x\nConnection: upgrade\n\n" + POISON),
    ("300 kB of header", OK + b"X: " + b"a" * 300_000 + b"\r\n" + EMPTY + POISON),
)

CASES: tuple[Case, ...] = (
    *numbered("HR02", HR02),
    *numbered("HR12", HR12, controlled=False),
    *numbered(
        "HR12", ((what, answered(said, app=OLD)) for what, said in ACCEPTED), first=len(HR12) + 1, controlled=False
    ),
)
