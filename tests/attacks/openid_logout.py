"""OC04: who may end a session from the back: the provider's own signed word, about what began before it."""

import asyncio
import json
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import replace

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import Document, sign, sign_mac, unsigned
from tests.attacks.request import request
from tests.attacks.world import PORTAL, SEAT, World, host
from tests.browser_like import Response

APP, PAGE = "prefix-public", "/private/page"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_claims(world: World, **changes: object) -> Document:
    """Those of a good logout token about bob; a change to None takes a claim away."""
    now = int(time.time())
    good: Document = {
        "iss": world.alpha.url, "aud": "ecluse", "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(),
        "sub": "bob", "events": {EVENT: {}},
    }  # fmt: skip
    return {name: value for name, value in (good | changes).items() if value is not None}


def logout_token(world: World, *, typ: str = "logout+jwt", **changes: object) -> str:
    return sign(logout_claims(world, **changes), world.alpha.signing_key, typ=typ)


async def told(world: World, token: str, provider: str = "alpha") -> Response:
    person = world.guest()
    answer = await person.post(world.portal(f"/_ecluse/oidc/backchannel/{provider}"), f"logout_token={token}")
    await person.close()
    return answer


async def bob(world: World) -> bytes:
    """His cookie, of a sign-in of its own."""
    person, page = await world.sign_in("bob", world.url(APP, PAGE))
    expect(page.status == 200, f"the control: bob is signed in: {page.status}")
    await person.close()
    return f"{SEAT}={person.jar.get(host(APP), SEAT)}".encode()


def refused(make: Callable[[World], str], code: str, provider: str = "alpha") -> Run:
    """400, one line in the log with this code, and nobody is signed out."""

    async def run(world: World) -> None:
        cookie, mark = await bob(world), world.gateway.mark()
        answer = await told(world, make(world), provider)
        expect(answer.status == 400, f"expected 400: {answer.status} {answer.text[:200]}")
        expect(answer.header("Cache-Control") == "no-store", "the answer may be kept")
        await world.logged(mark, event="logout.refused", code=code)
        passed(world, await world.send(request(APP, PAGE, cookie=cookie)))

    return run


async def by_another_key(world: World) -> None:
    """400 where the keys were read again for the token. 503 where they were read a moment ago, by another case: the
    provider may have a new key. Nobody is signed out either way."""
    cookie, mark = await bob(world), world.gateway.mark()
    answer = await told(world, sign(logout_claims(world), "beta", kid="alpha"))
    expect(answer.status in (400, 503), f"expected 400 or 503: {answer.status} {answer.text[:200]}")
    expect(answer.header("Cache-Control") == "no-store", "the answer may be kept")
    code = "oidc.id_token.signature" if answer.status == 400 else "login.provider_unreachable"
    await world.logged(mark, event="logout.refused", code=code)
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))


def changed(code: str, **changes: object) -> Run:
    return refused(lambda world: logout_token(world, **changes), code)


async def accepted(world: World) -> None:
    cookie = await bob(world)
    answer = await told(world, logout_token(world))
    expect(answer.status == 200 and answer.body == b"", f"{answer.status} {answer.text[:200]}")
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))


async def replayed(world: World) -> None:
    """K174: it ends what began before it was issued, and nothing else, each time."""
    token = logout_token(world)
    expect((await told(world, token)).status == 200, "the control: it is heard")
    await asyncio.sleep(1.1)
    cookie = await bob(world)
    for _ in range(4):
        expect((await told(world, token)).status == 200, "an end is refused")
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))


def issued(**changes: object) -> Run:
    """A token of the past that somebody has kept: nobody who has signed in since is signed out."""

    async def run(world: World) -> None:
        cookie = await bob(world)
        expect((await told(world, logout_token(world, **changes))).status == 200, "an end is refused")
        passed(world, await world.send(request(APP, PAGE, cookie=cookie)))

    return run


async def without_times(world: World) -> None:
    """When it was issued is not known: whom it names is signed out."""
    cookie = await bob(world)
    expect((await told(world, logout_token(world, iat=None, exp=None))).status == 200, "an end is refused")
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))


async def by_another_clock(world: World) -> None:
    """A provider whose clock is ahead of ours by more than any skew: its word counts."""
    cookie, ahead = await bob(world), int(time.time()) + 900
    expect((await told(world, logout_token(world, iat=ahead, exp=ahead + 120))).status == 200, "an end is refused")
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))


async def in_an_address(world: World) -> None:
    """A browser can be brought to send a GET; so can a form of another site, but it has no token."""
    cookie, token = await bob(world), logout_token(world)
    person = world.guest()
    answer = await person.step("GET", world.portal(f"/_ecluse/oidc/backchannel/alpha?logout_token={token}"))
    await person.close()
    expect(answer.status == 405, f"a GET is answered {answer.status}")
    seen = await world.send(request(APP, f"/_ecluse/oidc/backchannel/alpha?logout_token={token}"))
    expect(seen.answer.status == 404, f"an application's host answers {seen.answer.status}, not {PORTAL} alone")
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))


def none(world: World) -> str:
    return unsigned('{"alg":"none","typ":"logout+jwt"}', json.dumps(logout_claims(world)))


