"""FL: what an application's pages and answers say leads no account elsewhere, makes no second login, and locks nobody.

Each case has a person of its own: tries are counted by account.
"""

from collections.abc import Callable, Iterator
from itertools import count
from urllib.parse import urlencode

from gateway.model.identity import Identity
from gateway.portal.account_pages import owner_of
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.provider import PEOPLE
from tests.attacks.recorder import Answering, Reached
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import ACCOUNT_SECRET, SEAT, World, host

APP, CHECKED, LINKING = "formed", "checked", "linking"
FIELDS = '<input name="user"><input type="password" name="password"><input type="hidden" name="csrf" value="t0">'
SIGNED_IN = (b"302 Found", (b"Location: /in", b"Set-Cookie: FSID=%d; Path=/"), b"")

# Status, header lines, body.
Told = tuple[bytes, tuple[bytes, ...], bytes]
Pages = Callable[[Reached], Told]
_PEOPLE: Iterator[int] = count(1)


def form(action: str = "/enter/check", head: str = "", fields: str = FIELDS) -> bytes:
    return f'<html><head>{head}</head><form method="post" action="{action}">{fields}</form>'.encode()


class Formed(Answering):
    """The application. `page`, `taken`, `other`: what it answers to a GET of the form, to the form, and to all else."""

    def __init__(self, world: World, page: Told, taken: Told = SIGNED_IN, other: Pages | None = None) -> None:
        super().__init__(world.recorder, self._told)
        self._of_form = {b"GET /enter": page, b"POST /enter/check": taken}
        self._other = other

    def _told(self, found: Reached) -> bytes:
        key = b"%b %b" % (found.method, found.target.partition(b"?")[0])
        status, lines, body = self._of_form.get(key) or (self._other or _fine)(found)
        lines = tuple(line % len(self.reached) if b"%d" in line else line for line in lines)
        head = (b"HTTP/1.1 " + status, b"Content-Type: text/html", *lines, b"Content-Length: %d" % len(body))
        return b"\r\n".join((*head, b"", body))

    @property
    def with_the_secret(self) -> list[bytes]:
        return [b"%b %b" % (one.method, one.target) for one in self.reached if ACCOUNT_SECRET.encode() in one.raw]


def _fine(found: Reached) -> Told:
    return b"200 OK", (), b"<p>fine, with " + b"; ".join(found.all(b"cookie"))


async def somebody(world: World) -> bytes:
    """Whose seat no request has had so far."""
    (cookie,) = await seats(world, APP, 1)
    return cookie


async def seats(world: World, app: str, count: int) -> list[bytes]:
    """Of as many browsers of one new person, of which no request has had one so far."""
    name, cookies = f"formed-{next(_PEOPLE)}", []
    world.alpha.people[name] = dict(PEOPLE["alice"])
    for number in range(count):
        person = world.person(f"alpha/{name}/{number}")
        before = await world.until(
            person, await person.step("GET", world.url(app, "/_ecluse/login?to=/first")), "/first", name
        )
        expect(before.location.endswith("/first"), f"{name} could not sign in: {before.status} {before.url}")
        cookies.append(f"{SEAT}={person.jar.get(host(app), SEAT)}".encode())
    return cookies


async def opened(world: World, cookie: bytes, *lines: bytes, target: str = "/page", app: str = APP) -> Exchange:
    return await world.send(request(app, target, *(lines or NAVIGATION), cookie=cookie))


# --- FL01: nothing of an account leads elsewhere

