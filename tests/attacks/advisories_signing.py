"""K005 to K102, those of a sign-in, of what a file says, and of the gateway's own pages."""

import asyncio
import re
from urllib.parse import quote

from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.cross_site import not_signed_in, refused, to_callback
from tests.attacks.outcomes import denied, passed, unseen
from tests.attacks.provider import Document, Endless
from tests.attacks.request import NAVIGATION, request
from tests.attacks.signing_in import accepted, issuer_of, nologin
from tests.attacks.world import PORTAL, SEAT, World, host

PAGE = "/private/page"
APP = "prefix-public"
SCRIPT = "<script>alert(1)</script>"


# --- every key that restricts, restricts (K009) ---

# (path of the app `levels`, method, what alice gets, what root gets)
RESTRICTIONS = (
    ("/a", b"GET", 200, 200), ("/b", b"GET", 403, 200), ("/equals", b"GET", 403, 200), ("/in", b"GET", 403, 200),
    ("/suffix", b"GET", 403, 200), ("/exists", b"GET", 403, 200), ("/all", b"GET", 403, 200),
    ("/any", b"GET", 403, 200),
    ("/not", b"GET", 403, 403), ("/get-only", b"GET", 200, 200), ("/get-only", b"HEAD", 200, 200),
    ("/get-only", b"POST", 403, 403), ("/get-only", b"OPTIONS", 403, 403), ("/denied/x", b"GET", 403, 403),
    ("/denied/deep", b"GET", 403, 403), ("/left-out", b"GET", 200, 200), ("/nowhere", b"GET", 403, 403),
    ("/a/", b"GET", 403, 403), ("/a/x", b"GET", 403, 403),
)  # fmt: skip


async def every_rule_restricts(world: World) -> None:
    cookies = {login: await world.cookie("levels", login) if world.is_gateway else b"" for login in ("alice", "root")}
    for path, method, *statuses in RESTRICTIONS:
        for login, status in zip(cookies, statuses, strict=True):
            data = request("levels", path, method=method, cookie=cookies[login])
            seen = await world.send(data, heads=frozenset({0} if method == b"HEAD" else ()))
            expect(seen.answer.status == status, f"{login} at {method!r} {path}: {seen}")
            reached = len(world.recorder.requests)
            expect(reached == (status == 200), f"{login} at {path}: {reached} requests reached the application")
        if path != "/nowhere":
            seen = await world.send(request("levels", path, method=method), heads=frozenset({0}))
            unseen(world, seen)


async def unknown_is_denied(world: World) -> None:
    """A person of whom the provider says no groups: an `allow` is not met by it, and a `deny` is."""
    cookie = await world.cookie("levels", "mallory")
    refused_to_mallory = ("/b", "/not", "/any", "/denied/x", "/left-out")
    for path, status in (("/a", 200), *((path, 403) for path in refused_to_mallory)):
        seen = await world.send(request("levels", path, cookie=cookie))
        expect(seen.answer.status == status, f"mallory at {path}: {seen}")


async def body_limit(world: World) -> None:
    """A length over the limit is refused unread; a body in chunks when it passes it, and never becomes a request."""
    for size, status in ((1024, 200), (1025, 413)):
        seen = await world.send(request("levels", "/public/x", method=b"POST", body=b"a" * size))
        expect(seen.answer.status == status, f"{size} bytes: {seen}")
    data = request("levels", "/public/x", b"Transfer-Encoding: chunked", method=b"POST")
    seen = await world.send(data + b"401\r\n" + b"a" * 1025 + b"\r\n0\r\n\r\n")
    expect(seen.answer.status == 413 and not world.recorder.requests, f"in chunks: {seen}")


def outside(provider: str = "alpha", app: str = APP, **told: object) -> Run:
    """A signed claim beyond what the provider's file lets it say."""
    behaviour = {"claims": lambda claims: claims | told}
    if provider == "alpha":
        behaviour["userinfo"] = lambda document: document | told
    return nologin("login.outside_perimeter", provider=provider, app=app, **behaviour)


