"""HS: nobody says who they are. Header spoofing and hygiene, attacks.md 2.1.

Each line is tried on six rule files (prefix, exact and expression rules, what is public first or what is denied
first), by nobody and by a person who is signed in, and what reached the application is compared.
"""

from gateway.wire.identity_headers import IDENTITY
from tests.attacks import header_values
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.forms import FORMS, PUBLIC_FIRST, each, tries
from tests.attacks.outcomes import KNOWN, RESERVED, denied, passed, r400, stripped
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import MARK, World


def strip(*lines: bytes) -> Run:
    """STRIP everywhere; and where a page is private, no line opens it."""

    async def run(world: World) -> None:
        async for app, user, seen in each(world, *lines):
            stripped(world, seen, user=user, app=app)
        for app in FORMS:
            denied(world, await world.send(request(app, "/admin", *lines)))
        for app in PUBLIC_FIRST:
            denied(world, await world.send(request(app, "/private/page", *lines)))

    return run


# --- HS01: spellings ---

SPELLINGS = (
    b"X-Remote-User", b"x-remote-user", b"X-REMOTE-USER", b"x-ReMoTe-UsEr", b"X_Remote_User", b"X-Remote_User",
    b"x_remote_user", b"X.Remote.User", b"X~Remote~User", b"X!Remote!User", b"X|Remote|User", b"HTTP_X_REMOTE_USER",
)  # fmt: skip
# Beyond the corpus: what folding to letters and digits alone has to catch too.
MORE_SPELLINGS = (
    b"XRemoteUser", b"X--Remote--User", b"-X-Remote-User", b"X-Remote-User-", b"X-Remote'User", b"X-Rem-oteUser",
    b"X+Remote+User", b"X%Remote%User", b"X*Remote*User", b"X^Remote^User", b"X`Remote`User", b"X#Remote#User",
    b"X$Remote$User", b"X&Remote&User", b"c.t.l.n", b"X_DEPT", b"x.dept", b"CTLN",
)  # fmt: skip

# --- HS02: reserved names that say no person ---

OUTSIDE_IDENTITY = (
    b"Proxy: http://" + MARK,
    b"X-Original-URL: /admin?" + MARK,
    b"X-Rewrite-URL: /admin?" + MARK,
    b"X-HTTP-Method-Override: DELETE",
    b"X-Forwarded-Host: " + MARK,
    b"Forwarded: for=127.0.0.1;host=" + MARK + b";proto=https",
)
MEMBERS = tuple(name.replace("_", "-").replace("*", "Thing").encode() for name in (*RESERVED, *KNOWN))


# To drop these would have the application do another operation than was asked, and say 200: refused since issue 10.
OVERRIDES = (b"X-HTTP-Method", b"X-HTTP-Method-Override", b"X-Method-Override")


def outside_identity(line: bytes) -> Run:
    return refused_override(line) if line.startswith(OVERRIDES) else strip(line)


def refused_override(
    *lines: bytes, target: str = "/public/page", methods: tuple[bytes, ...] = (b"POST", b"GET")
) -> Run:
    """A method named beside the request's own: not a byte of it reaches an application whose file does not take it."""

    async def run(world: World) -> None:
        for app in FORMS:
            for method in methods:
                mark = world.gateway.mark()
                r400(world, await world.send(request(app, target, *lines, method=method)))
                if world.is_gateway:
                    await world.logged(mark, event="request.refused", code="wire.method_override")

    return run


def every_spelling_of_an_override(name: bytes) -> Run:
    forms = (
        name,
        name.lower(),
        name.upper(),
        name.replace(b"-", b"_"),
        name.replace(b"-", b"."),
        name.replace(b"-", b""),
    )

    async def run(world: World) -> None:
        for form in forms:
            r400(world, await world.send(request("prefix-deny", "/public/page", form + b": DELETE", method=b"POST")))

    return run


OTHER_METHODS = (
    ("_method in a query", refused_override(target="/public/page?a=b&_method=DELETE")),
    ("_method as PHP reads it", refused_override(target="/public/page?.method=DELETE")),
    ("_method in escapes", refused_override(target="/public/page?_%6dethod=%44ELETE")),
    ("ASP.NET's header in a query", refused_override(target="/public/page?X-HTTP-Method-Override=PUT")),
    ("a header that Connection takes away", refused_override(b"Connection: X-HTTP-Method", b"X-HTTP-Method: PUT")),
    ("two headers, two methods", refused_override(b"X-HTTP-Method: POST", b"X-Method-Override: DELETE")),
    ("as ASP.NET decodes it", refused_override(target="/public/page?X-HTTP-%u004dethod-Override=DELETE")),
    ("the method as ASP.NET decodes it", refused_override(target="/public/page?_method=%u0044ELETE")),
    ("Catalyst's parameter", refused_override(target="/public/page?x-tunneled-method=DELETE")),
    ("_method as qs reads it", refused_override(target="/public/page?[_method]=DELETE")),
)

