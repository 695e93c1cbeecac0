"""An application that names an address for it is told of every end of a session, in one way."""

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from gateway.access.account import SeatAccount, with_login
from gateway.config.snapshot import Logout
from gateway.federation.client import PAUSE
from gateway.model.account import ATTRIBUTE, AccountSettings
from gateway.model.provider import ProviderLogout
from gateway.model.session import SeatLimits
from gateway.policy.conditions import All, Anyone, Claim, Condition, SignedIn
from gateway.policy.request_conditions import Network
from gateway.policy.rules import Rule
from gateway.policy.values import Equals, Exists
from gateway.portal.logout import applications as sign_outs
from gateway.portal.openid.renewal import Renewal
from gateway.tokens.spec import BasicSpec, Carrier, TokenClaim
from gateway.translation.render import Translation
from gateway.translation.specs import CookieSpec, FromAttribute, HeaderSpec
from tests.patience import until
from tests.policy.short import rule, table
from tests.portal.application import LOGOUT, Told, told_of_sign_outs
from tests.portal.browser import Browser
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, Installation
from tests.portal.openid.test_provider_logout import token
from tests.portal.openid.test_provider_logout import told as provider_tells
from tests.tokens.test_sealed import SEALED, SIGNED

# Lets alice in alone.
HERS = Claim("uid", Equals("alice"))
KNOWN = {b"X-Secret: proxy", b"X-Remote-User: alice", b"Cookie: CTSESSION=present; PHPSESSID=p1"}