ELSEWHERE = (
    form("https://evil.example/enter/check"), form("//evil.example/enter/check"),
    form("ftp://formed.localhost/enter/check"),
    form("https://formed.localhost/enter/check"), form("http://formed.localhost@evil.example/enter/check"),
    form("http://formed.localhost.evil.example/enter/check"), form("/\\evil.example/enter/check"),
    form("/enter/check/x"),
    form("/enter//check"), form("/enter/./x/../check/%2e%2e/out"),
    form("check", '<base href="https://evil.example/enter/">'),
    form("/enter/check", '<base href="//evil.example">'), form("javascript:steal()"), form("data:text/html,x"),
    form("http:\\\\evil.example\\enter\\check"), form("/enter/check\t"[:-1] + "&#10;evil"),
    form(fields=FIELDS.replace("password\"", "pass\"")), form().replace(b'"post"', b'"get"'),
    form().replace(b"<form", b'<form enctype="multipart/form-data"'), form() + form(), b"<p>no form", b"",
)  # fmt: skip


def sends_nothing(page: bytes) -> Run:
    async def run(world: World) -> None:
        cookie = await somebody(world)
        with Formed(world, (b"200 OK", (), page)) as app:
            seen = await opened(world, cookie)
        expect(seen.answer.status == 502, f"expected a page that says so: {seen}")
        expect(app.with_the_secret == [], f"an account went to {app.with_the_secret}")
        expect([one.target for one in app.reached] == [b"/enter"], f"{app.reached}")

    return run


def redirected(location: bytes) -> Run:
    async def run(world: World) -> None:
        cookie = await somebody(world)
        with Formed(world, (b"302 Found", (b"Location: " + location,), form())) as app:
            seen = await opened(world, cookie)
        expect(seen.answer.status == 502 and app.with_the_secret == [], f"{seen}; {app.with_the_secret}")

    return run


async def led_away_after(world: World) -> None:
    """An answer to the form that leads elsewhere is followed by nothing."""
    cookie = await somebody(world)
    with Formed(
        world, (b"200 OK", (), form()), (b"307 Temporary Redirect", (b"Location: //evil.example/",), b"")
    ) as app:
        seen = await opened(world, cookie)
    expect(seen.answer.status == 502, f"{seen}")
    expect(app.with_the_secret == [b"POST /enter/check"], f"{app.with_the_secret}")


# --- FL02: no loop, no second login, no locked account


async def reflected(world: World) -> None:
    """The form once more in answer to the form: refused, and never sent again."""
    cookie = await somebody(world)
    page = b"200 OK", (), form()
    with Formed(world, page, page) as app:
        statuses = [(await opened(world, cookie)).answer.status for _ in range(4)]
    expect(statuses == [403] * 4, f"{statuses}")
    expect(app.with_the_secret == [b"POST /enter/check"], f"{app.with_the_secret}")


async def loop(world: World) -> None:
    """An application whose every page says that the session is over."""
    for over in ((b"302 Found", (b"Location: /enter",), b""), (b"200 OK", (), b"<p>Session over")):
        cookie = await somebody(world)
        with Formed(world, (b"200 OK", (), form()), other=lambda _, over=over: over) as app:  # type: ignore[misc]
            seen = await opened(world, cookie)
        expect(seen.answer.status == 502, f"{seen}")
        expect(len(app.with_the_secret) == 2 and len(app.reached) == 6, f"{len(app.reached)} requests")


async def said_by_no_page(world: World) -> None:
    """A marker in what a script or a picture gets, or in the answer to a form, says nothing."""
    cookie = await somebody(world)
    over = b"200 OK", (), b"<p>Session over"
    with Formed(world, (b"200 OK", (), form()), other=lambda _: over) as app:
        for lines in ((b"Sec-Fetch-Dest: empty",), (b"Sec-Fetch-Dest: image",), (b"Sec-Fetch-Dest: iframe",)):
            seen = await opened(world, cookie, *lines)
            expect(seen.answer.body == over[2], f"{seen}")
        data = request(APP, "/page", *NAVIGATION, cookie=cookie, method=b"POST", body=b"a=1")
        expect((await world.send(data)).answer.body == over[2], "a form is sent once")
    expect(len(app.with_the_secret) == 1, f"{app.with_the_secret}")


