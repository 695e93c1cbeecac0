"""The demo's SAML provider: there and back by the browser, and out again at both."""

from base64 import b64decode, b64encode
from html import unescape
from re import search
from urllib.parse import urlencode

from tests.browser_like import Person, Response
from tests.smoke.pages import received
from tests.smoke.world import World


async def test_a_person_of_a_saml_provider_signs_in(world: World) -> None:
    _, page = await world.signed_in("camille", world.subventions("/demandes?annee=2024"))
    assert page.url == world.subventions("/demandes?annee=2024")
    values = received(page)
    assert values["HTTP_AUTH_USER"] == b"camille"
    assert values["HTTP_AUTH_MAIL"] == b"camille@region.example"


async def test_the_chooser_offers_it_beside_the_others(world: World) -> None:
    page = await world.person().open(world.subventions())
    assert all(name in page.text for name in ("Métropole du Nord", "Département", "Région")), page.text


async def test_an_application_that_does_not_list_it_does_not_hear_it(world: World) -> None:
    person, _ = await world.signed_in("camille", world.subventions())
    page = await person.open(world.permis())
    assert page.origin == world.portal(""), page.url
    assert "n’accepte pas le service de connexion de votre session en cours" in page.text
    assert "provider=metropole" in page.text
    assert "provider=region" not in page.text


async def test_a_saml_answer_that_was_changed_lets_nobody_in(world: World) -> None:
    person = world.person()
    page = await world.to_provider(person, "camille", world.subventions())
    (form,) = page.forms()
    answer = await person.post(form.action, urlencode([*form.fields, ("account", "camille")]))
    (form,) = answer.forms()
    fields = dict(form.fields)
    changed = b64decode(fields["SAMLResponse"]).replace(b">camille<", b">admin<")
    fields["SAMLResponse"] = b64encode(changed).decode()
    mark = world.gateway.mark()
    refused = await person.post(form.action, urlencode(fields), initiator=answer.url)
    assert refused.status == 403
    assert not refused.all("Set-Cookie")
    await world.gateway.logged(mark, event="login.refused", code="saml.signature", provider="region")


async def test_our_saml_metadata_are_there(world: World) -> None:
    page = await world.person().step("GET", world.portal("/_ecluse/saml/metadata"))
    assert page.status == 200
    assert world.portal("/_ecluse/saml/acs") in page.text
    assert "SignatureValue" in page.text


async def test_signing_out_at_the_portal_signs_out_at_the_provider(world: World) -> None:
    person, _ = await world.signed_in("camille", world.subventions())
    form = await person.open(world.portal("/_ecluse/logout"))
    page = await _goes_on(person, await person.submit(form, form.forms()[0]))
    assert page.origin == world.portal(""), page.url
    assert "en a été informé" in page.text, page.text
    assert (await person.script(world.subventions("/_ecluse/session"))).status == 401


async def _goes_on(person: Person, page: Response) -> Response:
    """A page that goes on by itself, as a browser follows it."""
    found = search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    assert found, page.text
    return await person.follow(await person.step("GET", unescape(found[1]), initiator=page.url))