def returned(query: str) -> Run:
    """From the provider, by a browser that did or did not sign out: it starts nothing and ends nothing."""

    async def run(world: World) -> None:
        cookie, person = await bob(world), world.guest()
        page = await person.step("GET", world.portal(f"/_ecluse/logged-out{query}"))
        await person.close()
        expect(page.status == 400, f"a return without its state is answered {page.status}")
        expect(page.location == "" and page.all("Set-Cookie") == [], "it leads somewhere, or sets a cookie")
        passed(world, await world.send(request(APP, PAGE, cookie=cookie)))

    return run


async def by_a_frame(world: World) -> None:
    """CS02: front-channel logout, which no provider's file opens here, with and without its parameters."""
    cookie, person = await bob(world), world.guest()
    for query in ("", "?sid=x", f"?iss={world.alpha.url}", f"?iss={world.alpha.url}&sid=x"):
        page = await person.frame(world.portal(f"/_ecluse/oidc/frontchannel/alpha{query}"), "https://evil.example/")
        expect(page.status == 400, f"front-channel logout {query}: {page.status}")
    await person.close()
    passed(world, await world.send(request(APP, PAGE, cookie=cookie)))


class limited:  # noqa: N801 - read as a word of the test
    """The gateway with a rate for each address, as long as it lasts."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._path = world.folder / "policies/gateway.yaml"
        self._kept = self._path.read_text()

    async def __aenter__(self) -> None:
        await self._loaded(self._kept.replace("limits: {", "limits: {requests: {per_client: {rate: 5/h}}, "))

    async def __aexit__(self, *error: object) -> None:
        await self._loaded(self._kept)

    async def _loaded(self, text: str) -> None:
        mark = self._world.gateway.mark()
        self._path.write_text(text)
        self._world.gateway.signal(signal.SIGHUP)
        await self._world.logged(mark, event="config.loaded")


async def knocked(world: World, token: str, source: str) -> int:
    """What a call from this address is answered."""
    elsewhere = replace(world, door=replace(world.door, source=source))
    body = f"logout_token={token}".encode()
    head = (
        b"POST /_ecluse/oidc/backchannel/alpha HTTP/1.1", b"Host: " + PORTAL.encode(),
        b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body), b"", b"",
    )  # fmt: skip
    return (await elsewhere.send(b"\r\n".join(head) + body)).answer.status


async def flood(world: World) -> None:
    """Each is decoded and verified: an address has as many refused as a stranger may ask, of each of two workers. The
    provider's own, from its own address, is heard all the same."""
    cookie = await bob(world)
    async with limited(world):
        seen = [await knocked(world, none(world), "127.0.0.77") for _ in range(30)]
        heard = await knocked(world, logout_token(world), "127.0.0.78")
    expect(seen.count(400) <= 10 and seen.count(429) == 30 - seen.count(400), f"a flood is answered {seen}")
    expect(heard == 200, f"the provider's own is answered {heard}")
    denied(world, await world.send(request(APP, PAGE, cookie=cookie)))


OC04 = (
    ("back-channel: a good token ends the session", accepted),
    ("back-channel: alg none", refused(none, "oidc.id_token.algorithm")),
    ("back-channel: signed with the client secret",
     refused(lambda world: sign_mac(logout_claims(world), b"a-secret-of-the-tests:%+that-no-page-shows"),
             "oidc.id_token.algorithm")),
    ("back-channel: signed by another provider's key", by_another_key),
    ("back-channel: wrong aud", changed("oidc.id_token.audience", aud="another")),
    ("back-channel: wrong iss", changed("oidc.id_token.issuer", iss="https://evil.example")),
    ("back-channel: wrong event",
     changed("oidc.logout_token.event", events={"http://schemas.openid.net/event/x": {}})),
    ("back-channel: no event", changed("oidc.logout_token.event", events=None)),
    ("back-channel: with a nonce", changed("oidc.logout_token.nonce", nonce="n")),
    ("back-channel: a replayed jti (K174)", replayed),
    ("back-channel: an old one", issued(iat=int(time.time()) - 86400, exp=int(time.time()) - 86280)),
    ("back-channel: issued long ago, exp far away",
     issued(iat=int(time.time()) - 86400, exp=int(time.time()) + 864000)),
    ("back-channel: issued by a clock that is ahead", by_another_clock),
    ("back-channel: with neither iat nor exp", without_times),
    ("back-channel: neither sid nor sub", changed("oidc.logout_token", sub=None)),
    ("back-channel: no jti", changed("oidc.logout_token", jti=None)),
    ("back-channel: an access token's type", changed("oidc.id_token.header", typ="at+jwt")),
    ("back-channel: at another provider's address", refused(logout_token, "oidc.id_token.issuer", "beta")),
    ("back-channel: at the address of no provider", refused(logout_token, "login.unknown_provider", "nobody")),
    ("back-channel: in an address", in_an_address),
    ("RP-initiated: a return with another state", returned("?state=" + "a" * 43)),
    ("RP-initiated: a return without a state", returned("")),
    ("front-channel: a frame of any site", by_a_frame),
    ("back-channel: a flood of forged tokens", flood),
)  # fmt: skip

CASES: tuple[Case, ...] = numbered("OC04", OC04, controlled=False)
