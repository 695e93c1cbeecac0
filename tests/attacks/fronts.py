"""Servers in front that ask and pass requests on themselves: HS14 and K052, by questions as such a server writes them.
Through the real servers, tests/fronts tries the corpora."""

from urllib.parse import urljoin, urlsplit

from tests.attacks.cases import Case, expect, uncontrolled
from tests.attacks.exchange import Exchange
from tests.attacks.headers import MORE_SPELLINGS, SPELLINGS
from tests.attacks.request import request
from tests.attacks.world import FRONT_SECRET, MARK, World, host

# Of those that pass our answers on.
PASSING = ("traefik", "envoy")

MALFORMED = (
    b"http://[::1", b"%", b":", b"", b"*", b"//", b"/%zz", b"/public/../x", b"/public/%2e%2e/x", b"/public/\xff\xfe",
    b"/public/x HTTP/1.1", b"http://fronted.localhost:x/public/x", b"http://other.localhost/public/x",
)  # fmt: skip
ELSEWHERE = (
    b"https://evil.example/", b"//evil.example/", b"/\\evil.example/", b"/%5Cevil.example/", b"%2F%2Fevil.example",
    b"https:evil.example", b"https://fronted-moved.localhost@evil.example/", b"/%09/evil.example",
    b"/./%2Fevil.example",
    b"https://fronted-moved.localhost.evil.example/", b"https://fronted-moved.localhost//evil.example/",
    b"/%0d%0aX-Injected:%20a", b"%2Fx%0D%0AX-Injected:%20a", b"/public//evil.example", b"/..//evil.example/",
)  # fmt: skip


async def asked(
    world: World, target: bytes, *lines: bytes, cookie: bytes = b"", secret: str = FRONT_SECRET
) -> Exchange:
    shown = (b"X-Ecluse-Front: " + secret.encode(), b"X-Original-Method: GET", b"X-Original-URI: " + target)
    return await world.send(request("fronted", "/_ecluse/authz/nginx", *shown, *lines, cookie=cookie))


async def malformed(world: World) -> None:
    """K052: whatever stands in the place of the address, the answer lets nobody through."""
    front = world.behind_proxy()
    cookie = await world.cookie("fronted") if world.is_gateway else b""
    for target in MALFORMED:
        seen = await asked(front, target, cookie=cookie)
        expect(400 <= seen.answer.status < 500, f"{target!r}: {seen}")
        expect(not seen.answer.all(b"x-remote-user"), f"{target!r} announces somebody: {seen}")


async def nobody_but_the_front(world: World) -> None:
    cookie = await world.cookie("fronted") if world.is_gateway else b""
    for place, secret in ((world, FRONT_SECRET), (world.behind_proxy(), "guessed"), (world, "guessed")):
        seen = await asked(place, b"/public/x", cookie=cookie, secret=secret)
        expect(seen.answer.status == 403, f"{seen}")
        expect(not seen.answer.all(b"x-remote-user"), f"somebody is announced: {seen}")


async def stripped(world: World) -> None:
    """HS14: the answer has every injected name once, with what is known and never with what the client sent; or it is
    a refusal."""
    front = world.behind_proxy()
    cookie = await world.cookie("fronted") if world.is_gateway else b""
    for name in (*SPELLINGS, *MORE_SPELLINGS):
        for brought, user in ((b"", b""), (cookie, b"alice")):
            seen = await asked(front, b"/public/x", name + b": " + MARK, cookie=brought)
            expect(MARK not in seen.received, f"{name!r} comes back: {seen}")
            if seen.answer.status == 200:
                told = [seen.answer.all(b"x-remote-user"), seen.answer.all(b"x-dept")]
                expect(told == [[user], [b""]], f"{name!r}: {seen}")
            else:
                expect(seen.answer.status == 403, f"{name!r}: {seen}")
    expect(not world.recorder.requests, "a question was passed on")


