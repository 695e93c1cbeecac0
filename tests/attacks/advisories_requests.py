"""K001 to K112, those of one request: what other gateways let through once."""

import asyncio
import random
import re
from collections.abc import Sequence

from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.forms import FORMS, PUBLIC_FIRST
from tests.attacks.headers import strip
from tests.attacks.outcomes import denied, passed, r400, unseen
from tests.attacks.paths import DENY_FIRST, LENIENT, a_name, is_admin, is_elsewhere
from tests.attacks.paths import refused as path_refused
from tests.attacks.recorder import Script
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import MARK, PORTAL, SEAT, World

PAGE = "/private/page"


def denied_with(*lines: bytes, target: str = "/admin", apps: Sequence[str] = FORMS, method: bytes = b"GET") -> Run:
    async def run(world: World) -> None:
        for app in apps:
            denied(world, await world.send(request(app, target, *lines, method=method)))

    return run


# Of `user_id`, for PHP, then for other readers.
FOLDED = (
    "user_id", "user[id", "user.id", "user%20id", "+user%5bid", "user_id[x]", "user_id[x]y", "USER_ID", "[user_id]",
    "user_id]", "user_id:int", "user_id.x", "%u0075ser_id",
)  # fmt: skip


def asked_for(name: str) -> Run:
    """A file denies requests with `user_id`: none by a name that some application reads as this one is let through."""
    targets = (f"/file?{name}=1", f"/file?x=1&{name}=1", f"/file?x=1;{name}=1", f"/file?{'x&' * 1000}{name}=1")
    return each_of(*(denied_with(target=target, apps=("parameters",)) for target in targets))


def each_of(*runs: Run) -> Run:
    async def run(world: World) -> None:
        for one in runs:
            await one(world)

    return run


# --- cookies ---


def cookies(*values: bytes) -> Run:
    """Whatever the cookie: refused or denied, and nothing of it is passed on."""

    async def run(world: World) -> None:
        for value in values:
            for app in PUBLIC_FIRST:
                seen = await world.send(request(app, PAGE, b"Cookie: " + value))
                unseen(world, seen)
                expect(seen.answer.status in (400, 401, 431), f"{value[:60]!r}: {seen}")

    return run


SEATS = [SEAT.encode(), b"__Host-ecluse-b", b"__Host-ecluse-b-00000000"]
NONSENSE = (
    b"", b"=", b"x" * 4000, b"../../etc/passwd", b"' OR '1'='1", b"%00", b"\xff\xfe", b"{}", b"*", b"A" * 22 + b".",
    b"." + b"A" * 43, b'"', b"A" * 22 + b".." + b"A" * 42, b"0.0", b"eyJhbGciOiJub25lIn0.e30.", b"\\x00",
    b'O:8:"stdClass":0:{}', b"\x80\x04\x95.",
)  # fmt: skip
NAMED = tuple(b"%b=%b" % (name, value) for name in SEATS for value in NONSENSE)
CHUNKS = (b"%b_chunks=99999999" % SEAT.encode(), b"%b_0=a; %b_1=b; %b_chunks=2" % ((SEAT.encode(),) * 3),
          b"%b-0=a; %b-b-chunks=99999999" % ((SEAT.encode(),) * 2))  # fmt: skip
SHAPES = (b"", b";;;", b"=", b"; ; =;==", b"a", b"a=b;" * 4000, b";" * 8000, b"a=b; " * 6000, b"\t", b"=a; =b; ;")


