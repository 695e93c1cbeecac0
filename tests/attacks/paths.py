"""PC: the path, host and method that policy sees are those that the application gets. attacks.md 2.2.

Each target is tried on six rule files, by nobody and by a person who may not see /admin.
"""

from urllib.parse import unquote

from tests.attacks import authority, readings
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.forms import FORMS
from tests.attacks.outcomes import denied, passed, r400
from tests.attacks.request import request
from tests.attacks.world import World

LENIENT = ("parameters", "nocase", "slashes", "latin", "loose", "windows", "aspnet", "escaped", "semicolon", "encoded")


async def asked(world: World, app: str, target: str | bytes, user: str = "") -> Exchange:
    cookie = await world.cookie(app, user) if user and world.is_gateway else b""
    return await world.send(request(app, target, cookie=cookie))


def _people(world: World) -> tuple[str, ...]:
    return ("", "alice") if world.is_gateway else ("",)


def refused(target: str | bytes, but: tuple[str, ...] = ()) -> Run:
    """R400 in every file, and with every leniency but those that say otherwise."""

    async def run(world: World) -> None:
        for app in (*FORMS, *LENIENT):
            if app not in but:
                for user in _people(world):
                    r400(world, await asked(world, app, target, user))

    return run


def is_admin(target: str | bytes, *apps: str) -> Run:
    """The rule of /admin decides: nobody and alice are denied, and root's request arrives byte for byte."""

    async def run(world: World) -> None:
        for app in apps:
            for user in _people(world):
                denied(world, await asked(world, app, target, user))
            await arrives(world, app, target, "root")

    return run


def is_elsewhere(target: str | bytes, *apps: str) -> Run:
    """The rule of /admin has no say: in a file where all else is public, it arrives byte for byte."""

    async def run(world: World) -> None:
        for app in apps:
            await arrives(world, app, target, "")
        if not world.is_gateway:
            expect(False, "a stand-in that decides nothing tells nothing of this line")

    return run


async def arrives(world: World, app: str, target: str | bytes, user: str) -> None:
    found = passed(world, await asked(world, app, target, user))
    raw = target if isinstance(target, bytes) else target.encode()
    expect(found.target == raw, f"{raw!r} arrived as {found.target!r}")


def all_of(*runs: Run) -> Run:
    async def run(world: World) -> None:
        for part in runs:
            await part(world)

    return run


def a_name(target: str, app: str) -> Run:
    """Refused, but where the file says that the application has such names: there it is one, and none of /admin."""
    return all_of(refused(target, but=(app,)), is_elsewhere(target, app))


LATIN = ("latin", "loose")
NAMES = {
    "/public%2fadmin": "encoded", "/public%2Fadmin": "encoded", "/public%5cadmin": "encoded",
    "/public%5Cadmin": "encoded", "/%2561dmin": "encoded",
}  # fmt: skip
DENY_FIRST = ("prefix-deny", "exact-deny", "regex-deny")
REFUSED = {
    "PC01": ("/public/../admin", "/public/./../admin", "/public/..", "/./admin", "/admin/.", "/../admin"),
    "PC02": ("/public/%2e%2e/admin", "/public/%2E%2e/admin", "/public/.%2e/admin", "/public/%2e./admin",
             "/%2e/admin", "/public/%2e%2e%2fadmin"),
    "PC03": ("/public%2fadmin", "/public%2Fadmin", "/public%5cadmin", "/public%5Cadmin", "/public%252fadmin",
             "/public\\admin"),
    "PC04": ("/public/%252e%252e/admin", "/public%2f..%2fadmin", "/public%5c..%5cadmin", "/public%2f%2e/admin",
             "/public/%252e%252e%2fadmin", "/public%25252fadmin",
             "/public/%25%32%65%25%32%65/admin", "/public/%2525252e/admin", "/%2561dmin",
             "/public/%2e%252e/%61dmin"),
    "PC07": ("/admin%00", "/admin%00.css", "/public%0aadmin", "/admin%0d%0aX:%201", "/admin%7f"),
    # Beyond the corpus: further ways to write the same to some server.
    "PC03+": ("/public/..\\admin", "/public/%c0%ae%c0%ae/admin", "/public/%c0%af..%c0%afadmin",
              "/public/%e0%80%ae/admin", "/public/%u002e%u002e/admin", "/public/%ef%bc%8f..%ef%bc%8fadmin",
              "/public/%e2%88%95admin", "/public/%e2%80%a5/admin", "/public/%ef%bc%8e%ef%bc%8e/admin",
              "/public/%c1%9cadmin", "/public/%e2%81%84admin",
              "/public/%ef%bc%9b/admin", "/public/%c2%85admin", "/public/%", "/public/%2", "/public/%zz",
              "/public/%+2f",
              "/public/\u00e9", "/public/\u202e", "/public/<>", '/public/"', "/public/{x}", "/public/^", "/public/`",
              # Marks that a normaliser or Windows' best fit makes separators of.
              "/admin%ef%bc%9f", "/admin%ef%bc%83", "/public%e2%84%85admin", "/public%e2%88%96admin",
              "/public/%d9%aa2e%d9%aa2e/admin", "/public/%e2%80%a4%e2%80%a4/admin", "/admin%ef%b9%94x",
              "/admin%cd%bex"),
}  # fmt: skip