async def perimeters(world: World) -> None:
    """K009: `asserts`, each of its keys."""
    for siret in ("21590350100018", "2159035010001", "215903501000170", "21590350100017 ", "2159 0350 1000 17",
                  "35600000000048", ["21590350100017", "13002526500013"], "\uff12\uff11590350100017"):  # fmt: skip
        await outside(siret=siret)(world)
    await accepted("alpha", claims=lambda claims: claims | {"siret": "21590350100017"})(world)
    await outside("beta", "both", groups=["admins"])(world)
    await outside("beta", "both", groups=["users", "Visitors"])(world)
    await accepted("beta", app="both", claims=lambda claims: claims | {"groups": ["visitors"]})(world)


# --- whose word counts where ---


async def same_subject_elsewhere(world: World) -> None:
    """K022: one subject at two providers is two people: each is judged by what its own provider says."""
    world.alpha.people["twin"] = {"groups": ["admins"]}
    world.beta.people["twin"] = {"groups": ["users"]}
    of_alpha = await world.cookie("both", "twin", "alpha")
    of_beta = await world.cookie("both", "twin", "beta")
    order = [of_alpha, of_beta, of_beta, of_alpha, of_beta] * 2
    data = b"".join(request("both", "/admin", cookie=cookie) for cookie in order)
    seen = await world.send(data, expected=len(order))
    wanted = tuple(200 if cookie == of_alpha else 403 for cookie in order)
    expect(seen.statuses == wanted, f"{seen.statuses}, not {wanted}")
    told = {(*found.all(b"X-Provider"), *found.all(b"X-Remote-User")) for found in world.recorder.requests}
    expect(told == {(b"alpha", b"twin")}, f"the application was told {told}")


async def provider_not_listed(world: World) -> None:
    """K097: an app listens to the providers of its file alone: at the choice, at the callback, at the hand-over, and
    with a live session of another."""
    person, page = await world.sign_in("alice", world.url("both", PAGE), provider="beta")
    expect(page.status == 200, f"the control: {page.status}")
    before = len(world.alpha.asked)
    begun = await person.step("GET", world.url(APP, PAGE))
    transaction = re.search("t=([^&]*)", begun.location)[1]  # type: ignore[index]
    asked = await world.until(person, begun, "/authorize?", "alice")
    expect(world.alpha.url in asked.location, f"beta's session opened alpha's app: {asked.location}")
    mark = world.gateway.mark()
    page = await person.step("GET", world.portal(f"/_ecluse/login?t={transaction}&provider=beta"))
    await refused(world, page, mark, "login.unknown_provider")
    expect(len(world.alpha.asked) == before, "the control: nobody signed in meanwhile")
    await not_signed_in(world, person)
    cookie = await world.cookie("beta-only", "alice", "beta")
    passed(world, await world.send(request("beta-only", PAGE, cookie=cookie)))
    portal = f"{SEAT}={person.jar.get(PORTAL, SEAT)}".encode()
    denied(world, await world.send(request(APP, PAGE, cookie=portal)))


async def colliding_sign_ins(world: World) -> None:
    """K031: twenty at once, whose names run into each other where they are joined without care."""
    logins = [name for number in range(5) for name in (f"a:b{number}", f"a{number}:b", f"a:{number}b", f"{number}a:b")]

    async def one(login: str) -> str:
        person, page = await world.sign_in(login, world.url(APP, PAGE))
        return f"{page.status} {person.jar.get(host(APP), SEAT)}"

    done = await asyncio.gather(*map(one, logins))
    for login, told in zip(logins, done, strict=True):
        status, _, value = told.partition(" ")
        expect(status == "200", f"{login}: {told}")
        found = passed(world, await world.send(request(APP, PAGE, cookie=f"{SEAT}={value}".encode())))
        expect(found.all(b"X-Remote-User") == [login.encode()], f"{login} became {found.all(b'X-Remote-User')}")


def compares_exactly(value: str, status: int) -> Run:
    """K055: a name that looks like `root` is not root, and is told to the application as it is, or not at all."""

    async def run(world: World) -> None:
        login = f"as-{value.encode().hex()}"
        world.alpha.people[login] = {"preferred_username": value, "groups": ["users"]}
        person, page = await world.sign_in(login, world.url("levels", "/equals"))
        expect(page.status == 403, f"{value!r} was taken for root: {page.status}")
        page = await person.step("GET", world.url("levels", "/a"))
        expect(page.status == status, f"{value!r} at a page for all: {page.status}")
        await person.close()

    return run


