"""CS: what one browser began, no other finishes; and no other site's page signs anybody in or out. attacks.md 2.4."""

import asyncio
import re
import time
from copy import deepcopy

from gateway.stores.sqlite.store import SqliteStore
from gateway.stores.tickets.tickets import Transactions
from tests.attacks import frames
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.frames import tickets
from tests.attacks.outcomes import denied, passed, sign_in_refused
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import BINDING, PORTAL, SEAT, World, host
from tests.browser_like import Person, Response

APP = "prefix-public"
PAGE = "/private/page"
CALLBACK = "/_ecluse/callback/"
ENTER = "/_ecluse/enter?"


async def to_callback(
    world: World, login: str = "alice", *, app: str = APP, provider: str = "alpha"
) -> tuple[Person, Response]:
    """A browser with the provider's answer in hand, not yet shown to us."""
    person = world.guest()
    page = await person.step("GET", world.url(app, PAGE))
    return person, await world.until(person, page, CALLBACK, login, provider)


async def to_enter(world: World, login: str = "alice") -> tuple[Person, Response]:
    """A browser with the hand-over code in hand."""
    person, page = await to_callback(world, login)
    page = await person.step("GET", page.location, initiator=page.url)
    return person, await world.until(person, page, ENTER, login)


async def refused(world: World, page: Response, mark: int, code: str) -> None:
    sign_in_refused(page.status, page.all("Set-Cookie"))
    await world.logged(mark, code=code)


async def not_signed_in(world: World, person: Person, app: str = APP) -> None:
    page = await person.step("GET", world.url(app, PAGE))
    expect(page.status == 303, f"let in, or not asked to sign in: {page.status} {page.text[:100]}")


# --- CS01 ---


async def without_the_cookie(world: World) -> None:
    """An attacker's own answer, brought to a browser that has begun nothing (login CSRF)."""
    attacker, page = await to_callback(world, "mallory")
    victim, mark = world.guest(), world.gateway.mark()
    await refused(world, await victim.step("GET", page.location), mark, "login.other_browser")
    await not_signed_in(world, victim)
    # Whoever fails has used it up: the attacker's own browser is too late now.
    await refused(world, await attacker.step("GET", page.location), mark, "login.transaction_gone")


async def attackers_state(world: World) -> None:
    """The same to a browser that has begun a sign-in of its own: its cookie is of another one."""
    _, page = await to_callback(world, "mallory")
    victim, own = await to_callback(world, "alice")
    mark = world.gateway.mark()
    await refused(world, await victim.step("GET", page.location), mark, "login.other_browser")
    done = await world.follow(victim, await victim.step("GET", own.location), "alice")
    expect(done.status == 200, f"the control: their own sign-in goes on: {done.status}")
    cookie = f"{SEAT}={victim.jar.get(host(APP), SEAT)}".encode()
    found = passed(world, await world.send(request(APP, PAGE, cookie=cookie)))
    expect(found.all(b"x-remote-user") == [b"alice"], f"signed in as {found.all(b'x-remote-user')}")


async def state_again(world: World) -> None:
    person, page = await to_callback(world)
    first = await person.step("GET", page.location)
    expect(first.status == 303, f"the control: the first time it serves: {first.status}")
    seat, mark = person.jar.get(PORTAL, SEAT), world.gateway.mark()
    redeemed = len(world.alpha.redeemed)
    await refused(world, await person.step("GET", page.location), mark, "login.transaction_gone")
    expect(person.jar.get(PORTAL, SEAT) == seat, "the session changed")
    expect(len(world.alpha.redeemed) == redeemed, "the code was sent to the provider again")


async def old_state(world: World) -> None:
    """Ten minutes later, nothing having cleaned it away: the store's own code, with a later clock, on the same file."""
    found = []
    for late in (570, 601):
        person, page = await to_callback(world)
        await person.close()
        state = page.location.partition("state=")[2].partition("&")[0]
        store = SqliteStore(world.folder / "var/sessions.sqlite")
        await store.open()
        key = (world.folder / "certs/store.key").read_bytes()
        later = Transactions(store, [("k1", key)], now=lambda late=late: int(time.time()) + late)
        found.append(await later.openid_logins.take(state) is not None)
        await store.close()
    expect(found == [True, False], f"after 570 and 601 seconds: {found}")


