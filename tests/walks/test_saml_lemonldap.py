"""Sign-in and logout through LemonLDAP::NG, which none of us wrote: every binding, encryption, a key roll-over."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from deploy.demo.ports import free
from tests.browser_like import Response
from tests.idp.keys import new_pair
from tests.idp.lemonldap import LemonLdap
from tests.walks.place import ONE, TWO
from tests.walks.saml_world import SamlWorld, saml_opened, write_saml_provider
from tests.walks.world import everywhere

pytestmark = pytest.mark.service

FETCHED = "{{url: {url}/saml/metadata, unsigned_metadata_believed_from_tls_alone: true}}"
ATTRIBUTES = "{uid: uid, mail: 'urn:oid:0.9.2342.19200300.100.1.3', name: cn}"


@asynccontextmanager
async def lemonldap(
    folder: Path, *, saml: str = "", encryption: str = "none"
) -> AsyncIterator[tuple[SamlWorld, LemonLdap]]:
    (port,) = free(1)
    with LemonLdap(port, new_pair("idp"), encryption=encryption) as idp:
        async with saml_opened(folder) as world:
            metadata = FETCHED.format(url=idp.url)
            write_saml_provider(world.place, idp.entity_id, metadata, saml=saml, attributes=ATTRIBUTES)
            idp.start(world.metadata())
            await world.gateway.start()
            yield world, idp


def framed(page: Response) -> str:
    """The request that the provider's own page of signing out has each of its services load in a frame."""
    found = re.search(r'<iframe src="([^"]+/_ecluse/saml/logout[^"]+)"', page.text)
    assert found, page.text[-3000:]
    return unescape(found[1])


async def test_by_redirect_with_logout_both_ways_and_a_new_key(tmp_path: Path) -> None:
    async with lemonldap(tmp_path) as (world, idp):
        person = await world.signed_in("dwho")
        told = await person.script(world.place.url(target="/_ecluse/session"))
        assert told.json()["headers"]["X-Remote-User"] == "dwho"
        # Another application, on another host: no second sign-in.
        assert (await person.open(world.place.url(TWO))).status == 200

        # Begun here: the provider has ended its session too, and says so.
        page = await world.signs_out(person)
        assert "was informed too" in page.text, page.text
        assert 'type="password"' in (await person.open(world.place.url())).text

        # Begun there: it has our address loaded in a frame.
        person = await world.signed_in("rtyler")
        page = await person.open(f"{idp.url}/?logout=1")
        answer = await person.frame(framed(page), initiator=page.url)
        assert answer.location.startswith(f"{idp.url}/saml/singleLogoutReturn?SAMLResponse=")
        assert (await person.frame(answer.location, initiator=page.url)).status in (200, 302)
        assert await everywhere(world.place, cookie=world.cookie(person)) == {401}

        # Its key is another one from now on; ours starts from the copy on disk, and looks for the key that it lacks.
        await world.gateway.stop()
        idp.restarted(world.metadata(), new_pair("next"))
        await world.gateway.start()
        await world.signed_in("msmith")


async def test_by_post_and_by_artifact(tmp_path: Path) -> None:
    async with lemonldap(tmp_path, saml="  request_binding: post\n") as (world, idp):
        await world.signed_in("dwho")
        metadata = FETCHED.format(url=idp.url)
        by_artifact = "  response_binding: artifact\n"
        write_saml_provider(world.place, idp.entity_id, metadata, saml=by_artifact, attributes=ATTRIBUTES)
        await world.gateway.reload()
        person = await world.signed_in("rtyler")
        assert await world.is_signed_in(person)
        assert not world.gateway.lines(event="login.refused")


async def test_signing_out_over_soap_where_its_metadata_list_nothing_else(tmp_path: Path) -> None:
    async with lemonldap(tmp_path) as (world, idp):
        document = await asyncio.to_thread(lambda: urlopen(f"{idp.url}/saml/metadata", timeout=10).read().decode())
        by_browser = r"<SingleLogoutService Binding=\"[^\"]*:HTTP-(?:Redirect|POST)\"[^>]*/>"
        only_soap, removed = re.subn(by_browser, "", re.sub(r"\s+", " ", document))
        assert removed >= 2
        assert "SingleLogoutService" in only_soap
        (world.place.folder / "certs/idp.xml").write_text(only_soap)
        write_saml_provider(world.place, idp.entity_id, "{file: ../certs/idp.xml}", attributes=ATTRIBUTES)
        await world.gateway.reload()
        person = await world.signed_in("dwho")
        page = await world.signs_out(person)
        assert "was informed too" in page.text, page.text
        assert not world.gateway.lines(event="logout.refused")
        # And it was: its own session is over, though its cookie is still there.
        assert 'type="password"' in (await person.open(world.place.url())).text


async def test_asked_to_show_no_page_it_shows_one_all_the_same(tmp_path: Path) -> None:
    """It does not know IsPassive; nothing is lost by asking."""
    async with lemonldap(tmp_path, saml="  passive_first: true\n") as (world, _):
        person = await world.signed_in("dwho")
        for host in (ONE, urlsplit(world.place.portal("/")).hostname or ""):
            person.jar.forget(host)
        page = await world.goes_on(person, await person.open(world.place.url()))
        assert page.url == world.place.url()
        await world.gateway.logged(0, event="login.succeeded", number=2)
        await world.gateway.logged(0, event="login.started", number=2)
        assert len(world.gateway.lines(event="login.started")) == 2


async def test_an_assertion_encrypted_with_aes_cbc_is_opened_only_where_the_file_says_so(tmp_path: Path) -> None:
    async with lemonldap(tmp_path, encryption="assertion") as (world, idp):
        person = world.person()
        refused = await world.through(person, await person.open(world.place.url()), "dwho")
        assert refused.status == 403
        line = await world.gateway.logged(0, event="login.refused")
        assert line["code"] == "saml.encryption.algorithm"
        opened = "  encrypted: true\n  aes_cbc_inside_a_signed_response: true\n"
        metadata = FETCHED.format(url=idp.url)
        write_saml_provider(world.place, idp.entity_id, metadata, saml=opened, attributes=ATTRIBUTES)
        await world.gateway.reload()
        await world.signed_in("dwho")

        await world.asks_for_a_second_opinion()
        await world.signed_in("msmith")
        assert await world.opinions(1) == {"agree": 1, "disagree": 0, "failed": 0}