async def ids_as_queries(world: World) -> None:
    """K112: what would be a query, a pattern or a path to some store finds nothing and breaks nothing."""
    words = ("'", "' OR '1'='1", '"; DROP TABLE sessions; --', "*", "{}", "%00", "%0d%0a", "..%2f..", "%27%20--",
             "A" * 43, "x" * 7000)  # fmt: skip
    for word in words:
        escaped = word.replace(" ", "%20").replace('"', "%22")
        for place, target in (
            (PORTAL, f"/_ecluse/start?t={escaped}"), (PORTAL, f"/_ecluse/login?t={escaped}&provider=alpha"),
            (PORTAL, f"/_ecluse/callback/alpha?state={escaped}&code=x"),
            ("prefix-public", f"/_ecluse/enter?code={escaped}"),
            (PORTAL, f"/_ecluse/login?provider={escaped}"), (PORTAL, f"/_ecluse/callback/{escaped}"),
        ):  # fmt: skip
            seen = await world.send(request(place, target, *NAVIGATION))
            unseen(world, seen)
            expect(seen.answer.status in (303, 400, 404), f"{target[:80]}: {seen}")
            made = [line for line in seen.answer.all(b"set-cookie") if line.startswith(SEAT.encode() + b"=")]
            expect(not made, f"{target[:80]}: {made}")
    if world.is_gateway:
        passed(world, await world.send(request("prefix-public", PAGE, cookie=await world.cookie("prefix-public"))))


# --- what is no request, or none for us ---


async def other_protocols(world: World) -> None:
    """K017: HTTP/2 frames, TLS, and noise on a port of HTTP/1.1: refused, closed, and the workers live."""
    dice = random.Random(17)
    frames = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + dice.randbytes(200) for _ in range(5)]
    noise = [dice.randbytes(dice.randrange(1, 400)) + b"\r\n\r\n" for _ in range(40)]
    tls = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(300) + b"\r\n\r\n"]
    for data in (*frames, *noise, *tls):
        seen = await world.send(data)
        unseen(world, seen)
        expect(seen.answer.status in (400, 405, 408, 431) and seen.closed, f"{seen}")


async def connect_leaves_the_pool(world: World) -> None:
    """K030: CONNECT and unknown methods are refused before any connection to the application is touched."""
    for method in (b"CONNECT", b"TRACK", b"DEBUG", b"LOCK", b"MKCOL", b"UPGRADE"):
        before = world.recorder.connections
        for target in ("/public/page", "prefix-deny.localhost:80"):
            seen = await world.send(request("prefix-deny", target, method=method))
            r400(world, seen, statuses=(400, 405))
        expect(world.recorder.connections == before, "a connection was opened for it")


async def never_crossed(world: World) -> None:
    """K030, K081: 10,000 requests of twelve people and nobody on sixteen connections, in small bursts: each answer is
    that of its own request, and the application was told its own person."""
    people = {"": b""}
    for number in range(12):
        world.alpha.people[f"person-{number}"] = {"groups": ["users"]}
        people[f"person-{number}"] = await world.cookie("prefix-public", f"person-{number}")
    dice = random.Random(81)
    world.recorder.answer = echo
    try:
        crossed = await asyncio.gather(*(one_connection(world, people, dice.randrange(1 << 30)) for _ in range(16)))
    finally:
        world.recorder.answer = None
    expect(sum(asked for asked, _ in crossed) >= 10_000, f"{crossed}")
    wrong = [line for _, lines in crossed for line in lines]
    expect(not wrong, f"{len(wrong)} answers crossed: {wrong[:3]}")


def echo(found) -> bytes:  # type: ignore[no-untyped-def]
    body = found.target + b" " + b",".join(found.all(b"X-Remote-User"))
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


async def one_connection(world: World, people: dict[str, bytes], seed: int) -> tuple[int, list[str]]:
    dice, wrong, asked = random.Random(seed), [], 0
    reader, writer = await asyncio.open_connection("127.0.0.1", world.door.port)
    while asked < 640:
        burst = [dice.choice(list(people)) for _ in range(dice.randrange(1, 9))]
        targets = [f"/public/{seed}/{asked + number}" for number in range(len(burst))]
        pairs = list(zip(burst, targets, strict=True))
        writer.write(b"".join(request("prefix-public", target, cookie=people[user]) for user, target in pairs))
        for user, target in pairs:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            body = await reader.readexactly(length)
            if body != f"{target} {user}".encode():
                wrong.append(f"{target} of {user or 'nobody'} was answered {body!r}")
        asked += len(burst)
    writer.close()
    return asked, wrong