# --- providers that answer too much, or never ---


def too_much(provider: str, **behaviour: object) -> Run:
    """K034: refused while it goes on, with a page, and the workers are no larger for it."""

    async def run(world: World) -> None:
        with issuer_of(world, provider).misbehaving(**behaviour):
            await world.sign_in("alice", world.url("scratch", PAGE), provider=provider)
            before = world.memory()
            for _ in range(3):
                person, page = await world.sign_in("alice", world.url("scratch", PAGE), provider=provider)
                await person.close()
                expect(page.status in (403, 502), f"{page.status} {page.url}")
            grown = world.memory() - before
        expect(grown < 5 << 20, f"the workers grew by {grown >> 10} KB")

    return run


def endless(told: Document) -> Endless:
    return Endless()


# --- pages of ours ---


async def nothing_is_reflected(world: World) -> None:
    """K057: no parameter, path, header or form field is shown as markup, by any page of ours."""
    escaped = quote(SCRIPT, safe="")
    targets = [(PORTAL, f"/_ecluse/{path}") for path in (
        f"start?t={escaped}", f"login?provider={escaped}", f"login?t={escaped}&provider=alpha", f"logout?x={escaped}",
        f"callback/{escaped}", f"callback/alpha?state={escaped}", f"callback/alpha?error={escaped}&state={'a' * 43}",
        f"callback/alpha?code={escaped}&state={'a' * 43}&error_description={escaped}",
        f"sessions?{escaped}={escaped}", escaped,
    )]  # fmt: skip
    targets += [(APP, f"/_ecluse/{path}") for path in (
        f"enter?code={escaped}", f"login?to={escaped}", "login?to=javascript:alert(1)", f"logout?{escaped}", escaped,
    )]  # fmt: skip
    targets += [(APP, f"/private/{escaped}"), (APP, f"/admin?{escaped}"), (APP, f"/private/page?x={escaped}")]
    lines = (b"Referer: " + SCRIPT.encode(), b"User-Agent: " + SCRIPT.encode(), b"Accept-Language: " + SCRIPT.encode(),
             b"X-Forwarded-Host: " + SCRIPT.encode())  # fmt: skip
    for place, target in targets:
        for method in (b"GET", b"POST"):
            for kind in (NAVIGATION, (b"Accept: application/json",), (b"Sec-Fetch-Dest: iframe",)):
                seen = await world.send(request(place, target, *kind, *lines, method=method))
                unseen(world, seen)
                answer = seen.answer
                shown = SCRIPT.encode() in answer.body or b"javascript:" in answer.body or b"<script" in answer.body
                expect(not shown, f"{target} is shown as it is: {seen}")
                policy = answer.header(b"content-security-policy")
                expect(b"default-src 'none'" in policy and b"unsafe" not in policy, f"{target}: {policy!r}")


async def steps_are_not_skipped(world: World) -> None:
    """K067: an empty request to any step goes nowhere, and costs no sign-in under way."""
    person, page = await to_callback(world)
    mine = tuple(f"Cookie: {person.jar.to_send(page.location)}".encode() for _ in range(1))
    for method in (b"GET", b"POST", b"HEAD", b"PUT"):
        for lines in ((), mine):
            for place, step in (
                (PORTAL, "callback/alpha"), (PORTAL, "callback/"), (PORTAL, "start"), (PORTAL, "login"), (APP, "enter"),
                (PORTAL, "callback/alpha?code="), (PORTAL, "callback/alpha?state="), (APP, "enter?code="),
                (PORTAL, "start?t="), (PORTAL, "login?t=&provider=alpha"), (PORTAL, "login?provider="),
                (PORTAL, "callback/alpha?code=a&code=b&state=c"), (PORTAL, "callback/alpha?state=a&state=b"),
            ):  # fmt: skip
                data = request(place, f"/_ecluse/{step}", *lines, method=method)
                seen = await world.send(data, heads=frozenset({0} if method == b"HEAD" else ()))
                unseen(world, seen)
                expect(400 <= seen.answer.status < 500, f"{method!r} {step}: {seen}")
                expect(not any(b"ecluse=" in line for line in seen.answer.all(b"set-cookie")), f"{step}: {seen}")
    done = await world.follow(person, await person.step("GET", page.location), "alice")
    expect(done.status == 200, f"the control: the sign-in under way goes on: {done.status}")


