"""Signing in through a provider that does one thing wrong, and what has to come of it."""

from typing import Any

from tests.attacks.cases import Run, expect
from tests.attacks.outcomes import sign_in_refused
from tests.attacks.provider import Issuer
from tests.attacks.world import PORTAL, SEAT, World, host
from tests.browser_like import Person, Response

PAGE = "/private/page"
APP = "prefix-public"


def issuer_of(world: World, provider: str) -> Issuer:
    return {"alpha": world.alpha, "beta": world.beta, **world.scratch}[provider]


async def signed_in_by(
    world: World, provider: str, *, login: str = "alice", app: str = APP, person: Person | None = None
) -> Response:
    person, page = await world.sign_in(login, world.url(app, PAGE), provider=provider, person=person)
    return page


def accepted(provider: str, *, app: str = APP, login: str = "alice", **behaviour: Any) -> Run:
    """The person ends on the page that they asked for."""

    async def run(world: World) -> None:
        with issuer_of(world, provider).misbehaving(**behaviour):
            page = await signed_in_by(world, provider, app=app, login=login)
        expect(page.status == 200 and page.url == world.url(app, PAGE), f"not signed in: {page.status} {page.url}")

    return run


def nologin(
    code: str, *, provider: str = "alpha", app: str = APP, login: str = "alice", before: str = "", **behaviour: Any
) -> Run:
    """NOLOGIN: a page of refusal, no session, no cookie of one, one event in the log, with this code.

    `before`: where the sign-in never comes to.
    """

    async def run(world: World) -> None:
        mark, person = world.gateway.mark(), world.guest()
        with issuer_of(world, provider).misbehaving(**behaviour):
            page = await signed_in_by(world, provider, app=app, login=login, person=person)
        sign_in_refused(page.status, person.jar.received)
        expect(not before or before not in page.url, f"came as far as {page.url}")
        for place in (host(app), PORTAL):
            expect(person.jar.get(place, SEAT) is None, f"{place} has a seat")
        await world.logged(mark, code=code)
        codes = [line["code"] for line in world.gateway.lines(mark) if line["event"] in REFUSALS]
        # Of a sign-in: what the case before this one has left is written by and by.
        codes = [told for told in codes if str(told).partition(".")[0] in ("login", "oidc", "portal", "session")]
        expect(codes == [code], f"the log says {codes}, not {code} once")
        again = await person.step("GET", world.url(app, PAGE))
        expect(again.status == 303, f"signed in all the same: {again.status}")
        await person.close()

    return run


REFUSALS = ("login.refused", "request.refused", "provider.unreachable")
