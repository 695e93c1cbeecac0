"""DV: WebDAV. Whatever a request reaches, below its path, by Destination or by If, is what rules were asked about."""

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.exchange import Exchange
from tests.attacks.outcomes import denied, passed, r400
from tests.attacks.request import request
from tests.attacks.world import World

APP = "dav"
# It merges slashes, and reads latin-1.
LOOSE = "dav-loose"
ADMIN = b"Destination: /admin/x"


async def asked(
    world: World, method: bytes, target: str, lines: tuple[bytes, ...], user: str = "", app: str = APP
) -> Exchange:
    cookie = await world.cookie(app, user) if user and world.is_gateway else b""
    return await world.send(request(app, target, *lines, method=method, cookie=cookie))


def refused(method: bytes, target: str, *lines: bytes, app: str = APP) -> Run:
    """To nobody and to alice, for whom /admin is not; nothing arrives."""

    async def run(world: World) -> None:
        for user in ("", "alice") if world.is_gateway else ("",):
            denied(world, await asked(world, method, target, lines, user, app))

    return run


def unreadable(method: bytes, target: str, *lines: bytes, app: str = APP) -> Run:
    async def run(world: World) -> None:
        for user in ("", "alice") if world.is_gateway else ("",):
            r400(world, await asked(world, method, target, lines, user, app))

    return run


def arrives(method: bytes, target: str, *lines: bytes, user: str = "") -> Run:
    """The control: it goes on with its header as it came."""

    async def run(world: World) -> None:
        found = passed(world, await asked(world, method, target, lines, user))
        expect(found.method == method, f"{method!r} arrived as {found.method!r}")
        for line in lines:
            expect(b"\r\n" + line + b"\r\n" in found.raw, f"without {line!r}: {found.raw!r}")
        if not world.is_gateway:
            expect(False, "a stand-in that decides nothing tells nothing of this line")

    return run


def own(world: World, path: str) -> bytes:
    return b"Destination: " + world.url(APP, path).encode()


async def whole_address(world: World) -> None:
    """Of this host it is read, and judged; of another one, another port or another scheme it is refused."""
    denied(world, await asked(world, b"MOVE", "/public/x", (own(world, "/admin/x"),)))
    for other in (b"http://prefix-deny.localhost/public/x", b"http://dav.localhost:1/public/x", b"//dav.localhost/x",
                  b"https://dav.localhost@evil.example/x"):  # fmt: skip
        r400(world, await asked(world, b"MOVE", "/public/x", (b"Destination: " + other,)))


async def by_turns(world: World) -> None:
    """One connection, the same header lines: what was let through for one path opens no other."""
    lines = (b"Depth: 0",)
    passed(world, await asked(world, b"PROPFIND", "/", lines))
    denied(world, await asked(world, b"DELETE", "/", lines))
    denied(world, await asked(world, b"PROPFIND", "/admin/", lines))
    denied(world, await asked(world, b"PROPFIND", "/", ()))


