"""The preset `proconnect-api` against a provider that answers about tokens as ProConnect does: in JSON without an
audience, or in a JWT that is signed (RFC 9701) and may be encrypted."""

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from gateway.federation.federation import Federation
from gateway.model.codes import api_codes, oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, Encryption, OidcProvider
from gateway.oidc.access_token import AccessToken
from gateway.oidc.client_keys import jwk_set
from tests.config.samples import PLAIN_APP, sample_snapshot
from tests.federation.test_proconnect import HELENE, SECRET, answered
from tests.federation.test_real_provider import CALLBACK, new_login
from tests.oidc.samples import own_key
from tests.op.process import OpenIdProvider
from tests.op.walk import browser

pytestmark = pytest.mark.service

FILE = """\
version: 1
provider: metropole
preset: proconnect-api
oidc:
  issuer: ISSUER
  client_id: ecluse
  client_secret: {file: ../certs/metropole.secret}
  api: {clients: [service]}
"""
KEY = own_key("ECDH-ES", "enc")
ENCRYPTION = Encryption((KEY,), frozenset({"A256GCM"}), id_token=False, userinfo=False, introspection=True)


@pytest.fixture(scope="module")
def op() -> Iterator[OpenIdProvider]:
    known: dict[str, object] = {
        "client_secret": SECRET, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "client_secret_post",
    }  # fmt: skip
    signed = {"introspection_signed_response_alg": "RS256"}
    encrypting = {"introspection_encrypted_response_alg": "ECDH-ES", "introspection_encrypted_response_enc": "A256GCM"}
    clients = [
        {"client_id": "service", **known},
        {"client_id": "stranger", **known},
        {"client_id": "ecluse", **known, **signed},
        {"client_id": "ecluse-encrypted", **known, **signed, **encrypting, "jwks": jwk_set([KEY])},
    ]
    features = ("introspection", "jwtIntrospection", "encryption")
    with OpenIdProvider(
        clients,
        {"helene": HELENE},
        features={name: {"enabled": True} for name in features},
        levels={"helene": {"acr": "eidas2", "amr": ["pwd", "otp"]}},
        options={"clientAuthMethods": ["client_secret_post"], "acrValues": ["eidas1", "eidas2"]},
    ) as running:
        yield running


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    made = Federation()
    yield made
    await made.close()


def proconnect(op: OpenIdProvider, **changes: Any) -> OidcProvider:
    files = {"providers/metropole.yaml": FILE.replace("ISSUER", op.issuer), "apps/permis.yaml": PLAIN_APP}
    provider = sample_snapshot(files).providers["metropole"]
    assert isinstance(provider, OidcProvider)
    return replace(provider, **changes)


async def token_of(op: OpenIdProvider, federation: Federation, client: str = "service") -> str:
    """What a person's sign-in at another administration gave it."""
    to = proconnect(op, client_id=client, scopes=("openid",), request=replace(proconnect(op).request, claims=None))
    login = new_login()
    async with browser() as at:
        code = dict(await answered(federation, at, to, login, "helene"))["code"]
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": login.redirect_uri,
        "code_verifier": login.code_verifier, "client_id": client, "client_secret": SECRET,
    }  # fmt: skip
    async with aiohttp.request("POST", f"{op.issuer}/token", data=form) as answer:
        token = (await answer.json())["access_token"]
    assert isinstance(token, str)
    assert "." not in token, "opaque"
    return token


async def told(federation: Federation, provider: OidcProvider, token: str, **changes: Any) -> AccessToken:
    api = provider.api
    assert isinstance(api, ApiAccess)
    changed = replace(api, **changes)
    return await federation.access_token(replace(provider, api=changed), changed, token, time.time())


async def refused(federation: Federation, provider: OidcProvider, token: str, **changes: Any) -> Code:
    with pytest.raises(GatewayError) as error:
        await told(federation, provider, token, **changes)
    assert token not in error.value.detail
    return error.value.code


async def test_a_token_that_another_administration_was_given_says_whose_it_is(
    op: OpenIdProvider, federation: Federation
) -> None:
    token = await token_of(op, federation)
    signed = await told(federation, proconnect(op), token)
    plain = await told(federation, proconnect(op), token, introspection_algorithms=frozenset())
    encrypted = await told(federation, proconnect(op, client_id="ecluse-encrypted", encryption=ENCRYPTION), token)
    for found in (signed, plain, encrypted):
        assert (found.claims["sub"], found.claims["client_id"]) == ("helene", "service")
        assert "aud" not in found.claims


async def test_of_a_client_that_the_file_does_not_list_it_is_refused(
    op: OpenIdProvider, federation: Federation
) -> None:
    token = await token_of(op, federation, "stranger")
    assert await refused(federation, proconnect(op), token) is api_codes.TOKEN
    assert await refused(federation, proconnect(op), token, introspection_algorithms=frozenset()) is api_codes.TOKEN


async def test_what_is_not_active_or_allows_too_little_is_refused(op: OpenIdProvider, federation: Federation) -> None:
    assert await refused(federation, proconnect(op), secrets.token_urlsafe(32)) is api_codes.TOKEN
    token = await token_of(op, federation)
    assert await refused(federation, proconnect(op), token, scopes=frozenset({"siret"})) is api_codes.SCOPE


async def test_an_answer_that_was_agreed_to_be_encrypted_is(op: OpenIdProvider, federation: Federation) -> None:
    token = await token_of(op, federation)
    assert await refused(federation, proconnect(op, encryption=ENCRYPTION), token) is oidc_codes.ENCRYPTION