def slashes(target: str) -> Run:
    """Refused, unless the file says that several slashes are one: then decided as the application maps it."""
    return refused(target, but=("slashes", "loose"))


PC05 = (
    ("//admin", all_of(slashes("//admin"), is_admin("//admin", "slashes", "loose"))),
    ("///admin", all_of(slashes("///admin"), is_admin("///admin", "slashes", "loose"))),
    ("/public//../admin", refused("/public//../admin")),
    ("/admin//", all_of(slashes("/admin//"), is_admin("/admin//", "slashes", "loose"))),
    ("/.//admin", refused("/.//admin")),
)


def cookieless(target: str) -> Run:
    """Refused but where the file says that the application is ASP.NET with sessions in the path."""
    return all_of(refused(target, but=("aspnet",)), is_admin(target, "aspnet"))


def parameter(target: str) -> Run:
    """Refused but where the file names `jsessionid`; there it is cut off before policy, and stays in what is sent."""
    return all_of(
        refused(target, but=("parameters", "loose", "semicolon")),
        is_admin(target, "parameters", "loose"),
        is_elsewhere(target, "semicolon"),
    )


PC06 = (
    ("/admin;a=b", a_name("/admin;a=b", "semicolon")),
    ("/public;/../admin", refused("/public;/../admin")),
    ("/public/..;/admin", refused("/public/..;/admin")),
    ("/public/.;/admin", refused("/public/.;/admin")),
    ("/;/admin", a_name("/;/admin", "semicolon")),
    ("/public/..;x/admin", refused("/public/..;x/admin")),
    ("/public/%2e%2e%3b/admin", refused("/public/%2e%2e%3b/admin")),
    ("/admin%3b/page", a_name("/admin%3b/page", "semicolon")),
    ("/admin;jsessionid=X", parameter("/admin;jsessionid=X")),
    ("/public/%3b/../admin", refused("/public/%3b/../admin")),
    ("/public/..%3b/admin", refused("/public/..%3b/admin")),
    ("/public/..;jsessionid=X/admin", refused("/public/..;jsessionid=X/admin")),
    ("/admin;jsessionid=X;jsessionid=Y", a_name("/admin;jsessionid=X;jsessionid=Y", "semicolon")),
    ("/admin;JSESSIONID=X", a_name("/admin;JSESSIONID=X", "semicolon")),
    ("/admin;jsessionid=X/page", parameter("/admin;jsessionid=X/page")),
    ("/admin;jsessionid=%2e", a_name("/admin;jsessionid=%2e", "semicolon")),
    ("/admin%3bjsessionid=X", a_name("/admin%3bjsessionid=X", "semicolon")),
    ("/(S(x))/admin", cookieless("/(S(x))/admin")),
    ("/(A(x)F(y-_)S(z))/admin/a.aspx", cookieless("/(A(x)F(y-_)S(z))/admin/a.aspx")),
    ("/admin/(S(x))/a.aspx", cookieless("/admin/(S(x))/a.aspx")),
    ("/(s(x))/admin", refused("/(s(x))/admin")),
    ("/%28S(x)%29/admin, escaped", refused("/%28S%28x%29%29/admin")),
    ("/(S(x))/ad/(S(x))min", refused("/(S(x))/ad/(S(x))min")),
    ("/ad/(S(x))min", refused("/ad/(S(x))min")),
    ("/(S(x))/(S(y))/admin", refused("/(S(x))/(S(y))/admin")),
    ("24 letters, as ASP.NET 1 writes them", refused("/(55mfgh55vgblurtywsityvjq)/admin")),
    ("/(S(x))/../admin", refused("/(S(x))/../admin")),
    ("SAP's settings in the path", refused("/admin(bD1kZSZjPTEwMA==)")),
    ("and a page below", refused("/admin(bD1kZSZjPTEwMA==)/page")),
    ("in escapes", refused("/admin%28bD1kZSZjPTEwMA==%29/page")),
    ("SAP's own root", refused("/sap(x)/bc")),
    ("Zope's virtual hosts", refused("/VirtualHostBase/http/a.example:80/admin/VirtualHostRoot/")),
    ("the second of its words alone, escaped", refused("/VirtualHost%52oot/_vh_x/admin")),
)
WINDOWS = ("nocase", "loose", "windows")
NO_CASE = WINDOWS


