"""Servers in front that ask and pass requests on themselves: HS14 and K052, by questions as such a server writes them.
Through the real servers, tests/fronts tries the corpora."""

from tests.attacks.cases import Case, expect
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


ADVISORIES = (Case("K052", "questions about addresses that are none", malformed),)
CASES = (
    Case("HS14.4", "in the answer to a server in front", stripped),
    Case("HS14.5", "to nobody but that server", nobody_but_the_front),
    Case("HS14.6", "in the answer to Traefik and to Envoy", passing_stripped),
    Case("HS14.7", "to nobody but these servers", passing_nobody),
    Case("HS14.8", "questions of Traefik and Envoy about addresses that are none", passing_malformed),
)
