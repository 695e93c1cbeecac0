"""Servers in front that ask and pass requests on themselves: HS14 and K052, by questions as such a server writes them.
Through the real servers, tests/fronts tries the corpora."""

from tests.attacks.cases import Case, expect
from tests.attacks.exchange import Exchange
from tests.attacks.headers import MORE_SPELLINGS, SPELLINGS
from tests.attacks.request import request
from tests.attacks.world import FRONT_SECRET, MARK, World

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


ADVISORIES = (Case("K052", "questions about addresses that are none", malformed),)
CASES = (
    Case("HS14.4", "in the answer to a server in front", stripped),
    Case("HS14.5", "to nobody but that server", nobody_but_the_front),
)