def on_windows(target: str, *but: str) -> Run:
    """Refused where the file says that the application knows no case; elsewhere a name like another."""
    return all_of(
        *(refused(target, but=(*FORMS, *(app for app in LENIENT if app not in WINDOWS), *but)),),
        is_elsewhere(target, *DENY_FIRST),
    )


def trimmed(target: str) -> Run:
    """What Windows takes off at the end is taken off where the file says so, and refused where no case is known."""
    return all_of(on_windows(target, "windows"), is_admin(target, "windows"))


PC09 = (
    ("/ADMIN", all_of(is_elsewhere("/ADMIN", *DENY_FIRST), is_admin("/ADMIN", *NO_CASE))),
    ("/Admin", all_of(is_elsewhere("/Admin", *DENY_FIRST), is_admin("/Admin", *NO_CASE))),
    ("/%41dmin", all_of(is_elsewhere("/%41dmin", *DENY_FIRST), is_admin("/%41dmin", *NO_CASE))),
    ("/adm%C4%B1n", on_windows("/adm%C4%B1n")),
    ("/ＡＤＭＩＮ", refused("/\uff21\uff24\uff2d\uff29\uff2e")),
    # Where the file says latin1, these bytes are two letters, or the one that a browser means: two readings.
    ("è composed", all_of(is_admin("/acc%C3%A8s", *FORMS, "nocase", "parameters", "slashes", "windows"),
                          refused("/acc%C3%A8s", but=tuple(app for app in (*FORMS, *LENIENT) if app not in LATIN)))),
    ("e with a combining accent", is_admin("/acce%CC%80s", *FORMS, "nocase", "parameters", "slashes")),
    ("è as ISO 8859-1", all_of(is_admin("/acc%E8s", "latin", "loose"),
                               refused("/acc%E8s", but=("latin", "loose")))),
    ("/%61%64%6D%69%6E", is_admin("/%61%64%6D%69%6E", *FORMS, *LENIENT)),
    ("a short name", on_windows("/ADMIN~1")),
    ("the same, escaped", on_windows("/ADMIN%7E1")),
    ("a stream", on_windows("/admin::$DATA")),
    ("an index", on_windows("/admin:$I30:$INDEX_ALLOCATION/page")),
    ("any letters", on_windows("/adm%3C%3C")),
    ("a dot at the end", trimmed("/admin.")),
    ("the same, escaped", trimmed("/ADMIN%2E")),
    ("a dot inside the path", trimmed("/admin./page")),
    ("a blank at the end", trimmed("/admin%20")),
    ("dots and blanks", trimmed("/admin.%20.")),
    ("two dots inside the path", on_windows("/admin../page")),
    ("a blank inside the path", on_windows("/admin%20/page")),
    ("full-width letters, by best fit", on_windows("/%EF%BD%81dmin")),
    ("an a with a macron, by best fit", on_windows("/%C4%81dmin")),
    ("letters that HFS+ ignores, and a soft hyphen", all_of(*map(on_windows, (
        "/adm%E2%80%8Cin", "/admin%EF%BB%BF", "/%E2%81%A0admin", "/ad%E2%80%8Bmin", "/adm%C2%ADin")))),
    ("œ as windows-1252", all_of(is_elsewhere("/public/%9Cuf", *LATIN), refused("/public/%9Cuf", but=LATIN))),
    ("œ and ’ as UTF-8", is_elsewhere("/public/%C5%93uf%E2%80%99", *DENY_FIRST, *LATIN)),
    ("a look-alike of a slash beside a byte that is no UTF-8", refused("/public%e2%88%95%e9/admin")),
    ("overlong forms in letters of windows-1252", refused("/public/%e0%80%ae%e0%80%ae/admin")),
)  # fmt: skip


