"""SE: nobody's session is had by guessing, planting, moving, waiting or keeping. attacks.md 2.5."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gateway.model.identity import Established, Identity
from gateway.model.session import SeatLimits
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.sqlite.store import SqliteStore
from tests.attacks import lasting, openid_logout, refreshing
from tests.attacks.cases import Case, Run, expect, numbered, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.forms import FORMS
from tests.attacks.lasting import EVENTS
from tests.attacks.outcomes import denied, passed
from tests.attacks.recorder import Answering, Reached, Script, ok
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import BINDING, PORTAL, SEAT, World, host
from tests.browser_like import Person, Response
from tests.patience import until

APP = "prefix-public"
PAGE = "/private/page"
KEY = (("k1", b"0123456789abcdef" * 4),)


async def asked(world: World, value: bytes, *, app: str = APP, target: str = PAGE) -> Exchange:
    return await world.send(request(app, target, cookie=b"%b=%b" % (SEAT.encode(), value)))


async def value_of(world: World, app: str = APP, login: str = "alice") -> bytes:
    if not world.is_gateway:
        return b"A" * 22 + b"." + b"B" * 43
    return (await world.cookie(app, login)).partition(b"=")[2]


def seat_of(person: Person, app: str = APP) -> bytes:
    return (person.jar.get(host(app), SEAT) or "").encode()


# --- SE01: fixation ---


async def planted(world: World) -> None:
    """A cookie that was there before the sign-in, one that has ended or an invented one, is not carried on."""
    before_me, _ = await world.sign_in("mallory", world.url(APP, PAGE))
    ended = seat_of(before_me)
    await sign_out(world, before_me)
    for before in (ended, b"A" * 22 + b"." + b"B" * 43):
        person = world.guest()
        for place in (host(APP), PORTAL):
            person.jar.put(place, SEAT, before.decode())
        _, page = await world.sign_in("alice", world.url(APP, PAGE), person=person)
        after = seat_of(person)
        expect(page.status == 200 and after != b"", f"the control: alice is signed in: {page.status}")
        expect(before.partition(b".")[0] not in after, "the planted id was carried on")
        denied(world, await asked(world, before))


async def new_id_at_login(world: World) -> None:
    """On the portal and on the app, at each sign-in; the seat before ends."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    ids = []
    for _ in range(3):
        page = await person.step("GET", world.portal("/_ecluse/login?provider=alpha"))
        await world.follow(person, page, "alice")
        ids.append(person.jar.get(PORTAL, SEAT))
    expect(len(set(ids)) == 3 and None not in ids, "an id was used again")
    expect(len({value.partition(".")[0] for value in ids if value}) == 3, "a session id was used again")
    await person.close()


async def id_in_the_address(world: World) -> None:
    value = (await value_of(world)).decode()
    for target in (f"{PAGE}?{SEAT}={value}", f"{PAGE}?session={value}", f"{PAGE}?jsessionid={value}"):
        denied(world, await world.send(request(APP, target)))
    denied(world, await world.send(request(APP, PAGE, b"X-Session: " + value.encode())))
    denied(world, await world.send(request(APP, PAGE, b"Authorization: Bearer " + value.encode())))


def changed(how: Callable[[bytes], bytes]) -> Run:
    async def run(world: World) -> None:
        value = await value_of(world)
        other = how(value)
        expect(other != value, "nothing was changed")
        denied(world, await asked(world, other))
        if world.is_gateway:
            passed(world, await asked(world, value))

    return run


def swapped_case(value: bytes) -> bytes:
    return value.swapcase()


async def of_an_ended_session(world: World) -> None:
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    value = seat_of(person)
    passed(world, await asked(world, value))
    await sign_out(world, person)
    for _ in range(8):
        denied(world, await asked(world, value))


async def sign_out(world: World, person: Person) -> Response:
    page = await person.step("GET", world.url(APP, "/_ecluse/logout"))
    (form,) = page.forms()
    return await person.submit(page, form)


