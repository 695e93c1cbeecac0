"""Sign-in by artifact: the browser brings a reference, and the provider is asked over SOAP what it stands for."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from aiohttp import web
from lxml import etree

from gateway.saml.artifact import source_id
from gateway.saml.parties import Endpoint
from tests.browser_like import Person, Response
from tests.portal.installation import PORTAL
from tests.portal.saml.region import ENTITY, IDP, OTHER_KEY, Asked, Region, metadata
from tests.portal.saml.test_logout import soap
from tests.portal.saml.test_signed_out import of_index
from tests.saml.idp import NS, one
from tests.saml.parties import verified_by_xmlsec

STATUS = '<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></p:Status>'


@dataclass
class Resolver:
    """The provider's artifact resolution service: gives each Response out once."""

    url: str = ""
    responses: dict[str, bytes] = field(default_factory=dict)
    asked: list[etree._Element] = field(default_factory=list)

    async def resolve(self, request: web.Request) -> web.Response:
        resolve = one(etree.fromstring(await request.read()), "//p:ArtifactResolve")
        self.asked.append(resolve)
        response = self.responses.pop(one(resolve, "p:Artifact").text, b"").decode()
        answer = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<p:ArtifactResponse xmlns:p="{NS["p"]}" ID="_answer" Version="2.0" IssueInstant="2026-11-24T10:00:00Z" '
            f'InResponseTo="{resolve.get("ID")}">'
            f"{STATUS}{response}</p:ArtifactResponse></s:Body></s:Envelope>"
        )
        return web.Response(text=answer, content_type="text/xml")


@pytest.fixture
async def resolver(region: Region) -> AsyncIterator[Resolver]:
    resolver = Resolver()
    application = web.Application()
    application.router.add_post("/artifact", resolver.resolve)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    resolver.url = f"http://127.0.0.1:{port}/artifact"
    region.here.saml_metadata.known["region"] = metadata(artifact_resolution=(Endpoint("soap", resolver.url, index=3),))
    region.change(response_binding="artifact")
    yield resolver
    await runner.cleanup()


def artifact(number: int, *, entity: str = ENTITY, index: int = 3) -> str:
    handle = number.to_bytes(20, "big")
    return base64.b64encode(b"\x00\x04" + index.to_bytes(2, "big") + source_id(entity) + handle).decode()


async def brings(region: Region, person: Person, reference: str | None, value: str) -> Response:
    query = {"SAMLart": value} | ({} if reference is None else {"RelayState": reference})
    url = region.here.url(PORTAL, f"/_ecluse/saml/artifact?{urlencode(query)}")
    return await person.step("GET", url, initiator=f"{IDP}/sso")


def response_to(region: Region, asked: Asked, **values: object) -> bytes:
    consumer = region.sp.artifact_acs
    return region.response(asked, destination=consumer, recipient=consumer, **values)


async def test_a_person_signs_in_by_artifact(region: Region, resolver: Resolver) -> None:
    person, clock = region.person(), region.here.clock
    asked = await region.asked(person)
    assert asked.message.get("AssertionConsumerServiceURL") == region.sp.artifact_acs
    resolver.responses[artifact(1)] = response_to(region, asked)
    clock.ahead += 60
    before = clock.monotonic()
    page = await person.follow(await brings(region, person, asked.relay_state, artifact(1)))
    assert page.url.endswith("/dossier?id=7")
    assert region.here.standings.news()["region"]["back"] >= before, "the provider has just given the response out"
    (resolve,) = resolver.asked
    assert resolve.get("Destination") == resolver.url
    verified_by_xmlsec(etree.tostring(resolve), region.sp.keys[0])


async def test_an_image_brings_no_artifact_and_uses_nothing_up(region: Region, resolver: Resolver) -> None:
    """Invariant 10."""
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked)
    url = region.here.url(
        PORTAL, f"/_ecluse/saml/artifact?{urlencode({'SAMLart': artifact(1), 'RelayState': asked.relay_state})}"
    )
    reply = await person.step("GET", url, initiator=f"{IDP}/sso", kind="frame")
    assert (reply.status, resolver.asked) == (401, [])
    assert (await person.follow(await brings(region, person, asked.relay_state, artifact(1)))).status == 200


