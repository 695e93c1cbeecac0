"""Chromium before a SAML provider that signs nobody in: what people are told for each kind of status."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path

import pytest
from aiohttp import web

from gateway.model.provider import MetadataFile
from gateway.saml.parties import Endpoint
from tests.browser.chromium import walked
from tests.browser.test_provider_pages import controlled
from tests.federation.pictures import picture
from tests.federation.servers import web_server
from tests.portal.installation import PERMIS, PORTAL
from tests.portal.saml.region import ENTITY, Region, metadata, of_query, region_installed
from tests.portal.saml.test_logos import HERE, logo_at_hand
from tests.saml.forged_statements import refusal
from tests.saml.metadata_samples import entity, role

pytestmark = pytest.mark.browser
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
FAILED = "La connexion n’a pas abouti"

# The status, codes parted by spaces; the title and a sentence of the page, and its button.
ERRORS = (
    ("Responder AuthnFailed", "Connexion annulée", "Vous pouvez recommencer.", "Recommencer"),
    (
        "Responder NoPassive",
        "Votre service de connexion attend une action de votre part",
        "faites ce qu’il vous demande",
        "Recommencer",
    ),
    ("Responder NoAuthnContext", "Niveau d’authentification insuffisant", "carte agent", "Recommencer"),
    ("Requester InvalidNameIDPolicy", FAILED, "n’accepte pas ce que ce portail lui demande", "Recommencer"),
    ("Responder", FAILED, "Recommencez depuis l’application", "Recommencer"),
    ("forged", FAILED, "La réponse du service de connexion", "Recommencer"),
)


class Idp:
    """Its page has one button, which brings what it `says`: a status, by the names of its codes, or a sign-in, of alice
    or of bob. The page says whether it was asked to sign the person in anew."""

    def __init__(self, region: Region) -> None:
        self.says = "well"
        self._region = region

    def become(self, what: str) -> None:
        self.says = what

    async def page(self, request: web.BaseRequest) -> web.StreamResponse:
        asked, region = of_query(str(request.url)), self._region
        bob: dict[str, object] = {"name_id": "bob", "mail": "bob@metropole.example"}
        signs_in: dict[str, dict[str, object]] = {"well": {}, "bob": bob, "forged": {"audience": "another"}}
        if self.says in signs_in:
            response = region.response(asked, **signs_in[self.says])
        else:
            response = refusal(*(f"{STATUS}{code}" for code in self.says.split()))(region.scene(asked))
        fields = {"SAMLResponse": b64encode(response).decode(), "RelayState": asked.relay_state or ""}
        inputs = "".join(f'<input type="hidden" name="{name}" value="{escape(fields[name])}">' for name in fields)
        form = f'<form method="post" action="{region.acs}">{inputs}<button>Continuer</button></form>'
        anew = f"<p>ForceAuthn: {asked.message.get('ForceAuthn', 'false')}</p>"
        return web.Response(text=f"<!doctype html><title>Région</title>{anew}{form}", content_type="text/html")


@asynccontextmanager
async def answering(region: Region, folder: Path) -> AsyncIterator[Idp]:
    """As the provider of `region`, one of two that the application listens to; its logo is in `folder`."""
    idp = Idp(region)
    async with web_server(idp.page) as port:
        known = metadata(sign_on=(Endpoint("redirect", f"http://127.0.0.1:{port}/sso"),))
        region.here.saml_metadata.known["region"] = known
        document = entity(role(HERE), id=ENTITY).encode()
        region.change(metadata=MetadataFile(document))
        logo_at_hand(region, folder, picture("PNG", (96, 64)))
        region.here.change("permis", providers=("region", "departement"))
        yield idp


async def test_each_kind_of_status_has_its_own_sentence_and_a_way_on(tmp_path: Path) -> None:
    async with region_installed() as region, answering(region, tmp_path) as idp, controlled(idp.become) as control:
        keys = ("what", "title", "sentence", "way")
        errors = [dict(zip(keys, error, strict=True)) for error in ERRORS]
        site = {"permis": region.here.url(PERMIS, ""), "portal": region.here.url(PORTAL, ""), "control": control}
        told = {"name": "Région", "button": "Continuer", "logos": "1", "errors": json.dumps(errors)}
        await walked("provider_errors.mjs", {**site, **told, "pictures": str(tmp_path)})
        assert "gateway.fault" not in region.here.codes()