SUBTREE = (
    ("PROPFIND of everything", refused(b"PROPFIND", "/", b"Depth: infinity")),
    ("one level", refused(b"PROPFIND", "/", b"Depth: 1")),
    ("without Depth", refused(b"PROPFIND", "/")),
    ("Depth taken off by Connection", refused(b"PROPFIND", "/", b"Connection: Depth", b"Depth: 0")),
    ("Depth with an underscore", refused(b"PROPFIND", "/", b"Dep_th: 0")),
    ("DELETE of the root", refused(b"DELETE", "/")),
    ("DELETE with Depth 0, which servers do not read", refused(b"DELETE", "/", b"Depth: 0")),
    ("a lock on everything", refused(b"LOCK", "/")),
    ("MOVE of the root", refused(b"MOVE", "/", b"Destination: /public/x")),
    ("COPY of the root", refused(b"COPY", "/", b"Destination: /public/x")),
    ("two Depths", unreadable(b"PROPFIND", "/public/", b"Depth: 0", b"Depth: infinity")),
    ("a Depth of two words", unreadable(b"PROPFIND", "/public/", b"Depth: 0, infinity")),
    ("one connection, by turns", by_turns),
    ("PROPFIND of what is for anyone", arrives(b"PROPFIND", "/public/", b"Depth: 1")),
    ("all of it, by one who may", arrives(b"PROPFIND", "/", b"Depth: 1", user="root")),
)
DESTINATION = (
    ("MOVE to what is another's", refused(b"MOVE", "/public/x", ADMIN)),
    ("COPY", refused(b"COPY", "/public/x", ADMIN, b"Depth: 0")),
    ("escaped", refused(b"COPY", "/public/x", b"Destination: /%61dmin/x")),
    ("above it", refused(b"COPY", "/public/x", b"Destination: /")),
    ("a whole address", whole_address),
    ("dots", unreadable(b"MOVE", "/public/x", b"Destination: /public/../admin/x")),
    ("escaped dots", unreadable(b"MOVE", "/public/x", b"Destination: /public/%2e%2e/admin/x")),
    ("an escaped slash", unreadable(b"MOVE", "/public/x", b"Destination: /public%2f..%2fadmin")),
    ("a parameter", unreadable(b"MOVE", "/public/x", b"Destination: /admin;a/x")),
    ("a query", unreadable(b"MOVE", "/public/x", b"Destination: /public/x?/../../admin")),
    ("an escaped ?", unreadable(b"MOVE", "/public/x", b"Destination: /admin%3f/../public")),
    ("an escaped #", unreadable(b"COPY", "/public/x", b"Destination: /admin%23x")),
    ("decoded twice", unreadable(b"COPY", "/public/x", b"Destination: /%2561dmin/x")),
    ("a session in the path", unreadable(b"MOVE", "/public/x", b"Destination: /(S(x))/admin/x")),
    ("a # in the open", unreadable(b"MOVE", "/public/x", b"Destination: /public/x#/admin")),
    ("bytes that are no UTF-8", unreadable(b"MOVE", "/public/x", b"Destination: /public/\xc0\xae\xc0\xae/admin")),
    ("two of them", unreadable(b"MOVE", "/public/x", b"Destination: /public/y", ADMIN)),
    ("two of them, the other way", unreadable(b"MOVE", "/public/x", ADMIN, b"Destination: /public/y")),
    ("none", refused(b"MOVE", "/public/x")),
    ("taken off by Connection", unreadable(b"MOVE", "/public/x", b"Connection: Destination", ADMIN)),
    ("under another spelling", refused(b"MOVE", "/public/x", b"Dest.ination: /public/y")),
    ("our own paths", unreadable(b"MOVE", "/public/x", b"Destination: /_ecluse/session")),
    ("to what is for anyone", arrives(b"MOVE", "/public/x", b"Destination: /public/y", b"Overwrite: F")),
)
NAMED_IN_IF = (
    ("a path that is another's", refused(b"PUT", "/public/x", b"If: </admin/x> (<urn:uuid:1>)", b"Content-Length: 0")),
    ("of another host", unreadable(b"PROPPATCH", "/public/x", b"If: <http://evil.example/a> (<urn:uuid:1>)")),
    ("that has no end", unreadable(b"PROPPATCH", "/public/x", b"If: (<urn:uuid:1>")),
    ("two of them", unreadable(b"PROPPATCH", "/public/x", b"If: (<urn:uuid:1>)", b"If: </admin/x> (<urn:uuid:1>)")),
    ("a token alone", arrives(b"PROPPATCH", "/public/x", b"If: (<urn:uuid:1>)")),
)
# What reads addresses takes what stands behind two slashes for a host: then /admin/x is the path.
LENIENT = (
    ("two slashes", unreadable(b"MOVE", "/public/x", b"Destination: //public/admin/x", app=LOOSE)),
    ("two slashes in If", unreadable(b"PUT", "/x", b"If: <//x/admin> (<a:b>)", b"Content-Length: 0", app=LOOSE)),
    ("below what UTF-8 reads", refused(b"DELETE", "/caf%C3%A9", app=LOOSE)),
    ("below what latin-1 reads", refused(b"DELETE", "/caf%E9", app=LOOSE)),
    ("Destination above what UTF-8 reads", refused(b"COPY", "/x", b"Destination: /caf%C3%A9", app=LOOSE)),
)

CASES: tuple[Case, ...] = (
    *numbered("DV01", SUBTREE),
    *numbered("DV02", DESTINATION),
    *numbered("DV03", NAMED_IN_IF),
    *numbered("DV04", LENIENT),
)
