"""OR: no URL of ours redirects where a stranger says. attacks.md 2.4.

Each address is given as `to=` in full and as it is, to somebody who is signed in, and to somebody who signs in first:
what comes in the end is the origin of the very host, and the path that was asked for or the front page.
"""

from urllib.parse import parse_qs, quote, quote_from_bytes, urlsplit

from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import PORTAL, SEAT, World, host
from tests.browser_like import Person

APP = "prefix-public"
EVIL = "evil.example"
# (address, where it leads; the front page where nothing is said)
ADDRESSES: tuple[tuple[str | bytes, str], ...] = (
    (f"//{EVIL}", "/"), (f"///{EVIL}", "/"), (f"////{EVIL}", "/"), (f"/\\{EVIL}", "/"), (f"\\/{EVIL}", "/"),
    (f"\\\\{EVIL}", "/"), (f"/\t/{EVIL}", "/"), (f"/%09/{EVIL}", "/"), (f"/%5c{EVIL}", "/"), (f"%2f%2f{EVIL}", "/"),
    (f"/%2f/{EVIL}", "/"), (f"https:{EVIL}", "/"), (f"https:/{EVIL}", "/"), (f"https:\\\\{EVIL}", "/"),
    (f"http://{APP}.localhost@{EVIL}", "/"),
    (f"http://{APP}.localhost:80@{EVIL}", "/"),
    (f"http://{EVIL}#@{APP}.localhost", "/"), (f"http://{EVIL}?{APP}.localhost", "/"),
    (f"http://{APP}.localhost.{EVIL}", "/"), (f"http://{EVIL}{APP}.localhost", "/"), ("javascript:alert(1)", "/"),
    ("JaVaScRiPt:alert(1)", "/"), ("data:text/html,<script>alert(1)</script>", "/"), (f" https://{EVIL}", "/"),
    (f"https://{EVIL}%00.{APP}.localhost", "/"), (f"https://{APP}\u3002localhost", "/"),
    ("https://\u24d4vil.example", "/"),
    (f"/.{EVIL}/..//{EVIL}", "/"),
    (f"/redirect?u=//{EVIL}", f"/redirect?u=//{EVIL}"),
    ("/private%0d%0aSet-Cookie:a=b", "/"), ("/" + "a" * 10_000, "/"), (b"/\xff\xfe", "/"),
)  # fmt: skip
MORE: tuple[tuple[str | bytes, str], ...] = (
    ("/private\r\nSet-Cookie: a=b", "/"), (f"/\r/{EVIL}", "/"), (f"/\n/{EVIL}", "/"), (f"\t//{EVIL}", "/"),
    (f"\x00//{EVIL}", "/"), (f"/./{EVIL}", "/"), (f"/..//{EVIL}", "/"), (f"/%2e%2e//{EVIL}", "/"),
    (f"/;@{EVIL}", "/"), (f"@{EVIL}", "/"), (f".{EVIL}", "/"), (f":80@{EVIL}", "/"), ("", "/"), ("#", "/"),
    ("?x", "/"), ("private/page", "/"),
    (f"/_ecluse/login?to=//{EVIL}", "/"), ("/_ecluse/logout", "/"), ("/_ECLUSE/logout", "/"),
    ("/%5fecluse/logout", "/"),
    (f"http://{APP}.localhost/private/page", "/"), ("/private/page#frag", "/"), (f"/private/page\u2028{EVIL}", "/"),
    ("/private/page?a=b&c=%2F%2Fd", "/private/page?a=b&c=%2F%2Fd"), ("/\u00e9", "/"), ("/%C3%A9", "/%C3%A9"),
)  # fmt: skip


def leads_to(address: str | bytes, target: str) -> Run:
    whole = quote_from_bytes(address, safe="") if isinstance(address, bytes) else quote(address, safe="")
    # `again`: a person asks for it, so that no loop is seen in it.
    ways = [f"/_ecluse/login?again=1&to={whole}"]
    as_it_is = isinstance(address, str) and address.isascii() and address.isprintable()
    if as_it_is and not set(address) & set(" &#+") and (target == "/" or "%" not in address):
        ways.append(f"/_ecluse/login?again=1&to={address}")

    async def run(world: World) -> None:
        person = await signed_in(world)
        for way in ways:
            await lead(world, person, way, target)
            person.jar.forget(host(APP), SEAT)
            await lead(world, person, way, target)
            await world.follow(person, await person.step("GET", world.url(APP, "/private/page")), "alice")
            expect(person.jar.get(host(APP), SEAT) is not None, "the control: the person can still sign in")

    return run


async def signed_in(world: World) -> Person:
    """One for all of them: their portal session gives a new seat without the provider."""
    person = world.person("of the redirects")
    if person.jar.get(host(APP), SEAT) is None:
        _, page = await world.sign_in("alice", world.url(APP, "/private/page"), person=person)
        expect(page.status == 200, f"alice could not sign in: {page.status}")
    return person


