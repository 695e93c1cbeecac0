"""PC12 to PC14: the forms of a request target, the Host header, and names that look like another."""

import re
from dataclasses import replace

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.exchange import Exchange
from tests.attacks.forms import FORMS
from tests.attacks.outcomes import denied, is_reserved, passed, r400, unseen
from tests.attacks.request import request
from tests.attacks.world import World, host

# --- PC12: forms of the target ---


def refused(target: str) -> Run:
    """`%h` is the app's host."""

    async def run(world: World) -> None:
        for app in FORMS:
            r400(world, await world.send(request(app, target.replace("%h", host(app)))))

    return run


def same_host(target: str) -> Run:
    """An absolute form of the same host is its origin form, for policy and for the application."""

    async def run(world: World) -> None:
        for app in FORMS:
            whole = target.replace("%h", host(app))
            denied(world, await world.send(request(app, whole + "/admin")))
            found = passed(world, await world.send(request(app, whole + "/public/page")))
            expect(found.target == b"/public/page", f"arrived as {found.target!r}")
            expect(found.host == host(app).encode(), f"arrived for {found.host!r}")

    return run


PC12 = (
    ("absolute, of another app", refused("http://prefix-public.localhost.evil/admin")),
    ("absolute, of another host", refused("http://evil.example/")),
    ("https, of another host", refused("https://evil.example/public/page")),
    ("HtTp, of this host", same_host("HtTp://%h")),
    ("with a user's name", refused("http://u:p@%h/public/page")),
    ("with an empty host", refused("http:///admin")),
    ("//evil/admin", refused("//evil/admin")),
    ("the asterisk", refused("*")),
    ("the authority form", refused("%h:80")),
    ("http, of this host", same_host("http://%h")),
    ("https, of this host, on a listener without TLS", same_host("https://%h")),
    ("absolute with a fragment", refused("http://%h/public/page#x")),
    ("absolute with dots", refused("http://%h/public/../admin")),
    ("another scheme", refused("ftp://%h/public/page")),
    ("no slash", refused("public/page")),
    ("a malformed address (K052)", refused("http://[::1")),
    ("a percent sign alone (K052)", refused("%")),
    ("a colon alone (K052)", refused(":")),
)


async def other_app(world: World) -> None:
    """Absolute form of one app, Host of another, both ours: neither's rules may be taken for the other's."""
    for form in ("prefix", "exact", "regex"):
        for app, target in ((f"{form}-deny", f"{form}-public"), (f"{form}-public", f"{form}-deny")):
            r400(world, await world.send(request(app, f"http://{host(target)}/private/page")))


# --- PC13, PC14: Host ---


def with_host(app: str, line: bytes, target: str) -> bytes:
    return request(app, target).replace(b"Host: %b\r\n" % host(app).encode(), line)


def host_refused(line: bytes, *, statuses: tuple[int, ...] = (400,)) -> Run:
    """`%h` is the app's host. On a public page of the file that forgives least."""

    async def run(world: World) -> None:
        for app in FORMS:
            told = line.replace(b"%h", host(app).encode())
            r400(world, await world.send(with_host(app, told, "/public/page")), statuses=statuses)

    return run


def canonical(line: bytes) -> Run:
    """The same policy as the canonical spelling, and the application gets the canonical name."""

    async def run(world: World) -> None:
        for app in FORMS:
            told = line.replace(b"%h", host(app).encode()).replace(b"%H", host(app).upper().encode())
            denied(world, await world.send(with_host(app, told, "/admin")))
            found = passed(world, await world.send(with_host(app, told, "/public/page")))
            name = host(app).encode()
            for value in (found.host, *found.all(b"x-forwarded-host")):
                expect(value.partition(b":")[0] == name, f"the application is told {value!r}")
            if world.is_gateway:
                await seat_counts(world, app, told)
            expect(any(is_reserved(key) for key, _ in found.lines), "the control: a stand-in writes nothing of this")

    return run


async def seat_counts(world: World, app: str, told: bytes) -> None:
    """The seat of the canonical host is this one's too."""
    cookie = b"Cookie: %b\r\n\r\n" % await world.cookie(app, "root")
    data = with_host(app, told, "/admin").removesuffix(b"\r\n") + cookie
    passed(world, await world.send(data))


