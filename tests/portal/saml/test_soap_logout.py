"""A provider that takes logout over SOAP alone is told by us, while the person waits; the page says what came of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from aiohttp import web
from lxml import etree
from saml2.samlp import STATUS_RESPONDER

from gateway.saml.own_messages import logout_response
from gateway.saml.parties import Endpoint, KeyPair, ServiceProvider
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import fault, in_envelope
from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS, PORTAL
from tests.portal.saml.region import ENTITY, KEY, OTHER_KEY, Region, metadata
from tests.saml.idp import NS, one
from tests.saml.parties import verified_by_xmlsec


@dataclass
class LogoutService:
    """The provider's: `answer` is what it says, None for the truth. `asked`: the requests, in order."""

    region: Region
    key: KeyPair | None = KEY
    more: dict[str, object] = field(default_factory=dict)
    answer: web.Response | None = None
    asked: list[etree._Element] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        asked = one(etree.fromstring(await request.read()), "//p:LogoutRequest")
        self.asked.append(asked)
        if self.answer is not None:
            return self.answer
        message = logout_response(
            ServiceProvider(ENTITY, "", "", "", "", (KEY,)),
            destination=self.region.sp.logout_soap,
            id="_answer1",
            now=self.region.here.clock.now(),
            **({"in_response_to": asked.get("ID")} | self.more),  # type: ignore[arg-type]
        )
        signed = message if self.key is None else sign_enveloped(self.key, message)
        return web.Response(body=in_envelope(signed), content_type="text/xml")


@pytest.fixture
async def service(region: Region) -> AsyncIterator[LogoutService]:
    service = LogoutService(region)
    application = web.Application()
    application.router.add_post("/slo", service.take)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listed(region, f"http://127.0.0.1:{runner.addresses[0][1]}/slo")
    yield service
    await runner.cleanup()


def listed(region: Region, url: str) -> None:
    region.here.saml_metadata.known["region"] = metadata(logout=(Endpoint("soap", url),))


async def signed_out(region: Region, person: Person) -> Response:
    url = region.here.url(PORTAL, "/_ecluse/logout")
    return await person.post(url, "", headers=[("Sec-Fetch-Site", "same-origin")])


async def is_signed_in(region: Region, person: Person) -> bool:
    return (await person.script(region.here.url(PERMIS, "/_ecluse/session"))).status == 200


async def test_the_provider_is_told_without_the_browser(region: Region, service: LogoutService) -> None:
    person = region.person()
    await region.signed_in(person)
    page = await signed_out(region, person)
    assert page.status == 200
    assert "was informed too" in page.text
    assert not await is_signed_in(region, person)
    (asked,) = service.asked
    verified_by_xmlsec(etree.tostring(asked), region.sp.keys[0])
    assert one(asked, "a:NameID").text == "alice"
    assert one(asked, "p:SessionIndex").text == "_session-1"
    assert one(asked, "a:Issuer").text == region.sp.entity_id
    assert asked.find("ds:Signature", NS) is not None


async def test_where_a_browser_can_go_it_goes(region: Region, service: LogoutService) -> None:
    """Only there does the provider see what else that browser is signed in to."""
    known = region.here.saml_metadata.known
    known["region"] = metadata(logout=(*known["region"].logout, Endpoint("post", "https://idp.region.example/slo")))
    person = region.person()
    await region.signed_in(person)
    page = await signed_out(region, person)
    assert page.forms()[0].action == "https://idp.region.example/slo"
    assert not service.asked


@pytest.mark.parametrize(
    ("more", "key", "answer", "code"),
    [
        ({"partial": True}, KEY, None, None),
        ({"partial": True, "status": STATUS_RESPONDER}, KEY, None, None),
        ({"status": STATUS_RESPONDER}, KEY, None, "saml.status"),
        ({"in_response_to": "_another"}, KEY, None, "saml.in_response_to"),
        ({}, OTHER_KEY, None, "saml.signature"),
        ({}, None, None, "saml.signature.missing"),
        ({}, KEY, (500, fault("Client")), "saml.soap"),
        ({}, KEY, (200, fault("Server")), "saml.soap"),
        ({}, KEY, (200, b"<html/>"), "saml.soap"),
        ({}, KEY, (200, b""), "saml.document"),
    ],
)
async def test_what_was_not_signed_out_is_said(
    region: Region,
    service: LogoutService,
    more: dict[str, object],
    key: KeyPair | None,
    answer: tuple[int, bytes] | None,
    code: str | None,
) -> None:
    person = region.person()
    await region.signed_in(person)
    service.more, service.key = more, key
    if answer is not None:
        service.answer = web.Response(status=answer[0], body=answer[1], content_type="text/xml")
    page = await signed_out(region, person)
    assert page.status == 200
    assert "not everywhere" in page.text
    assert len(service.asked) == 1
    assert region.here.codes() == ([] if code is None else [code])
    assert not await is_signed_in(region, person)


async def test_a_key_that_is_new_is_looked_for_once(region: Region, service: LogoutService) -> None:
    """It has rolled over since: what it says under its new key is the truth as well, and said in whole."""
    saml_metadata = region.here.saml_metadata
    saml_metadata.newer["region"] = replace(
        saml_metadata.known["region"], signing_keys=metadata(KEY, OTHER_KEY).signing_keys
    )
    person = region.person()
    await region.signed_in(person)
    service.key = OTHER_KEY
    page = await signed_out(region, person)
    assert "was informed too" in page.text
    assert (saml_metadata.refetches, len(service.asked), region.here.codes()) == (1, 1, [])


async def test_a_provider_that_does_not_answer(region: Region) -> None:
    listed(region, "http://127.0.0.1:9/slo")
    person = region.person()
    await region.signed_in(person)
    page = await signed_out(region, person)
    assert page.status == 200
    assert "not everywhere" in page.text
    assert region.here.codes() == ["login.provider_unreachable"]
    assert not await is_signed_in(region, person)