CHECKS: dict[str, Told] = {
    "it leads to the form": (b"302 Found", (b"Location: /enter",), b""),
    "it has the form": (b"200 OK", (), form()),
    "it says that it is over": (b"200 OK", (), b"<p>Session over"),
    "it leads away": (b"302 Found", (b"Location: //evil.example/",), b""),
    "it leads on": (b"302 Found", (b"Location: /welcome",), b""),
    "it fails": (b"500 Oops", (), b"<p>fine"),
    "it takes the cookie back": (b"200 OK", (b"Set-Cookie: FSID=; Max-Age=0; Path=/",), b"<p>fine"),
    "it never ends": (b"200 OK", (), b" " * 2_000_000),
}


def checked(answer: Told) -> Run:
    """A refusal that looks like a success, for pages, scripts, frames and pictures of six browsers of one person."""

    async def run(world: World) -> None:
        kinds = (b"empty", b"iframe", b"image", b"document", b"empty", b"iframe")
        cookies, statuses = await seats(world, CHECKED, len(kinds)), []
        with Formed(world, (b"200 OK", (), form()), other=lambda _: answer) as app:
            for cookie, kind in zip(cookies, kinds, strict=True):
                seen = await opened(world, cookie, b"Sec-Fetch-Dest: " + kind, app=CHECKED)
                statuses.append(seen.answer.status)
        expect(statuses == [502] * 3 + [503] * 3, f"{statuses}")
        expect(app.with_the_secret == [b"POST /enter/check"] * 3, f"{app.with_the_secret}")

    return run


async def huge(world: World) -> None:
    cookie = await somebody(world)
    with Formed(world, (b"200 OK", (), form() + b" " * 2_000_000)) as app:
        seen = await opened(world, cookie)
    expect(seen.answer.status == 502 and app.with_the_secret == [], f"{seen}")


# --- FL03: the session is the gateway's


async def not_the_browsers(world: World) -> None:
    cookie = await somebody(world)
    with Formed(world, (b"200 OK", (), form())) as app:
        for name in (b"FSID", b"fsid", b"F.S.I.D", b'$Version="1"; FSID'):
            await opened(world, cookie + b"; " + name + b"=forged")
        await world.send(request(APP, "/public/page", cookie=b"FSID=forged"))
    expect(not any(b"forged" in one.raw for one in app.reached), "a browser's cookie is taken for the session")


async def not_for_browsers(world: World) -> None:
    cookie = await somebody(world)
    sets = b"200 OK", (b"Set-Cookie: FSID=renewed; Path=/", b"set-cookie: FSID=again"), b"ok"
    with Formed(world, (b"200 OK", (), form()), other=lambda _: sets):
        for _ in range(2):
            seen = await opened(world, cookie)
            expect(seen.answer.status == 200 and b"FSID" not in seen.received, f"{seen}")


async def another_persons(world: World) -> None:
    """Each has their own, and nobody has one."""
    first, second = await somebody(world), await somebody(world)
    with Formed(world, (b"200 OK", (), form())):
        bodies = [(await opened(world, cookie)).answer.body for cookie in (first, second, first, second)]
        nobody = (await world.send(request(APP, "/public/page"))).answer.body
    expect(bodies[0] == bodies[2] != bodies[1] == bodies[3], f"{bodies}")
    expect(b"FSID" not in nobody, f"{nobody!r}")


async def sent_by_hand(world: World) -> None:
    """The application would count the try."""
    cookie = await somebody(world)
    with Formed(world, (b"200 OK", (), form())) as app:
        for name in ("password", "password[x", "[password]", "password[", "password.", "%u0070assword", "PASSWORD"):
            seen = await opened(world, cookie, target=f"/enter/check?{name}=guess")
            expect(seen.answer.status == 403, f"{name}: {seen}")
        sent = [one.target for one in app.reached if b"guess" in one.raw]
    expect(not sent, f"sent on: {sent}")


# --- FL04: what is said of it


