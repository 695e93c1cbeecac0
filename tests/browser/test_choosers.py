"""Chromium is led to a provider by where a person is, by their address, by what was chosen before, or by a federation's
discovery service; and by the name and logo that its metadata tell, as another person too."""

import json
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from tests.browser.chromium import walked
from tests.browser.test_provider_pages import controlled
from tests.browser.test_saml_errors import answering
from tests.federation.servers import web_server
from tests.portal.flow.test_chooser import HERE
from tests.portal.installation import PERMIS, PORTAL, Installation, installed
from tests.portal.saml.region import ENTITY, region_installed
from tests.portal.test_organisations import serves, with_organisations

pytestmark = pytest.mark.browser


def becoming(here: Installation) -> Callable[[str], None]:
    def later() -> None:
        """Who comes often within a minute is told that the sign-in goes round."""
        here.clock.ahead += 120

    changes: dict[str, Callable[[], object]] = {
        "later": later,
        "network": lambda: serves(here, "departement", networks=HERE),
        "host": lambda: serves(here, "departement", hosts=frozenset({PERMIS})),
        "organisations": lambda: with_organisations(here),
        "one": lambda: here.change("permis", providers=("metropole",)),
    }

    def become(what: str) -> None:
        changes[what]()

    return become


async def test_a_person_is_led_to_their_provider_by_what_is_known_of_them() -> None:
    async with installed() as here, controlled(becoming(here)) as control:
        site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, ""), "control": control}
        await walked("home_realm.mjs", {**site, "first": here.metropole.issuer, "second": here.departement.issuer})
        assert "gateway.fault" not in here.codes()


async def test_an_old_chooser_is_no_end_of_the_way() -> None:
    async with installed() as here:

        def become(what: str) -> None:
            """Later than any sign-in is kept."""
            here.clock.ahead += 7200

        async with controlled(become) as control:
            site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, ""), "control": control}
            await walked("old_chooser.mjs", site)
        assert "gateway.fault" not in here.codes()


async def wayf(request: web.BaseRequest) -> web.StreamResponse:
    """As the service of a federation: the provider that is clicked goes back where the request says."""
    back = request.query["return"]
    chosen = f"{back}{'&' if '?' in back else '?'}{urlencode({'entityID': ENTITY})}"
    page = f'<h1>Fédération</h1><a href="{escape(chosen)}">La région</a> <a href="{escape(back)}">Aucune</a>'
    return web.Response(text=f"<!doctype html><title>Fédération</title>{page}", content_type="text/html")


async def test_a_person_finds_their_provider_at_a_discovery_service(tmp_path: Path) -> None:
    async with region_installed() as region, answering(region, tmp_path), web_server(wayf) as port:
        service, here = f"http://localhost:{port}/wayf", region.here
        own = replace(region.sp, discovery=service, discovery_response=here.url(PORTAL, "/_ecluse/saml/discovery"))
        here.snapshot = replace(here.snapshot, gateway=replace(here.snapshot.gateway, service_provider=own))
        site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, ""), "service": service}
        await walked("discovery.mjs", site)
        assert "gateway.fault" not in here.codes()


async def test_a_saml_provider_has_its_own_name_and_asks_for_another_account(tmp_path: Path) -> None:
    async with region_installed() as region, answering(region, tmp_path) as idp, controlled(idp.become) as control:
        # A file that calls it nothing: what its metadata say is shown.
        region.change(label="region", labels={})
        region.here.change("permis", providers=("region", "departement"))
        names = {"fr": "Région Nord", "en": "Northern <b>Region</b>"}
        site = {"permis": region.here.url(PERMIS, ""), "portal": region.here.url(PORTAL, ""), "control": control}
        await walked("saml_provider.mjs", {**site, "names": json.dumps(names)})
        assert "gateway.fault" not in region.here.codes()