async def body_that_never_comes(world: World) -> None:
    """K037: a length and no body: 408 within the limit, and the application never had a whole request."""
    seen = await world.send(request("prefix-deny", "/public/page", b"Content-Length: 10"))
    expect(not world.recorder.requests, f"{world.recorder.requests}")
    expect(seen.statuses == (408,) and seen.closed, f"{seen}")


async def only_our_own_words(world: World) -> None:
    """Whatever headers come to a page of ours, the answer is ours, not that of a library with its name and version."""
    dice = random.Random(69)
    names = (
        b"Accept",
        b"Content-Type",
        b"Content-Range",
        b"User-Agent",
        b"Referer",
        b"Origin",
        b"Range",
        b"ETag",
        b"Upgrade",
        b"Content-Encoding",
        b"Content-Location",
        b"Max-Forwards",
        b"Server",
        b"Expect",
        b"Cookie",
        b"Sec-Purpose",
    )
    values = (
        b"",
        b"\x80\xff",
        b"null",
        b"http://[::1",
        b"a" * 3000,
        b"gzip, deflate",
        b"text/html;q=x,;",
        b"multipart/form-data",
    )
    targets = [(PORTAL, f"/_ecluse/{step}") for step in ("start?t=a", "logout", "callback/alpha?state=x", "login", "x")]
    targets += [(APP_OF_PAGES, f"/_ecluse/{step}") for step in ("logout", "login?to=/a", "enter?code=a", "session")]
    for _ in range(400):
        place, target = dice.choice(targets)
        lines = [b"%b: %b" % (dice.choice(names), dice.choice(values)) for _ in range(dice.randrange(1, 6))]
        method, body = dice.choice(((b"GET", None), (b"POST", b""), (b"POST", b"a=1"), (b"PUT", b"a=1")))
        seen = await world.send(request(place, target, *lines, method=method, body=body))
        unseen(world, seen)
        expect(seen.answer.status in (200, 303, 400, 401, 403, 404, 405, 415, 417), f"{seen}")
        expect(not re.search(rb"(?i)aiohttp|python|traceback", seen.received), f"{seen}")
        expect(seen.answer.header(b"content-security-policy") != b"", f"{seen}")


async def our_prefix_spelled(world: World) -> None:
    """No spelling of our own prefix reaches an application, however loosely it reads paths."""
    asked = [(app, target) for app in (*DENY_FIRST, *LENIENT) for target in OUR_PREFIX]
    taken_off = [("windows", "/_ecluse./x"), ("windows", "/_ECLUSE%20"), ("aspnet", "/(S(x))/_ecluse/x")]
    for app, target in (*asked, *taken_off):
        seen = await world.send(request(app, target, *NAVIGATION))
        unseen(world, seen)
        expect(seen.answer.status in (400, 404), f"{app} {target}: {seen}")


OUR_PREFIX = (
    "/_ecluse/x", "/_ECLUSE/x", "/%5fecluse/x", "/_%65cluse", "//_ecluse/logout", "/_ecluse;jsessionid=a/x",
    "/_ecluse/..;/x", "/_ecluse%2fx", "/_ecluse", "/_Ecluse;jsessionid=a", "/./_ecluse/x",
)  # fmt: skip
APP_OF_PAGES = "prefix-public"