def escaped(target: str) -> Run:
    """Refused, for who decodes once more cuts there; but where the file says that names hold the mark, a letter."""
    return all_of(refused(target, but=("escaped",)), is_elsewhere(target, "escaped"))


PC11 = (
    ("/admin?", is_admin("/admin?", *FORMS, *LENIENT)),
    ("/admin?x=/public", is_admin("/admin?x=/public", *FORMS, *LENIENT)),
    ("/public?/../admin", is_elsewhere("/public?/../admin", *FORMS, *LENIENT)),
    ("/admin%3f", escaped("/admin%3f")),
    ("a raw #", refused("/admin#/public")),
    ("/admin%23", escaped("/admin%23")),
    ("an expression is anchored at both ends", is_elsewhere("/xadminx", *DENY_FIRST)),
    ("a line end is no end of an expression", refused("/admin%0a")),
    ("/public%3f/../admin", refused("/public%3f/../admin")),
    ("every sort of byte in a query", is_elsewhere("/public/page?a=%2e%2e/%00;&b=//..\\&c='\"<>{}|^`", *FORMS)),
    ("/admin%3F.css", escaped("/admin%3F.css")),
    ("/admin%253f", refused("/admin%253f")),
    ("/admin%2523", refused("/admin%2523")),
    ("/%61dmin%23/page", escaped("/%61dmin%23/page")),
)


def method(name: bytes, statuses: tuple[int, ...]) -> Run:
    async def run(world: World) -> None:
        for app in FORMS:
            r400(world, await world.send(request(app, "/public/page", method=name)), statuses=statuses)

    return run