# What there is, for whoever asks without a session: path to the statuses of GET and POST.
PUBLIC_OF_APP = {"login": (303, 405), "logout": (200, 403), "enter": (400, 405), "session": (401, 405),
                 # For a listed server in front, with its secret.
                 "authz": (403, 403), "authz/nginx": (403, 403),
                 # Of a page that is not ours: nothing is chosen.
                 "language": (403, 403),
                 # Of the tokens that applications are sent: public keys alone.
                 "app/jwks": (200, 405)}  # fmt: skip
PUBLIC_OF_PORTAL = {"start": (400, 405), "organisation": (200, 405), "organisation/forget": (405, 403),
                    "login": (404, 405), "logout": (200, 403), "sessions": (401, 405),
                    # Whatever name is behind callback/: a state that comes to a wrong one is used up by it. A form is
                    # for providers that were asked for one.
                    "callback/alpha": (400, 400), "callback/unknown": (400, 404), "oidc/jwks": (200, 405),
                    "app/jwks": (200, 405), "language": (403, 403), "wait": (400, 405),
                    "authz": (403, 403), "authz/nginx": (403, 403),
                    # SAML is spoken here where a provider of that kind is configured.
                    "saml/acs": (405, 400), "saml/metadata": (200, 405)}  # fmt: skip
WORDS = (
    "", "start", "organisation", "organisation/forget", "login", "enter", "logout", "session", "sessions",
    "callback", "callback/", "callback/alpha", "callback/unknown", "callback/alpha/x", "saml", "saml/acs",
    "saml/metadata", "acs", "metadata", "oidc", "oidc/logout", "oidc/backchannel", "oidc/jwks", "app", "app/jwks",
    "app/jwks/", "backchannel", "userinfo", "whoami", "token", "introspect", "revoke", "jwks",
    "api", "api/sessions", "admin", "debug", "health", "metrics", "livez", "readyz", "config", "static",
    "static/style.css", "favicon.ico", "auth", "verify", "sign_out", "signout", "Login", "LOGOUT", "login/",
    "logout/", "session/", "login.php", "proxy", "reload", "robots.txt", "..", ".well-known/openid-configuration",
    "start/x", "templates/error.html", "error", "chooser", "signed_in", "pages", "authz", "authz/nginx",
    "language", "language/", "wait", "wait/",
)  # fmt: skip


async def nothing_else_answers(world: World) -> None:
    """K069: of all that one could ask for, what answers without a session is what is documented."""
    for place, documented in ((APP, PUBLIC_OF_APP), (PORTAL, PUBLIC_OF_PORTAL)):
        for word in WORDS:
            for at, method in enumerate((b"GET", b"POST")):
                lines = (*NAVIGATION, b"Content-Length: 0")
                seen = await world.send(request(place, f"/_ecluse/{word}", *lines, method=method))
                unseen(world, seen)
                wanted = documented.get(word, (404, 404))[at]
                refused_path = word == ".." and seen.answer.status == 400
                expect(seen.answer.status == wanted or refused_path, f"{method!r} {place} {word}, not {wanted}: {seen}")


