"""Sign-in and logout through a second provider of others' making, on pysaml2, whose operator has sent us a file."""

from pathlib import Path

import aiohttp
import pytest
from lxml import etree

from deploy.demo.ports import free
from tests.idp.keys import new_pair
from tests.idp.pysaml import Pysaml
from tests.saml.parties import verified_by_xmlsec
from tests.walks.saml_world import saml_opened, write_saml_provider
from tests.walks.world import everywhere

pytestmark = pytest.mark.service


async def test_sign_in_and_logout_both_ways(tmp_path: Path) -> None:
    (port,) = free(1)
    with Pysaml(tmp_path / "idp", port, new_pair("idp")) as idp:
        async with saml_opened(tmp_path / "ours") as world:
            idp.start(world.metadata())
            (world.place.folder / "certs/idp.xml").write_text(idp.metadata)
            place, attributes = world.place, "{uid: NameID}"
            write_saml_provider(
                place, idp.entity_id, "{file: ../certs/idp.xml}", saml="  common: [mail]\n", attributes=attributes
            )
            await world.gateway.start()
            person = await world.signed_in("alice")
            told = await person.script(place.url(target="/_ecluse/session"))
            assert told.json()["headers"]["X-Remote-User"] == "alice"
            page = await world.signs_out(person)
            assert "was told of it too" in page.text, f"{page.text} {idp.said()}"

            # Over SOAP, with nobody's browser: in force in every worker when it is answered.
            person = await world.signed_in("bob")
            async with aiohttp.request("GET", f"{idp.url}/end?who=bob") as answer:
                told = etree.fromstring(await answer.read())
            (message,) = told.iter("{urn:oasis:names:tc:SAML:2.0:protocol}LogoutResponse")
            verified_by_xmlsec(etree.tostring(message), world.own)
            (status,) = message.iter("{urn:oasis:names:tc:SAML:2.0:protocol}StatusCode")
            assert status.get("Value") == "urn:oasis:names:tc:SAML:2.0:status:Success"
            assert await everywhere(place, cookie=world.cookie(person)) == {401}

            by_post = "  common: [mail]\n  request_binding: post\n"
            write_saml_provider(place, idp.entity_id, "{file: ../certs/idp.xml}", saml=by_post, attributes=attributes)
            await world.gateway.reload()
            page = await world.signs_out(await world.signed_in("carol"))
            assert "was told of it too" in page.text, f"{page.text} {idp.said()}"
