"""GEN, a fourth class: where a message ends.

Heads and chunks put together from odd pieces, with a request for a page that is denied hidden in what follows;
whatever is made of them, that request is never had.
"""

import random

from tests.attacks.cases import Run, expect
from tests.attacks.recorder import Reached
from tests.attacks.request import request
from tests.attacks.world import World

APP = "prefix-deny"
HIDDEN = request(APP, "/admin/hidden", b"X-Hidden: 1")

NAMES = (
    b"Content-Length", b"Transfer-Encoding", b"content-length", b"TRANSFER-ENCODING", b"Content-Length ",
    b" Content-Length", b"Content_Length", b"Transfer.Encoding", b"Transfer-Encoding\t", b"Content-Length\x00",
    b"Transfer-Encoding:", b"X: y\r\nContent-Length", b"X: y\nTransfer-Encoding", b"X: y\rTransfer-Encoding",
    b"Connection", b"Expect", b"Upgrade", b"TE", b"Trailer", b"Content-Encoding", b"Keep-Alive", b"Proxy-Connection",
)  # fmt: skip
LENGTHS = (
    b"0", b"1", b"5", b"%d" % len(HIDDEN), b"%d" % (len(HIDDEN) + 5), b"-1", b"+5", b"0x5", b"5 ", b"\t5", b"5,5",
    b"5, 6", b"05", b"5;", b"5.0", b"", b"4294967296", b"18446744073709551616", b"9" * 30, b"\xb2", b"1_0", b"5\x0b",
    b"5\r\n ,6",
)  # fmt: skip
CODINGS = (
    b"chunked", b"Chunked", b" chunked", b"chunked ", b"chunked,", b",chunked", b"gzip, chunked", b"chunked, gzip",
    b"identity", b"chunked;q=1", b"\x0bchunked", b"\"chunked\"", b"chunked\x00", b"x-chunked", b"chunkedchunked",
    b"chunked\r\n identity", b"close", b"keep-alive", b"100-continue", b"h2c", b"websocket", b"trailers",
)  # fmt: skip
CHUNKS = (
    b"0\r\n\r\n", b"5\r\nhello\r\n", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n", b"05\r\nhello\r\n",
    b"5 \r\nhello\r\n", b"0x5\r\nhello\r\n", b"5\nhello\n", b"5\r\nhellooo\r\n", b"-1\r\n", b"\r\n",
    b"0\r\nX-Remote-User: root\r\n\r\n", b"0\r\n", b"ffffffffffffffff\r\n", b"fffffffff\r\nx", b"5\r\nhel",
    b"5;a=\"\r\n\r\nhello\r\n", b"00\r\n\r\n", b"0;\r\n\r\n", b"g\r\n",
)  # fmt: skip
METHODS = (b"POST", b"POST", b"PUT", b"GET", b"DELETE", b"OPTIONS", b"HEAD")
TARGETS = ("/public/page", "/admin", "/_ecluse/logout", "/_ecluse/x", "/read")


def framing_case(dice: random.Random) -> tuple[str, Run]:
    lines = []
    for _ in range(dice.choice((1, 1, 2, 2, 3))):
        name = dice.choice(NAMES[:2]) if dice.random() < 0.6 else dice.choice(NAMES)
        values = LENGTHS if b"ength" in name and dice.random() < 0.8 else CODINGS
        lines.append(name + b": " + dice.choice(values))
    version = dice.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"))
    method, target = dice.choice(METHODS), dice.choice(TARGETS)
    body = b"".join(dice.choices(CHUNKS, k=dice.randrange(4)))
    cut = dice.random() < 0.3

    async def run(world: World) -> None:
        head = request(APP, target, *lines, method=method, version=version)
        data = head + body + HIDDEN + request(APP, "/public/last")
        pieces = (
            [data[: len(head) // 2], data[len(head) // 2 : len(head) + 3], data[len(head) + 3 :]] if cut else [data]
        )
        heads = frozenset({0} if method == b"HEAD" else ())
        seen = await world.send(pieces, expected=3, within=0.4, pause=0.002, heads=heads)
        found = world.recorder.requests
        targets = [reached.target for reached in found]
        # Denied where it is read as a request, a part of a body where it is not: never let through.
        expect(b"/admin/hidden" not in targets, f"the hidden request was had: {targets}; {seen}")
        expect(set(targets) <= {target.encode(), b"/public/last"}, f"{targets}; {seen}")
        for reached in found:
            check_framing(reached)
        expect(500 not in seen.statuses, f"a fault: {seen}")

    shown = " / ".join(repr(line)[2:-1] for line in lines)
    return f"{method.decode()} {target} {shown}", run


async def hidden_alone(world: World) -> None:
    """The control: where nothing hides it, the same check sees it let through, or denied."""
    await world.send(request(APP, "/public/page") + HIDDEN, expected=2)
    targets = [reached.target for reached in world.recorder.requests]
    expect(targets == [b"/public/page"], f"{targets}")


def check_framing(reached: Reached) -> None:
    """What goes on has one length, told once, in one of two ways, and no word of who somebody is in a trailer."""
    lengths, codings = reached.all(b"content-length"), reached.all(b"transfer-encoding")
    expect(len(lengths) + len(codings) <= 1, f"framed twice: {reached.raw!r}")
    expect(all(length == b"%d" % len(reached.body) for length in lengths), f"{reached.raw!r}")
    expect(all(coding == b"chunked" for coding in codings), f"{reached.raw!r}")
    expect(not codings or reached.raw.endswith(b"0\r\n\r\n"), f"a trailer went on: {reached.raw!r}")
    odd = [
        name for name, _ in reached.lines if name.lower() in (b"connection", b"te", b"trailer", b"upgrade", b"expect")
    ]
    expect(not odd, f"{odd} went on: {reached.raw!r}")