async def large_and_broken_forms(world: World) -> None:
    """K102: a form to us of 50 MB is refused unread, one that breaks off is nothing, and memory stays where it is."""
    form = b"Content-Type: application/x-www-form-urlencoded"
    body = b"a" * 1_000_000
    before = world.memory()
    for place, step in ((APP, "logout"), (PORTAL, "logout"), (PORTAL, "callback/alpha"), (APP, "enter")):
        head = request(place, f"/_ecluse/{step}", form, b"Content-Length: 50000000", method=b"POST")
        seen = await world.send([head, body * 50], pause=0.1, to_the_end=True)
        expect(seen.answer.status in (405, 413) and seen.closed, f"{step}: {seen}")
        head = request(place, f"/_ecluse/{step}", form, b"Transfer-Encoding: chunked", method=b"POST")
        pieces = [head, (b"f4240\r\n" + body[:100_000]), *[body] * 5]
        seen = await world.send(pieces, pause=0.1, to_the_end=True)
        expect(seen.answer.status in (405, 413) and seen.closed, f"{step} in chunks: {seen}")
        head = request(place, f"/_ecluse/{step}", form, b"Content-Length: 100", method=b"POST")
        seen = await world.send(head + b"a=1", within=0.1)
        expect(not seen.answers or seen.answer.status in (403, 405), f"{step} cut short: {seen}")
    for kind in (b"multipart/form-data; boundary=x", b"text/plain", b"application/json"):
        data = request(APP, "/_ecluse/logout", b"Content-Type: " + kind, method=b"POST", body=b"--x--")
        seen = await world.send(data)
        expect(seen.answer.status == 415, f"{kind!r}: {seen}")
    grown = world.memory() - before
    expect(grown < 8 << 20, f"the workers grew by {grown >> 10} KB")


async def half_forms(world: World) -> None:
    """K102: a hundred forms that lack their last byte hold what one client may, and nobody else waits for them."""
    head = request(PORTAL, "/_ecluse/saml/acs", b"Content-Length: 524288", method=b"POST")
    before = world.memory()
    clients = [await asyncio.open_connection("127.0.0.1", world.door.port) for _ in range(100)]
    try:
        for _, writer in clients:
            writer.write(head + b"a" * 524_287)
        answers = await asyncio.gather(*(_first_line(reader) for reader, _ in clients))
        refused = sum(answer.startswith(b"HTTP/1.1 503 ") for answer in answers)
        expect(60 <= refused < 100, f"{refused} of 100 were refused, of some 34 that two workers hold")
        grown = world.memory() - before
        expect(grown < 32 << 20, f"the workers grew by {grown >> 10} KB")
        small = request(PORTAL, "/_ecluse/saml/acs", b"Content-Type: text/plain", method=b"POST", body=b"a" * 20_000)
        seen = await world.send(small)
        expect(seen.answer.status == 415, f"the control, a usual form: {seen}")
    finally:
        for _, writer in clients:
            writer.transport.abort()


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.readline(), 6.0)
    except (TimeoutError, OSError):
        return b""


CASES: tuple[Case, ...] = (
    Case("K009.1", "every rule restricts", every_rule_restricts),
    uncontrolled("K009.2", "what is unknown is denied", unknown_is_denied),
    uncontrolled("K009.3", "the limit of bodies", body_limit),
    uncontrolled("K009.4", "what a provider may say", perimeters),
    uncontrolled("K022", "one subject at two providers", same_subject_elsewhere),
    uncontrolled("K031", "twenty sign-ins at once", colliding_sign_ins),
    uncontrolled("K034.1", "metadata without an end", too_much("endless-metadata")),
    uncontrolled("K034.2", "keys without an end", too_much("endless-keys")),
    uncontrolled("K034.3", "large metadata", too_much("large-metadata")),
    uncontrolled("K034.4", "a token answer without an end", too_much("slow", answer=endless)),
    uncontrolled("K034.5", "userinfo without an end", too_much("slow", userinfo=endless)),
    uncontrolled("K034.6", "a provider that is not there", too_much("unreachable")),
    uncontrolled("K055.1", "ROOT", compares_exactly("ROOT", 200)),
    uncontrolled("K055.2", "a blank at the end", compares_exactly("root ", 403)),
    uncontrolled("K055.3", "a letter that looks the same", compares_exactly("r\u043eot", 200)),
    uncontrolled("K055.4", "full width", compares_exactly("\uff52\uff4f\uff4f\uff54", 200)),
    uncontrolled("K055.5", "a zero-width joiner inside", compares_exactly("ro\u200dot", 200)),
    Case("K057", "nothing is reflected", nothing_is_reflected),
    uncontrolled("K067", "no step is skipped", steps_are_not_skipped),
    Case("K069.1", "nothing else answers", nothing_else_answers),
    uncontrolled("K097", "a provider that the app does not list", provider_not_listed),
    uncontrolled("K102", "forms that are large or break off", large_and_broken_forms),
    uncontrolled("K102.2", "forms that lack their last byte", half_forms),
)
