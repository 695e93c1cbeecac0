"""IsPassive: whoever is signed in at the provider passes without a page of its; whoever is not is asked again, once."""

import pytest

from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS
from tests.portal.saml.region import ENTITY, IDP, Asked, Region, brought
from tests.saml.idp import at

RESPONDER = "urn:oasis:names:tc:SAML:2.0:status:Responder"
NO_PASSIVE = "urn:oasis:names:tc:SAML:2.0:status:NoPassive"


def refusal(region: Region, asked: Asked, code: str = NO_PASSIVE) -> bytes:
    """As providers send it: not signed."""
    return (
        '<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" '
        f'ID="_no" Version="2.0" IssueInstant="{at(region.here.clock.seconds())}" Destination="{region.acs}" '
        f'InResponseTo="{asked.message.get("ID")}"><a:Issuer>{ENTITY}</a:Issuer><p:Status>'
        f'<p:StatusCode Value="{RESPONDER}"><p:StatusCode Value="{code}"/></p:StatusCode></p:Status></p:Response>'
    ).encode()


async def onward(person: Person, reply: Response) -> Response:
    """As far as the provider."""
    while reply.status == 303 and not reply.location.startswith(IDP):
        reply = await person.step("GET", reply.location, initiator=f"{IDP}/sso")
    return reply


async def asked_again(region: Region, person: Person, asked: Asked, code: str = NO_PASSIVE) -> Response:
    return await onward(person, await region.answer(person, refusal(region, asked, code), asked.relay_state))


async def test_who_is_signed_in_there_passes_unseen(region: Region) -> None:
    region.change(passive_first=True)
    person = region.person()
    asked = await region.asked(person)
    assert asked.message.get("IsPassive") == "true"
    page = await person.follow(await region.answer(person, region.response(asked), asked.relay_state))
    assert page.url == region.here.url(PERMIS, "/dossier?id=7")


async def test_who_is_not_is_asked_with_a_page_and_comes_back_to_where_they_were_going(region: Region) -> None:
    region.change(passive_first=True)
    person = region.person()
    first = await region.asked(person)
    second = brought(await asked_again(region, person, first))
    assert second.message.get("IsPassive") is None
    assert (second.relay_state, second.message.get("ID")) != (first.relay_state, first.message.get("ID"))
    page = await person.follow(await region.answer(person, region.response(second), second.relay_state))
    assert page.url == region.here.url(PERMIS, "/dossier?id=7")
    assert region.here.codes() == []


async def test_it_never_goes_round(region: Region) -> None:
    region.change(passive_first=True)
    person = region.person()
    second = brought(await asked_again(region, person, await region.asked(person)))
    reply = await asked_again(region, person, second)
    assert reply.status == 403
    assert region.here.codes() == ["saml.no_passive"]


async def test_the_answer_to_the_first_request_works_no_more(region: Region) -> None:
    region.change(passive_first=True)
    person = region.person()
    first = await region.asked(person)
    await asked_again(region, person, first)
    late = await person.follow(await region.answer(person, region.response(first), first.relay_state))
    assert late.status == 400


@pytest.mark.parametrize("passive_first", [True, False])
async def test_another_refusal_is_one(region: Region, passive_first: bool) -> None:
    region.change(passive_first=passive_first)
    person = region.person()
    code = "urn:oasis:names:tc:SAML:2.0:status:AuthnFailed" if passive_first else NO_PASSIVE
    reply = await asked_again(region, person, await region.asked(person), code)
    assert reply.status == 403
    assert region.here.codes() == ["saml.status" if passive_first else "saml.no_passive"]


async def test_an_authentication_made_now_needs_a_page(region: Region) -> None:
    region.change(passive_first=True, force_authn=True)
    assert (await region.asked(region.person())).message.get("IsPassive") is None
