"""Sign-in and logout through a second provider of others' making, on pysaml2, whose operator has sent us a file."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from lxml import etree

from deploy.demo.ports import free
from gateway.saml.names import STATUS_NO_PASSIVE as NO_PASSIVE
from tests.browser_like import Response
from tests.idp.keys import new_pair
from tests.idp.pysaml import Pysaml
from tests.saml.parties import verified_by_xmlsec
from tests.walks.place import ONE
from tests.walks.saml_world import SamlWorld, saml_opened, write_saml_provider
from tests.walks.world import everywhere

pytestmark = pytest.mark.service


@asynccontextmanager
async def beside_pysaml(folder: Path, saml: str = "") -> AsyncIterator[tuple[SamlWorld, Pysaml]]:
    """`saml`: further lines of that section of the provider's file. The gateway is not started yet."""
    (port,) = free(1)
    with Pysaml(folder / "idp", port, new_pair("idp")) as idp:
        async with saml_opened(folder / "ours") as world:
            idp.start(world.metadata())
            (world.place.folder / "certs/idp.xml").write_text(idp.metadata)
            described(world, idp, saml)
            yield world, idp


def described(world: SamlWorld, idp: Pysaml, saml: str = "") -> None:
    write_saml_provider(
        world.place,
        idp.entity_id,
        "{file: ../certs/idp.xml}",
        saml=f"  common: [mail]\n{saml}",
        attributes="{uid: NameID}",
    )


async def test_sign_in_and_logout_both_ways(tmp_path: Path) -> None:
    async with beside_pysaml(tmp_path) as (world, idp):
        place = world.place
        await world.gateway.start()
        await world.asks_for_a_second_opinion()
        person = await world.signed_in("alice")
        assert await world.opinions(1) == {"agree": 1, "disagree": 0, "failed": 0}
        told = await person.script(place.url(target="/_ecluse/session"))
        assert told.json()["headers"]["X-Remote-User"] == "alice"
        page = await world.signs_out(person)
        assert "was informed too" in page.text, f"{page.text} {idp.said()}"

        # Over SOAP, with nobody's browser: in force in every worker when it is answered.
        person = await world.signed_in("bob")
        async with aiohttp.request("GET", f"{idp.url}/end?who=bob") as answer:
            told = etree.fromstring(await answer.read())
        (message,) = told.iter("{urn:oasis:names:tc:SAML:2.0:protocol}LogoutResponse")
        verified_by_xmlsec(etree.tostring(message), world.own)
        (status,) = message.iter("{urn:oasis:names:tc:SAML:2.0:protocol}StatusCode")
        assert status.get("Value") == "urn:oasis:names:tc:SAML:2.0:status:Success"
        assert await everywhere(place, cookie=world.cookie(person)) == {401}

        described(world, idp, "  request_binding: post\n")
        await world.gateway.reload()
        page = await world.signs_out(await world.signed_in("carol"))
        assert "was informed too" in page.text, f"{page.text} {idp.said()}"


async def test_whom_it_does_not_know_is_shown_a_page_and_whom_it_knows_passes_without(tmp_path: Path) -> None:
    """IsPassive (Core 3.4.1): its NoPassive is answered by a second request, by which it may show one."""
    async with beside_pysaml(tmp_path, "  passive_first: true\n") as (world, _):
        await world.gateway.start()
        person = world.person()
        page = await person.open(world.place.url())
        assert NO_PASSIVE in answer_in(page)
        page = await world.through(person, page, "alice")
        assert page.url == world.place.url()
        await world.gateway.logged(0, event="login.started", number=2)

        for host in (ONE, urlsplit(world.place.portal("/")).hostname or ""):
            person.jar.forget(host)
        page = await person.open(world.place.url())
        assert ":Assertion " in answer_in(page)
        page = await world.through(person, page, "nobody is asked for a name")
        assert page.url == world.place.url()
        told = (await person.script(world.place.url(target="/_ecluse/session"))).json()
        assert told["headers"]["X-Remote-User"] == "alice"
        await world.gateway.logged(0, event="login.started", number=3)
        assert len(world.gateway.lines(event="login.started")) == 3
        assert not world.gateway.lines(event="login.refused")


def answer_in(page: Response) -> str:
    """The Response in a form that a browser sends by itself."""
    fields = dict(page.forms()[0].fields)
    return base64.b64decode(fields["SAMLResponse"]).decode()