async def posts(region: Region, person: Person, **fields: str) -> Response:
    """A form of the provider's page: no Lax cookie comes with it."""
    url = region.here.url(PORTAL, "/_ecluse/saml/artifact")
    return await person.post(url, urlencode(fields), initiator=f"{IDP}/sso")


async def test_a_provider_may_bring_it_in_a_form(region: Region, resolver: Resolver) -> None:
    """Bindings 3.6.3; Keycloak does, where it answers by POST."""
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked)
    reply = await posts(region, person, SAMLart=artifact(1), RelayState=asked.relay_state or "")
    assert b"\r\nCookie:" not in reply.sent
    assert not reply.all("Set-Cookie")
    assert not resolver.asked
    assert (await person.follow(reply)).url.endswith("/dossier?id=7")


async def test_a_form_in_another_browser_is_resolved_by_nobody(region: Region, resolver: Resolver) -> None:
    alice, mallory = region.person(), region.person()
    asked = await region.asked(alice)
    resolver.responses[artifact(1)] = response_to(region, asked)
    reply = await posts(region, mallory, SAMLart=artifact(1), RelayState=asked.relay_state or "")
    assert (await mallory.follow(reply)).status == 400
    assert not resolver.asked
    assert region.here.codes() == ["login.other_browser"]


async def test_a_form_that_answers_nothing_ends_on_a_page(region: Region, resolver: Resolver) -> None:
    person = region.person()
    asked = await region.asked(person)
    assert (await person.follow(await posts(region, person, SAMLart=artifact(1)))).status == 400
    assert (await posts(region, person, SAMLart="x", RelayState=asked.relay_state or "")).status == 400
    reply = await posts(region, person, SAMLart=artifact(1), RelayState="x" * 4000)
    assert reply.location.endswith("/_ecluse/saml/finish")
    assert not resolver.asked


async def test_come_again_it_ends_on_a_page(region: Region, resolver: Resolver) -> None:
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked)
    await person.follow(await brings(region, person, asked.relay_state, artifact(1)))
    assert (await brings(region, person, asked.relay_state, artifact(1))).status == 400
    assert len(resolver.asked) == 1


async def test_another_browser_brings_it_nowhere(region: Region, resolver: Resolver) -> None:
    alice, mallory = region.person(), region.person()
    asked = await region.asked(alice)
    resolver.responses[artifact(1)] = response_to(region, asked)
    assert (await brings(region, mallory, asked.relay_state, artifact(1))).status == 400
    assert not resolver.asked
    assert region.here.codes() == ["login.other_browser"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "saml.artifact"),
        ("AAQ=", "saml.artifact"),
        (artifact(1, entity="https://other.example"), "saml.artifact.source"),
        (artifact(1, index=9), "saml.artifact.source"),
        (artifact(2), "saml.artifact.response"),
    ],
)
async def test_what_stands_for_nothing_is_refused(region: Region, resolver: Resolver, value: str, code: str) -> None:
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked)
    assert (await brings(region, person, asked.relay_state, value)).status in (400, 403)
    assert region.here.codes() == [code]


async def test_the_way_it_came_proves_nothing(region: Region, resolver: Resolver) -> None:
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked, key=OTHER_KEY)
    assert (await brings(region, person, asked.relay_state, artifact(1))).status == 403
    assert region.here.codes() == ["saml.signature"]


async def test_a_provider_that_does_not_answer_is_said(region: Region, resolver: Resolver) -> None:
    region.here.saml_metadata.known["region"] = metadata(
        artifact_resolution=(Endpoint("soap", "http://127.0.0.1:9/artifact", index=3),)
    )
    person = region.person()
    asked = await region.asked(person)
    assert (await brings(region, person, asked.relay_state, artifact(1))).status == 502
    assert region.here.codes() == ["login.provider_unreachable"]


async def test_invariant_12_one_held_back_until_after_the_sign_out_signs_nobody_in(
    region: Region, resolver: Resolver
) -> None:
    person = region.person()
    asked = await region.asked(person)
    resolver.responses[artifact(1)] = response_to(region, asked)
    region.here.clock.ahead += 1
    assert (await soap(region, of_index(region))).status == 200
    reply = await brings(region, person, asked.relay_state, artifact(1))
    assert (reply.status, region.here.codes()[-1]) == (400, "login.transaction_gone")
    assert not region.here.store.sessions