async def asked_by(
    world: World, kind: str, target: bytes, *lines: bytes, cookie: bytes = b"", secret: str = FRONT_SECRET
) -> Exchange:
    """As Traefik or Envoy asks."""
    app = f"fronted-{kind}"
    shown = b"X-Ecluse-Front: " + secret.encode()
    if kind == "envoy":
        path = b"/_ecluse/authz/envoy" + target
        return await world.send(request(app, path, shown, *lines, cookie=cookie))
    said = (b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: " + target, b"X-Forwarded-Host: " + host(app).encode())
    raw = request(app, b"/_ecluse/authz/traefik", shown, *said, *lines, cookie=cookie)
    return await world.send(raw.replace(b"Host: " + host(app).encode(), b"Host: ecluse.internal", 1))


async def passing_malformed(world: World) -> None:
    """An allowance is a 200 and nothing else: whatever stands in the place of the address, there is none."""
    front = world.behind_proxy()
    for kind in PASSING:
        cookie = await world.cookie(f"fronted-{kind}") if world.is_gateway else b""
        for target in MALFORMED:
            seen = await asked_by(front, kind, target, cookie=cookie)
            expect(400 <= seen.answer.status < 500, f"{kind} {target!r}: {seen}")
            expect(not seen.answer.all(b"x-remote-user"), f"{kind} {target!r} announces somebody: {seen}")


async def passing_nobody(world: World) -> None:
    for kind in PASSING:
        cookie = await world.cookie(f"fronted-{kind}") if world.is_gateway else b""
        for place, secret in ((world, FRONT_SECRET), (world.behind_proxy(), "guessed"), (world, "guessed")):
            seen = await asked_by(place, kind, b"/public/x", cookie=cookie, secret=secret)
            expect(400 <= seen.answer.status < 500, f"{kind}: {seen}")
            expect(not seen.answer.all(b"x-remote-user"), f"{kind}: somebody is announced: {seen}")


async def passing_stripped(world: World) -> None:
    """Traefik is told what it writes over the client's line, or no; Envoy what it writes, and what it takes off."""
    front = world.behind_proxy()
    for kind in PASSING:
        cookie = await world.cookie(f"fronted-{kind}") if world.is_gateway else b""
        for name in (*SPELLINGS, *MORE_SPELLINGS):
            for brought, user in ((b"", []), (cookie, [b"alice"])):
                seen = await asked_by(front, kind, b"/public/x", name + b": " + MARK, cookie=brought)
                expect(MARK not in seen.received, f"{kind} {name!r} comes back: {seen}")
                expect(seen.answer.status in (200, 400), f"{kind} {name!r}: {seen}")
                if seen.answer.status == 200:
                    told = [value for value in seen.answer.all(b"x-remote-user") if value]
                    expect(told == user, f"{kind} {name!r}: {seen}")
                    expect(_is_written_over(kind, name, seen), f"{kind} {name!r} would go on: {seen}")
    expect(not world.recorder.requests, "a question was passed on")


def _is_written_over(kind: str, name: bytes, seen: Exchange) -> bool:
    """Whether the front leaves the client's line of this name to nobody. Traefik takes off, without a value in the
    answer, what its configuration names."""
    lower = name.lower()
    if kind == "traefik":
        return lower in (b"x-remote-user", b"x-dept")
    removed = seen.answer.header(b"x-envoy-auth-headers-to-remove").lower().split(b", ")
    return lower in removed or bool(seen.answer.header(lower))


async def moved(
    world: World, target: bytes, *lines: bytes, cookie: bytes = b"", secret: str = FRONT_SECRET
) -> Exchange:
    """As an nginx asks that was set up for oauth2-proxy."""
    said = (b"X-Real-IP: 192.0.2.7", b"X-Forwarded-Method: GET", b"X-Forwarded-Uri: " + target)
    shown = b"X-Ecluse-Front: " + secret.encode()
    return await world.send(request("fronted-moved", "/oauth2/auth", shown, *said, *lines, cookie=cookie))


async def moved_refused(world: World) -> None:
    """An allowance is a 202: there is none for an address that is none, for no front, nor beside a client's line of who
    it is, which would go on."""
    front = world.behind_proxy()
    cookie = await world.cookie("fronted-moved") if world.is_gateway else b""
    for target in MALFORMED:
        seen = await moved(front, target, cookie=cookie)
        expect(400 <= seen.answer.status < 500, f"{target!r}: {seen}")
        expect(not seen.answer.all(b"x-auth-request-user"), f"{target!r} announces somebody: {seen}")
    for place, secret in ((world, FRONT_SECRET), (front, "guessed"), (world, "guessed")):
        seen = await moved(place, b"/public/x", cookie=cookie, secret=secret)
        expect(seen.answer.status == 403, f"{seen}")
        expect(not seen.answer.all(b"x-auth-request-user"), f"somebody is announced: {seen}")
    for name in (*SPELLINGS, *MORE_SPELLINGS, b"X-Auth-Request-User", b"X-User", b"X-Email", b"X-Auth-Request-Groups"):
        for brought in (b"", cookie):
            seen = await moved(front, b"/public/x", name + b": " + MARK, cookie=brought)
            expect(seen.answer.status in (400, 403), f"{name!r} would go on: {seen}")
            expect(MARK not in seen.received, f"{name!r} comes back: {seen}")
    expect(not world.recorder.requests, "a question was passed on")


async def moved_elsewhere(world: World) -> None:
    """A sign-in leads to no other host."""
    front = world.behind_proxy()
    cookie = await world.cookie("fronted-moved") if world.is_gateway else b""
    for to in ELSEWHERE:
        for page in (b"/oauth2/sign_in", b"/oauth2/start"):
            for brought in (b"", cookie):
                asked_for = request("fronted-moved", page + b"?rd=" + to, b"Sec-Fetch-Mode: navigate", cookie=brought)
                seen = await front.send(asked_for)
                for location in seen.answer.all(b"location"):
                    led = urljoin("http://fronted-moved.localhost/", location.decode("latin-1"))
                    expect("evil.example" not in (urlsplit(led).hostname or ""), f"{to!r} leads to {led}")
                expect(b"\r\nx-injected:" not in seen.received.lower(), f"{to!r} writes a header: {seen}")


ADVISORIES = (Case("K052", "questions about addresses that are none", malformed),)
CASES = (
    Case("HS14.4", "in the answer to a server in front", stripped),
    Case("HS14.5", "to nobody but that server", nobody_but_the_front),
    Case("HS14.6", "in the answer to Traefik and to Envoy", passing_stripped),
    Case("HS14.7", "to nobody but these servers", passing_nobody),
    Case("HS14.9", "to an nginx that was set up for oauth2-proxy", moved_refused),
    uncontrolled("HS14.10", "rd of oauth2-proxy's pages", moved_elsewhere),
    Case("HS14.8", "questions of Traefik and Envoy about addresses that are none", passing_malformed),
)