async def unsaid(world: World) -> None:
    """Neither log nor page nor metrics has the secret, nor the account, whatever goes wrong."""
    mark, bodies = world.gateway.mark(), b""
    for page, taken in (
        ((b"200 OK", (), form("https://evil.example/")), SIGNED_IN),
        ((b"200 OK", (), form()), (b"200 OK", (), form())),
        ((b"200 OK", (), form()), (b"500 Oops", (), ACCOUNT_SECRET.encode())),
        ((b"200 OK", (), form()), (b"302 Found", (b"Location: /?" + ACCOUNT_SECRET.encode(),), b"")),
        ((b"200 OK", (), form()), (b"302 Found", (b"Location: //evil.example/?" + ACCOUNT_SECRET.encode(),), b"")),
    ):
        cookie = await somebody(world)
        with Formed(world, page, taken):
            bodies += (await opened(world, cookie)).received
    said = world.gateway.text(mark) + (await world.gateway.admin("/metrics"))[1] + bodies.decode("latin-1")
    expect(ACCOUNT_SECRET not in said, "the secret is told")
    expect(f"formed-{next(_PEOPLE) - 1}" not in said, "an account is told")


# --- FL05: whom the rules keep out tries no password


async def linked(world: World, name: str, to: str) -> tuple[int, list[bytes]]:
    """What the portal answers to the form that links an account, and what reaches the application of it."""
    person = world.guest()
    await world.sign_in(name, world.url(CHECKED, "/"), person=person)
    url = world.portal("/_ecluse/account")
    with Formed(world, (b"200 OK", (), form())) as app:
        owner = owner_of(Identity("alpha", world.alpha.url, name, {}))
        told = {"host": host(LINKING), "to": to, "owner": owner, "login": "victim", "password": ACCOUNT_SECRET}
        fields = urlencode(told)
        page = await person.post(url, fields, initiator=url)
    return page.status, [b"%b %b" % (one.method, one.target) for one in app.reached]


def kept_out(to: str) -> Run:
    async def run(world: World) -> None:
        status, reached = await linked(world, "bob", to)
        expect((status, reached) == (403, []), f"{status}, and the application was asked {reached}")

    return run


async def let_in(world: World) -> None:
    """The control: at the same form, somebody whom the rules let in."""
    status, reached = await linked(world, "root", "/")
    expect(status == 200 and b"POST /enter/check" in reached, f"{status} {reached}")


CASES: tuple[Case, ...] = (
    *numbered("FL01", [(repr(page)[:60], sends_nothing(page)) for page in ELSEWHERE], controlled=False),
    *numbered(
        "FL01",
        [
            (repr(location), redirected(location))
            for location in (b"https://evil.example/enter", b"//evil.example/enter", b"/elsewhere", b"/enter", b"")
        ],
        first=len(ELSEWHERE) + 1,
        controlled=False,
    ),
    uncontrolled("FL01.40", "an answer that leads away is followed by nothing", led_away_after),
    uncontrolled("FL02.1", "the form in answer to the form", reflected),
    uncontrolled("FL02.2", "every page says that it is over", loop),
    uncontrolled("FL02.3", "a marker where no page is", said_by_no_page),
    uncontrolled("FL02.4", "a page without end", huge),
    *numbered("FL02", [(name, checked(answer)) for name, answer in CHECKS.items()], first=5, controlled=False),
    uncontrolled("FL03.1", "a browser brings no session", not_the_browsers),
    uncontrolled("FL03.2", "a browser is given none", not_for_browsers),
    uncontrolled("FL03.3", "nobody has another person's", another_persons),
    uncontrolled("FL03.4", "no name that is read as the secret's is sent by hand", sent_by_hand),
    uncontrolled("FL04.1", "no secret and no account is told", unsaid),
    *numbered(
        "FL05",
        [
            (f"by {to or 'no page'}", kept_out(to))
            for to in ("/", "", "/public/x", "/_ecluse/account", "//evil.example/")
        ],
        controlled=False,
    ),
    uncontrolled("FL05.6", "whoever is let in does", let_in),
)