async def two_tabs(world: World) -> None:
    """Each finishes with its own; the code of one with the state of the other signs nobody in."""
    person = world.guest()
    pages = [await person.step("GET", world.url(APP, PAGE + f"?tab={tab}")) for tab in (1, 2, 3, 4)]
    tabs = [await world.until(person, page, CALLBACK, "alice") for page in pages]
    for tab, page in zip((1, 2), tabs, strict=False):
        done = await world.follow(person, await person.step("GET", page.location), "alice")
        expect(done.url.endswith(f"?tab={tab}") and done.status == 200, f"tab {tab} ended at {done.status} {done.url}")
    code_3 = tabs[2].location.partition("code=")[2].partition("&")[0]
    code_4 = tabs[3].location.partition("code=")[2].partition("&")[0]
    mark = world.gateway.mark()
    swapped = await person.step("GET", tabs[3].location.replace(code_4, code_3))
    await refused(world, swapped, mark, "oidc.token.refused")


async def state_of_another_provider(world: World) -> None:
    """The answer of one provider at the callback of another: the code goes nowhere."""
    person, page = await to_callback(world, app="both")
    redeemed = len(world.alpha.redeemed), len(world.beta.redeemed)
    mark = world.gateway.mark()
    moved = page.location.replace("/callback/alpha", "/callback/beta")
    await refused(world, await person.step("GET", moved), mark, "login.other_provider")
    expect((len(world.alpha.redeemed), len(world.beta.redeemed)) == redeemed, "the code was sent to a provider")
    await not_signed_in(world, person, "both")


CS01 = (
    ("a browser without the cookie of the sign-in", without_the_cookie),
    ("another's state in a browser with its own sign-in under way", attackers_state),
    ("a state twice", state_again),
    ("a state after ten minutes", old_state),
    ("two tabs, and their codes swapped", two_tabs),
    ("the state of another provider", state_of_another_provider),
)

# --- the hand-over: the same between our own hosts ---


async def code_in_another_browser(world: World) -> None:
    person, page = await to_enter(world, "mallory")
    victim, mark = world.guest(), world.gateway.mark()
    await refused(world, await victim.step("GET", page.location), mark, "handover.other_browser")
    await not_signed_in(world, victim)
    again = await person.step("GET", page.location)
    expect(again.status == 303 and "/start?" in again.location, f"the code still served: {again.status}")
    expect(not any(line.startswith(f"{SEAT}=") for line in again.all("Set-Cookie")), "a burnt code made a seat")


async def code_on_another_host(world: World) -> None:
    person, page = await to_enter(world)
    person.jar.put(host("both"), BINDING, person.jar.get(host(APP), BINDING) or "")
    mark = world.gateway.mark()
    moved = page.location.replace(host(APP), host("both"))
    await refused(world, await person.step("GET", moved), mark, "handover.other_host")
    await not_signed_in(world, person, "both")
    again = await person.step("GET", page.location)
    expect(not any(line.startswith(f"{SEAT}=") for line in again.all("Set-Cookie")), "a burnt code made a seat")


async def code_twice(world: World) -> None:
    person, page = await to_enter(world)
    first = await person.step("GET", page.location)
    expect(first.status == 303 and first.location.endswith(PAGE), f"the control: it serves once: {first.status}")
    seat = person.jar.get(host(APP), SEAT)
    again = await person.step("GET", page.location)
    expect(person.jar.get(host(APP), SEAT) == seat and again.location.endswith("/"), f"a code served twice: {again}")


async def transaction_of_another(world: World) -> None:
    """Mallory's transaction, followed by alice who is signed in at the portal: mallory gets no session of hers, and
    she none of mallory's."""
    alice, _ = await world.sign_in("alice", world.url("prefix-deny", "/_ecluse/login?to=/"))
    mallory = world.guest()
    begun = await mallory.step("GET", world.url(APP, PAGE))
    page = await world.until(alice, await alice.step("GET", begun.location), ENTER, "alice")
    done = await alice.step("GET", page.location)
    sign_in_refused(done.status, done.all("Set-Cookie"))
    stolen = await mallory.step("GET", page.location)
    expect(not any(line.startswith(f"{SEAT}=") for line in stolen.all("Set-Cookie")), "mallory got alice's seat")
    await not_signed_in(world, mallory)


async def at_once(world: World, login: str, word: str) -> tuple[list[Response], Person]:
    """One browser, one address, twenty times at the same moment, over both workers."""
    person, page = await (to_callback if word == CALLBACK else to_enter)(world, login)
    twins = [world.guest(deepcopy(person.jar)) for _ in range(20)]
    answers = await asyncio.gather(*(twin.step("GET", page.location) for twin in twins))
    for twin in twins:
        await twin.close()
    return list(answers), person


def makes_one_seat(word: str) -> Run:
    """Invariant 6: what is for one use is had by one request, whichever worker it comes to."""

    async def run(world: World) -> None:
        redeemed = len(world.alpha.redeemed)
        answers, _ = await at_once(world, "bob", word)
        seats = [line for answer in answers for line in answer.all("Set-Cookie") if re.match(f"{SEAT}=[^;]", line)]
        expect(len(seats) == 1, f"{len(seats)} seats were made: {[answer.status for answer in answers]}")
        expect(len(world.alpha.redeemed) - redeemed <= 1, "a code was redeemed more than once")

    return run


