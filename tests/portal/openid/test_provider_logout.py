"""OIDC Back-Channel Logout 1.0: a provider ends sessions everywhere, before it is answered."""

import asyncio
import json
import secrets
import time
from collections.abc import Sequence
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway.federation.cached import REFETCH_INTERVAL, RETRY_INTERVAL
from gateway.model.codes import store_codes
from gateway.model.errors import GatewayError
from gateway.model.provider import AttributeSource
from gateway.oidc.logout_token import EVENT
from gateway.stores.records import RevokeSession, Write
from gateway.stores.sealing import Envelopes
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
    return jwt.encode({"alg": "RS256", "kid": op.key.kid, "typ": typ}, claims, op.key)


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


@pytest.mark.parametrize(("by", "later"), [("sid", 1), ("sub", 1), ("sid", 0)])
async def test_a_token_that_comes_before_the_session_is_written_ends_it_too(
    here: Installation, monkeypatch: pytest.MonkeyPatch, by: str, later: int
) -> None:
    """Invariant 12. Of the second of the sign-in itself it is no later end: people sign in again that fast."""
    sign_in = here.federation.sign_in
    answers = []

    async def and_signed_out(*parts: Any) -> Any:
        found = await sign_in(*parts)
        issued = int(here.metropole.now()) + later
        answers.append(await told(here, token(here.metropole, iat=issued, **{"sub" if by == "sid" else "sid": None})))
        return found

    monkeypatch.setattr(here.federation, "sign_in", and_signed_out)
    browser = here.browser("alice")
    await browser.get(here.url(ACTES))
    monkeypatch.undo()
    assert [answer.status for answer in answers] == [200]
    here.metropole.signed_in = False
    assert await opens(here, browser) is (later == 0)
    assert bool(await here.sessions.ids_of_subject(here.metropole.issuer, "alice")) is (later == 0)


@pytest.mark.parametrize("by", ["sid", "sub"])
async def test_a_token_of_a_clock_that_is_far_ahead_ends_the_session_and_keeps_nobody_out(
    here: Installation, by: str
) -> None:
    browser, now = await signed_in(here), int(here.metropole.now())
    absent = {"sub" if by == "sid" else "sid": None}
    assert (await told(here, token(here.metropole, iat=now + 900, exp=now + 1020, **absent))).status == 200
    assert not await opens(here, browser)
    assert await opens(here, await signed_in(here))


@pytest.mark.parametrize("by", ["sid", "sub"])
async def test_a_token_that_comes_again_ends_only_what_began_before_it_was_issued(here: Installation, by: str) -> None:
    """Invariants 6 and 12: attack K174."""
    before = await signed_in(here)
    here.clock.ahead += 1
    logout = token(here.metropole, **{"sub" if by == "sid" else "sid": None})
    assert (await told(here, logout)).status == 200
    assert not await opens(here, before)
    here.clock.ahead += 1
    after = await signed_in(here)
    assert (await told(here, logout)).status == 200
    assert await opens(here, after)
    assert here.revoker.told[-1] == ()


@pytest.mark.parametrize("by", ["sid", "sub"])
async def test_a_token_that_comes_again_ends_what_is_back_from_before_it(
    here: Installation, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that fails over may have lost the end, and so do the nodes that read it there."""

    async def unheard(_: tuple[str, ...]) -> None: ...

    browser = await signed_in(here)
    here.clock.ahead += 1
    logout = token(here.metropole, **{"sub" if by == "sid" else "sid": None})
    with monkeypatch.context() as patched:
        patched.setattr(here.store, "perform", lost(here.store.perform))
        patched.setattr(here.revoker, "revoked", unheard)
        assert (await told(here, logout)).status == 200
    assert await opens(here, browser), "the end was lost"
    assert (await told(here, logout)).status == 200
    assert not await opens(here, browser)


def lost(perform: Any) -> Any:
    """Ends that a store acknowledges and does not have after it failed over."""

    async def performed(writes: Sequence[Write], now: int) -> bool:
        return bool(await perform([write for write in writes if not isinstance(write, RevokeSession)], now))

    return performed


async def test_a_session_of_a_record_without_an_issue_time_ends(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was kept by an older release."""
    logout = token(here.metropole)
    here.clock.ahead += 5
    seal_session = Envelopes.seal_session
    with monkeypatch.context() as patched:
        patched.setattr(Envelopes, "seal_session", lambda self, stored, key, _: seal_session(self, stored, key))
        browser = await signed_in(here)
    assert (await told(here, logout)).status == 200
    assert not await opens(here, browser)


async def test_the_log_names_the_person_whose_sessions_ended(here: Installation) -> None:
    """By sid alone, too, for the store knows whose each is; and who signed in, for whom and how strongly."""
    here.metropole.tamper = lambda claims: {**claims, "siret": "21590350100017", "acr": "eidas2"}
    sources = {"uid": AttributeSource(("preferred_username",)), "siret": AttributeSource(("siret",))}
    here.change_provider("metropole", tenant_attribute="siret", attributes=sources)
    await signed_in(here)
    for left_out in ("sub", "sid"):
        assert (await told(here, token(here.metropole, **{left_out: None}))).status == 200
    lines = here.logged()
    (came,) = [line for line in lines if line["event"] == "login.succeeded"]
    assert (came["tenant"], "level" in came) == ("21590350100017", True)
    ends = [(line["person"], line["sessions"]) for line in lines if line["event"] == "logout.provider"]
    assert ends == [(came["person"], 1), (came["person"], 0)]


@pytest.mark.parametrize("apart", [-900, 900], ids=["our clock is early", "our clock is late"])
async def test_a_clock_that_is_wrong_by_minutes_refuses_no_sign_out(here: Installation, apart: int) -> None:
    """It goes wrong between the sign-in and the end: there is no sign-in with such a clock."""
    browser = await signed_in(here)
    here.metropole.now = time.time
    here.clock.ahead += apart
    logout = token(here.metropole)
    assert (await told(here, logout)).status == 200
    assert not await opens(here, browser)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "oidc.id_token.issuer"),
        ({"aud": "another"}, "oidc.id_token.audience"),
        ({"events": {}}, "oidc.logout_token.event"),
        ({"events": None}, "oidc.logout_token.event"),
        ({"nonce": "n"}, "oidc.logout_token.nonce"),
        ({"exp": "1"}, "oidc.id_token.claim"),
        ({"iat": "1"}, "oidc.id_token.claim"),
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


