"""The modules about what comes after a sign-in: refresh, back-channel logout, RP-initiated logout.

Each signs a person in by the little provider of tests/portal, and has that provider do one thing.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.config.snapshot import Logout
from gateway.model.provider import ProviderLogout
from gateway.oidc.logout_token import EVENT
from tests.oidc.samples import forge
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, PORTAL, Installation

_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]+)">')

Run = Callable[[Installation], Awaitable[None]]


@dataclass(frozen=True)
class Life:
    name: str
    run: Run

    @property
    def full_name(self) -> str:
        return f"oidcc-client-test-{self.name}"


async def signed_in(here: Installation) -> Browser:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES))
    assert reply.text == "actes for alice", reply.text[:300]
    return browser


async def is_signed_in(here: Installation, browser: Browser) -> bool:
    return (await browser.get(here.url(ACTES), follow=False)).status == 200


# --- refresh


def refreshed(*, stands: bool, **changes: object) -> Run:
    async def run(here: Installation) -> None:
        here.change_provider("metropole", refresh=True)
        browser = await signed_in(here)
        here.metropole.refresh_answer = lambda claims: claims.update(changes)
        seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
        assert seat is not None
        assert here.renewal is not None
        here.clock.ahead = 280
        await here.renewal.renew(seat)
        assert here.metropole.refreshes == ["refresh-0-alice"]
        assert await is_signed_in(here, browser) is stands

    return run


# --- back-channel logout


def claims(here: Installation, changes: dict[str, Any]) -> dict[str, Any]:
    now = int(here.clock.now())
    good = {
        "iss": here.metropole.issuer,
        "aud": "ecluse",
        "iat": now,
        "exp": now + 120,
        "jti": "j1",
        "sid": "sid-alice",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def by_provider(told: dict[str, Any], here: Installation) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1", "typ": "logout+jwt"}, told, here.metropole.key)


def unsigned(told: dict[str, Any], here: Installation) -> str:
    return forge(told, None, {"alg": "none", "typ": "logout+jwt"})


def by_another_algorithm(told: dict[str, Any], here: Installation) -> str:
    return jwt.encode({"alg": "ES256", "typ": "logout+jwt"}, told, ECKey.generate_key("P-256"))


def told_of(
    sign: Callable[[dict[str, Any], Installation], str] = by_provider, *, ends: bool = False, **changes: Any
) -> Run:
    """A logout token about the session of the person; `ends`: whether it is a good one."""

    async def run(here: Installation) -> None:
        browser = await signed_in(here)
        reply = await here.browser().send(
            "POST",
            here.url(PORTAL, "/_ecluse/oidc/backchannel/metropole"),
            headers={"Content_Type": "application/x-www-form-urlencoded"},
            data=f"logout_token={sign(claims(here, changes), here)}",
        )
        assert (reply.status, await is_signed_in(here, browser)) == ((200, False) if ends else (400, True))

    return run


# --- RP-initiated logout


def sent_back(change: Callable[[str], str], *, good: bool) -> Run:
    """`change`: what the provider makes of the address that it sends the person back to."""

    async def run(here: Installation) -> None:
        here.metropole.end_session = True
        here.change("actes", logout=Logout(scope="global"))
        here.change_provider("metropole", logout=ProviderLogout(method="post"))
        browser = await signed_in(here)
        page = await browser.post(here.url(ACTES, "/_ecluse/logout"))
        action = _ACTION.search(page.text)
        assert action, page.text
        fields = {name: unescape(value) for name, value in _FIELD.findall(page.text)}
        at_provider = await browser.send("POST", unescape(action[1]), data=fields)
        back = await browser.get(change(at_provider.location))
        hint = jwt.decode(fields["id_token_hint"], here.metropole.key, algorithms=["RS256"]).claims
        assert hint["sub"] == "alice"
        assert fields["post_logout_redirect_uri"] == here.url(PORTAL, "/_ecluse/logged-out")
        assert not await is_signed_in(here, browser)
        assert (back.status == 200 and "You are signed out" in back.text) is good

    return run


BACK = "rp-backchannel-rpinitlogout"
REFRESH = [
    Life("refresh-token", refreshed(stands=True)),
    Life("refresh-token-invalid-issuer", refreshed(stands=False, iss="https://evil.example")),
    Life("refresh-token-invalid-sub", refreshed(stands=False, sub="somebody-else")),
]
BACKCHANNEL = [
    Life(BACK, told_of(ends=True)),
    Life(f"{BACK}-alg-none", told_of(unsigned)),
    Life(f"{BACK}-wrong-alg", told_of(by_another_algorithm)),
    Life(f"{BACK}-wrong-aud", told_of(aud="another-client")),
    Life(f"{BACK}-wrong-iss", told_of(iss="https://evil.example")),
    Life(f"{BACK}-wrong-event", told_of(events={"http://schemas.openid.net/event/other": {}})),
    Life(f"{BACK}-no-event", told_of(events=None)),
    Life(f"{BACK}-with-nonce", told_of(nonce="n" * 43)),
]
RP_INITIATED = [
    Life("rp-init-logout", sent_back(lambda url: url, good=True)),
    Life("rp-init-logout-other-state", sent_back(lambda url: url.partition("=")[0] + "=" + "a" * 43, good=False)),
    Life("rp-init-logout-no-state", sent_back(lambda url: url.partition("?")[0], good=False)),
]
LIVES = {"refresh": REFRESH, "backchannel": BACKCHANNEL, "rp-initiated": RP_INITIATED}


@pytest.mark.parametrize(
    "life", [pytest.param(one, id=f"{plan}-{one.full_name}") for plan, lives in LIVES.items() for one in lives]
)
async def test_what_comes_after_a_sign_in(here: Installation, life: Life) -> None:
    await life.run(here)
