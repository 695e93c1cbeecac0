"""A portal with a SAML provider, region, beside its others; the provider answers what a test wants it to."""

import base64
import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from lxml import etree

from gateway.config.compile.gateway import service_provider
from gateway.model.provider import MetadataFile, Perimeter, SamlProvider
from gateway.saml.bindings import inflated
from gateway.saml.parties import Endpoint, IdpMetadata, KeyPair, ServiceProvider
from tests.browser_like import Person, Response
from tests.portal.installation import PERMIS, PORTAL, Installation, installed
from tests.raw_http import Header
from tests.saml.idp import Scene, build, encrypt, one, sign
from tests.saml.parties import pair, spki

IDP = "https://idp.region.example"
ENTITY = f"{IDP}/metadata"
KEY, OTHER_KEY, OURS = pair("idp"), pair("idp-next"), pair("sp-1")
PROVIDER = SamlProvider(
    name="region",
    label="Région",
    issuer=ENTITY,
    metadata=MetadataFile(b""),
    signed="assertion",
    attributes={"uid": ("NameID",), "mail": ("urn:oid:0.9.2342.19200300.100.1.3",)},
    tenant_attribute=None,
    perimeter=Perimeter(),
    skew=180,
    session_idle=1800,
    session_absolute=43200,
    development=True,
)


def metadata(*keys: KeyPair, **changes: Any) -> IdpMetadata:
    known = IdpMetadata(
        entity_id=ENTITY,
        signing_keys=tuple(spki(key) for key in keys or (KEY,)),
        sign_on=(Endpoint("redirect", f"{IDP}/sso"), Endpoint("post", f"{IDP}/sso-post")),
        logout=(
            Endpoint("redirect", f"{IDP}/slo", f"{IDP}/slo-return"),
            Endpoint("post", f"{IDP}/slo-post"),
            Endpoint("soap", f"{IDP}/slo-soap"),
        ),
    )
    return replace(known, **changes)


@dataclass(frozen=True)
class Asked:
    """What the browser brought to the provider: an AuthnRequest, or a logout message."""

    message: etree._Element
    relay_state: str | None
    parameter: str
    location: str


class Visitor(Person):
    """The listener of these tests takes one request a connection."""

    async def step(self, method: str, url: str, headers: Sequence[Header] = (), **more: Any) -> Response:
        return await super().step(method, url, [*headers, ("Connection", "close")], **more)


@dataclass
class Region:
    here: Installation
    sp: ServiceProvider
    people: list[Person] = field(default_factory=list)

    def person(self) -> Person:
        person = Visitor("en")
        self.people.append(person)
        return person

    def change(self, **changes: Any) -> None:
        self.here.change_provider("region", **changes)

    @property
    def acs(self) -> str:
        return self.here.url(PORTAL, "/_ecluse/saml/acs")

    async def asked(self, person: Person, target: str = "/dossier?id=7", host: str = PERMIS) -> Asked:
        """A navigation to an application that listens to region alone, as far as the provider."""
        reply = await person.step("GET", self.here.url(host, target))
        while reply.status == 303 and not reply.location.startswith(IDP):
            reply = await person.step("GET", reply.location, initiator=reply.url)
        return brought(reply)

    def scene(self, asked: Asked | None, **values: object) -> Scene:
        return Scene(
            now=self.here.clock.seconds(),
            issuer=ENTITY,
            acs=self.acs,
            audience=self.sp.entity_id,
            request_id=None if asked is None else asked.message.get("ID"),
            key=KEY,
            stranger=OTHER_KEY,
            recipient_key=OURS,
            values={
                "response_id": f"_{secrets.token_hex(16)}",
                "assertion_id": f"_{secrets.token_hex(16)}",
                "name_id": "alice",
                **values,
            },
        )

    def response(self, asked: Asked | None, *, key: KeyPair = KEY, encrypted: bool = False, **values: object) -> bytes:
        root = build(self.scene(asked, **values))
        assertion = one(root, "//a:Assertion")
        sign(assertion, key)
        if encrypted:
            encrypt(assertion, OURS)
        return etree.tostring(root)

    async def answer(self, person: Person, response: bytes, relay_state: str | None) -> Response:
        """The provider's page sends its form: from another site, so that no Lax cookie comes with it."""
        return await person.post(self.acs, urlencode(self.fields(response, relay_state)), initiator=f"{IDP}/sso")

    def fields(self, response: bytes, relay_state: str | None) -> dict[str, str]:
        """Of the form on the provider's page."""
        fields = {"SAMLResponse": base64.b64encode(response).decode()}
        return fields if relay_state is None else {**fields, "RelayState": relay_state}

    async def signed_in(self, person: Person, host: str = PERMIS, **values: object) -> Response:
        asked = await self.asked(person, host=host)
        return await person.follow(await self.answer(person, self.response(asked, **values), asked.relay_state))

    async def sent(self, person: Person, url: str) -> Response:
        """The browser comes from the provider."""
        return await person.step("GET", url, initiator=f"{IDP}/slo")


def brought(reply: Response) -> Asked:
    """Out of a redirect, of a form that sends itself, or of a page that goes on by itself."""
    if reply.location:
        return of_query(reply.location)
    if not reply.forms():
        found = re.search(r'content="0;url=([^"]+)"', reply.text)
        assert found, f"{reply.status} {reply.url}: {reply.text[:800]}"
        return of_query(found[1].replace("&amp;", "&"))
    (form,) = reply.forms()
    return of_form(dict(form.fields), form.action)


def of_form(fields: Mapping[str, str], action: str) -> Asked:
    (parameter,) = fields.keys() & {"SAMLRequest", "SAMLResponse"}
    message = base64.b64decode(fields[parameter])
    return Asked(etree.fromstring(message), fields.get("RelayState"), parameter, action)


def of_query(url: str) -> Asked:
    query = dict(parse_qsl(urlsplit(url).query))
    assert "Signature" in query, url
    (parameter,) = query.keys() & {"SAMLRequest", "SAMLResponse"}
    message = inflated(base64.b64decode(query[parameter]))
    return Asked(etree.fromstring(message), query.get("RelayState"), parameter, url.partition("?")[0])


def code_of(reply: Response, here: Installation) -> str:
    """The code of the last refusal in the log."""
    return here.codes()[-1]


def text_of(message: etree._Element, path: str) -> str:
    return str(one(message, path).text)


def parameters(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


@asynccontextmanager
async def region_installed(*, one_host: bool = False, store: Any = None) -> AsyncIterator[Region]:
    async with installed(one_host=one_host, store=store) as here:
        portal = here.snapshot.gateway.portal_url
        sp = service_provider(portal, (OURS,))
        gateway = replace(here.snapshot.gateway, service_provider=sp)
        providers = {**here.snapshot.providers, "region": PROVIDER}
        here.snapshot = replace(here.snapshot, gateway=gateway, providers=providers)
        here.change("permis", providers=("region",))
        here.saml_metadata.known["region"] = metadata()
        region = Region(here, sp)
        try:
            yield region
        finally:
            for person in region.people:
                await person.close()