HANDOVER = (
    ("a hand-over code in another browser", code_in_another_browser),
    ("a hand-over code on another host", code_on_another_host),
    ("a hand-over code twice", code_twice),
    ("a transaction of another browser", transaction_of_another),
    ("a state twenty times at once", makes_one_seat(CALLBACK)),
    ("a hand-over code twenty times at once", makes_one_seat(ENTER)),
)


async def made_up_code_in_an_image(world: World) -> None:
    before = tickets(world)
    for lines in ((b"Sec-Fetch-Dest: image",), (b"Accept: text/html", b"Sec-Fetch-Dest: iframe"), (b"Accept: */*",)):
        seen = await world.send(request(APP, f"{ENTER}code=garbage", *lines))
        denied(world, seen)
        expect(seen.answer.status == 401 and not seen.answer.all(b"set-cookie"), f"a sign-in was begun: {seen}")
    expect(tickets(world) == before, "something was kept of it")


async def made_up_code_by_a_link(world: World) -> None:
    page = await world.guest().step("GET", world.url(APP, f"{ENTER}code=garbage"))
    values = {line.partition(";")[0].partition("=")[2] for line in page.all("Set-Cookie")}
    expect(page.status == 303 and len(values) == 1, f"{len(values)} bindings: {page.all('Set-Cookie')}")


async def posted_to_nothing(world: World) -> None:
    """CS01, XS: a form_post whose `state` we never gave is not kept."""
    before = tickets(world)
    for number in range(20):
        body = f"state={number:043d}&code={'x' * 20_000}".encode()
        data = request(PORTAL, f"{CALLBACK}by-form", FORM, *NAVIGATION, method=b"POST", body=body)
        seen = await world.send(data)
        expect(seen.answer.status == 303, f"{seen}")
    expect(tickets(world) == before, f"{tickets(world) - before} were kept")


FLOODS = (
    ("a made-up hand-over code in an image or a frame", made_up_code_in_an_image),
    ("a made-up hand-over code by a link: one binding", made_up_code_by_a_link),
    ("a form_post to a sign-in that nobody began", posted_to_nothing),
)

# --- CS02: logout ---

LOGOUT = "/_ecluse/logout"
FORM = b"Content-Type: application/x-www-form-urlencoded"


def ends_nothing(*lines: bytes, method: bytes = b"POST") -> Run:
    """On the app's host and on the portal's."""
    heads = frozenset({0} if method == b"HEAD" else ())

    async def run(world: World) -> None:
        if not world.is_gateway:
            denied(world, await world.send(request(APP, LOGOUT, *lines, method=method)))
        person, _ = await world.sign_in("bob", world.url(APP, PAGE))
        for place in (host(APP), PORTAL):
            cookie = f"{SEAT}={person.jar.get(place, SEAT)}".encode()
            body = b"" if method == b"POST" else None
            data = request(place, LOGOUT, *lines, method=method, cookie=cookie, body=body)
            seen = await world.send(data, heads=heads)
            expect(not seen.answer.all(b"set-cookie"), f"the cookie was cleared: {seen}")
            expect(seen.answer.status in ((403, 415) if method == b"POST" else (200,)), f"{seen}")
        page = await person.step("GET", world.url(APP, PAGE))
        expect(page.status == 200, f"the session was ended: {page.status}")

    return run


