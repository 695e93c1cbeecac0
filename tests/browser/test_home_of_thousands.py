"""Chromium before the home page of a person for whom 5,000 applications are judged, in one loop."""

from dataclasses import replace

import pytest

from gateway.config.snapshot import App
from tests.browser.chromium import walked
from tests.portal.installation import ACTES, PORTAL, Installation, installed
from tests.portal.test_home_page import BETTER, CLOSED, EVERYBODY, HOME

pytestmark = pytest.mark.browser

SERVICES = 5_000


def with_services(here: Installation) -> None:
    """Every seventh is closed to everybody; the last asks for a stronger sign-in, which the person may have."""
    one = here.snapshot.apps["actes"]

    def service(number: int) -> App:
        hosts, routes = (f"service-{number}.localhost",), EVERYBODY if number % 7 else CLOSED
        routes = BETTER if number == SERVICES - 1 else routes
        return replace(one, name=f"s{number}", label={"": f"Service {number:04}"}, hosts=hosts, routes=routes)

    services = {f"s{number}": service(number) for number in range(SERVICES)}
    here.snapshot = replace(here.snapshot, apps={**here.snapshot.apps, **services})


async def test_home_is_judged_in_slices_and_others_are_answered_meanwhile() -> None:
    async with installed() as here:
        usual = here.snapshot
        with_services(here)
        site = {"actes": here.url(ACTES, ""), "portal": here.url(PORTAL, ""), "home": here.url(PORTAL, HOME)}
        await walked("home_of_thousands.mjs", site)
        assert "gateway.fault" not in here.codes()
        # So many applications have no counters that begin at zero, which are looked at in the end.
        here.snapshot = usual
