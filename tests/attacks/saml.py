"""XS: only what a SAML provider signed, for us and in answer to this browser, signs anybody in. attacks.md 1B, 2.6.

The cases are those of tests/saml/forgeries.py, each brought to the gateway by a browser that was sent to the provider.
"""

from tests.attacks import saml_logout, saml_metadata, saml_tenants
from tests.attacks import saml_providers as idps
from tests.attacks.cases import Case, Run, expect, uncontrolled
from tests.attacks.outcomes import sign_in_refused
from tests.attacks.saml_browser import PAGE, answered, scene_of, sent
from tests.attacks.world import PORTAL, SEAT, World, host
from tests.saml.forgeries import FORGERIES
from tests.saml.forging import Forgery, saying

# What the portal refuses before or in place of the validation: by the binding, or for want of a request under way.
_BY_THE_PORTAL = {
    "256 KB and more": "saml.binding.size",
    "nothing": "saml.binding.parameter",
    "an answer to somebody else's request": "login.transaction_gone",
    "the same, where answers unasked are let in": "login.transaction_gone",
}


def _refused(forgery: Forgery) -> Run:
    """NOLOGIN: a page of refusal, no seat anywhere, one line in the log, and its code is that of the check."""

    async def run(world: World) -> None:
        name = idps.name_of(forgery)
        person, query, request_id = await sent(world, name)
        document = forgery.make(scene_of(world, name, request_id))
        mark = world.gateway.mark()
        relay_state = None if forgery.asked == "nothing" else query["RelayState"]
        page = await person.follow(await answered(world, person, document, relay_state))
        sign_in_refused(page.status, person.jar.received)
        for place in (host(name), PORTAL):
            expect(person.jar.get(place, SEAT) is None, f"{place} has a seat")
        code = _BY_THE_PORTAL.get(forgery.id, forgery.code.id)
        await world.logged(mark, code=code)
        told = [
            line["code"] for line in world.gateway.lines(mark) if line["event"] in ("login.refused", "request.refused")
        ]
        expect(told == [code], f"the log says {told}, not {code} once")
        again = await person.step("GET", world.url(name, PAGE))
        expect(again.status == 303, f"signed in all the same: {again.status}")
        await person.close()

    return run


async def honest(world: World) -> None:
    """The control of all these: what they are forged from signs in, and once alone."""
    name = idps.name_of(FORGERIES[0])
    person, query, request_id = await sent(world, name)
    document = saying()(scene_of(world, name, request_id))
    page = await person.follow(await answered(world, person, document, query["RelayState"]))
    expect(page.status == 200 and page.url == world.url(name, PAGE), f"not signed in: {page.status} {page.url}")
    mark = world.gateway.mark()
    thief, asked, _ = await sent(world, name)
    replayed = await answered(world, thief, document, asked["RelayState"])
    sign_in_refused(replayed.status, thief.jar.received)
    await world.logged(mark, code="saml.in_response_to")
    for each in (person, thief):
        await each.close()


def _cases() -> tuple[Case, ...]:
    cases = [uncontrolled("XS.1", "the honest provider, and its answer brought again by another browser", honest)]
    for number, forgery in enumerate(FORGERIES, 2):
        cases.append(uncontrolled(f"XS.{number}", f"{forgery.id} ({forgery.line})", _refused(forgery)))
    return tuple(cases)


CASES = (*_cases(), *saml_tenants.CASES, *saml_logout.CASES, *saml_metadata.CASES)
