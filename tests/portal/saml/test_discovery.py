"""A person who looks for their organisation at a federation's discovery service, and comes back with its provider."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS, PORTAL
from tests.portal.saml.region import ENTITY, IDP, Region, brought, code_of, parameters
from tests.portal.test_organisations import with_organisations

DS = "https://ds.federation.example/wayf"
RETURN = "/_ecluse/saml/discovery"


@pytest.fixture
def federated(region: Region) -> Region:
    """`permis` listens to region and another, and gateway.yaml names a discovery service."""
    gateway = region.here.snapshot.gateway
    assert gateway.service_provider is not None
    own = replace(
        gateway.service_provider,
        discovery=DS,
        discovery_response=region.here.url(PORTAL, RETURN),
    )
    region.here.snapshot = replace(region.here.snapshot, gateway=replace(gateway, service_provider=own))
    region.here.change("permis", providers=("region", "departement"))
    return region


async def chooser(region: Region, person: Person, target: str = "/dossier?id=7") -> Response:
    return await person.follow(await person.step("GET", region.here.url(PERMIS, target)))


async def at_the_service(region: Region, person: Person, page: Response) -> dict[str, list[str]]:
    """What the browser brings to the discovery service by the link of this page."""
    link = re.search(r'href="(/_ecluse/saml/discover[^"]*)"', page.text)
    assert link, page.text
    reply = await person.step("GET", region.here.url(PORTAL, link[1].replace("&amp;", "&")), initiator=page.url)
    assert reply.location.partition("?")[0] == DS, reply.text
    return parameters(reply.location)


async def test_a_person_finds_their_provider_there_and_comes_to_the_page_they_asked_for(federated: Region) -> None:
    person = federated.person()
    asked = await at_the_service(federated, person, await chooser(federated, person))
    assert asked["entityID"] == [federated.sp.entity_id]
    (back,) = asked["return"]
    assert back.startswith(federated.here.url(PORTAL, RETURN) + "?t=")
    reply = await person.step("GET", f"{back}&entityID={quote(ENTITY, safe='')}", initiator=DS)
    request = brought(reply)
    assert request.location == f"{IDP}/sso"
    end = await person.follow(await federated.answer(person, federated.response(request), request.relay_state))
    assert end.url == federated.here.url(PERMIS, "/dossier?id=7")


async def test_who_chose_nobody_there_is_shown_our_own_page_again(federated: Region) -> None:
    person = federated.person()
    (back,) = (await at_the_service(federated, person, await chooser(federated, person)))["return"]
    page = await person.follow(await person.step("GET", back, initiator=DS))
    assert "Choose your" in page.text
    assert "saml/discover?t=" in page.text


async def test_from_home_and_by_another_account_the_provider_is_told_to_ask_anew(federated: Region) -> None:
    person = federated.person()
    page = await person.step("GET", federated.here.url(PORTAL, "/_ecluse/home?other_account=1"))
    (back,) = (await at_the_service(federated, person, page))["return"]
    assert back == federated.here.url(PORTAL, RETURN) + "?other_account=1"
    request = brought(await person.step("GET", f"{back}&entityID={quote(ENTITY, safe='')}", initiator=DS))
    assert request.message.get("ForceAuthn") == "true"
    again = await person.step("GET", back, initiator=DS)
    assert again.location == federated.here.url(PORTAL, "/?other_account=organisation"), "where people choose"


async def test_the_link_stands_below_the_search_for_organisations(federated: Region) -> None:
    with_organisations(federated.here)
    person = federated.person()
    assert (await at_the_service(federated, person, await chooser(federated, person)))["return"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("entityID=https%3A%2F%2Felsewhere.example", "login.unknown_provider"),
        ("entityID=region", "login.unknown_provider"),
        (f"entityID={quote(ENTITY, safe='')}&entityID=x", "portal.parameters"),
    ],
)
async def test_only_a_provider_of_ours_is_taken_from_there(federated: Region, query: str, code: str) -> None:
    person = federated.person()
    (back,) = (await at_the_service(federated, person, await chooser(federated, person)))["return"]
    reply = await person.step("GET", f"{back}&{query}", initiator=DS)
    assert (reply.status // 100, code_of(reply, federated.here)) == (4, code)


async def test_a_provider_that_the_application_does_not_listen_to_is_refused(federated: Region) -> None:
    person = federated.person()
    (back,) = (await at_the_service(federated, person, await chooser(federated, person)))["return"]
    federated.here.change("permis", providers=("metropole", "departement"))
    reply = await person.step("GET", f"{back}&entityID={quote(ENTITY, safe='')}", initiator=DS)
    assert code_of(reply, federated.here) == "login.unknown_provider"


@pytest.mark.parametrize("path", ["/_ecluse/saml/discover", f"{RETURN}?entityID={quote(ENTITY, safe='')}"])
async def test_no_picture_begins_a_sign_in_by_it(federated: Region, path: str) -> None:
    person = federated.person()
    reply = await person.step("GET", federated.here.url(PORTAL, path), [("Sec-Fetch-Dest", "image")], initiator=DS)
    assert (reply.status, reply.location) == (401, "")


@pytest.mark.parametrize("path", ["/_ecluse/saml/discover", f"{RETURN}?entityID={quote(ENTITY, safe='')}"])
async def test_without_a_service_there_is_no_such_page(region: Region, path: str) -> None:
    reply = await region.person().step("GET", region.here.url(PORTAL, path))
    assert (reply.status, code_of(reply, region.here)) == (404, "route.reserved")


async def test_where_no_saml_provider_is_offered_there_is_no_link(federated: Region) -> None:
    federated.here.change("permis", providers=("metropole", "departement"))
    page = await chooser(federated, federated.person())
    assert "Choose your" in page.text
    assert "saml/discover" not in page.text


async def test_a_sign_in_that_is_over_goes_to_no_service(federated: Region) -> None:
    reply = await federated.person().step("GET", federated.here.url(PORTAL, "/_ecluse/saml/discover?t=gone"))
    assert code_of(reply, federated.here) == "login.transaction_gone"


async def test_a_link_with_bytes_that_are_no_text_is_no_fault_of_ours(federated: Region) -> None:
    asks = federated.here.url(PORTAL, "/_ecluse/saml/discover?other_account=%ff")
    reply = await federated.person().step("GET", asks, initiator=federated.here.url(PORTAL, "/"))
    assert parameters(reply.location)["return"] == [federated.here.url(PORTAL, f"{RETURN}?other_account=1")]
    assert federated.here.codes() == []
