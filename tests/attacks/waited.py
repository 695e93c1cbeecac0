"""OC15: a request that the gateway holds costs it: nobody has one held for an id that they made up."""

import secrets
from collections.abc import Callable

from tests.attacks.cases import Case, Run, expect, numbered
from tests.attacks.world import BINDING, PORTAL, World


def made_up(make: Callable[[], str]) -> Run:
    """Refused at once. What is looked for comes back as the page once more, after some seconds."""

    async def run(world: World) -> None:
        person = world.guest()
        page = await person.step("GET", world.portal("/_ecluse/login?provider=alpha"))
        expect(bool(person.jar.get(PORTAL, BINDING)), f"the control: the browser is bound to a sign-in: {page.status}")
        page = await person.step("GET", world.portal(f"/_ecluse/wait?id={make()}&shown=1"))
        await person.close()
        expect(page.status == 400, f"what was made up is waited for: {page.status} {page.text[:200]}")
        expect(page.all("Set-Cookie") == [] and "/_ecluse/wait?" not in page.text, "it is asked for once more")

    return run


OC15 = (
    ("a made-up id", made_up(lambda: secrets.token_urlsafe(32))),
    ("a made-up id with a made-up mark", made_up(lambda: secrets.token_urlsafe(32) + secrets.token_hex(32))),
    ("a made-up id with a shorter mark", made_up(lambda: secrets.token_urlsafe(32) + secrets.token_hex(16))),
    ("no id", made_up(lambda: "")),
)

CASES: tuple[Case, ...] = numbered("OC15", OC15, controlled=False)