# Further names by which fronts say from where somebody calls, or which page is meant.
PLACES = (
    b"X-Script-Name", b"X-Vhm-Root", b"X-Vhm-Host", b"X-Scheme", b"X-Url-Scheme", b"Front-End-Https",
    b"X-Sendfile-Type", b"Forwarded-For", b"X-Forward-For", b"X-True-Client-IP", b"X-Coming-From",
    b"Cf-Connecting-IPv6", b"X-Azure-ClientIP", b"X-Azure-SocketIP", b"X-Sucuri-ClientIP", b"Incap-Client-IP",
    b"Ali-CDN-Real-IP",
)  # fmt: skip


def places_in_every_spelling() -> Run:
    async def run(world: World) -> None:
        for change in (bytes.title, bytes.lower, dotted, underscored):
            lines = [change(name) + b": /" + MARK for name in PLACES]
            for user, cookie, target in await tries(world, "prefix-deny"):
                seen = await world.send(request("prefix-deny", target, *lines, cookie=cookie))
                stripped(world, seen, user=user, app="prefix-deny")

    return run


def every_spelling(name: bytes) -> Run:
    """A reserved name with dashes, underscores and dots, in capitals and not, on the file that forgives least."""
    if name in map(bytes.upper, OVERRIDES):
        return every_spelling_of_an_override(name)
    forms = [name, name.lower(), name.replace(b"-", b"_"), name.replace(b"-", b".")]
    if not name.endswith(b"Thing"):
        # The beginning of a family counts with a separator behind it (issue 10, number 11), a whole name without, too.
        forms.append(name.replace(b"-", b""))

    async def run(world: World) -> None:
        for form in dict.fromkeys(forms):
            for user, cookie, target in await tries(world, "prefix-deny"):
                seen = await world.send(request("prefix-deny", target, form + b": " + MARK, cookie=cookie))
                stripped(world, seen, user=user, app="prefix-deny")

    return run


def of_a_product(names: tuple[str, ...]) -> Run:
    """What one known gateway or module writes, in each spelling that a server may read as it."""
    plain = [name.replace("*", "User").encode() for name in names]
    forms = (plain, *([change(name) for name in plain] for change in (bytes.lower, bytes.upper, dotted, underscored)))

    async def run(world: World) -> None:
        for form in forms:
            lines = [name + b": " + MARK for name in form]
            for user, cookie, target in await tries(world, "prefix-deny"):
                seen = await world.send(request("prefix-deny", target, *lines, cookie=cookie))
                stripped(world, seen, user=user, app="prefix-deny")

    return run


def dotted(name: bytes) -> bytes:
    return b"-" + name.replace(b"-", b".")


def underscored(name: bytes) -> bytes:
    return name.replace(b"-", b"_")


async def no_word_that_begins_alike(world: World) -> None:
    """A name of a script's own that only begins like one of them arrives."""
    lines = (
        b"Authority: a", b"Smart-Card: b", b"Castle: c", b"Sec-Fetch-User: ?1", b"Remoteness: d", b"X-Authority: e",
        b"SHIBThing: f", b"X-Forwardedness: g",
    )  # fmt: skip
    found = passed(world, await world.send(request("prefix-deny", "/public/page", *lines)))
    for line in lines:
        expect(line in found.raw, f"{line!r} is not in {found.raw!r}")


# --- HS03: duplicates ---

FORGED = b"X-Remote-User: " + MARK
DUPLICATES = (
    ("two lines of one name", strip(FORGED, FORGED)),
    ("before and after an innocent line", strip(FORGED, b"X-Other: 1", FORGED)),
    ("one with dashes, one with underscores", strip(FORGED, b"X_Remote_User: " + MARK)),
    ("an empty one and one with a value", strip(b"X-Remote-User:", FORGED)),
    ("ninety copies", strip(*[FORGED] * 90)),
)


async def too_many_copies(world: World) -> None:
    """200 copies are more lines than a request may have: refused, and the application sees nothing."""
    for app in FORMS:
        r400(world, await world.send(request(app, "/public/page", *[FORGED] * 200)), statuses=(431,))


# --- HS04: Connection takes nothing of ours away ---

CONNECTIONS = (
    (b"Connection: X-Remote-User",),
    (b"connection: close, x-remote-user",),
    (b"CONNECTION: X_Remote_User",),
    (b"Connection: X-Remote-User", b"Connection: ctln, app_user"),
    (b"Connection: Cookie, X-Forwarded-For, Forwarded, X-Request-Id",),
    (b"Connection: Host, X-Forwarded-Host",),
    (b"Connection: Content-Length",),
    (b"Connection: keep-alive,,X-Remote-User",),
)


