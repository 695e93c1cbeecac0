"""What a provider's administrator fetches from us."""

from dataclasses import replace

from lxml import etree

from tests.portal.installation import PORTAL
from tests.portal.saml.region import Region
from tests.saml.parties import verified_by_xmlsec

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


async def test_our_metadata_are_signed_and_made_once_in_a_while(region: Region) -> None:
    url = region.here.url(PORTAL, "/_ecluse/saml/metadata")
    person = region.person()
    reply = await person.step("GET", url)
    assert reply.status == 200
    assert reply.header("Content-Type") == "application/samlmetadata+xml"
    root = verified_by_xmlsec(reply.body, region.sp.keys[0])
    assert root.get("entityID") == url == region.sp.entity_id
    locations = {
        each.get("Location") for each in root.iter(f"{MD}AssertionConsumerService", f"{MD}SingleLogoutService")
    }
    assert locations == {region.sp.acs, region.sp.artifact_acs, region.sp.logout, region.sp.logout_soap}
    assert {each.get("FriendlyName") for each in root.iter(f"{MD}RequestedAttribute")} == {"mail"}
    assert (await person.step("GET", url)).body == reply.body
    region.here.clock.ahead += 601
    assert (await person.step("GET", url)).body != reply.body


async def test_another_configuration_has_other_metadata(region: Region) -> None:
    url = region.here.url(PORTAL, "/_ecluse/saml/metadata")
    person = region.person()
    first = etree.fromstring((await person.step("GET", url)).body).get("ID")
    region.here.snapshot = replace(region.here.snapshot, revision="2")
    assert etree.fromstring((await person.step("GET", url)).body).get("ID") != first
