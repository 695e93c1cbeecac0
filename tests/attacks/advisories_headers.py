"""K007 to K087, those of header lines: who is calling, from where, and what comes twice."""

import json
from collections.abc import Sequence

from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.exchange import Door, exchange
from tests.attacks.forms import FORMS, PUBLIC_FIRST
from tests.attacks.header_values import NAMES
from tests.attacks.outcomes import denied, hex_json, passed, r400, stripped
from tests.attacks.request import NAVIGATION, request
from tests.attacks.world import MARK, SEAT, World, host

PAGE = "/private/page"


async def folding_servers(world: World) -> None:
    """K007: PHP and WSGI read `X_Forwarded_User` and `X-forwarded_user` as one name; neither sees a forged one."""
    names = (*NAMES, b"X-Forwarded-User", b"X_Forwarded_User", b"X-forwarded_user", b"X_FORWARDED_FOR", b"Auth_User")
    for app in ("legacy", "wsgi"):
        port = {"legacy": world.ports["php"], "wsgi": world.ports["wsgi"]}[app]
        door = world.door if world.is_gateway else Door(port)
        for user in ("", "alice") if world.is_gateway else ("",):
            cookie = await world.cookie(app, user) if user else b""
            data = request(app, "/public/page", *[name + b": " + MARK for name in names], cookie=cookie)
            seen = await exchange(door, data)
            expect(seen.answer.status == 200, f"{app}: {seen}")
            told = environment(app, seen.answer.body)
            shows = [name for name, value in told.items() if MARK.decode() in value]
            expect(not shows, f"{app} was told {shows}")
            expect(told.get("HTTP_X_REMOTE_USER", "") == user, f"{app} takes the person for {told}")


def environment(app: str, body: bytes) -> dict[str, str]:
    if app == "wsgi":
        return dict(json.loads(body))
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in hex_json(body)["server"].items()}