@pytest.mark.parametrize("method", ["find"])
async def test_when_the_store_cannot_say_the_answer_is_503_and_the_token_may_be_sent_again(
    here: Installation, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack K174."""

    async def cut(*_: object) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    browser, logout = await signed_in(here), token(here.metropole)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, method, cut)
        assert (await told(here, logout)).status == 503
    assert here.revoker.told == []
    assert await opens(here, browser)
    assert (await told(here, logout)).status == 200
    assert not await opens(here, browser)
    assert (await told(here, logout)).status == 200
    assert here.codes() == ["store.unreachable"]


async def test_what_the_store_cannot_take_has_ended_all_the_same_and_the_answer_says_so(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(*_: object) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    browser, logout = await signed_in(here), token(here.metropole)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, "perform", cut)
        assert (await told(here, logout)).status == 503
        assert not await opens(here, browser)
    assert len(here.revoker.told) == 1, "in every worker"
    await here.sessions.write_ends()
    assert not await opens(here, browser)


async def test_a_token_sent_twice_at_once_is_taken_each_time(here: Installation) -> None:
    browser, logout = await signed_in(here), token(here.metropole)
    replies = await asyncio.gather(*(told(here, logout) for _ in range(4)))
    assert [reply.status for reply in replies] == [200] * 4
    assert not await opens(here, browser)


async def test_without_the_provider_s_keys_the_answer_is_503_and_the_token_may_be_sent_again(
    here: Installation,
) -> None:
    """2.5: after a recoverable error the provider may transmit again."""
    browser = await signed_in(here)
    # As in a worker that has just started.
    here.federation._documents.clear()
    here.metropole.down = True
    reply = await told(here, token(here.metropole))
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    refusal = {"error": "temporarily_unavailable", "error_description": "login.provider_unreachable"}
    assert json.loads(reply.body) == refusal
    assert await opens(here, browser)
    here.metropole.down = False
    here.clock.ahead += RETRY_INTERVAL
    assert (await told(here, token(here.metropole))).status == 200
    assert not await opens(here, browser)


async def test_a_document_of_the_provider_that_is_wrong_makes_no_token_wrong(here: Installation) -> None:
    here.metropole.keys = []
    assert (await told(here, token(here.metropole))).status == 503
    assert here.codes() == ["oidc.jwks"]


async def test_a_key_that_is_new_while_no_keys_can_be_had_is_503(here: Installation) -> None:
    """The provider has changed its key: a sign-out under the new key may be genuine until the keys are read again."""
    browser = await signed_in(here)
    here.metropole.key = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    genuine = token(here.metropole)
    here.metropole.down = True
    assert (await told(here, genuine)).status == 503
    here.metropole.down = False
    assert (await told(here, genuine)).status == 503, "keys are read once in 30 s at most"
    here.clock.ahead += REFETCH_INTERVAL
    assert (await told(here, genuine)).status == 200
    assert not await opens(here, browser)


async def test_a_mark_that_the_store_cannot_take_is_503_though_nobody_is_signed_in(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sign-in that waits for the person's choice would go on after the death of the worker that keeps the mark."""

    async def cut(*_: object) -> None:
        raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")

    logout = token(here.metropole)
    with monkeypatch.context() as patched:
        patched.setattr(here.store, "perform", cut)
        assert (await told(here, logout)).status == 503
    assert (await told(here, logout)).status == 200
