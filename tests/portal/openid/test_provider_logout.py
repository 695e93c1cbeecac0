"""OIDC Back-Channel Logout 1.0: a provider ends sessions, once and everywhere, before it is answered."""

import asyncio
import secrets
from typing import Any

import pytest
from joserfc import jwt

from gateway.model.codes import STORE_UNREACHABLE
from gateway.model.errors import GatewayError
from gateway.oidc.logout_token import EVENT
from gateway.stores.records import UseOnce
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation
from tests.portal.op import Op

FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def token(op: Op, *, typ: str = "logout+jwt", **changes: Any) -> str:
    """A change to None takes a claim away."""
    now = int(op.now())
    good = {
        "iss": op.issuer,
        "aud": "ecluse",
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "sid": "sid-alice",
        "sub": "alice",
        "events": {EVENT: {}},
    }
    claims = {name: value for name, value in {**good, **changes}.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "k1", "typ": typ}, claims, op.key)


async def told(here: Installation, logout_token: str, name: str = "metropole", **headers: str) -> Reply:
    """From the provider's own server: no cookie, no browser's headers."""
    url = here.url(PORTAL, f"/_ecluse/oidc/backchannel/{name}")
    return await here.browser().send("POST", url, headers={**FORM, **headers}, data=f"logout_token={logout_token}")


async def signed_in(here: Installation, user: str = "alice", *hosts: str) -> Browser:
    browser = here.browser(user)
    for host in hosts or (ACTES,):
        await browser.get(here.url(host))
    return browser


async def opens(here: Installation, browser: Browser, host: str = ACTES) -> bool:
    return (await browser.get(here.url(host), follow=False)).status == 200


async def test_by_sid_every_seat_of_the_session_ends_before_the_answer(here: Installation) -> None:
    browser = await signed_in(here, "alice", ACTES, PERMIS)
    other = await signed_in(here, "bob")
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    reply = await told(here, token(here.metropole, sub=None))
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.set_cookies == []
    assert not seat.live
    assert here.revoker.told == [(seat.session_id,)]
    assert not await opens(here, browser)
    assert not await opens(here, browser, PERMIS)
    assert await opens(here, other)


async def test_by_sub_every_session_of_the_person_ends(here: Installation) -> None:
    """And nobody else's, nor the same person's by another provider."""
    one, two, bob = await signed_in(here), await signed_in(here), await signed_in(here, "bob")
    elsewhere = await signed_in(here, "alice", ELECTIONS)
    assert (await told(here, token(here.metropole, sid=None))).status == 200
    assert [await opens(here, browser) for browser in (one, two, bob)] == [False, False, True]
    assert await opens(here, elsewhere, ELECTIONS)


async def test_where_both_are_said_only_the_session_named_ends(here: Installation) -> None:
    here.metropole.tamper = lambda claims: {**claims, "sid": "first"}
    one = await signed_in(here)
    here.metropole.tamper = lambda claims: {**claims, "sid": "second"}
    two = await signed_in(here)
    assert (await told(here, token(here.metropole, sid="second"))).status == 200
    assert [await opens(here, browser) for browser in (one, two)] == [True, False]


async def test_a_session_that_had_ended_is_no_error(here: Installation) -> None:
    """2.7: what is over already counts as a success."""
    reply = await told(here, token(here.metropole, sid="never-seen"))
    assert reply.status == 200
    assert here.revoker.told == [()]


async def test_a_token_works_once(here: Installation) -> None:
    """Invariant 6."""
    logout = token(here.metropole)
    await signed_in(here)
    assert (await told(here, logout)).status == 200
    browser = await signed_in(here)
    reply = await told(here, logout)
    assert reply.status == 400
    assert b"invalid_request" in reply.body
    assert await opens(here, browser)
    assert here.codes()[-1] == "oidc.logout_token.replayed"