CS02 = (
    ("a cross-site link", ends_nothing(b"Sec-Fetch-Site: cross-site", *NAVIGATION, method=b"GET")),
    ("an image", ends_nothing(b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Dest: image", method=b"GET")),
    ("a cross-site form", ends_nothing(FORM, b"Origin: https://evil.example", b"Sec-Fetch-Site: cross-site")),
    ("a form of an old browser", ends_nothing(FORM, b"Origin: https://evil.example")),
    ("a form that does not say where it is from", ends_nothing(FORM)),
    ("a form of a sandbox", ends_nothing(FORM, b"Origin: null")),
    ("a form of another app", ends_nothing(FORM, b"Origin: http://both.localhost", b"Sec-Fetch-Site: same-site")),
    ("an origin that begins like ours", ends_nothing(FORM, b"Origin: http://prefix-public.localhost.evil.example")),
    ("two words that differ", ends_nothing(FORM, b"Origin: https://evil.example", b"Sec-Fetch-Site: none")),
    ("HEAD", ends_nothing(method=b"HEAD")),
)


async def honest_logout(world: World) -> None:
    """The control of CS02: the page's own button signs out, on all hosts of this browser."""
    person, page = await world.sign_in("bob", world.url(APP, PAGE))
    await world.sign_in("bob", world.url("prefix-deny", "/_ecluse/login?to=/"), person=person)
    page = await person.step("GET", world.url(APP, LOGOUT))
    (form,) = page.forms()
    page = await person.submit(page, form)
    expect(page.status == 200, f"not signed out: {page.status}")
    for app in (APP, "prefix-deny"):
        cookie = f"{SEAT}={person.jar.get(host(app), SEAT)}".encode()
        seen = await world.send(request(app, "/_ecluse/session", cookie=cookie))
        expect(seen.answer.status == 401, f"still signed in to {app}: {seen}")


# --- CS03: scripts, origins, frames ---


async def scripts_get_401(world: World) -> None:
    """Whoever cannot show a sign-in page gets 401 with a link, not a redirect (invariant 10), from the application's
    pages and from ours."""
    for lines in (
        (b"Accept: application/json",), (b"Accept: text/html", b"X-Requested-With: XMLHttpRequest"),
        (b"Accept: text/html", b"Sec-Fetch-Dest: empty"), (b"Accept: text/html", b"Sec-Fetch-Dest: image"),
        (b"Accept: text/html", b"Sec-Fetch-Dest: iframe"), (*NAVIGATION, b"Sec-Purpose: prefetch"),
        (*NAVIGATION, b"Purpose: prefetch"), (*NAVIGATION, b"X-Moz: prefetch"), (*NAVIGATION, b"X-Purpose: preview"),
        (*NAVIGATION, b"Upgrade: websocket", b"Connection: Upgrade"), (b"Accept: */*",), (),
    ):  # fmt: skip
        for target in (PAGE, "/_ecluse/login?to=/"):
            seen = await world.send(request(APP, target, *lines))
            denied(world, seen)
            expect(seen.answer.status == 401 and not seen.answer.header(b"location"), f"{target} {lines}: {seen}")


async def no_origin_is_let_in(world: World) -> None:
    origin = (b"Origin: https://evil.example", b"Access-Control-Request-Method: GET")
    for target in (PAGE, "/admin", "/_ecluse/session", "/_ecluse/logout", "/_ecluse/login", "/_ecluse/unknown"):
        for place in (APP, PORTAL):
            for method in (b"GET", b"OPTIONS", b"POST"):
                seen = await world.send(request(place, target, *origin, method=method))
                names = [name for name, _ in seen.answer.headers if name.startswith(b"access-control-")]
                expect(not names and world.recorder.all_bytes == b"", f"{place}{target}: {seen}")


async def cross_site_changes_nothing(world: World) -> None:
    """The one endpoint that changes anything asks where the form stood."""
    lines = (FORM, b"Origin: https://evil.example", b"Sec-Fetch-Site: cross-site")
    for place in (APP, PORTAL):
        seen = await world.send(request(place, LOGOUT, *lines, method=b"POST", body=b""))
        expect(seen.answer.status == 403, f"{seen}")


async def no_page_of_ours_is_framed(world: World) -> None:
    """And none is stored, sniffed or says where it was (but the small page made for frames, which acts on nothing)."""
    targets = ("/_ecluse/logout", "/_ecluse/unknown", "/_ecluse/enter?code=x", "/admin", "/_ecluse/login?to=/")
    for target in targets:
        for method in (b"GET", b"POST"):
            data = request(APP, target, *NAVIGATION, method=method, body=b"" if method == b"POST" else None)
            answer = (await world.send(data)).answer
            told = dict(answer.headers)
            policy = told.get(b"content-security-policy", b"")
            expect(told.get(b"x-frame-options") == b"DENY" and b"frame-ancestors 'none'" in policy, f"{target}: {told}")
            expect(b"unsafe-inline" not in policy and b"default-src 'none'" in policy, f"{target}: {policy!r}")
            expect(told.get(b"cache-control") == b"no-store", f"{target}: {told}")
            expect(told.get(b"referrer-policy") == b"no-referrer", f"{target}: {told}")
            expect(told.get(b"x-content-type-options") == b"nosniff", f"{target}: {told}")


CASES: tuple[Case, ...] = (
    *numbered("CS01", CS01, controlled=False),
    *numbered("CS01", HANDOVER, first=7, controlled=False),
    *numbered("CS01", FLOODS, first=13, controlled=False),
    *numbered("CS02", CS02),
    uncontrolled("CS02.11", "the control: one's own button signs out everywhere", honest_logout),
    Case("CS03.1", "what cannot show a sign-in page gets 401", scripts_get_401),
    Case("CS03.2", "no origin is let in", no_origin_is_let_in),
    Case("CS03.3", "cross-site forms change nothing", cross_site_changes_nothing),
    Case("CS03.4", "no page of ours is framed, stored or sniffed", no_page_of_ours_is_framed),
    *frames.CASES,
)
