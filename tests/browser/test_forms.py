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

# Each form, by its template and its action: the walk that sends it, and what the file of the walk says of it.
FORMS = {
    ("account", "/_ecluse/account"): ("link_account", "Rattacher ce compte"),
    ("account_request", "/_ecluse/account/request"): ("ask_for_account", "Demander l’accès"),
    ("acting", "/_ecluse/acting"): ("acting", "Agir pour Lille"),
    ("base", "/_ecluse/language"): ("ask_for_account", "'button', { name: 'English' }"),
    ("choices", "/_ecluse/organisation/forget"): ("home_realm", "Oublier"),
    # A search of the page itself.
    ("home", ""): ("home", "Rechercher"),
    ("home", "/_ecluse/acting/change"): ("acting", "Agir pour une autre organisation"),
    ("home", "/_ecluse/logout"): ("logout_at_provider", "/_ecluse/home"),
    ("home", "/_ecluse/sessions/end"): ("home", "Fermer cette session"),
    ("logout", "/_ecluse/logout"): ("logout_at_provider", "Se déconnecter"),
    ("not_to_send", "/_ecluse/logout"): ("kept_post", "Se déconnecter"),
    ("organisations", "/_ecluse/organisation"): ("organisations", "Rechercher"),
    # A form that sends itself to a provider.
    ("post", "{{ url }}"): ("saml_post", "AuthnRequest"),
    ("send_post", "{{ action }}"): ("kept_post", "Envoyer mon formulaire"),
    ("sessions", "/_ecluse/account/remove"): ("unlink_account", "Détacher ce compte"),
    ("sessions", "/_ecluse/logout"): ("logout_at_provider", "/_ecluse/sessions"),
    ("signed_out", "/_ecluse/logout"): ("home", "Abandonner les connexions en cours"),
}


def test_every_form_of_ours_is_sent_by_a_walk() -> None:
    written = set[tuple[str, str]]()
    for path in (*_TEMPLATES.glob("*.html"), *DSFR_TEMPLATES.glob("*.html")):
        for form in re.findall(r"<form\b[^>]*>", path.read_text()):
            action = found[1] if (found := re.search(r'action="([^"]*)"', form)) else ""
            written.add((path.stem, re.sub(r"\{% if .*", "", action)))
    assert written == FORMS.keys()
    unsent = [form for form, (walk, words) in FORMS.items() if words not in (WALKS / f"{walk}.mjs").read_text()]
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
