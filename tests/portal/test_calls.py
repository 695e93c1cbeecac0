"""What a sign-in costs, counted in calls of Python functions: the same number on every machine."""

from collections import Counter

from gateway.stores.memory import MemoryStore
from tests.calls import traced
from tests.portal.installation import ACTES, installed
from tests.portal.saml.region import region_installed

# From the first page to the application's, with all threads: the numbers measured. They go down with what makes a
# sign-in cheaper, and up only with what a sign-in has to do besides: some 55 calls look for the browser's other
# sessions, ask the provider's marks once the session is written, and note that the provider answers; 15 check the types
# of what is read of the hand-over.
MOST_BY_OPENID = 712
MOST_BY_SAML = 964


async def test_a_sign_in_by_openid_connect_costs_no_more_calls_than_measured() -> None:
    """The second: the provider's documents are known."""
    with traced() as calls:
        async with installed(store=MemoryStore()) as here:
            for _ in range(2):
                calls.forget()
                assert (await here.browser().get(here.url(ACTES, "/dossier/7"))).text == "actes for alice"
            names = list(calls.names)
    assert len(names) <= MOST_BY_OPENID, _told(names)


async def test_a_sign_in_by_saml_costs_no_more_calls_than_measured() -> None:
    """Its assertion is signed and encrypted."""
    with traced() as calls:
        async with region_installed(store=MemoryStore()) as region:
            region.change(encrypted=True)
            for _ in range(2):
                calls.forget()
                assert (await region.signed_in(region.person(), encrypted=True)).status == 200
            names = list(calls.names)
    assert len(names) <= MOST_BY_SAML, _told(names)


def _told(names: list[str]) -> str:
    """How many, and what is called most."""
    most = "".join(f"\n{times:>5} {name}" for name, times in Counter(names).most_common(40))
    return f"{len(names)} calls{most}"