async def of_another_deployment(world: World) -> None:
    """A seat written into this very store, but under another store key (a restored dump, another installation's)."""
    identity = Identity("alpha", world.alpha.url, "root", {"uid": ("root",), "groups": ("admins",)})
    store = SqliteStore(world.folder / "var/sessions.sqlite")
    await store.open()
    values = {}
    for name, key in (
        (
            "other",
            (("k1", b"another key of another deployment")),
        ),
        ("ours", KEY),
    ):
        keys = key if name == "ours" else (("k1", b"another-deployment-of-this-very-id"),)
        sessions = Sessions(store, keys)
        made = await sessions.new_session(
            host=host(APP), person=Established(identity, None), browser="0" * 64, idle=600, absolute=600, id_token=None,
            sid=None, replaces=None, limits=SeatLimits(),
        )  # fmt: skip
        await sessions.add(made)
        values[name] = made.cookie
    await store.close()
    denied(world, await asked(world, values["other"]))
    passed(world, await asked(world, values["ours"]))


SE01 = (
    ("a planted cookie", planted),
    ("a new id at each sign-in", new_id_at_login),
    ("an id in the address or another header", id_in_the_address),
    ("an id in other case", changed(swapped_case)),
    ("an id of an ended session", of_an_ended_session),
    ("an id of another deployment", of_another_deployment),
)

# --- SE03: flags ---


async def flags(world: World) -> None:
    """Every cookie of ours, on every step of a sign-in and a sign-out."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    await sign_out(world, person)
    lines = person.jar.received
    expect(len(lines) >= 4 and not person.jar.refused, f"{person.jar.refused}")
    for line in lines:
        name, *attributes = [part.strip() for part in line.split(";")]
        told = {attribute.partition("=")[0].lower(): attribute.partition("=")[2] for attribute in attributes}
        expect(name.startswith("__Host-ecluse"), f"a cookie of another name: {line}")
        expect({"secure", "httponly"} <= told.keys() and told.get("path") == "/", f"{line}")
        expect(told.get("samesite") == "Lax" and "domain" not in told, f"{line}")
        # Which provider was chosen stands first the next time; the cookie signs nobody in.
        longest = 180 * 86400 if name.startswith("__Host-ecluse-provider=") else 600
        expect(int(told.get("max-age", "0")) <= longest, f"it outlives what it is for: {line}")


async def upstream_sets_ours(world: World) -> None:
    """An application's Set-Cookie of our names goes no further, however it is spelled; its own does."""
    names = (b"__Host-ecluse", b"__host-ECLUSE", b"__Host-ecluse-b", b"__Host-ecluse-b-12345678", b" __Host-ecluse",
             b"__Host-ecluse ")  # fmt: skip
    lines = [b"Set-Cookie: %b=stolen; Path=/; Secure" % name for name in names]
    lines += [b"Set-Cookie: =__Host-ecluse=stolen; Path=/; Secure", b"Set-Cookie: theirs=kept; Path=/"]
    world.recorder.scripts[b"/public/cookies"] = Script(
        b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0\r\n\r\n" % b"\r\n".join(lines)
    )
    seen = await world.send(request(APP, "/public/cookies"))
    passed(world, seen)
    expect(seen.answer.all(b"set-cookie") == [b"theirs=kept; Path=/"], f"{seen.answer.all(b'set-cookie')}")


FORGETTING = (
    b'Clear-Site-Data: "cookies"', b'clear-site-data: "*"', b'Clear-Site-Data: "cache", "cookies", "storage"',
    b"Strict-Transport-Security: max-age=0", b'strict-transport-security: includeSubDomains; max-age="0"',
    b"Strict-Transport-Security: max-age=1",
)  # fmt: skip


