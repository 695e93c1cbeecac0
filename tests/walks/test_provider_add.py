"""A sign-in at a provider whose file `ecluse provider add` wrote: LemonLDAP::NG, by SAML and by OpenID Connect."""

import asyncio
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.cli.fingerprints import fingerprint
from gateway.cli.main import main
from gateway.federation.first_look import ProviderReach, SamlLook, look_at
from gateway.federation.registration import registration
from tests.idp.keys import new_pair
from tests.idp.lemonldap import LemonLdap
from tests.op.lemonldap import LemonLdapOp
from tests.walks.saml_world import saml_opened

pytestmark = pytest.mark.service

# Letters and digits: LemonLDAP::NG does not decode the halves of Basic.
SECRET = "of-the-tests-0123456789-0123456789-0123456789"


async def added(*words: str) -> None:
    assert await asyncio.to_thread(main, ("provider", "add", *words, "--yes", "--name", "idp")) == 0


async def test_by_saml_with_the_fingerprint_that_its_administrator_gave(tmp_path: Path) -> None:
    (port,) = free(1)
    with LemonLdap(port, new_pair("idp")) as idp:
        async with saml_opened(tmp_path) as world:
            idp.start(world.metadata())
            look = await look_at(f"{idp.url}/saml/metadata", ProviderReach(development=True))
            assert isinstance(look, SamlLook)
            confirmed = ("--fingerprint", fingerprint(look.offer.keys[0]), "--no-perimeter")
            await added(f"{idp.url}/saml/metadata", str(world.place.policies), *confirmed)
            await world.gateway.start()
            person = await world.signed_in("dwho")
            told = await person.script(world.place.url(target="/_ecluse/session"))
            assert told.json()["headers"]["X-Remote-User"] == "dwho"


async def test_by_openid_connect(tmp_path: Path) -> None:
    (port,) = free(1)
    async with saml_opened(tmp_path) as world:
        ours = registration(world.place.portal("").rstrip("/"), "idp")
        client = {
            "ClientSecret": SECRET,
            "RedirectUris": ours.redirect_uri,
            "IDTokenSignAlg": "RS256",
            "BypassConsent": 1,
            "AuthMethod": "client_secret_post",
        }
        (tmp_path / "certs/idp.secret").write_text(SECRET)
        with LemonLdapOp(port, new_pair("op"), clients={"ecluse": client}) as idp:
            idp.start("")
            account = ("--client-id", "ecluse", "--client-secret", str(tmp_path / "certs/idp.secret"))
            # People there: dwho@badwolf.org and others.
            await added(idp.url, str(world.place.policies), *account, "--email-domain", "badwolf.org")
            await world.gateway.start()
            person = await world.signed_in("dwho")
            told = await person.script(world.place.url(target="/_ecluse/session"))
            assert told.json()["headers"]["X-Remote-User"] == "dwho"
