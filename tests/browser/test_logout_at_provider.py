"""Chromium signs out at the provider too, in both ways in which people are sent there.

Only a browser shows it: a redirect to another host after a form is held against the form-action of the form's page.
"""

from typing import Literal

import pytest

from deploy.demo.ports import free
from gateway.config.snapshot import Logout
from gateway.model.provider import ProviderLogout
from tests.browser.chromium import walked
from tests.idp.keys import new_pair
from tests.op.lemonldap import LemonLdapOp
from tests.portal.installation import ACTES, PORTAL, installed

pytestmark = pytest.mark.browser
SECRET = "ofTheTests0123456789ofTheTests0123456789"


# What a cross-site form shows of LemonLDAP::NG is that its session stands: its cookie is SameSite=Lax.
ASKS_AGAIN: dict[Literal["auto", "post"], str] = {"auto": "asked", "post": "not asked"}


@pytest.mark.service
@pytest.mark.parametrize("method", ASKS_AGAIN)
async def test_who_signed_out_at_lemonldap_is_asked_for_the_password_again(method: Literal["auto", "post"]) -> None:
    (port,) = free(1)
    async with installed() as here:
        client = {
            "ClientSecret": SECRET,
            "RedirectUris": here.url(PORTAL, "/_ecluse/callback/metropole"),
            "PostLogoutRedirectUris": here.url(PORTAL, "/_ecluse/logged-out"),
            "IDTokenSignAlg": "RS256",
            "AuthMethod": "client_secret_post",
            "BypassConsent": 1,
            "LogoutBypassConfirm": 1,
        }
        with LemonLdapOp(port, new_pair("op"), clients={"ecluse": client}) as op:
            op.start("")
            here.change("actes", logout=Logout(scope="global"))
            here.change_provider(
                "metropole",
                issuer=op.url,
                client_secret=SECRET,
                client_authentication="client_secret_post",
                scopes=("openid", "profile"),
                userinfo=True,
                logout=ProviderLogout(method),
            )
            site = {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, ""), "provider": op.url}
            await walked("logout_at_lemonldap.mjs", {**site, "incomplete": op.url, "again": ASKS_AGAIN[method]})


@pytest.mark.parametrize("method", ["get", "post"])
async def test_past_a_slow_provider_and_from_the_button_to_it_and_back(
    method: Literal["get", "post"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.portal.app._PATIENCE", 0.2)
    async with installed() as here:
        here.metropole.end_session, here.metropole.takes = True, 3.0
        here.change("actes", logout=Logout(scope="global"))
        here.change_provider("metropole", logout=ProviderLogout(method))
        await walked("logout_at_provider.mjs", {"app": here.url(ACTES, ""), "portal": here.url(PORTAL, "")})
        assert [told["method"] for told in here.metropole.ended] == [method.upper()] * 3
