"""Refresh tokens of Canaille, a third provider: one that is revoked is of no more use."""

import secrets
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from deploy.demo.ports import free
from gateway.federation.federation import Federation
from gateway.model.codes import oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import OidcProvider
from gateway.model.transaction import OidcLogin
from gateway.oidc.id_token import IdToken
from gateway.oidc.refresh import Held
from tests.oidc.samples import provider
from tests.op.canaille import Canaille, through_canaille
from tests.op.walk import browser
from tests.stores.samples import Heard

pytestmark = pytest.mark.service

CALLBACK, SECRET = "http://127.0.0.1:9/_ecluse/callback/metropole", "ofTheTests0123456789"


@pytest.fixture(scope="module")
def op() -> Iterator[OidcProvider]:
    client = {
        "client_id": "ecluse",
        "client_name": "ecluse",
        "client_uri": "https://ecluse.example",
        "client_secret": SECRET,
        "token_endpoint_auth_method": "client_secret_basic",
        "redirect_uris": [CALLBACK],
        "scope": ["openid", "profile", "email"],
    }
    (port,) = free(1)
    with Canaille(port, [client], {"helene": "helene@metropole.example"}) as running:
        yield provider(issuer=running.issuer, client_secret=SECRET, userinfo=False, refresh=True, development=True)


async def signed_in(federation: Federation, op: OidcProvider) -> IdToken:
    login = OidcLogin(
        provider="metropole",
        nonce=secrets.token_urlsafe(32),
        code_verifier=secrets.token_urlsafe(32),
        redirect_uri=CALLBACK,
        binding="b" * 64,
        serves=None,
        created_at=int(time.time()),
    )
    url = await federation.authorization_url(op, login, "state", {}, time.time())
    async with browser() as at:
        back = await through_canaille(at, url, op.issuer, "helene")
    code = await federation.authorization_code(op, login, parse_qsl(urlsplit(back).query), time.time())
    return (await federation.sign_in(op, code, login, time.time()))[0]


async def test_a_refresh_token_that_is_revoked_is_of_no_more_use(op: OidcProvider) -> None:
    heard = Heard()
    federation, later = Federation(log=heard), Federation()
    id_token = await signed_in(federation, op)
    assert id_token.grant is not None
    held = Held(id_token.subject, id_token.raw)
    newer = await federation.refresh(op, id_token.grant.refresh_token, held, time.time())
    federation.revoke(op, newer.grant.refresh_token, time.time())
    await federation.close()
    assert heard.events == []
    with pytest.raises(GatewayError) as ended:
        await later.refresh(op, newer.grant.refresh_token, held, time.time())
    await later.close()
    assert ended.value.code is oidc_codes.REFRESH_ENDED
