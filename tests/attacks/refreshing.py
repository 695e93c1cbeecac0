"""OC03, SE07: what comes with a refresh token is looked at as at a sign-in, and a token is used by one at a time."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
from aiohttp import web

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.exchange import exchange
from tests.attacks.outcomes import denied, passed
from tests.attacks.provider import CLIENT, Document, Issuer, Told
from tests.attacks.request import request
from tests.attacks.scratch import REFRESHED_AFTER
from tests.attacks.world import SEAT, World, host

APP, PROVIDER, PAGE = "scratch", "refreshing", "/private/page"
WITHIN = 20.0
_AT_ONCE = 50


def refreshes(issuer: Issuer) -> list[str]:
    """The refresh tokens that were brought, in order."""
    return [form["refresh_token"] for form in issuer.redeemed if form.get("grant_type") == "refresh_token"]


async def seated(world: World, login: str = "alice") -> bytes:
    person = world.guest()
    _, page = await world.sign_in(login, world.url(APP, PAGE), person=person, provider=PROVIDER)
    await person.close()
    expect(page.status == 200, f"the control: {login} is signed in: {page.status}")
    return f"{SEAT}={person.jar.get(host(APP), SEAT)}".encode()


async def used_until(world: World, cookie: bytes, holds: Callable[[], bool], what: str) -> None:
    """The person goes on, as people do: nothing is refreshed for who is away."""
    deadline = time.monotonic() + WITHIN
    while not holds():
        expect(time.monotonic() < deadline, f"{what}: not within {WITHIN:.0f} s")
        await world.send(request(APP, PAGE, cookie=cookie))
        await asyncio.sleep(0.05)


async def asked_again(world: World, cookie: bytes) -> None:
    issuer = world.scratch[PROVIDER]
    before = len(refreshes(issuer))
    await used_until(world, cookie, lambda: len(refreshes(issuer)) > before, "the provider is asked for newer tokens")


def refreshed(event: str, changed: Callable[[Document], Told]) -> Run:
    """The answer to a refresh is this one: the log says `event`, and only where it is an end the session has ended."""

    async def run(world: World) -> None:
        cookie, mark = await seated(world), world.gateway.mark()
        with world.scratch[PROVIDER].misbehaving(refreshed=changed):
            await asked_again(world, cookie)
            if event:
                await world.logged(mark, event=event, provider=PROVIDER)
        for _ in range(6):
            seen = await world.send(request(APP, PAGE, cookie=cookie))
            if event == "refresh.ended":
                denied(world, seen)
            else:
                passed(world, seen)

    return run


def says(**claims: Any) -> Callable[[Document], Document]:
    return lambda told: told | claims


async def fifty_at_once(world: World) -> None:
    """At the moment of expiry, through both workers: no token is brought twice, and none but when it is due."""
    issuer, cookie = world.scratch[PROVIDER], await seated(world)
    asked = request(APP, PAGE, cookie=cookie)
    before, began = len(refreshes(issuer)), time.monotonic()

    async def many() -> set[int]:
        seen = await asyncio.gather(*(exchange(world.door, asked, expected=1, within=WITHIN) for _ in range(_AT_ONCE)))
        return {each.answer.status for each in seen}

    # Both workers know the seat, so that each of them could be the one that asks.
    expect(await many() == {200}, "the control: everybody is let in")
    await asyncio.sleep(REFRESHED_AFTER + 0.5)
    with issuer.misbehaving(thinks=1.0):
        expect(await many() == {200}, "somebody was refused, or waited for the provider")
        # Until it is answered: whoever else would ask has asked by then.
        await used_until(
            world,
            cookie,
            lambda: len(refreshes(issuer)) > before and refreshes(issuer)[before] not in issuer.refresh_tokens,
            "one of them has it refreshed",
        )
    brought = refreshes(issuer)[before:]
    most = (time.monotonic() - began) / REFRESHED_AFTER
    expect(len(brought) == len({*brought}), f"a token was brought twice: {len(brought)} refreshes")
    expect(len(brought) <= most, f"{len(brought)} refreshes in {most * REFRESHED_AFTER:.1f} s")
    passed(world, await world.send(asked))


async def stolen(world: World) -> None:
    """Whoever has stolen the refresh token uses it first: ours is then a second use, and nobody's session stands."""
    issuer, cookie, mark = world.scratch[PROVIDER], await seated(world), world.gateway.mark()
    *_, token = issuer.refresh_tokens
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT}
    async with aiohttp.request("POST", f"{issuer.url}/token", data=form) as answer:
        expect(answer.status == 200, f"the control: the thief is served: {answer.status}")
    await asked_again(world, cookie)
    await world.logged(mark, event="refresh.ended", provider=PROVIDER, code="oidc.refresh.ended")
    for _ in range(6):
        denied(world, await world.send(request(APP, PAGE, cookie=cookie)))
    expect(not issuer.refresh_tokens, "the control: the provider has ended what the thief was given, too")


OC03 = (
    ("as it should be (the control)", refreshed("", says())),
    ("another issuer", refreshed("refresh.ended", says(iss="https://evil.example"))),
    ("another person", refreshed("refresh.ended", says(sub="bob"))),
    ("another client", refreshed("refresh.ended", says(aud="evil"))),
    ("another authorised party", refreshed("refresh.ended", says(azp="evil"))),
    ("another sign-in's nonce", refreshed("refresh.ended", says(nonce="n"))),
    ("an earlier sign-in's auth_time", refreshed("refresh.ended", says(auth_time=int(time.time()) - 60))),
    ("expired", refreshed("refresh.ended", says(exp=1))),
)
SE07 = (
    ("fifty requests at the moment of expiry", fifty_at_once),
    ("a token that somebody else has used", stolen),
    ("a provider that is down", refreshed("refresh.failed", lambda told: web.Response(status=503))),
)

OC_CASES: tuple[Case, ...] = numbered("OC03", OC03, controlled=False)
SE_CASES: tuple[Case, ...] = numbered("SE07", SE07, controlled=False)