async def public_listener_shows_no_admin(world: World) -> None:
    """K014"""
    names = ("metrics", "livez", "readyz", "ready", "debug", "debug/pprof/", "-/", "-/healthy", "admin", "admin/",
             "status", "server-status", "actuator", "healthz", "config", "api/routes", ".env", ".git/config",
             "v1/")  # fmt: skip
    for name in names:
        for place in (PORTAL, "unknown"):
            seen = await world.send(request(place, f"/{name}"))
            unseen(world, seen)
            expect(seen.answer.status == (404 if place == PORTAL else 421), f"{place}/{name}: {seen}")
        seen = await world.send(request("unknown", f"/_ecluse/{name}"))
        expect(seen.answer.status == 421, f"unknown/_ecluse/{name}: {seen}")
        for app in FORMS:
            seen = await world.send(request(app, f"/_ecluse/{name}".rstrip("/")))
            unseen(world, seen)
            expect(seen.answer.status == 404, f"{app}/_ecluse/{name}: {seen}")


async def readiness_is_for_servers_in_front(world: World) -> None:
    """K014: a client whom the listed proxy passes on does not hear it, whatever `Connection` takes off."""
    if world.is_gateway:
        seen = await world.behind_proxy().send(request("unknown", "/_ecluse/ready"))
        expect(seen.answer.status == 200, f"the control: {seen}")
    for line in (
        b"X-Forwarded-For: 198.51.100.7",
        b"x-forwarded-for:",
        b"Forwarded: for=x",
        b"X-Real-IP: 198.51.100.7",
    ):
        for lines in ((line,), (b"Connection: " + line.partition(b":")[0], line)):
            for app, status in (("unknown", 421), (FORMS[0], 404)):
                seen = await world.behind_proxy().send(request(app, "/_ecluse/ready", *lines))
                unseen(world, seen)
                expect(seen.answer.status == status, f"{app} {lines}: {seen}")


# --- policy ---


async def stricter_rule_after(world: World) -> None:
    """K021: what was allowed on one path says nothing of the next, on one connection and on many."""
    if not world.is_gateway:
        denied(world, await world.send(request("levels", "/b")))
    cookie = await world.cookie("levels")
    for targets in (("/a", "/b"), ("/a", "/a", "/b", "/a", "/b")):
        data = b"".join(request("levels", target, cookie=cookie) for target in targets)
        seen = await world.send(data, expected=len(targets))
        wanted = tuple(200 if target == "/a" else 403 for target in targets)
        expect(seen.statuses == wanted, f"{seen.statuses}, not {wanted}")
        got = [found.target for found in world.recorder.requests]
        expect(got == [target.encode() for target in targets if target == "/a"], f"{got}")


async def refusal_in_words(world: World) -> None:
    """K074: a refusal of the file's own words stays a 403, is text on the page, and reaches no application."""
    cookie = await world.cookie("levels") if world.is_gateway else b""
    for lines in (NAVIGATION, (b"Accept: application/json",)):
        seen = await world.send(request("levels", "/b", *lines, cookie=cookie))
        unseen(world, seen)
        expect(seen.answer.status == 403 and b"in the words" in seen.answer.body, f"{seen}")
        html = b"text/html" in seen.answer.header(b"content-type")
        expect(not html or b"<b>" not in seen.answer.body, f"the file's text became a tag: {seen}")