def unknown(name: bytes) -> Run:
    """421, and no route: nothing is decided, nothing is passed on."""

    async def run(world: World) -> None:
        for target in ("/public/page", "/_ecluse/login?to=/", "/_ecluse/start?t=x"):
            seen = await world.send(with_host("prefix-deny", b"Host: %b\r\n" % name, target))
            unseen(world, seen)
            expect(seen.answer.status == 421, f"{name!r}: {seen}")
            expect(not seen.answer.all(b"set-cookie"), f"{name!r}: a cookie was set: {seen}")

    return run


PC13 = (
    ("missing", host_refused(b"")),
    ("empty", host_refused(b"Host:\r\n")),
    ("twice", host_refused(b"Host: %h\r\nHost: %h\r\n")),
    ("in capitals", canonical(b"Host: %H\r\n")),
    ("a dot at the end", canonical(b"Host: %h.\r\n")),
    (":443", canonical(b"Host: %h:443\r\n")),
    (":80", canonical(b"Host: %h:80\r\n")),
    (":0443", host_refused(b"Host: %h:0443\r\n")),
    ("app@evil", host_refused(b"Host: %h@evil.example\r\n")),
    ("app/evil", host_refused(b"Host: %h/evil.example\r\n")),
    ("a,b", host_refused(b"Host: %h,evil.example\r\n")),
    ("[::1]", host_refused(b"Host: [::1]\r\n")),
    ("unknown", unknown(b"unknown.localhost")),
    ("a bare address", unknown(b"127.0.0.1")),
    ("two, in different case", host_refused(b"Host: %h\r\nhOsT: evil.example\r\n")),
    ("a dot and a port", canonical(b"Host: %H.:8080\r\n")),
    ("a port that is none", host_refused(b"Host: %h:99999\r\n")),
    ("a blank inside", host_refused(b"Host: a b\r\n")),
    ("two dots at the end", host_refused(b"Host: %h..\r\n")),
    ("an underscore", host_refused(b"Host: a_%h\r\n")),
    ("one letter for the dot (K064)", unknown(b"prefix-publicXlocalhost")),
    ("two labels under a wildcard of one", unknown(b"a.b.wild.localhost")),
    ("the wildcard's own name", unknown(b"wild.localhost")),
    ("with a disguise of Host beside it", host_refused(b"Host: evil.example\r\nH.ost: %h\r\n", statuses=(421,))),
)
PC14 = (
    ("a decimal address", host_refused(b"Host: 2130706433\r\n")),
    ("an octal and a short address", host_refused(b"Host: 0177.0.0.1\r\n")),
    ("a homograph as A-label", unknown(b"xn--prefix-publi-n1j.localhost")),
    ("an ideographic full stop", host_refused("Host: prefix-deny\u3002localhost\r\n".encode())),
    ("a circled letter", host_refused("Host: pr\u24d4fix-deny.localhost\r\n".encode())),
    ("a hexadecimal address", host_refused(b"Host: 0x7f000001\r\n")),
    ("a percent escape", host_refused(b"Host: prefix%2ddeny.localhost\r\n")),
)


async def other_name_in_tls(world: World) -> None:
    """SNI of one app, Host of another: the rules of the host that is asked for, whatever the handshake said."""
    if not world.is_gateway:
        denied(world, await world.send(request("prefix-deny", "/admin")))
    assert world.authority is not None
    door = replace(world.door, port=world.ports["tls"], tls=(world.authority, "prefix-public.localhost"))
    there = replace(world, door=door)
    denied(there, await there.send(request("prefix-deny", "/admin")))
    passed(there, await there.send(request("prefix-deny", "/private/page")))
    denied(there, await there.send(request("exact-public", "/private/page")))
    seen: Exchange = await there.send(request("nobody-here", "/"))
    expect(seen.answer.status == 421, f"{seen}")


async def another_port(world: World) -> None:
    """The application would write it into every link: a page in a cache, a letter about a lost password (issue 10)."""
    for app in FORMS:
        name = host(app).encode()
        for port in (b"1337", b"22", b"65535", b"1"):
            found = passed(world, await world.send(with_host(app, b"Host: %b:%b\r\n" % (name, port), "/public/page")))
            told = [found.host, *found.all(b"X-Forwarded-Host"), *found.all(b"Forwarded")]
            expect(not [value for value in told if re.search(b":%b\\b" % port, value)], f"told: {told}")


CASES: tuple[Case, ...] = (
    *numbered("PC12", PC12),
    Case("PC12.19", "absolute form of one app, Host of another", other_app),
    *numbered("PC13", PC13),
    Case(f"PC13.{len(PC13) + 1}", "a port that is not the public one", another_port),
    *numbered("PC14", PC14),
    Case("PC14.8", "SNI of one app, Host of another", other_name_in_tls),
)
