"""Chromium is led to a provider by where a person is, by their address, by what was chosen before, or by a federation's
discovery service; and by the name and logo that its metadata tell, as another person too."""

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web
from PIL import Image, PngImagePlugin

from gateway.federation.metadata_index import logos_folder
from gateway.model.provider import AuthorizationParameters, MetadataFile, SamlProvider
from tests.browser.chromium import walked
from tests.browser.test_provider_pages import controlled
from tests.browser.test_saml_errors import answering
from tests.federation.metadata_server import running_metadata_server
from tests.federation.servers import web_server
from tests.federation.test_logo_keeper import keeping
from tests.patience import until
from tests.portal.flow.test_chooser import HERE
from tests.portal.installation import PERMIS, PORTAL, Installation, installed
from tests.portal.saml.region import ENTITY, region_installed
from tests.portal.saml.test_logos import HERE as LOGO
from tests.portal.test_organisations import serves, with_organisations
from tests.saml.metadata_samples import entity, role

pytestmark = pytest.mark.browser


def becoming(here: Installation) -> Callable[[str], None]:
    def later() -> None:
        """Who comes often within a minute is told that the sign-in goes round."""
        here.clock.ahead += 120

    changes: dict[str, Callable[[], object]] = {
        "later": later,
        "network": lambda: serves(here, "departement", networks=HERE),
        "host": lambda: serves(here, "departement", hosts=frozenset({PERMIS})),
        "list": lambda: serves(here, "departement"),
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


async def test_whom_no_provider_serves_by_name_is_led_to_the_one_for_all_others() -> None:
    async with installed() as here:
        with_organisations(here)
        serves(here, "departement", others=True)
        request = AuthorizationParameters(passed_on=frozenset({"siret_hint"}))
        here.change_provider("departement", label="ProConnect", request=request)
        site = {"permis": here.url(PERMIS, ""), "portal": here.url(PORTAL, "")}
        await walked("all_others.mjs", {**site, "named": here.metropole.issuer, "others": here.departement.issuer})
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


def drawn(words: str) -> bytes:
    """A picture that says more than one sees."""
    beside, out = PngImagePlugin.PngInfo(), BytesIO()
    beside.add_text("Comment", words)
    Image.new("RGB", (96, 64), "navy").save(out, "PNG", pnginfo=beside)
    return out.getvalue()


async def test_a_logo_is_fetched_aside_and_drawn_anew(tmp_path: Path) -> None:
    words = "<script>alert(1)</script>"
    async with region_installed() as region, running_metadata_server() as server, keeping(tmp_path / "kept") as kept:
        server.documents = {"/logo": drawn(words)}
        document = entity(role(LOGO.replace("https://a/l.png", server.url("/logo"))), id=ENTITY)
        region.change(label="region", labels={}, metadata=MetadataFile(document.encode()))
        region.here.saml_metadata._folder = kept.folder
        region.here.change("permis", providers=("region", "departement"))
        provider = region.here.snapshot.providers["region"]
        assert isinstance(provider, SamlProvider)
        await kept.use(provider)
        await until(lambda: any(logos_folder(kept.folder).glob("*.sqlite")))
        site = {"permis": region.here.url(PERMIS, ""), "portal": region.here.url(PORTAL, "")}
        await walked("logo.mjs", {**site, "words": words, "picture": b64encode(server.documents["/logo"]).decode()})
        assert server.asked == ["/logo"], "once, and by nobody but us"
        assert "gateway.fault" not in region.here.codes()