def kept(*lines: bytes) -> Run:
    """What we write stays, the body stays whole, Connection goes no further."""

    async def run(world: World) -> None:
        for app in FORMS:
            cookie = await world.cookie(app) if world.is_gateway else b""
            data = request(app, "/private/page", *lines, method=b"POST", cookie=cookie, body=b"a=1")
            found = stripped(world, await world.send(data), user="alice", app=app)
            expect(found.body == b"a=1", f"the body is {found.body!r}")
            expect(found.all(b"cookie") == [b"app_user=alice"], f"the cookies are {found.all(b'cookie')}")
            expect(not found.all(b"connection"), f"Connection was passed on: {found.raw!r}")

    return run


# --- HS14: everywhere, also where no page of the application is meant ---


async def on_every_kind_of_route(world: World) -> None:
    """Public, static, refused, unknown and error routes: a forged name is nowhere believed, nor shown."""
    lines = [name + b": " + MARK for name in (*SPELLINGS[:6], b"Auth-User", b"Remote-User")]
    targets = ("/public/style.css", "/read", "/admin", "/nowhere", "/_ecluse/session", "/_ecluse/unknown", "/%zz")
    for app in FORMS:
        for target in targets:
            for navigation in ((), NAVIGATION):
                seen = await world.send(request(app, target, *lines, *navigation))
                expect(MARK not in seen.received, f"{target} shows a forged value: {seen}")
                expect(MARK not in world.recorder.all_bytes, f"{target}: {world.recorder.all_bytes!r}")


UPGRADE = (b"Connection: Upgrade, X-Remote-User", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", FORGED, b"X_Remote_User: " + MARK)  # fmt: skip


async def refused_upgrade(world: World) -> None:
    """Where the file takes no tunnel: a plain request is not what was asked for. Where nobody is let in, as without
    it. Where the file takes one: HR09.20."""
    for app in FORMS:
        for _, cookie, target in await tries(world, app):
            mark = world.gateway.mark()
            r400(world, await world.send(request(app, target, *UPGRADE, cookie=cookie)))
            if world.is_gateway:
                await world.logged(mark, event="request.refused", code="wire.upgrade", app=app)
        denied(world, await world.send(request(app, "/admin", *UPGRADE)))


async def where_nothing_is_injected(world: World) -> None:
    """The person has no `dept`: the client's own stands in for it nowhere (K040)."""
    async for app, user, seen in each(world, b"X-Dept: " + MARK, b"x_dept: " + MARK):
        found = stripped(world, seen, user=user, app=app)
        expect(not found.all(b"X-Dept"), f"X-Dept is {found.all(b'X-Dept')}")
    cookie = await world.cookie("prefix-public", "root")
    found = passed(world, await world.send(request("prefix-public", "/private/page", cookie=cookie)))
    expect(found.all(b"X-Dept") == [b"it"], "the control: who has a dept is announced with it")


CASES: tuple[Case, ...] = (
    *numbered("HS01", ((name.decode(), strip(name + b": " + MARK)) for name in SPELLINGS)),
    *numbered("HS01", ((name.decode(), strip(name + b": " + MARK)) for name in MORE_SPELLINGS), first=13),
    *numbered("HS02", ((line.partition(b":")[0].decode(), outside_identity(line)) for line in OUTSIDE_IDENTITY)),
    *numbered("HS02", ((f"{name.decode()} in every spelling", every_spelling(name)) for name in MEMBERS), first=7),
    *numbered("HS02", ((product, of_a_product(names)) for product, names in IDENTITY.items()), first=7 + len(MEMBERS)),
    uncontrolled(
        f"HS02.{7 + len(MEMBERS) + len(IDENTITY)}", "words that begin like one of them", no_word_that_begins_alike
    ),
    *numbered("HS02", OTHER_METHODS, first=8 + len(MEMBERS) + len(IDENTITY)),
    Case(
        f"HS02.{8 + len(MEMBERS) + len(IDENTITY) + len(OTHER_METHODS)}",
        "from where, or to which page",
        places_in_every_spelling(),
    ),
    *numbered("HS03", DUPLICATES),
    Case("HS03.6", "200 copies", too_many_copies),
    *numbered("HS04", ((" / ".join(map(bytes.decode, lines)), kept(*lines)) for lines in CONNECTIONS)),
    *header_values.CASES,
    Case("HS14.1", "on public, static, refused, unknown and error routes", on_every_kind_of_route),
    Case("HS14.2", "on an upgrade", refused_upgrade),
    Case("HS14.3", "where the application injects nothing for want of the attribute", where_nothing_is_injected),
)
