"""A browser between an application of the world and its SAML provider, and what the provider gives it to bring back."""

import base64
import secrets
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

from lxml import etree

from gateway.saml.bindings import inflated
from tests.attacks import saml_providers as idps
from tests.attacks.cases import expect
from tests.attacks.world import SEAT, World, host
from tests.browser_like import Person, Response
from tests.saml.forging import saying
from tests.saml.idp import Scene

PAGE = "/private/page"


async def sent(world: World, name: str) -> tuple[Person, dict[str, str], str]:
    """A browser that the provider has before it: with what it brought, and the ID of the request in it."""
    person = world.guest()
    page = await person.step("GET", world.url(name, PAGE))
    while page.location and not page.location.startswith(idps.IDP):
        page = await person.step("GET", page.location, initiator=page.url)
    expect(page.location.startswith(idps.IDP), f"never came to the provider: {page.status} {page.url}")
    query = dict(parse_qsl(urlsplit(page.location).query))
    request = etree.fromstring(inflated(base64.b64decode(query["SAMLRequest"])))
    return person, query, str(request.get("ID"))


def scene_of(world: World, name: str, request_id: str) -> Scene:
    return Scene(
        now=int(time.time()),
        issuer=idps.entity_of(name),
        acs=world.portal("/_ecluse/saml/acs"),
        audience=world.portal("/_ecluse/saml/metadata"),
        request_id=request_id,
        key=idps.KEY,
        stranger=idps.STRANGER,
        recipient_key=idps.OURS,
    )


async def answered(world: World, person: Person, document: bytes, relay_state: str | None) -> Response:
    fields = {"SAMLResponse": idps.form_field(document)}
    if relay_state is not None:
        fields["RelayState"] = relay_state
    return await person.post(world.portal("/_ecluse/saml/acs"), urlencode(fields), initiator=f"{idps.IDP}/sso")


async def signed_in(world: World, name: str, who: str) -> Person:
    """A person of this provider, at the application that listens to it; each assertion has an ID of its own."""
    person, query, request_id = await sent(world, name)
    id = f"_{secrets.token_hex(16)}"
    document = saying(name_id=who, assertion_id=id)(scene_of(world, name, request_id))
    page = await person.follow(await answered(world, person, document, query["RelayState"]))
    expect(page.status == 200 and page.url == world.url(name, PAGE), f"not signed in: {page.status} {page.url}")
    return person


async def is_signed_in(world: World, name: str, person: Person) -> bool:
    return (
        person.jar.get(host(name), SEAT) is not None
        and (await person.script(world.url(name, "/_ecluse/session"))).status == 200
    )
