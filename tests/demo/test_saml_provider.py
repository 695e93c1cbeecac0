"""The SAML provider of the demo: what it gives to the gateway, judged by the gateway's core, and what it refuses."""

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp import web

from deploy.demo.accounts import REGION
from deploy.demo.keys import make_pairs
from deploy.demo.place import LOOPBACK, free_ports
from deploy.demo.saml_messages import Identity
from deploy.demo.saml_provider import SamlProvider
from gateway.model.provider import MetadataFile, Perimeter
from gateway.model.provider import SamlProvider as Known
from gateway.model.transaction import SamlLogin
from gateway.saml.bindings import redirect_url
from gateway.saml.document import parse
from gateway.saml.metadata import find_entity, idp_metadata
from gateway.saml.metadata_document import given
from gateway.saml.own_messages import authn_request
from gateway.saml.parties import KeyPair, ServiceProvider
from gateway.saml.response import validate_response
from tests.browser_like import Person, Response

ENDPOINTS = "http://portail.localhost:1/_ecluse/saml/"


@pytest.fixture
async def origin(tmp_path: Path) -> AsyncIterator[str]:
    make_pairs(tmp_path, ["saml", "region"])
    port = free_ports().region
    origin = f"http://{LOOPBACK}:{port}"
    own = Identity(f"{origin}/metadata", (tmp_path / "region.key").read_bytes(), (tmp_path / "region.crt").read_bytes())
    provider = SamlProvider(origin, "Région", REGION, own, f"{ENDPOINTS}metadata", ENDPOINTS)
    runner = web.AppRunner(provider.application())
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    yield origin
    await runner.cleanup()


@pytest.fixture
async def person() -> AsyncIterator[Person]:
    person = Person()
    yield person
    await person.close()


def us(folder: Path, entity_id: str = f"{ENDPOINTS}metadata") -> ServiceProvider:
    pair = KeyPair("k1", (folder / "saml.key").read_bytes(), (folder / "saml.crt").read_bytes())
    names = ("acs", "artifact", "logout", "soap")
    return ServiceProvider(entity_id, *(ENDPOINTS + name for name in names), (pair,))


def known(origin: str) -> Known:
    return Known(
        name="region", label="", issuer=f"{origin}/metadata", metadata=MetadataFile(b""), signed="assertion",
        attributes={}, tenant_attribute=None, perimeter=Perimeter(), skew=5, session_idle=1, session_absolute=1,
        development=True,
    )  # fmt: skip


async def asked(person: Person, origin: str, sp: ServiceProvider) -> Response:
    request = authn_request(sp, known(origin), destination=f"{origin}/sso", id="_r1", now=time.time())
    return await person.step(
        "GET", redirect_url(sp.keys[0], f"{origin}/sso", "SAMLRequest", request, relay_state="state")
    )


async def test_what_it_asserts_is_what_the_gateway_takes(person: Person, origin: str, tmp_path: Path) -> None:
    sp = us(tmp_path)
    page = await asked(person, origin, sp)
    (form,) = page.forms()
    answer = await person.post(form.action, urlencode([*form.fields, ("account", "camille")]))
    (form,) = answer.forms()
    fields = dict(form.fields)
    assert (form.action, fields["RelayState"]) == (sp.acs, "state")
    document = (await person.step("GET", f"{origin}/metadata")).body
    metadata = idp_metadata(find_entity(given([document]), f"{origin}/metadata"), development=True)
    login = SamlLogin("region", "_r1", (), "exact", False, "", None, int(time.time()))
    assertion = validate_response(
        parse(base64.b64decode(fields["SAMLResponse"])),
        provider=known(origin), metadata=metadata, sp=sp, asked=login, now=int(time.time()), binding="post",
    )  # fmt: skip
    assert assertion.name_id.value == "camille"
    assert {each.name for each in assertion.attributes} >= {"email", "siret", "groups"}


async def test_strangers_old_pages_and_nonsense_get_a_page(person: Person, origin: str, tmp_path: Path) -> None:
    assert (await asked(person, origin, us(tmp_path, "urn:stranger"))).status == 400
    for query in ("", "?SAMLRequest=x", "?SAMLRequest=" + "A" * 100):
        assert (await person.step("GET", f"{origin}/sso{query}")).status == 400
        assert (await person.step("GET", f"{origin}/slo{query}")).status == 400
    page = await asked(person, origin, us(tmp_path))
    (form,) = page.forms()
    assert (await person.post(form.action, urlencode([*form.fields, ("account", "nobody")]))).status == 400
    assert (await person.post(form.action, "request=gone&account=camille")).status == 400