@pytest.fixture(autouse=True)
def looks_every(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Far apart: whoever ends a session has it told, and no look that comes by chance."""
    monkeypatch.setattr(sign_outs, "LOOKS_EVERY", getattr(request, "param", 3600.0))


@pytest.fixture
async def actes(here: Installation) -> AsyncIterator[Told]:
    async with told_of_sign_outs(here, "actes") as told:
        yield told


async def seated(here: Installation, user: str = "alice", host: str = ACTES) -> Browser:
    """Signed in, and known to the application by a session of its own."""
    browser = here.browser(user)
    await browser.get(here.url(host))
    browser.jar[host] |= {"PHPSESSID": "p1", "theme": "dark"}
    await browser.get(here.url(host, "/page"))
    await until(lambda: here.sign_outs._writing is None)
    return browser


async def session_of(here: Installation, browser: Browser, host: str = ACTES) -> str:
    seat = await here.sessions.load(host, browser.jar[host]["__Host-ecluse"].encode())
    assert seat is not None
    return seat.session_id


# --- one way, for every end ---

End = Callable[[Installation, Browser], Awaitable[object]]


async def by_back_channel(here: Installation, browser: Browser) -> None:
    assert (await provider_tells(here, token(here.metropole))).status == 200


async def by_front_channel(here: Installation, browser: Browser) -> None:
    here.change_provider("metropole", logout=ProviderLogout(front_channel=True))
    query = f"iss={here.metropole.issuer}&sid=sid-alice"
    url = here.url(here.snapshot.gateway.portal_host, f"/_ecluse/oidc/frontchannel/metropole?{query}")
    assert (await here.browser().get(url)).status == 200


async def by_a_dead_refresh_token(here: Installation, browser: Browser) -> None:
    here.change_provider("metropole", refresh=True)
    here.metropole.refreshes.append("refresh-0-alice")
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    here.clock.ahead = 241
    assert isinstance(here.renewal, Renewal)
    await here.renewal.renew(seat)


async def by_its_time(here: Installation, browser: Browser) -> None:
    here.clock.ahead = 43200 + 1
    await here.store.purge(here.clock.seconds())
    here.sign_outs.due()


async def by_its_idle_time(here: Installation, browser: Browser) -> None:
    here.clock.ahead = 1801
    await here.store.purge(here.clock.seconds())
    here.sign_outs.due()


async def by_an_operator(here: Installation, browser: Browser) -> None:
    """In the store, whoever does it: another worker's look finds it."""
    await here.sessions.end([await session_of(here, browser)])
    here.sign_outs.due()


async def on_another_host(here: Installation, browser: Browser) -> None:
    await browser.post(here.url(PERMIS, "/_ecluse/logout"))


@pytest.mark.parametrize(
    "end", [by_back_channel, by_front_channel, by_a_dead_refresh_token, by_its_time, by_its_idle_time, by_an_operator,
            on_another_host], ids=lambda end: end.__name__)  # fmt: skip
async def test_without_a_browser_it_is_told_what_was_kept_and_no_more(
    here: Installation, actes: Told, end: End
) -> None:
    here.change_provider("metropole", refresh=True)
    browser = await seated(here)
    if end is on_another_host:
        await browser.get(here.url(PERMIS))
    await end(here, browser)
    await until(lambda: actes.heads)
    assert actes.heads[0].startswith(b"GET /bye?x=1 HTTP/1.1\r\nHost: %b:%d\r\n" % (ACTES.encode(), here.port))
    assert actes.lines() == [KNOWN]
    assert here.store.notes == {}
    await until(lambda: here.counters.values.get(("ecluse_application_sign_outs_total", "actes", "told")) == 1)


@pytest.mark.parametrize("looks_every", [0.05], indirect=True)
async def test_what_ended_in_a_worker_that_is_gone_is_found_by_a_look(here: Installation, actes: Told) -> None:
    browser = await seated(here)
    await here.sessions.end([await session_of(here, browser)])
    await until(lambda: actes.heads)
    assert actes.lines() == [KNOWN]


async def test_an_application_that_does_not_accept_the_person_is_told_nothing_of_them(
    here: Installation, actes: Told
) -> None:
    """Another one of its host has let them in."""
    browser = await seated(here)
    here.change("actes", providers=("departement",))
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert actes.lines() == [{b"Cookie: PHPSESSID=p1; theme=dark"}]


@pytest.mark.parametrize(
    "rules",
    [
        (),
        (rule("/**", HERS),),
        (rule("/**", Claim("groups", Exists())),),
        (rule("/**", HERS), rule("/send", HERS, methods={"POST"})),
        (rule("/**", SignedIn(), deny=Claim("uid", Equals("bob"))),),
    ],
    ids=["no rule", "another's", "unknown", "another's to send", "denied"],
)
async def test_an_application_whose_rules_keep_a_person_out_is_told_nothing_of_them(
    here: Installation, actes: Told, rules: tuple[Rule, ...]
) -> None:
    """Neither their name nor a token: it may make an account of whoever it is told of."""
    # He has a seat, and no request of his was let in.
    here.change("actes", logout=Logout())
    browser = await seated(here, "bob")
    here.change("actes", routes=table(*rules), basic=BASIC["by person"][0], tokens=(SIGNED,), logout=LOGOUT)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert actes.lines() == [{b"Cookie: PHPSESSID=p1; theme=dark"}]


@pytest.mark.parametrize(
    "allow",
    [SignedIn(), Anyone(), All((SignedIn(), Network(frozenset({ip_network("10.0.0.0/8")}))))],
    ids=["signed in", "anyone", "from a network"],
)
async def test_one_that_may_let_them_in_is_told(here: Installation, actes: Told, allow: Condition) -> None:
    here.change("actes", routes=table(rule("/closed/**", HERS), rule("/send", allow, methods={"POST"})))
    browser = await seated(here, "bob")
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert b"X-Remote-User: bob" in actes.lines()[0]


async def test_whoever_was_let_in_before_the_rules_changed_is_signed_out_there(here: Installation, actes: Told) -> None:
    """By what was kept, as without a browser."""
    browser = await seated(here, "bob")
    here.change("actes", routes=table(rule("/**", HERS)))
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert b"X-Remote-User: bob" in actes.lines()[0]


async def test_with_its_browser_it_is_called_once_as_that_browser_would(here: Installation, actes: Told) -> None:
    browser = await seated(here)
    browser.jar[ACTES] |= {"CTSESSION": "forged"}
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    (lines,) = actes.lines()
    assert KNOWN - lines == {b"Cookie: CTSESSION=present; PHPSESSID=p1"}
    (cookie,) = (line for line in lines if line.startswith(b"Cookie: "))
    # A quote that the browser's own line does not close tells no server how to read ours.
    assert cookie.startswith(b"Cookie: CTSESSION=present; ")
    assert cookie.endswith(b"PHPSESSID=p1; theme=dark")
    assert b"ecluse" not in cookie
    assert here.store.notes == {}


async def test_a_cookie_of_a_path_of_its_own_is_told_too(here: Installation, actes: Told) -> None:
    """The browser does not send it to our path: it was seen on the application's."""
    browser = await seated(here)
    del browser.jar[ACTES]["PHPSESSID"]
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    (lines,) = actes.lines()
    assert any(b"PHPSESSID=p1" in line for line in lines)


async def test_a_cookie_that_is_injected_by_now_is_none_that_was_kept(here: Installation, actes: Told) -> None:
    """HS11: when it was kept it was the application's own, and whoever sent it then chose its value."""
    browser = await seated(here)
    injecting = Translation.compile((), (CookieSpec("PHPSESSID", FromAttribute("uid")),))
    here.change("actes", translation=injecting)
    await here.sessions.end([await session_of(here, browser)])
    here.sign_outs.due()
    await until(lambda: actes.heads)
    assert not any(b"PHPSESSID=p1" in line for line in actes.lines()[0])


async def test_the_call_is_in_the_charset_of_usual_requests(here: Installation, actes: Told) -> None:
    here.metropole.tamper = lambda claims: {**claims, "preferred_username": "hélène", "groups": ["a", "b"]}
    browser = await seated(here)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert b"X-Remote-User: h\xe9l\xe8ne" in actes.lines()[0]
    await seated(here)
    await provider_tells(here, token(here.metropole))
    await until(lambda: len(actes.heads) == 2)
    assert b"X-Remote-User: h\xe9l\xe8ne" in actes.lines()[1]


BASIC = {
    "for everybody": (BasicSpec(TokenClaim("account", text="svc"), "word"), b"Basic c3ZjOndvcmQ="),
    "by person": (BasicSpec(TokenClaim("account", "uid"), "word"), b"Basic YWxpY2U6d29yZA=="),
}


@pytest.mark.parametrize("whose", sorted(BASIC))
async def test_an_application_that_knows_http_basic_alone_is_called_with_it(
    here: Installation, actes: Told, whose: str
) -> None:
    """Where no browser is there, only an account that is everybody's is known."""
    spec, credentials = BASIC[whose]
    here.change("actes", basic=spec)
    browser = await seated(here)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert b"Authorization: " + credentials in actes.lines()[0]
    browser = await seated(here)
    await here.sessions.end([await session_of(here, browser)])
    here.sign_outs.due()
    await until(lambda: len(actes.heads) == 2)
    assert (b"Authorization: " + credentials in actes.lines()[1]) == (whose == "for everybody")


async def test_with_its_browser_an_application_that_knows_tokens_gets_them(here: Installation, actes: Told) -> None:
    """As with each request; they end seconds after it."""
    header = replace(SIGNED, carrier=Carrier("header", "X-Token"))
    here.change("actes", tokens=(header, SEALED))
    browser = await seated(here)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    (lines,) = actes.lines()
    (token,) = (line.removeprefix(b"X-Token: ") for line in lines if line.startswith(b"X-Token: "))
    claims = json.loads(urlsafe_b64decode(token.split(b".")[1] + b"=="))
    assert (claims["sub"], claims["exp"] - claims["iat"]) == ("alice", header.spare)
    (cookies,) = (line for line in lines if line.startswith(b"Cookie: "))
    assert cookies.startswith(b"Cookie: CTSESSION=present; APPSESSION=ey")


async def test_a_persons_login_at_the_application_says_who_it_is(here: Installation, actes: Told) -> None:
    """An account link has it, or a directory, and no provider; and no cookie is named."""
    browser = await seated(here)
    by_login = Translation.compile((HeaderSpec("X-Login", FromAttribute(ATTRIBUTE)),), ())
    settings, seat = AccountSettings(), await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    here.change("actes", account=settings, translation=by_login, logout=replace(LOGOUT, told_cookies=()))
    assert seat is not None
    for login in ("alice", "a.liddell"):
        seat.account = SeatAccount("actes", settings, seat.identity, 0, with_login(seat.identity, login))
        here.sign_outs.seen(seat, here.snapshot.apps["actes"], ACTES, b"")
    await until(lambda: here.sign_outs._writing is None)
    await here.sessions.end([seat.session_id])
    here.sign_outs.due()
    await until(lambda: actes.heads)
    assert actes.lines() == [{b"X-Login: a.liddell"}]


async def test_where_nothing_says_whose_session_it_was_that_is_counted(here: Installation, actes: Told) -> None:
    """It knows people by a token alone, and no cookie is named."""
    no_names = Translation.compile((), ())
    here.change("actes", tokens=(SEALED,), translation=no_names, logout=replace(LOGOUT, told_cookies=()))
    browser = await seated(here)
    await here.sessions.end([await session_of(here, browser)])
    here.sign_outs.due()
    await until(lambda: here.counters.values.get(("ecluse_application_sign_outs_total", "actes", "given_up")) == 1)
    assert actes.heads == []
    assert [event["app"] for event in here.logged() if event["event"] == "logout.application"] == ["actes"]


async def test_the_call_is_made_as_the_file_says(here: Installation, actes: Told) -> None:
    form = (("action", "logout"), ("à", "x&y=z"))
    here.change("actes", logout=replace(LOGOUT, method="post", form=form, headers=(("X-Requested-With", "ecluse"),)))
    browser = await seated(here)
    await here.sessions.end([await session_of(here, browser)])
    here.sign_outs.due()
    await until(lambda: actes.heads)
    assert actes.heads[0].startswith(b"POST /bye?x=1 HTTP/1.1\r\n")
    assert b"\r\nX-Requested-With: ecluse\r\n" in actes.heads[0]
    assert b"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 30\r\n\r\n" in actes.heads[0]
    assert actes.bodies == [b"action=logout&%C3%A0=x%26y%3Dz"]


async def test_a_post_without_a_form_has_an_empty_body(here: Installation, actes: Told) -> None:
    here.change("actes", logout=replace(LOGOUT, method="post"))
    browser = await seated(here)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert actes.heads[0].endswith(b"Content-Length: 0\r\n\r\n")
    assert b"Content-Type" not in actes.heads[0]


async def test_one_that_says_no_was_not_told(here: Installation, actes: Told) -> None:
    actes.status = b"405 Method Not Allowed"
    browser = await seated(here)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    assert here.counters.values[("ecluse_application_sign_outs_total", "actes", "failed")] == 1
    (event,) = (event for event in here.logged() if event["event"] == "logout.application")
    assert (event["code"], event["detail"]) == ("upstream.response", "it answered 405: its own session may continue")


async def test_another_person_in_the_same_browser_ends_the_session_of_the_first_there(
    here: Installation, actes: Told
) -> None:
    """Their session may live on at other applications; the seat at this one is the other person's."""
    browser = await seated(here)
    browser.jar[here.snapshot.gateway.portal_host].pop("__Host-ecluse")
    browser.jar[ACTES].pop("__Host-ecluse")
    browser.jar[ACTES].pop("PHPSESSID")
    browser.jar["127.0.0.1"]["op"] = "bob"
    await browser.get(here.url(ACTES))
    await until(lambda: here.sign_outs._writing is None)
    here.sign_outs.due()
    await until(lambda: actes.heads)
    assert actes.lines() == [KNOWN]
    assert len(here.store.notes) == 1


# --- what is kept ---


async def test_nothing_is_kept_for_an_application_that_names_no_address(here: Installation, actes: Told) -> None:
    here.change("actes", logout=replace(LOGOUT, url=None))
    await seated(here)
    assert here.store.notes == {}


async def test_what_is_kept_is_sealed(here: Installation, actes: Told) -> None:
    """Invariant 8: of what the store can be asked without a cookie, no more than who asks has the key for."""
    browser = await seated(here)
    (note,) = here.store.notes.values()
    assert (note.session_id, note.host) == (await session_of(here, browser), ACTES)
    for word in (b"alice", b"p1", b"PHPSESSID", b"actes"):
        assert word not in note.sealed


async def test_a_newer_session_of_the_browser_takes_the_place_of_the_older_ones_note(
    here: Installation, actes: Told
) -> None:
    """Its cookies may be the same: an older session's end signs nobody out of the application who is signed in."""
    browser = await seated(here)
    older = await session_of(here, browser)
    browser.jar[here.snapshot.gateway.portal_host].pop("__Host-ecluse")
    browser.jar[ACTES].pop("__Host-ecluse")
    await browser.get(here.url(ACTES))
    await until(lambda: here.sign_outs._writing is None)
    assert [note.session_id for note in here.store.notes.values()] == [await session_of(here, browser)]
    await here.sessions.end([older])
    here.sign_outs.due()
    await until(lambda: here.sign_outs._telling is None)
    assert actes.heads == []


async def test_an_applications_own_limit_is_no_end_of_the_session(here: Installation, actes: Told) -> None:
    here.change("actes", seat_limits=SeatLimits(idle=60))
    await seated(here)
    here.clock.ahead = 61
    await here.store.purge(here.clock.seconds())
    here.sign_outs.due()
    await until(lambda: here.sign_outs._telling is None)
    assert (actes.heads, len(here.store.notes)) == ([], 1)


@pytest.mark.parametrize("change", ["no address", "another application", "gone"])
async def test_the_file_of_now_says_whether_it_is_told(here: Installation, actes: Told, change: str) -> None:
    browser = await seated(here)
    id = await session_of(here, browser)
    if change == "no address":
        here.change("actes", logout=replace(LOGOUT, url=None))
    elif change == "another application":
        here.change("actes", hosts=("elsewhere.localhost",))
        here.change("permis", hosts=(PERMIS, ACTES), upstream=here.snapshot.apps["actes"].upstream, logout=LOGOUT)
    else:
        here.snapshot = replace(here.snapshot, apps={}, exact_hosts={})
    await here.sessions.end([id])
    here.sign_outs.due()
    await until(lambda: here.sign_outs._telling is None and not here.sign_outs._calls)
    assert (actes.heads, here.store.notes) == ([], {})


async def test_what_is_too_long_is_not_kept(here: Installation, actes: Told) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    await until(lambda: here.sign_outs._writing is None)
    before = dict(here.store.notes)
    browser.jar[ACTES]["PHPSESSID"] = "p" * 4096
    await browser.get(here.url(ACTES, "/page"))
    await until(lambda: here.sign_outs._writing is None)
    assert here.store.notes == before


# --- an application that is in trouble ---


async def test_one_that_is_silent_delays_nobody_else_and_is_left_alone(here: Installation, actes: Told) -> None:
    async with told_of_sign_outs(here, "elections") as elections:
        actes.silent = True
        for number in range(12):
            await seated(here, f"user{number}")
        other = await seated(here, "alice", ELECTIONS)
        await here.sessions.end([note[0] for note in here.store.notes if note[1] == ACTES])
        await here.sessions.end([await session_of(here, other, ELECTIONS)])
        here.sign_outs.due()
        await until(lambda: elections.heads)
        assert 0 < len(actes.heads) <= 4, "few at once"
        results = [("ecluse_application_sign_outs_total", "actes", result) for result in ("failed", "given_up")]
        await until(lambda: sum(here.counters.values.get(key, 0) for key in results) == 12)
        assert all(here.counters.values[key] >= 3 for key in results), "not called while it does not answer"
        assert len(actes.heads) < 12, "and none while it does not answer"
        here.clock.ahead += PAUSE
    events = [event for event in here.logged() if event["event"] == "logout.application"]
    assert {(event["app"], event["host"]) for event in events} == {("actes", ACTES)}
    assert len(events) == 12


async def test_what_was_not_told_is_kept_for_who_looks_next(here: Installation, actes: Told) -> None:
    """A worker that ends in the midst: another's look, or the next start's, finds the note."""
    browser = await seated(here)
    await here.sessions.end([await session_of(here, browser)])
    assert len(here.store.notes) == 1
    await asyncio.gather(here.sign_outs.close(0.1))
    assert len(here.store.notes) == 1


async def test_cookies_that_change_with_each_request_are_few_writes_and_the_last_one_counts(
    here: Installation, actes: Told
) -> None:
    browser = await seated(here)
    seat = await here.sessions.load(ACTES, browser.jar[ACTES]["__Host-ecluse"].encode())
    assert seat is not None
    writes, write = [], here.store.perform

    async def counted(*written: Any) -> bool:
        writes.append(written)
        return await write(*written)

    here.store.perform = counted  # type: ignore[method-assign]
    for number in range(200):
        here.sign_outs.seen(seat, here.snapshot.apps["actes"], ACTES, b"PHPSESSID=%d" % number)
        await asyncio.sleep(0)
    await until(lambda: here.sign_outs._writing is None)
    assert len(writes) <= 3
    await here.sessions.end([seat.session_id])
    here.sign_outs.due()
    await until(lambda: actes.heads)
    assert b"Cookie: CTSESSION=present; PHPSESSID=199" in actes.lines()[0]
