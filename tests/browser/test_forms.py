"""Chromium sends every form of ours, each from the portal to an application of another host or to a provider.

Only a browser shows it: each redirect that follows is held against the form-action of the form's page.
"""

import re
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from lxml import etree

from gateway.accounts.link import NewLink
from gateway.config.snapshot import Logout
from gateway.model.account import AccountHolder, AccountSettings
from gateway.portal.http.pages import _TEMPLATES, DSFR_TEMPLATES
from gateway.saml.parties import Endpoint
from tests.browser.chromium import WALKS, walked
from tests.federation.servers import web_server
from tests.portal.flow.test_acting import COMMUNE, LYCEE, may_act_for, with_names
from tests.portal.installation import ACTES, PERMIS, PORTAL, installed
from tests.portal.saml.region import metadata, of_form, region_installed

pytestmark = pytest.mark.browser

# Each form of our templates, by where it is sent; the walks that send it, and what their files say of that.
FORMS = {
    "/_ecluse/account": ("link_account", "Rattacher ce compte"),
    "/_ecluse/account/remove": ("unlink_account", "Détacher ce compte"),
    "/_ecluse/account/request": ("ask_for_account", "Demander l’accès"),
    "/_ecluse/acting": ("acting", "Agir pour Lille"),
    "/_ecluse/acting/change": ("acting", "Agir pour une autre organisation"),
    "/_ecluse/language": ("ask_for_account", "'button', { name: 'English' }"),
    "/_ecluse/logout": ("logout_at_provider", "Se déconnecter"),
    "/_ecluse/organisation": ("organisations", "Rechercher"),
    "/_ecluse/organisation/forget": ("home_realm", "Oublier"),
    "/_ecluse/sessions/end": ("home", "Fermer cette session"),
    # A search of the page itself, a kept form, and a form that sends itself to a provider.
    "": ("home", "Rechercher"),
    "{{ action }}": ("kept_post", "Envoyer mon formulaire"),
    "{{ url }}": ("saml_post", "AuthnRequest"),
}


def test_every_form_of_ours_is_sent_by_a_walk() -> None:
    written = [path.read_text() for folder in (_TEMPLATES, DSFR_TEMPLATES) for path in folder.glob("*.html")]
    forms = re.findall(r"<form\b[^>]*>", "".join(written))
    actions = [found[1] if (found := re.search(r'action="([^"]*)"', form)) else "" for form in forms]
    assert {re.sub(r"\{% if .*", "", action) for action in actions} == FORMS.keys()
    unsent = [action for action, (walk, words) in FORMS.items() if words not in (WALKS / f"{walk}.mjs").read_text()]
    assert unsent == []


async def test_a_person_chooses_for_whom_they_act_and_changes_it() -> None:
    async with installed() as here:
        may_act_for(here, LYCEE, COMMUNE)
        with_names(here)
        await walked("acting.mjs", {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, "")})
        assert "gateway.fault" not in here.codes()


async def test_a_person_takes_a_link_back() -> None:
    async with installed() as here:
        here.link_accounts("actes", AccountSettings(by=("uid",), ask=(("", "Demandez."),), missing="link"))
        await here.accounts.add(NewLink(AccountHolder("actes", here.metropole.issuer, "uid=alice"), "a.liddell"))
        await walked("unlink_account.mjs", {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, "")})


async def test_a_saml_provider_is_asked_by_forms() -> None:
    async with region_installed() as region:

        async def provider(request: web.BaseRequest) -> web.StreamResponse:
            """Its page has one button, which signs alice in."""
            if request.method != "POST":
                return web.Response(status=404)
            asked = of_form(dict(parse_qsl((await request.read()).decode())), str(request.url))
            fields = region.fields(region.response(asked), asked.relay_state)
            inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in fields.items())
            form = f'<form method="post" action="{region.acs}">{inputs}<button>Continuer</button></form>'
            kind = etree.QName(asked.message).localname
            page = f"<!doctype html><title>Région</title><p>{kind}</p>{form if kind == 'AuthnRequest' else ''}"
            return web.Response(text=page, content_type="text/html")

        async with web_server(provider) as port:
            at = f"http://127.0.0.1:{port}"
            known = metadata(sign_on=(Endpoint("post", f"{at}/sso"),), logout=(Endpoint("post", f"{at}/slo"),))
            region.here.saml_metadata.known["region"] = known
            region.change(request_binding="post")
            region.here.change("permis", logout=Logout(scope="global"))
            site = {"permis": region.here.url(PERMIS, ""), "portal": region.here.url(PORTAL, "")}
            await walked("saml_post.mjs", site)
        assert "gateway.fault" not in region.here.codes()