async def lead(world: World, person: Person, way: str, target: str) -> None:
    """By one step or several, the last redirect is to `target` on this very host."""
    page = await person.step("GET", world.url(APP, "/"), target=way)
    if page.status == 414:
        expect(len(way) > 8192, f"{way[:60]}: too long?")
        return
    locations = [page.header("Location")]
    while any(word in page.location for word in ("/_ecluse/start?", "/_ecluse/enter?")):
        page = await person.step("GET", page.location, initiator=page.url)
        locations.append(page.header("Location"))
    ours = {world.url(APP, ""), world.portal("")}
    for location in locations:
        parts = urlsplit(location)
        expect(f"{parts.scheme}://{parts.netloc}" in ours, f"{way} led to {location}")
    expect(locations[-1] == world.url(APP, target), f"{way} led to {locations[-1]}, not to {target}")


PARAMETERS = ("rd", "return", "return_to", "url", "next", "redirect", "redirect_uri", "RelayState", "target_link_uri",
              "post_logout_redirect_uri", "iss", "login_hint")  # fmt: skip


async def no_other_parameter(world: World) -> None:
    """Whatever it is called elsewhere: only `to` is read, and only by `login`."""
    person = await signed_in(world)
    places = [world.url(APP, f"/_ecluse/{name}") for name in ("login", "logout", "enter", "session")]
    places += [world.portal(f"/_ecluse/{name}") for name in ("start", "login", "logout", "callback/alpha", "sessions")]
    for place in places:
        for name in PARAMETERS:
            page = await person.step("GET", f"{place}?{name}=https://{EVIL}/")
            expect(EVIL not in page.header("Location"), f"{place}?{name}= led to {page.header('Location')}")
            expect(f"{EVIL}/" not in page.text, f"{place}?{name}= is shown: {page.text[:200]}")


async def referer(world: World) -> None:
    """A form that arrives without a session links back to the page of this host that held it, or to the front."""
    for value, wanted in (
        (world.url(APP, "/private/page"), "/private/page"), (f"http://{EVIL}/private", "/"),
        (world.url(APP, f"//{EVIL}"), "/"), (world.url(APP, "") + f".{EVIL}/", "/"),
        ("javascript:alert(1)", "/"), (world.url(APP, "/a/../b"), "/"),
        (world.url(APP, "/%0d%0ax"), "/"), (world.url("both", "/private"), "/"),
    ):  # fmt: skip
        for accept in (NAVIGATION, (b"Accept: application/json", b"Sec-Fetch-Dest: empty")):
            data = request(APP, "/private/page", *accept, b"Referer: " + value.encode(), method=b"POST", body=b"")
            seen = await world.send(data)
            link = world.url(APP, f"/_ecluse/login?to={wanted}")
            expect(seen.answer.status == 401 and link.encode() in seen.answer.body, f"{value}: {seen}")
            expect(EVIL.encode() not in seen.answer.body, f"{value} is shown: {seen}")


# --- OR02: nothing of a request becomes a part of an address of ours ---


def from_configuration(*lines: bytes, target: str = "/private/page", behind_proxy: bool = False) -> Run:
    async def run(world: World) -> None:
        here = world.behind_proxy() if behind_proxy else world
        seen = await here.send(request(APP, target.replace("%h", host(APP)), *lines, *NAVIGATION))
        location = seen.answer.header(b"location").decode()
        expect(location.startswith(world.portal("/_ecluse/start?t=")), f"{seen}")
        expect(EVIL.encode() not in seen.received, f"{seen}")
        start = request(PORTAL, location.removeprefix(world.portal("")), *lines, *NAVIGATION)
        begun: Exchange = await here.send(start)
        redirect_uri = parse_qs(urlsplit(begun.answer.header(b"location").decode()).query).get("redirect_uri")
        expect(redirect_uri == [world.portal("/_ecluse/callback/alpha")], f"redirect_uri is {redirect_uri}: {begun}")

    return run


FORWARDED = (b"X-Forwarded-Host: evil.example", b"X-Forwarded-Proto: https", b"X-Forwarded-Port: 444",
             b"X-Forwarded-Prefix: //evil.example", b"Forwarded: host=evil.example;proto=https",
             b"X-Original-URL: //evil.example", b"X-Host: evil.example")  # fmt: skip


async def port_of_host(world: World) -> None:
    """A port in Host is the client's word: it is in no Location."""
    told = b"Host: %b:4444" % host(APP).encode()
    data = request(APP, "/private/page", *NAVIGATION).replace(b"Host: %b" % host(APP).encode(), told)
    seen = await world.send(data)
    location = seen.answer.header(b"location").decode()
    expect(location.startswith(world.portal("/_ecluse/start?t=")) and "4444" not in location, f"{seen}")


CASES: tuple[Case, ...] = (
    *numbered("OR01", [(repr(row[0])[:50], leads_to(*row)) for row in ADDRESSES], controlled=False),
    *numbered("OR01", [(repr(row[0])[:50], leads_to(*row)) for row in MORE], first=33, controlled=False),
    uncontrolled("OR01.59", "no other parameter is read", no_other_parameter),
    Case("OR01.60", "Referer", referer),
    Case("OR02.1", "X-Forwarded-* from a stranger", from_configuration(*FORWARDED)),
    Case("OR02.2", "X-Forwarded-* from the listed proxy", from_configuration(*FORWARDED, behind_proxy=True)),
    Case("OR02.3", "absolute form", from_configuration(target="http://%h/private/page")),
    Case("OR02.4", "another port in Host", port_of_host),
)  # fmt: skip