def forwarded_values(found_lines: Sequence[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    names = (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"Forwarded")
    return {name: [value for key, value in found_lines if key == name] for name in names}


FORGED_FORWARDED = (
    b"X-Forwarded-For: 198.51.100.7", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Port: 444", b"X-Forwarded-Prefix: /admin", b"X-Forwarded-Server: evil", b"X-Forwarded-Uri: /public",
    b"X-Forwarded-Method: GET", b"X-Forwarded-Scheme: https", b"X-Forwarded-Ssl: on", b"X-Forwarded-User: root",
    b"Forwarded: for=198.51.100.7;host=evil.example;proto=https", b"X-Real-IP: 198.51.100.7", b"Front-End-Https: on",
)  # fmt: skip


async def forwarded(world: World) -> None:
    """K025: a stranger's are overwritten; of the listed proxy's, address and scheme count, and no more."""
    for there, chain, proto in (
        (world, b"127.0.0.1", b"http"),
        (world.behind_proxy(), b"198.51.100.7, 127.0.0.2", b"https"),
    ):
        for app in FORMS:
            denied(world, await there.send(request(app, "/admin", *FORGED_FORWARDED)))
            found = passed(world, await there.send(request(app, "/public/page", *FORGED_FORWARDED)))
            name = host(app).encode()
            nodes = b", ".join(b"for=" + address for address in chain.split(b", "))
            wanted = {
                b"X-Forwarded-For": [chain], b"X-Forwarded-Proto": [proto], b"X-Forwarded-Host": [name],
                b"Forwarded": [b'%b;host="%b";proto=%b' % (nodes, name, proto)],
            }  # fmt: skip
            expect(forwarded_values(found.lines) == wanted, f"{app}: {found.raw!r}")
            rest = [key for key, _ in found.lines if key.lower().startswith((b"x-forwarded", b"x-real"))]
            expect(len(rest) == 3, f"{app}: {rest}")


async def mapped_addresses(world: World) -> None:
    """K039: an IPv4 address written in IPv6 is that address, in what is told and in what is trusted."""
    there = world.behind_proxy()
    for said, wanted in (
        (b"::ffff:203.0.113.5", b"203.0.113.5, 127.0.0.2"),
        (b"203.0.113.5, ::ffff:10.1.2.3", b"203.0.113.5, 10.1.2.3, 127.0.0.2"),
        (b"203.0.113.5, ::ffff:11.1.2.3", b"11.1.2.3, 127.0.0.2"),
        (b"203.0.113.5, [::ffff:10.1.2.3]:99", b"203.0.113.5, 10.1.2.3, 127.0.0.2"),
    ):
        found = passed(world, await there.send(request("prefix-deny", "/public/page", b"X-Forwarded-For: " + said)))
        expect(found.all(b"X-Forwarded-For") == [wanted], f"{said!r}: {found.raw!r}")


JUNK_FORWARDED = (b"a", b"1.2.3.4,,", b"," * 5000, b"fe80::1%eth0", b"unknown", b"_hidden", b"\xff\xfe", b"::", b"0",
                  b"1.2.3.4:99999", b"[", b"[::1", b"1.2.3.4.5", b"' OR 1=1", b"10.0.0.1," * 1000)  # fmt: skip


async def unreadable_forwarded(world: World) -> None:
    """K062: an address that cannot be read changes no decision, from whomever it comes."""
    for there in (world, world.behind_proxy()):
        for value in JUNK_FORWARDED:
            lines = (b"X-Forwarded-For: " + value, b"X-Real-IP: " + value)
            for app in PUBLIC_FIRST:
                denied(world, await there.send(request(app, PAGE, *lines)))
                found = passed(world, await there.send(request(app, "/public/page", *lines)))
                (chain,) = found.all(b"X-Forwarded-For")
                ours = (b"127.0.0.1", b"127.0.0.2")
                expect(chain.rpartition(b" ")[2] in ours and chain.isascii(), f"{value!r} became {chain!r}")


async def trusted_is_not_signed_in(world: World) -> None:
    """K012: the listed proxy's address opens nothing."""
    for there in (world, world.behind_proxy()):
        for lines in ((), (b"X-Forwarded-For: 127.0.0.1",), (b"X-Forwarded-For: 10.0.0.1",)):
            for app in PUBLIC_FIRST:
                denied(world, await there.send(request(app, PAGE, *lines)))
            for app in FORMS:
                denied(world, await there.send(request(app, "/admin", *lines)))


async def odd_names(world: World) -> None:
    """K026: a name that a file spells oddly is ours in every spelling."""
    spellings = (b"x.tenant-id", b"X-Tenant-Id", b"X_Tenant_Id", b"xtenantid", b"X.TENANT.ID", b"freduRNE",
                 b"Fr-Edu-Rne", b"FR_EDU_RNE", b"note", b"N-o-t-e", b"X-TEMPLATE", b"x_template")  # fmt: skip
    people = ("", "alice") if world.is_gateway else ("",)
    for user in people:
        for name in spellings:
            cookie = await world.cookie("odd-names", user) if user else b""
            seen = await world.send(request("odd-names", "/public/page", name + b": " + MARK, cookie=cookie))
            found = passed(world, seen)
            expect(MARK not in found.raw, f"{name!r} reached the application: {found.raw!r}")


async def templates(world: World) -> None:
    """K046: a value that some template language would expand arrives letter by letter."""
    value = "{uid} {note} {{env.HOME}} ${HOME} %(HOME)s {0.__class__} #{7*7} <%= 7*7 %> $(id) `id`"
    world.alpha.people["template"] = {"note": value}
    cookie = await world.cookie("odd-names", "template")
    found = passed(world, await world.send(request("odd-names", PAGE, cookie=cookie)))
    expect(found.all(b"Note") == [value.encode()], f"{found.all(b'Note')}")
    expect(found.all(b"X-Full") == [f"template: {value}".encode()], f"{found.all(b'X-Full')}")
    wanted = b"{{env.HOME}} ${HOME} %(HOME)s {0.__class__}"
    expect(found.all(b"X-Template") == [wanted], f"{found.all(b'X-Template')}")


async def two_of_one(world: World) -> None:
    """K085: of two lines that may come once, none is chosen: Host, Content-Length, Authorization, our cookie."""
    lines = (
        (b"Authorization: Basic YTphDQ==", b"Authorization: Basic YjpiDQ=="),
        (b"authorization: Bearer a", b"Authorization: Bearer b"),
        (b"Content-Length: 0", b"Content-Length: 0"),
        (b"Host: prefix-deny.localhost",),
        (b"Cookie: %b=a" % SEAT.encode(), b"Cookie: %b=b" % SEAT.encode()),
    )
    for pair in lines:
        for app in FORMS:
            seen = await world.send(request(app, "/public/page", *pair))
            r400(world, seen)


async def foreign_bytes(world: World) -> None:
    """K087: bytes that are no text open nothing."""
    for app in FORMS:
        for value in (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"):
            for name in (b"X-Other", b"User-Agent", b"Cookie", b"Referer", b"Accept-Language", b"Accept", b"Origin"):
                denied(world, await world.send(request(app, "/admin", name + b": " + value, *NAVIGATION[1:])))
            r400(world, await world.send(request(app, b"/public/" + value)))


ENVOY = (
    b"X-Envoy-Original-Path", b"X-Envoy-Decorator-Operation", b"X-Original-Path", b"X-Original-URI", b"X-Rewrite-URL",
    b"X-Accel-Redirect", b"X-Accel-Internal", b"X-Sendfile", b"X-Original-Method", b"X-Client-Cert",
    b"X-SSL-Client-S-DN", b"SSL-Client-Verify", b"Shib-Identity-Provider", b"OIDC-CLAIM-sub", b"MELLON-NAME-ID",
)  # fmt: skip


async def internal_names(world: World) -> None:
    for name in ENVOY:
        seen = await world.send(request("prefix-deny", "/public/page", name + b": " + MARK))
        stripped(world, seen, user=None, app="prefix-deny")


CASES: tuple[Case, ...] = (
    Case("K007", "PHP and WSGI see no forged name", folding_servers),
    Case("K012", "a trusted address is nobody", trusted_is_not_signed_in),
    Case("K025", "X-Forwarded-* of a stranger and of the listed proxy", forwarded),
    Case("K026", "names that the file spells oddly", odd_names),
    Case("K039", "IPv4 in IPv6", mapped_addresses),
    uncontrolled("K046", "values that a template would expand", templates),
    Case("K062", "X-Forwarded-For that cannot be read", unreadable_forwarded),
    Case("K085", "two of what comes once", two_of_one),
    Case("K086", "names inside other proxies", internal_names),
    Case("K087", "bytes that are no text", foreign_bytes),
)
