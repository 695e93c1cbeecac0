"""OC12.10 and on: one account at which the provider hangs up shuts nobody else out. Of a stranger's code: OC12.9."""

import asyncio

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.provider import HangsUp, Told
from tests.attacks.refreshing import APP, PAGE, PROVIDER, refreshes, seated, used_until
from tests.attacks.world import SEAT, World, host
from tests.patience import until

WHO = "hung"
# Of two workers, each would have left the provider alone after three in a row.
_OFTEN = 8


async def _others_sign_in(world: World) -> None:
    for _ in range(4):
        await seated(world)


async def _refused(world: World) -> None:
    mark, person = world.gateway.mark(), world.guest()
    await world.sign_in(WHO, world.url(APP, PAGE), person=person, provider=PROVIDER)
    await world.logged(mark, code="login.provider_unreachable")
    expect(person.jar.get(host(APP), SEAT) is None, "signed in without an answer of userinfo")
    await person.close()


async def at_userinfo(world: World) -> None:
    """At once: the code of each is answered, which proves that the provider is there."""
    issuer, came, all_there = world.scratch[PROVIDER], list[str](), asyncio.Event()

    async def for_all() -> None:
        came.append(WHO)
        if len(came) == _OFTEN:
            all_there.set()
        await all_there.wait()

    issuer.people[WHO] = {"groups": ["users"]}
    await _others_sign_in(world)
    with issuer.misbehaving(userinfo=lambda told: HangsUp(for_all) if told["sub"] == WHO else told):
        await asyncio.gather(*(_refused(world) for _ in range(_OFTEN)))
        await _others_sign_in(world)


async def at_the_refresh(world: World) -> None:
    issuer = world.scratch[PROVIDER]
    issuer.people[WHO] = {"groups": ["users"]}
    cookies = [await seated(world, WHO) for _ in range(_OFTEN)]
    before, mark = len(refreshes(issuer)), world.gateway.mark()
    with issuer.misbehaving(refreshed=lambda told: HangsUp() if told["sub"] == WHO else told):
        for number, cookie in enumerate(cookies, 1):
            await used_until(world, cookie, lambda least=before + number: len(refreshes(issuer)) >= least, "a refresh")
        await world.logged(mark, event="refresh.failed", provider=PROVIDER)
        await _others_sign_in(world)


async def at_the_revocation(world: World) -> None:
    """Who signs out has the refresh token revoked, in the provider's own time."""
    issuer, asked = world.scratch[PROVIDER], list[str]()
    issuer.people[WHO] = {"groups": ["users"]}

    def hangs(token: str) -> Told:
        # The gateway looks whether it answers at all, with nothing of theirs.
        if not token:
            return {}
        asked.append(token)
        return HangsUp()

    with issuer.misbehaving(revoked=hangs):
        for number in range(1, _OFTEN + 1):
            mark, person = world.gateway.mark(), world.guest()
            await world.sign_in(WHO, world.url(APP, PAGE), person=person, provider=PROVIDER)
            await person.post(world.url(APP, "/_ecluse/logout"), "")
            await person.close()
            await until(lambda least=number: len(asked) >= least)
            await world.logged(mark, event="tokens.not_revoked", provider=PROVIDER)
        await _others_sign_in(world)


OC12: tuple[tuple[str, Run], ...] = (
    ("an account at whose userinfo the provider hangs up", at_userinfo),
    ("an account at whose refresh it hangs up", at_the_refresh),
    ("an account at whose revocation it hangs up", at_the_revocation),
)

CASES: tuple[Case, ...] = numbered("OC12", OC12, first=10, controlled=False)
