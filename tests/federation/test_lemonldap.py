"""Sign-ins through LemonLDAP::NG, with each client authentication and form of answer that it knows."""

import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from deploy.demo.ports import free
from gateway.federation.federation import Federation
from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import AuthorizationParameters, OidcProvider
from gateway.oidc.client_keys import jwk_set
from tests.federation.test_real_provider import CALLBACK, new_login
from tests.idp.keys import new_pair
from tests.oidc.samples import own_key, provider
from tests.op.lemonldap import LemonLdapOp, through_lemonldap
from tests.op.walk import browser

pytestmark = pytest.mark.service

# Letters and digits: it does not decode the halves of Basic, as RFC 6749 2.3.1 has it.
SECRET = "of-the-tests-0123456789-0123456789-0123456789"
USUAL = {"ClientSecret": SECRET, "RedirectUris": CALLBACK, "IDTokenSignAlg": "RS256", "BypassConsent": 1}
CLIENTS = {
    "basic": {**USUAL, "AuthMethod": "client_secret_basic"},
    "post": {**USUAL, "AuthMethod": "client_secret_post"},
    "secret-jwt": {**USUAL, "AuthMethod": "client_secret_jwt"},
    "key": {**USUAL, "AuthMethod": "private_key_jwt", "Jwks": json.dumps(jwk_set([own_key("RS256")]))},
    "public": {**USUAL, "Public": 1, "RequirePKCE": 1},
    "hs256": {**USUAL, "IDTokenSignAlg": "HS256"},
    "userinfo": {**USUAL, "UserInfoSignAlg": "RS256"},
}
ASKED: dict[str, dict[str, Any]] = {
    "post": {"client_authentication": "client_secret_post"},
    "secret-jwt": {"client_authentication": "client_secret_jwt"},
    "key": {
        "client_authentication": "private_key_jwt",
        "client_keys": (own_key("RS256"),),
        "client_secret": None,
        "assertion_audience": "token_endpoint",
    },
    "public": {"client_authentication": "none", "client_secret": None},
    "hs256": {"algorithms": frozenset({"HS256"})},
    "userinfo": {"userinfo_algorithms": frozenset({"RS256"})},
}


@pytest.fixture(scope="module")
def op() -> Iterator[LemonLdapOp]:
    (port,) = free(1)
    with LemonLdapOp(port, new_pair("op"), clients=CLIENTS) as made:
        yield made.start("")


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    made = Federation()
    yield made
    await made.close()


def of(op: LemonLdapOp, client_id: str, **changes: Any) -> OidcProvider:
    usual = provider(issuer=op.url, client_id=client_id, client_secret=SECRET, development=True)
    return replace(usual, scopes=("openid", "profile", "email"), **ASKED.get(client_id, {}) | changes)


async def sign_in(federation: Federation, to: OidcProvider) -> dict[str, object]:
    login = new_login()
    url = await federation.authorization_url(to, login, secrets.token_urlsafe(32), {}, time.time())
    async with browser() as at:
        back = await through_lemonldap(at, url, to.issuer, "dwho")
    assert back.startswith(CALLBACK)
    code = await federation.authorization_code(to, login, parse_qsl(urlsplit(back).query), time.time())
    token, claims = await federation.sign_in(to, code, login, time.time())
    assert (token.issuer, token.subject) == (to.issuer, "dwho")
    return dict(claims)


@pytest.mark.parametrize("client_id", CLIENTS)
async def test_a_person_signs_in(op: LemonLdapOp, federation: Federation, client_id: str) -> None:
    claims = await sign_in(federation, of(op, client_id))
    assert (claims["email"], claims["preferred_username"]) == ("dwho@badwolf.org", "dwho")


async def test_a_demand_is_heard(op: LemonLdapOp, federation: Federation) -> None:
    asked = AuthorizationParameters(max_age=3600, prompt=("login",), parameters={"ui_locales": "fr"})
    await sign_in(federation, of(op, "basic", request=asked))


async def test_a_wrong_secret_is_refused(op: LemonLdapOp, federation: Federation) -> None:
    with pytest.raises(GatewayError) as refused:
        await sign_in(federation, of(op, "basic", client_secret="wrong"))
    assert refused.value.code is oidc_codes.TOKEN_REFUSED