async def head_follows_get(world: World) -> None:
    """A rule of GET lets HEAD in and nothing else."""
    for app in FORMS:
        seen = await world.send(request(app, "/read", method=b"HEAD"), heads=frozenset({0}))
        expect(passed(world, seen).method == b"HEAD", f"HEAD arrived as {world.recorder.requests}")
        for other in (b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"):
            denied(world, await world.send(request(app, "/read", method=other)))


async def preflight(world: World) -> None:
    """OPTIONS is a request like another: no way around a rule."""
    lines = (b"Origin: https://evil.example", b"Access-Control-Request-Method: GET",
             b"Access-Control-Request-Headers: x-remote-user")  # fmt: skip
    for app in FORMS:
        seen = await world.send(request(app, "/admin", *lines, method=b"OPTIONS"))
        denied(world, seen)
        expect(not seen.answer.all(b"access-control-allow-origin"), f"an origin was let in: {seen}")


PC15 = (
    ("get in small letters", method(b"get", (400, 405))),
    ("two blanks after the method", method(b"GET ", (400,))),
    ("NUL in the method", method(b"G\0T", (400, 405))),
    ("HEAD follows the rule of GET", head_follows_get),
    ("OPTIONS opens nothing", preflight),
    ("TRACE", method(b"TRACE", (405,))),
    ("CONNECT", method(b"CONNECT", (405,))),
    ("FOO", method(b"FOO", (400, 405))),
    ("PROPFIND", method(b"PROPFIND", (405,))),
    ("MOVE, which names a second path", method(b"MOVE", (405,))),
)
VERSIONS = (
    ("0.9", b"GET /public/page\r\n\r\n"),
    ("HTTP/0.9", b"GET /public/page HTTP/0.9\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("HTTP/1.0 without Host", b"GET /public/page HTTP/1.0\r\n\r\n"),
    ("HTTP/1.2", b"GET /public/page HTTP/1.2\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("HTTP/2.0 as a line", b"GET /public/page HTTP/2.0\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("http/1.1 in small letters", b"GET /public/page http/1.1\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("two blanks before the version", b"GET /public/page  HTTP/1.1\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("another protocol", b"GET /public/page RTSP/1.0\r\nHost: prefix-deny.localhost\r\n\r\n"),
    ("a tab between the parts", b"GET\t/public/page HTTP/1.1\r\nHost: prefix-deny.localhost\r\n\r\n"),
)


def raw(data: bytes, statuses: tuple[int, ...] = (400,)) -> Run:
    async def run(world: World) -> None:
        r400(world, await world.send(data), statuses=statuses)

    return run


async def http_10(world: World) -> None:
    """The control of PC17: with a Host it is served, and closed, and arrives as HTTP/1.1."""
    seen = await world.send(request("prefix-deny", "/public/page", version=b"HTTP/1.0"))
    expect(passed(world, seen).raw.startswith(b"GET /public/page HTTP/1.1\r\n"), "arrived in another version")
    expect(seen.closed, f"left open: {seen}")


# Of a host whose /admin is another application's: what some server may read as it, and what none does.
BESIDE = (
    "/ADMIN", "/Admin/x", "/%61dmin", "/admi%6e/x", "/admin;v=1/x", "/admin;v=1", "//admin", "//admin/x", "/admin./x",
    "/admin%20/x", "/(S(x))/admin", "/(S(x))/admin/x", "/admin(bD1kZSZjPTEwMA==)/x", "/%EF%BD%81dmin",
)  # fmt: skip
ELSEWHERE = ("/administration", "/public/admin", "/adm")


async def beside(world: World) -> None:
    """The path of the application beside is written in one way, and its own rules decide there."""
    for target in BESIDE:
        for user in _people(world):
            r400(world, await asked(world, "divided", target, user))
    await is_admin("/admin", "divided")(world)
    await is_admin("/admin/x", "divided")(world)
    for target in ELSEWHERE:
        await is_elsewhere(target, "divided")(world)


# Below a path that is moved: the application is asked for the path that was judged, behind its own.
MOVED = (
    "/public/page", "/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public/..;/admin", "/..",
    "//public/x", "/public//x", "/public/./x", "/inner/public/x", "/../inner/public/x", "/public/%2e%2e%2f%2e%2e/x",
    "/public\\..\\admin", "/%70ublic/page", "/public%2fpage", "/public/x?/../admin", "/PUBLIC/page", "/admin",
)  # fmt: skip


async def moved(world: World) -> None:
    for tail in MOVED:
        for prefix in ("/old", "/inner", "/OLD", "/old/../inner", "/ol%64", "/old/..", ""):
            for user in _people(world):
                world.recorder.forget()
                await asked(world, "moved", prefix + tail, user)
                for found in world.recorder.requests:
                    judged = found.target.removeprefix(b"/inner").decode()
                    is_own = prefix == "/old" and found.target == b"/inner" + tail.encode()
                    expect(is_own, f"{prefix + tail} came as {found.target!r}")
                    path = unquote(judged.partition("?")[0])
                    expect(".." not in path and "//" not in path, f"{found.target!r}")
                    expect(path.startswith("/public/"), f"{found.target!r} for {user or 'nobody'}")
    seen = await asked(world, "moved", "/old/public/page", "")
    expect(seen.answer.status == 200 and world.recorder.requests[-1].target == b"/inner/public/page", f"{seen}")


CASES: tuple[Case, ...] = (
    *(
        case
        for id, targets in REFUSED.items()
        for case in numbered(
            id, [(name, a_name(name, NAMES[name]) if name in NAMES else refused(name)) for name in targets]
        )
    ),
    *numbered("PC05", PC05),
    *numbered("PC06", PC06),
    *numbered("PC09", PC09),
    *numbered("PC11", PC11),
    *authority.CASES,
    *numbered("PC15", PC15),
    *numbered("PC17", ((meaning, raw(data, (400, 405))) for meaning, data in VERSIONS)),
    Case("PC17.11", "HTTP/1.0 with a Host is served", http_10),
    uncontrolled("PC18", "a path that is moved is judged as it is asked for", moved),
    *readings.CASES,
    Case("PC20", "the path of another application of the host, otherwise written", beside),
)