async def nothing_of_the_application(world: World) -> None:
    """K104: what answers a form without a session holds no word of the application."""
    world.recorder.scripts[PAGE.encode()] = Script(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nTOPSECRET")
    try:
        for app in PUBLIC_FIRST:
            for lines in (NAVIGATION, (b"Accept: application/json",)):
                seen = await world.send(request(app, PAGE, *lines, method=b"POST", body=b"a=1"))
                denied(world, seen)
                expect(b"TOPSECRET" not in seen.received, f"{seen}")
    finally:
        del world.recorder.scripts[PAGE.encode()]


def posts(*lines: bytes) -> Run:
    """K110: a POST of nothing to anything: an answer, and no fault."""

    async def run(world: World) -> None:
        targets = [f"/_ecluse/{name}" for name in ("login", "logout", "enter", "session", "unknown", "")]
        targets += [f"/_ecluse/{name}" for name in ("start", "callback/alpha", "callback/", "sessions")]
        for place in ("prefix-public", "exact-deny", PORTAL):
            for target in (*targets, "/admin"):
                seen = await world.send(request(place, target, *lines, method=b"POST"))
                unseen(world, seen)
                expect(400 <= seen.answer.status < 500, f"{place}{target}: {seen}")

    return run


CASES: tuple[Case, ...] = (
    Case("K001", "the query is no part of the path", each_of(denied_with(target="/admin?x=/public/ok"),
                                                            denied_with(target="/admin?/public"))),
    Case("K002", "a fragment", each_of(path_refused("/admin#/public"), path_refused("/public#/../admin"))),
    Case("K004", "the User-Agent of a health check", each_of(*(denied_with(b"User-Agent: " + name) for name in (
        b"kube-probe/1.30", b"GoogleHC/1.0", b"ELB-HealthChecker/2.0")))),
    Case("K014", "no admin page on the public listener", public_listener_shows_no_admin),
    Case("K014.2", "readiness, asked by a client behind the listed proxy", readiness_is_for_servers_in_front),
    Case("K017", "other protocols", other_protocols),
    Case("K021", "an allowance of another path", stricter_rule_after),
    Case("K029", "dots before a prefix", each_of(*map(path_refused, ("/app1/../admin", "/app1%2f..%2fadmin")))),
    Case("K030.1", "CONNECT and unknown methods", connect_leaves_the_pool),
    uncontrolled("K030.2", "10,000 requests interleaved (K081)", never_crossed),
    Case("K037", "a length without a body", body_that_never_comes),
    Case("K041", "names that CGI folds", each_of(strip(b"X.Remote.User: " + MARK), strip(b"X~Remote~User: " + MARK))),
    Case("K041.2", "parameters that PHP and others fold", each_of(*map(asked_for, FOLDED))),
    Case("K041.3", "a header that CGI folds into one that a rule asks for", denied_with(
        b"X.Mode: 1", target="/view", apps=("parameters",))),
    Case("K042", "an escape skips no rule of case", is_admin("/%41DMIN", "nocase", "loose")),
    Case("K044", "an encoded backslash", path_refused("/public%5c..%5cadmin")),
    Case("K069.2", "whatever headers come, the answer is ours", only_our_own_words),
    Case("K069.3", "spellings of our own prefix", our_prefix_spelled),
    Case("K072", "raw prefix public, decoded path not", path_refused("/public/..%2fadmin")),
    Case("K074", "a refusal in the file's words", refusal_in_words),
    Case("K075", "spellings of one path", each_of(
        is_admin("/ad%6din", *FORMS), is_admin("/%61dmin", *FORMS), is_elsewhere("/my%73ession", *DENY_FIRST),
        *map(path_refused, ("/./admin", "/foo/../admin", "//admin/../admin")),
        a_name("/%2Fadmin", "encoded"), a_name("/%2561dmin", "encoded"))),
    Case("K076", "the same with expressions", each_of(
        is_admin("/ad%6din", "regex-public", "regex-deny"), is_admin("/administr%61tion", "regex-deny"))),
    Case("K084", "NUL in a header and in a path", each_of(path_refused("/admin%00"), path_refused(b"/admin\0"))),
    Case("K099", "the headers of SAML ECP", denied_with(
        b"Accept: application/vnd.paos+xml",
        b'PAOS: ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"',
        target=PAGE, apps=PUBLIC_FIRST)),
    Case("K104", "nothing of the application in a denial", nothing_of_the_application),
    Case("K105", "a cookie in pieces", cookies(*CHUNKS)),
    Case("K106", "cookies of every shape", cookies(*SHAPES)),
    Case("K110", "a POST of nothing", each_of(posts(), posts(b"Content-Length: 0"), posts(b"Content-Type: text/xml"))),
    Case("K111", "nonsense under each name that we read", cookies(*NAMED)),
    Case("K112", "ids that are queries elsewhere", ids_as_queries),
)  # fmt: skip