async def what_browsers_would_forget(world: World) -> None:
    """An application signs nobody out of the others, and takes https off no host; by a short answer or a long one."""
    for line in FORGETTING:
        for body in (b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
            world.recorder.scripts[b"/public/forget"] = Script(b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (line, body))
            for _ in range(2):
                seen = await world.send(request(APP, "/public/forget"))
                passed(world, seen)
                answer = seen.answer
                told = answer.all(b"clear-site-data") + answer.all(b"strict-transport-security")
                expect(not any(word in value for value in told for word in (b"cookies", b"*", b"max-age")), f"{told}")


# To read one of these took the square of its length, or its fourth power.
LONG_TO_READ = (
    b"Strict-Transport-Security: max-age=" + b" " * 2000 + b"x", b"Strict-Transport-Security: " + b";max-age=0" * 3000,
    b'Cache-Control: "' + b'\\"' * 20_000 + b"\\", b"Cache-Control: private" + b" " * 50_000 + b"x",
    b"Clear-Site-Data: " + b'"cookies",' * 5000, b"Link: " + b"<" * 50_000, b"Link: <" + b" " * 50_000,
    b"Refresh: 0" + b"\t" * 50_000, b"Connection: " + b"x," * 25_000,
)  # fmt: skip


async def headers_that_are_long_to_read(world: World) -> None:
    """A header of an application costs nobody else the time to read it."""
    for app in FORMS:
        cookie = await world.cookie(app) if world.is_gateway else b""
        for line in LONG_TO_READ:
            head = b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0\r\n\r\n" % line
            world.recorder.scripts[b"/private/page"] = Script(head)
            seen = await world.send(request(app, "/private/page", cookie=cookie))
            del world.recorder.scripts[b"/private/page"]
            expect(seen.answer.status == 200, f"{line[:40]!r}: {seen.answer.status}")


async def more_lines_than_anybody_sends(world: World) -> None:
    """Each line of a head is work: of a head with thousands there is no response."""
    for line in (b"Set-Cookie: a=1", b"Connection: x", b"X: 1", b"Strict-Transport-Security: max-age=0"):
        head = b"\r\n".join((b"HTTP/1.1 200 OK", *(line for _ in range(1000)), b"Content-Length: 0", b"", b""))
        world.recorder.scripts[b"/public/lines"] = Script(head)
        seen = await world.send(request(APP, "/public/lines"))
        expect(seen.answer.status == 502, f"{line!r}: {seen.answer.status}")


async def more_hidden_cookies_than_are_kept(world: World) -> None:
    """Each hidden cookie is work at every later response: 51 and more are refused, 50 are taken."""
    app, cookie = "hidden", await world.cookie("hidden")
    for number in (51, 200, 500):
        lines = b"\r\n".join(b"Set-Cookie: many%d=1" % one for one in range(number))
        world.recorder.scripts[b"/set"] = Script(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0\r\n\r\n" % lines)
        seen = await world.send(request(app, "/set", cookie=cookie))
        expect(seen.answer.status == 502, f"{number}: {seen.answer.status}")
        reached = passed(world, await world.send(request(app, "/page", cookie=cookie)))
        expect(b"many" not in reached.raw, f"{number}: kept")
    lines = b"\r\n".join(b"Set-Cookie: few%d=1" % one for one in range(50))
    world.recorder.scripts[b"/set"] = Script(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0\r\n\r\n" % lines)
    passed(world, await world.send(request(app, "/set", cookie=cookie)))


ORDERS = (
    b"X-Accel-Redirect", b"x-accel-redirect", b"X-Accel-Expires", b"X-Sendfile", b"X-LIGHTTPD-send-file",
    b"X-REPROXY-URL", b"X-LiteSpeed-Location", b"X-LiteSpeed-Cache-Control", b"Surrogate-Control", b"EDGE-control",
    b"CDN-Cache-Control", b"Cloudflare-CDN-Cache-Control", b"X-Envoy-Immediate-Health-Check-Fail", b"X-Envoy-Degraded",
)  # fmt: skip


async def orders_to_a_front(world: World) -> None:
    """An application has no nginx, Apache or lighttpd in front of the gateway answer with a page of its own."""
    for name in ORDERS:
        for body in (b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"):
            world.recorder.scripts[b"/public/order"] = Script(b"HTTP/1.1 200 OK\r\n%b: /etc\r\n%b" % (name, body))
            for _ in range(2):
                seen = await world.send(request(APP, "/public/order"))
                passed(world, seen)
                expect(not seen.answer.all(name.lower()), f"{seen.answer}")


async def kept_by_a_cache_between(world: World) -> None:
    """What a person is answered that says nothing of caches, no shared one keeps; nobody's stays as it is."""
    for app in FORMS:
        cookie = await world.cookie(app) if world.is_gateway else b""
        for _ in range(2):
            seen = await world.send(request(app, "/private/page", cookie=cookie))
            passed(world, seen)
            expect(seen.answer.all(b"cache-control") == [b"private"], f"{seen.answer}")
        # RFC 9111 3: how long it stays fresh says not for whom; 5.2.2: nor do directives about fields.
        for line in (
            b"Expires: Fri, 01 Jan 2100 00:00:00 GMT", b"Pragma: no-cache", b"Cache-Control: no-transform",
            b"Cache-Control: must-revalidate", b'Cache-Control: no-cache="set-cookie, set-cookie2"',
        ):  # fmt: skip
            script = Script(b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: 0\r\n\r\n" % line)
            world.recorder.scripts[b"/private/page"] = script
            seen = await world.send(request(app, "/private/page", cookie=cookie))
            del world.recorder.scripts[b"/private/page"]
            passed(world, seen)
            expect(seen.answer.all(b"cache-control")[-1:] == [b"private"], f"{seen.answer}")
        if world.is_gateway:
            seen = await world.send(request(app, "/public/page"))
            expect(not seen.answer.all(b"cache-control"), f"{seen.answer}")


# --- SE04: forgery ---


def flipped(at: int) -> Callable[[bytes], bytes]:
    """One bit of the base64url letter there: another letter of the same alphabet."""

    def flip(value: bytes) -> bytes:
        letter = b"B" if value[at : at + 1] == b"A" else b"A"
        return value[:at] + letter + value[at + 1 :]

    return flip


async def every_letter(world: World) -> None:
    value = await value_of(world)
    for at in range(len(value)):
        if at != 22:
            denied(world, await asked(world, flipped(at)(value)))


async def host_swap(world: World) -> None:
    """The cookie of one host on another (K100): nothing, though both are of one session; on both workers."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    await world.sign_in("alice", world.url("regex-public", PAGE), person=person)
    pairs = ((APP, "regex-public"), ("regex-public", APP))
    for own, other in pairs:
        for _ in range(6):
            passed(world, await asked(world, seat_of(person, own), app=own))
            denied(world, await asked(world, seat_of(person, own), app=other))
    for _ in range(4):
        denied(world, await asked(world, (person.jar.get(PORTAL, SEAT) or "").encode()))


async def user_swap(world: World) -> None:
    """The id of one person with the secret of another."""
    alice, root = await value_of(world), await value_of(world, login="root")
    for one, other in ((alice, root), (root, alice)):
        mixed = one.partition(b".")[0] + b"." + other.partition(b".")[2]
        if world.is_gateway or mixed != one:
            denied(world, await asked(world, mixed, target="/admin"))


async def two_of_them(world: World) -> None:
    """Two cookies of our name: nobody can say which one counts, so neither does (K085)."""
    alice, root = await value_of(world), await value_of(world, login="root")
    for one, other in ((alice, root), (root, alice), (alice, alice), (b"", alice), (alice, b"")):
        name = SEAT.encode()
        data = request(APP, PAGE, cookie=b"%b=%b; theme=dark; %b=%b" % (name, one, name, other))
        seen = await world.send(data)
        expect(seen.answer.status == 400 and world.recorder.all_bytes == b"", f"{seen}")
        lines = [b"Cookie: %b=%b" % (name, value) for value in (one, other)]
        seen = await world.send(request(APP, PAGE, *lines))
        expect(seen.answer.status == 400 and world.recorder.all_bytes == b"", f"{seen}")


def wrapped(value: bytes) -> bytes:
    return b'"' + value + b'"'


SE04 = (
    ("a bit in every letter", every_letter),
    ("cut short", changed(lambda value: value[:-1])),
    ("one letter more", changed(lambda value: value + b"A")),
    ("padded", changed(lambda value: value + b"=")),
    ("on another host", host_swap),
    ("another person's secret", user_swap),
    ("4 kB of nonsense", changed(lambda value: b"A" * 4096)),
    ("an empty one", changed(lambda value: b"")),
    ("in quotes", changed(wrapped)),
    ("the binding cookie's value", changed(lambda value: b"B" * 43)),
    ("two of them", two_of_them),
)

# --- SE05: lifetimes, SE06: revocation ---


async def idle_and_absolute(world: World) -> None:
    """A seat of 4 s idle and 8 s in all, refused a second later, in use or not, on both workers, with no cleaner.

    Limits are kept in whole seconds and uses written once a second: one may end a second early, never late.
    """
    app, begun = "short", time.monotonic()
    person, page = await world.sign_in("alice", world.url(app, "/"))
    other, _ = await world.sign_in("bob", world.url(app, "/"))
    expect(page.status == 200, f"the control: let in at first: {page.status}")
    value, unused = seat_of(person, app), seat_of(other, app)
    passed(world, await asked(world, unused, app=app, target="/"))
    left = used = time.monotonic()
    while True:
        seen = await asked(world, value, app=app, target="/")
        now = time.monotonic()
        if now - begun > 7.0 or now - used > 3.0:
            # From here on it may have ended.
            break
        passed(world, seen)
        used = now
        if now - left > 5.0:
            denied(world, await asked(world, unused, app=app, target="/"))
        await asyncio.sleep(0.2)
    await asyncio.sleep(max(0.0, 9.0 - (time.monotonic() - left)))
    for _ in range(6):
        denied(world, await asked(world, value, app=app, target="/"))
        denied(world, await asked(world, unused, app=app, target="/"))


def at(moment: int) -> Callable[[dict[str, object]], dict[str, object]]:
    return lambda claims: claims | {"auth_time": moment}


async def asked_anew(world: World) -> None:
    """`then: sign_in`: once the first seat may be over, the portal's session does not do: the provider is asked, with
    max_age=0, and an authentication of an hour ago is refused, as is one of which nobody knows when it was."""
    person, page = await world.sign_in("alice", world.url(APP, PAGE))
    page = await world.follow(person, await person.step("GET", world.url("short", "/")), "alice")
    expect(page.status == 200, f"the control: a first seat needs no new authentication: {page.status} {page.url}")
    await asyncio.sleep(6.0)
    before = len(world.alpha.asked)
    with world.alpha.misbehaving(claims=at(int(time.time()) - 3600)):
        page = await world.follow(person, await person.step("GET", world.url("short", "/")), "alice")
        expect(page.status == 403, f"an authentication of an hour ago did: {page.status} {page.url}")
        expect([query.get("max_age") for query in world.alpha.asked[before:]] == ["0"], f"{world.alpha.asked[before:]}")
    with world.alpha.misbehaving(claims=lambda claims: {name: claims[name] for name in claims if name != "auth_time"}):
        page = await world.follow(person, await person.step("GET", world.url("short", "/")), "alice")
        expect(page.status == 403, f"no auth_time did: {page.status} {page.url}")
    page = await world.follow(person, await person.step("GET", world.url("short", "/")), "alice")
    expect(page.status == 200, f"the control: a new authentication does: {page.status} {page.url}")


async def signed_out_everywhere(world: World) -> None:
    """Copied cookies of all hosts, at once and on every worker; the answer of the sign-out comes after (K049)."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    await world.sign_in("alice", world.url("regex-public", PAGE), person=person)
    places = ((APP, PAGE), ("regex-public", PAGE))
    for app, target in places * 4:
        passed(world, await asked(world, seat_of(person, app), app=app, target=target))
    copies = {app: seat_of(person, app) for app, _ in places}
    await sign_out(world, person)
    for app, target in places * 8:
        denied(world, await asked(world, copies[app], app=app, target=target))


async def stream_is_cut(world: World) -> None:
    """What still streams for a session that has ended is cut."""
    world.recorder.scripts[b"/private/stream"] = EVENTS
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    cookie = b"%b=%b" % (SEAT.encode(), seat_of(person))
    streaming = asyncio.create_task(world.send(request(APP, "/private/stream", cookie=cookie)))
    await until(lambda: [found for found in world.recorder.requests if found.target == b"/private/stream"])
    await sign_out(world, person)
    seen = await streaming
    expect(b"data\n" in seen.received and seen.closed, f"the control: it streamed; and it was cut: {seen}")


async def stream_outlives_no_seat(world: World) -> None:
    """What streams when the idle limit is over is cut too: an answer that goes on is no use of the session."""
    world.recorder.scripts[b"/stream"] = EVENTS
    person, _ = await world.sign_in("alice", world.url("short", "/"))
    cookie = b"%b=%b" % (SEAT.encode(), seat_of(person, "short"))
    seen = await world.send(request("short", "/stream", cookie=cookie))
    expect(b"data\n" in seen.received and seen.closed, f"the control: it streamed; and it was cut: {seen}")


async def application_is_told(world: World) -> None:
    """Of a session that its provider ended, where no browser brings a cookie: what was kept for it, in the bytes of
    usual requests, once over all workers; and a dump of the store shows none of it."""
    store = world.folder / "var/sessions.sqlite"
    # Nobody else's sessions: the provider ends all that this person has.
    person, _ = await world.sign_in("tilda", world.url("told", PAGE))
    await until(lambda: len(_notes(store)) == 1)
    before = _notes(store)
    line = b"; JSESSIONID=kept-of-the-application; other=not-kept"
    cookie = b"%b=%b" % (SEAT.encode(), seat_of(person, "told")) + line
    found = passed(world, await world.send(request("told", PAGE, cookie=cookie)))
    (name,) = found.all(b"ctln")
    await until(lambda: _notes(store) != before)
    dump = b"".join(path.read_bytes() for path in store.parent.glob("sessions.sqlite*"))
    expect(b"kept-of-the-application" not in dump and name not in dump, "the store shows what was kept")
    world.recorder.forget()
    answer = await openid_logout.told(world, openid_logout.logout_token(world, sub="tilda"))
    expect(answer.status == 200, f"the control: the provider's word is taken: {answer.status}")
    await until(lambda: [each for each in world.recorder.requests if each.target == b"/bye"])
    (call,) = (each for each in world.recorder.requests if each.target == b"/bye")
    expect(call.all(b"ctln") == [name], f"another charset: {call.all(b'ctln')}, not {name!r}")
    expect(call.all(b"cookie") == [b"JSESSIONID=kept-of-the-application"], f"{call.all(b'cookie')}")
    expect(not call.all(b"x-remote-user"), "more was kept than the file names")
    expect(not _notes(store), "it outlived its session")


async def kept_out_signs_out(world: World) -> None:
    """Somebody who is let in nowhere signs out on the application's host: it hears no name."""
    person, page = await world.sign_in("mallory", world.url("told-few", PAGE))
    expect(page.status == 403, f"the control: the rules keep mallory out: {page.status}")
    person.jar.put(host("told-few"), "JSESSIONID", "chosen")
    world.recorder.forget()
    page = await person.step("GET", world.url("told-few", "/_ecluse/logout"))
    await person.submit(page, page.forms()[0])
    await person.close()
    await until(lambda: world.recorder.requests)
    (call,) = world.recorder.requests
    expect(call.target == b"/bye" and call.all(b"cookie") == [b"JSESSIONID=chosen"], f"{call.target!r}")
    expect(not call.all(b"x-remote-user"), f"it is told of {call.all(b'x-remote-user')}")


async def unanswered_sign_outs(world: World) -> None:
    """Cookies at which the application's sign-out fails keep no other person's from being made, at either worker."""

    def respond(call: Reached) -> bytes:
        return b"nothing\r\n" if b"JSESSIONID=breaks" in call.all(b"cookie") else ok()

    async def left(login: str, session: str) -> list[Reached]:
        person, _ = await world.sign_in(login, world.url("told", PAGE))
        person.jar.put(host("told"), "JSESSIONID", session)
        page = await person.step("GET", world.url("told", "/_ecluse/logout"))
        with Answering(world.recorder, respond) as told:
            await person.submit(page, page.forms()[0])
            await person.close()
            return [each for each in told.reached if f"JSESSIONID={session}".encode() in each.all(b"cookie")]

    for _ in range(8):
        expect(len(await left("mallory", "breaks")) == 1, "the application is called no more")
    expect(len(await left("alice", "works")) == 1, "alice's session at the application goes on")


def _notes(store: Path) -> list[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT host, sealed FROM notes").fetchall()


async def stale_cookie_at_login(world: World) -> None:
    """An ended session's cookie at the sign-in: useless before and after, and replaced by it (K006)."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    value = seat_of(person)
    await sign_out(world, person)
    person.jar.put(host(APP), SEAT, value.decode())
    person.jar.put(PORTAL, SEAT, value.decode())
    denied(world, await world.send(request(APP, PAGE, *NAVIGATION, cookie=b"%b=%b" % (SEAT.encode(), value))))
    _, page = await world.sign_in("bob", world.url(APP, PAGE), person=person)
    expect(page.status == 200 and seat_of(person) != value, f"{page.status}")
    denied(world, await asked(world, value))
    found = passed(world, await asked(world, seat_of(person)))
    expect(found.all(b"x-remote-user") == [b"bob"], f"{found.all(b'x-remote-user')}")


async def another_person_in_the_browser(world: World) -> None:
    """Who signs in at the portal leaves nobody else's cookie that opens anything, on any host (login CSRF, too)."""
    person, _ = await world.sign_in("alice", world.url(APP, PAGE))
    await world.sign_in("alice", world.url("both", PAGE), person=person)
    seats = {app: seat_of(person, app) for app in (APP, "both")}
    expect(all(seats.values()), f"the control: alice is on two hosts: {list(seats)}")
    passed(world, await asked(world, seats[APP]))
    url = world.portal("/_ecluse/login?provider=alpha&other_account=1")
    await world.follow(person, await person.step("GET", url), "bob")
    for app, value in seats.items():
        denied(world, await asked(world, value, app=app))
    _, page = await world.sign_in("bob", world.url(APP, PAGE), person=person)
    expect(page.status == 200, f"the control: bob comes in: {page.status}")
    found = passed(world, await asked(world, seat_of(person)))
    expect(found.all(b"x-remote-user") == [b"bob"], f"{found.all(b'x-remote-user')}")


async def binding_is_no_seat(world: World) -> None:
    cookie = b"%b=%b" % (BINDING.encode(), b"A" * 43)
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))


CASES: tuple[Case, ...] = (
    *numbered("SE01", SE01[:2], controlled=False),
    *numbered("SE01", SE01[2:4], first=3),
    *numbered("SE01", SE01[4:], first=5, controlled=False),
    uncontrolled("SE03.1", "the flags of every cookie", flags),
    Case("SE03.2", "an application sets a cookie of our name", upstream_sets_ours),
    Case("SE03.3", "an application has browsers forget cookies, or https", what_browsers_would_forget),
    Case("SE03.4", "a shared cache keeps no person's page", kept_by_a_cache_between),
    Case("SE03.5", "an application orders a server in front about", orders_to_a_front),
    uncontrolled("SE03.6", "a header of an application that is long to read", headers_that_are_long_to_read),
    Case("SE03.7", "a response of a thousand header lines", more_lines_than_anybody_sends),
    uncontrolled("SE03.8", "a response of hundreds of hidden cookies", more_hidden_cookies_than_are_kept),
    *numbered("SE04", SE04[:4]),
    uncontrolled("SE04.5", "on another host", host_swap),
    *numbered("SE04", SE04[6:], first=7),
    uncontrolled("SE04.6", "another person's secret", user_swap),
    Case("SE04.12", "the binding cookie alone", binding_is_no_seat),
    uncontrolled("SE05.1", "idle and absolute limits", idle_and_absolute),
    uncontrolled("SE05.2", "an authentication that is too old", asked_anew),
    uncontrolled("SE05.3", "a stream that outlives its seat", stream_outlives_no_seat),
    uncontrolled("SE06.1", "a sign-out, on every worker and host", signed_out_everywhere),
    uncontrolled("SE06.2", "a stream of an ended session", stream_is_cut),
    uncontrolled("SE06.3", "an ended session's cookie at the sign-in", stale_cookie_at_login),
    uncontrolled("SE06.4", "an application is told of it, and the store tells nobody", application_is_told),
    uncontrolled("SE06.8", "another person signs in in the same browser", another_person_in_the_browser),
    uncontrolled("SE06.9", "a sign-out of somebody who is kept out of every page", kept_out_signs_out),
    uncontrolled("SE06.7", "cookies at which the application's sign-out fails", unanswered_sign_outs),
    *lasting.CASES,
    *refreshing.SE_CASES,
)