async def test_a_token_says_by_how_much_its_clock_may_be_ahead(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may be older than a store that took another's place may have been used there."""
    uses: list[UseOnce] = []
    asks = here.store.is_used

    async def is_used(use: UseOnce, now: int) -> bool:
        uses.append(use)
        return await asks(use, now)

    monkeypatch.setattr(here.store, "is_used", is_used)
    here.change_provider("metropole", skew=47)
    assert (await told(here, token(here.metropole))).status == 200
    assert [use.skew for use in uses] == [47]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "oidc.id_token.issuer"),
        ({"aud": "another"}, "oidc.id_token.audience"),
        ({"events": {}}, "oidc.logout_token.event"),
        ({"events": None}, "oidc.logout_token.event"),
        ({"nonce": "n"}, "oidc.logout_token.nonce"),
        ({"exp": 1}, "oidc.id_token.expired"),
        ({"iat": 1}, "oidc.id_token.issued_at"),
        ({"jti": None}, "oidc.logout_token"),
        ({"sub": None, "sid": None}, "oidc.logout_token"),
        ({"typ": "at+jwt"}, "oidc.id_token.header"),
    ],
)
async def test_what_is_not_in_order_is_400_and_ends_nothing(
    here: Installation, changes: dict[str, Any], code: str
) -> None:
    browser = await signed_in(here)
    reply = await told(here, token(here.metropole, **changes))
    assert (reply.status, reply.headers["Content-Type"]) == (400, "application/json")
    assert reply.headers["Cache-Control"] == "no-store"
    assert await opens(here, browser)
    assert here.revoker.told == []
    assert here.codes() == [code]


@pytest.mark.parametrize("form", ["", "logout_token=", "logout_token=a.b.c", "logout_token=a&logout_token=b", "x=%ff"])
async def test_a_form_without_one_token_is_400(here: Installation, form: str) -> None:
    url = here.url(PORTAL, "/_ecluse/oidc/backchannel/metropole")
    assert (await here.browser().send("POST", url, headers=FORM, data=form)).status == 400


async def test_a_provider_speaks_for_its_own_alone(here: Installation) -> None:
    """Invariant 5: the token of one at the address of the other."""
    browser = await signed_in(here)
    for name, status in (("departement", 400), ("unknown", 400), ("", 404), ("metropole/more", 404)):
        assert (await told(here, token(here.metropole), name)).status == status
    forged = token(here.departement, iss=here.metropole.issuer)
    here.departement.key = here.metropole.key
    assert (await told(here, forged, "departement")).status == 400
    assert await opens(here, browser)


async def test_it_is_a_post_on_the_portal_host_alone(here: Installation) -> None:
    url = here.url(PORTAL, "/_ecluse/oidc/backchannel/metropole")
    assert (await here.browser().send("GET", f"{url}?logout_token={token(here.metropole)}")).status == 405
    reply = await here.browser().send(
        "POST",
        here.url(ACTES, "/_ecluse/oidc/backchannel/metropole"),
        headers=FORM,
        data=f"logout_token={token(here.metropole)}",
    )
    assert reply.status == 404


@pytest.mark.parametrize("method", ["find", "is_used"])
async def test_when_the_store_cannot_say_the_answer_is_503_and_the_token_may_be_sent_again(
    here: Installation, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack K174."""

    async def cut(*_: object) -> None:
        raise GatewayError(STORE_UNREACHABLE, "cut off by the test")

    browser, logout = await signed_in(here), token(here.metropole)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, method, cut)
        assert (await told(here, logout)).status == 503
    assert here.revoker.told == []
    assert await opens(here, browser)
    assert (await told(here, logout)).status == 200
    assert not await opens(here, browser)
    assert (await told(here, logout)).status == 400
    assert here.codes() == ["store.unreachable", "oidc.logout_token.replayed"]


async def test_what_the_store_cannot_take_has_ended_all_the_same_and_the_answer_says_so(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(*_: object) -> None:
        raise GatewayError(STORE_UNREACHABLE, "cut off by the test")

    browser, logout = await signed_in(here), token(here.metropole)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, "perform", cut)
        assert (await told(here, logout)).status == 503
        assert not await opens(here, browser)
    assert len(here.revoker.told) == 1, "in every worker"
    await here.sessions.write_ends()
    assert not await opens(here, browser)


async def test_of_a_token_sent_twice_at_once_one_is_taken(here: Installation) -> None:
    browser, logout = await signed_in(here), token(here.metropole)
    replies = await asyncio.gather(*(told(here, logout) for _ in range(4)))
    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]
    assert not await opens(here, browser)


async def test_a_provider_whose_keys_cannot_be_had_is_503(here: Installation) -> None:
    here.metropole.down = True
    assert (await told(here, token(here.metropole))).status == 503
