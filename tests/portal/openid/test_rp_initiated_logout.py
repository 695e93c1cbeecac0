"""Signing out at the provider too, and of the application itself."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from aiohttp import web

from gateway.config.snapshot import Logout
from gateway.config.upstream_settings import Upstream
from gateway.model.provider import ProviderLogout
from gateway.model.session import SeatLimits
from gateway.oidc.end_session import LONGEST_ADDRESS
from gateway.policy.routes import RouteTable
from gateway.wire.cookies import SESSION_COOKIE
from gateway.wire.fences import Fence
from tests.policy.short import rule
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation
from tests.portal.logout.test_sign_out import hosts_open, signed_in

GLOBAL = Logout(scope="global")
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_ACTION = re.compile(r'<form method="post" action="([^"]+)">')


@pytest.fixture
def op_ends(here: Installation) -> None:
    """The provider has an endpoint to sign out at, and `actes` uses it."""
    here.metropole.end_session = True
    here.change("actes", logout=GLOBAL)


@pytest.fixture
def by_form(here: Installation) -> None:
    """The provider finds its session by the token alone."""
    here.change_provider("metropole", logout=ProviderLogout(method="post"))
    here.change_provider("departement", logout=ProviderLogout(method="post"))


async def sign_out(here: Installation, browser: Browser, host: str = ACTES) -> Reply:
    return await browser.post(here.url(host, "/_ecluse/logout"))


def form_of(reply: Reply) -> tuple[str, dict[str, str]]:
    action = _ACTION.search(reply.text)
    assert action, reply.text
    return unescape(action[1]), {name: unescape(value) for name, value in _FIELD.findall(reply.text)}


async def back_from(here: Installation, browser: Browser, reply: Reply) -> Reply:
    """The form sends itself, the provider signs the person out and sends them back."""
    action, fields = form_of(reply)
    answer = await browser.send("POST", action, data=fields)
    return await browser.get(answer.location)


# --- at the provider


@pytest.mark.usefixtures("op_ends", "by_form")
async def test_the_person_is_signed_out_here_then_there_and_comes_back_to_a_page_that_starts_nothing(
    here: Installation,
) -> None:
    browser = await signed_in(here)
    reply = await sign_out(here, browser)
    assert reply.status == 200
    assert await hosts_open(here, browser) == set(), "before the provider is asked"
    assert len(here.revoker.told) == 1
    action, fields = form_of(reply)
    assert action == f"{here.metropole.issuer}/end"
    assert set(fields) == {"id_token_hint", "post_logout_redirect_uri", "state"}
    assert fields["post_logout_redirect_uri"] == here.url(PORTAL, "/_ecluse/logged-out")
    page = await back_from(here, browser, reply)
    assert (page.status, "You are signed out" in page.text, page.set_cookies) == (200, True, [])
    assert "to sign you out too. It does not confirm that it did" in page.text
    assert "was informed" not in page.text
    assert f'href="{here.url(ACTES)}"' in page.text
    assert "refresh" not in page.text.lower()
    assert here.metropole.ended[0]["method"] == "POST"


@pytest.mark.usefixtures("op_ends", "by_form")
async def test_the_token_is_in_no_address_no_log_and_in_the_form_alone(here: Installation) -> None:
    """Invariant 4."""
    browser = await signed_in(here)
    reply = await sign_out(here, browser)
    token = form_of(reply)[1]["id_token_hint"]
    assert token.count(".") == 2
    page = await back_from(here, browser, reply)
    assert token not in page.url + str(reply.headers) + page.text
    assert token not in str(here.logged())


@pytest.mark.usefixtures("op_ends", "by_form")
async def test_the_form_sends_itself_by_the_one_script_that_the_page_allows(here: Installation) -> None:
    reply = await sign_out(here, await signed_in(here))
    policy = reply.headers["Content-Security-Policy"]
    assert "script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert reply.text.count("<script") == 1
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.usefixtures("op_ends")
async def test_by_address_where_it_is_short_enough_and_by_a_form_where_not(here: Installation) -> None:
    """A cross-site form brings no cookie with SameSite=Lax, and the provider no session to end."""
    for padding, by_address in ((0, True), (3000, False)):
        here.metropole.tamper = lambda claims, size=padding: {**claims, "padding": "a" * size}  # type: ignore[misc]
        browser = await signed_in(here)
        reply = await sign_out(here, browser)
        onward = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', reply.text)
        assert (onward is not None, "<form" in reply.text) == (by_address, not by_address)
        assert onward is None or len(unescape(onward[1])) <= LONGEST_ADDRESS


@pytest.mark.usefixtures("op_ends")
@pytest.mark.parametrize("method", ["get", "auto"])
async def test_a_provider_that_takes_get_alone_is_asked_so(here: Installation, method: Any) -> None:
    here.change_provider("metropole", logout=ProviderLogout(method=method))
    browser = await signed_in(here)
    reply = await sign_out(here, browser)
    # Not by a redirect, which browsers hold against the form-action of the page with the button.
    onward = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', reply.text)
    assert reply.status == 200
    assert onward is not None
    assert unescape(onward[1]).startswith(f"{here.metropole.issuer}/end?id_token_hint=")
    page = await browser.get((await browser.get(unescape(onward[1]), follow=False)).location)
    assert "to sign you out too" in page.text


@pytest.mark.usefixtures("op_ends")
@pytest.mark.parametrize("query", ["", "?state=", "?state=another", "?state=a&state=b"])
async def test_a_return_with_another_state_or_none_is_refused(here: Installation, query: str) -> None:
    """The Foundation's modules rp-init-logout-other-state and -no-state."""
    browser = await signed_in(here)
    await sign_out(here, browser)
    page = await browser.get(here.url(PORTAL, f"/_ecluse/logged-out{query}"))
    assert (page.status, page.set_cookies) == (400, [])
    assert here.codes()[-1] in ("logout.state", "portal.parameters")


@pytest.mark.usefixtures("op_ends", "by_form")
async def test_a_state_works_once(here: Installation) -> None:
    browser = await signed_in(here)
    page = await back_from(here, browser, await sign_out(here, browser))
    assert (await browser.get(page.hops[0])).status == 400
    assert (await browser.get(page.url)).text == page.text, "what it came to may be looked at again"


@pytest.mark.usefixtures("op_ends")
async def test_an_id_token_is_not_shown_to_another_issuer_that_the_file_names_since(here: Installation) -> None:
    """Invariant 4."""
    browser = await signed_in(here)
    here.departement.end_session = True
    here.change_provider("metropole", issuer=here.departement.issuer)
    reply = await sign_out(here, browser)
    assert (reply.status, "Location" in reply.headers) == (200, False)
    assert "id_token_hint" not in reply.text
    assert "may still keep you signed in" in reply.text


async def test_a_local_sign_out_asks_nothing_of_the_provider(here: Installation) -> None:
    here.metropole.end_session = True
    browser = await signed_in(here)
    reply = await sign_out(here, browser)
    assert "You are signed out" in reply.text
    assert "may still keep you signed in" in reply.text


@pytest.mark.usefixtures("by_form")
async def test_signing_out_of_the_portal_is_signing_out_everywhere(here: Installation) -> None:
    here.metropole.end_session = here.departement.end_session = True
    browser = here.browser()
    await browser.get(here.url(ACTES))
    reply = await sign_out(here, browser, PORTAL)
    page = await back_from(here, browser, reply)
    assert "to sign you out too" in page.text
    assert "Back to the application" not in page.text


@pytest.mark.parametrize("trouble", ["down", "without the endpoint", "gone"])
async def test_a_provider_that_cannot_be_asked_does_not_keep_anybody_signed_in(
    here: Installation, trouble: str
) -> None:
    here.change("actes", logout=GLOBAL)
    browser = await signed_in(here)
    if trouble == "down":
        here.metropole.down = True
        # Its documents are asked for anew.
        here.change_provider("metropole", private_addresses=True)
    if trouble == "gone":
        here.snapshot = replace(here.snapshot, providers={})
    reply = await sign_out(here, browser)
    assert (reply.status, "You are signed out" in reply.text) == (200, True)
    assert await hosts_open(here, browser) == set()


# --- the application


@pytest.fixture
async def application(here: Installation) -> AsyncIterator[list[web.BaseRequest]]:
    """`actes`, which is told of sign-outs at /bye and whose cookies are cleared; the calls that came."""
    asked: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request)
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstream = replace(here.snapshot.apps["actes"].upstream, port=runner.addresses[0][1])
    logout = Logout(cookies=(("PHPSESSID", "/"), ("JSESSIONID", "/app")), url="/bye?x=1")
    here.change("actes", upstream=upstream, logout=logout)
    yield asked
    await runner.cleanup()


async def test_the_application_is_called_as_the_person_and_its_cookies_are_cleared(
    here: Installation, application: list[web.BaseRequest]
) -> None:
    browser = await signed_in(here)
    browser.jar[ACTES] |= {"PHPSESSID": "p1", "CTSESSION": "forged"}
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"), follow=False)
    (request,) = application
    assert (request.method, request.path_qs) == ("GET", "/bye?x=1")
    assert request.headers["X-Remote-User"] == "alice"
    assert request.headers["Host"] == f"{ACTES}:{here.port}"
    assert request.headers.getall("Cookie") == ["CTSESSION=present; PHPSESSID=p1"]
    assert SESSION_COOKIE.decode() not in str(request.headers)
    assert "PHPSESSID=; Path=/; Max-Age=0" in reply.set_cookies
    assert "JSESSIONID=; Path=/app; Max-Age=0" in reply.set_cookies
    assert "You are signed out" in (await browser.get(reply.location)).text


async def test_who_is_not_signed_in_brings_no_call_to_the_application(
    here: Installation, application: list[web.BaseRequest]
) -> None:
    reply = await sign_out(here, here.browser())
    assert (reply.status, application) == (200, [])


async def test_an_application_that_does_not_answer_keeps_nobody_signed_in(
    here: Installation, application: list[web.BaseRequest]
) -> None:
    browser = await signed_in(here)
    here.change(
        "actes", upstream=Upstream(scheme="http", host="127.0.0.1", port=1, timeouts=here.snapshot.gateway.timeouts)
    )
    reply = await sign_out(here, browser)
    assert "You are signed out" in reply.text
    assert await hosts_open(here, browser) == set()
    assert "logout.application" in [event["event"] for event in here.logged()]


@pytest.mark.parametrize(
    ("port", "fence", "why"),
    [
        (8081, None, "127.0.0.1:8081 leads to 127.0.0.1, where this gateway listens itself"),
        (0, Fence.of("urba", ["10.0.0.0/8"]), "outside the fence of team urba"),
    ],
)
async def test_the_call_goes_nowhere_that_a_request_would_not(
    here: Installation, application: list[web.BaseRequest], port: int, fence: Fence | None, why: str
) -> None:
    browser = await signed_in(here)
    upstream = here.snapshot.apps["actes"].upstream
    here.change("actes", upstream=replace(upstream, port=port or upstream.port, fence=fence))
    reply = await sign_out(here, browser)
    assert ("You are signed out" in reply.text, application) == (True, [])
    (told,) = [event for event in here.logged() if event["event"] == "logout.application"]
    assert (told["code"], why in told["detail"]) == ("upstream.address", True)


# --- its own address for signing out

OWN = {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "document"}


@pytest.fixture
def linked(here: Installation) -> None:
    links = RouteTable.build([rule("/logout.do")], case_insensitive=False)
    here.change("actes", logout=replace(GLOBAL, links=links))


@pytest.mark.usefixtures("linked")
async def test_a_link_of_the_applications_own_pages_signs_out_at_once(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await browser.get(here.url(ACTES, "/logout.do"), **OWN)
    assert "You are signed out" in reply.text
    assert await hosts_open(here, browser) == set()


@pytest.mark.usefixtures("linked")
async def test_a_form_of_the_applications_own_pages_too(here: Installation) -> None:
    browser = await signed_in(here)
    headers = {**OWN, "Origin": f"http://{ACTES}:{here.port}"}
    reply = await browser.post(here.url(ACTES, "/logout.do"), **headers)
    assert "You are signed out" in reply.text
    assert await hosts_open(here, browser) == set()


@pytest.mark.usefixtures("linked", "op_ends")
async def test_a_script_of_its_own_pages_signs_out_here_and_is_sent_nowhere(here: Installation) -> None:
    links = RouteTable.build([rule("/logout.do")], case_insensitive=False)
    here.change("actes", logout=replace(GLOBAL, links=links))
    browser = await signed_in(here)
    reply = await browser.get(here.url(ACTES, "/logout.do"), Sec_Fetch_Site="same-origin", Sec_Fetch_Dest="empty")
    assert "You are signed out" in reply.text
    assert await hosts_open(here, browser) == set()


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Dest": "document"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "image"},
        {"Sec_Fetch_Dest": "document"},
        {},
    ],
)
async def test_from_anywhere_else_it_shows_the_form_and_signs_nobody_out(
    here: Installation, headers: dict[str, str]
) -> None:
    """CS02."""
    browser = await signed_in(here)
    reply = await browser.send("GET", here.url(ACTES, "/logout.do"), headers=headers)
    assert (reply.status, '<form method="post" action="/_ecluse/logout">' in reply.text) == (200, True)
    assert len(await hosts_open(here, browser)) == 4


@pytest.mark.usefixtures("linked")
async def test_a_form_of_another_site_sent_to_it_signs_nobody_out(here: Installation) -> None:
    browser = await signed_in(here)
    headers = {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin", "Sec_Fetch_Dest": "document"}
    await browser.send("POST", here.url(ACTES, "/logout.do"), headers=headers)
    assert len(await hosts_open(here, browser)) == 4


async def test_another_applications_address_is_its_own(here: Installation) -> None:
    browser = await signed_in(here)
    assert (await browser.get(here.url(PERMIS, "/logout.do"), **OWN)).text == "permis for alice"


# --- on other hosts

LEFT = Logout(cookies=(("PHPSESSID", "/"), ("JSESSIONID", "/app")))
CLEARED = ["PHPSESSID=; Path=/; Max-Age=0", "JSESSIONID=; Path=/app; Max-Age=0"]


def cleared(reply: Reply) -> list[str]:
    return [line for line in reply.set_cookies if "SESSI" in line]


async def test_what_an_application_left_on_another_host_is_cleared_at_the_next_visit_and_once(
    here: Installation,
) -> None:
    here.change("elections", logout=LEFT)
    browser = await signed_in(here)
    assert cleared(await browser.get(here.url(ELECTIONS), follow=False)) == [], "as long as the session lives"
    await sign_out(here, browser)
    reply = await browser.get(here.url(ELECTIONS), follow=False)
    assert (reply.status, cleared(reply)) == (303, CLEARED)
    assert browser.jar[ELECTIONS].get("__Host-ecluse", "") == ""
    assert cleared(await browser.get(here.url(ELECTIONS), follow=False)) == []


async def test_an_applications_own_limit_ends_no_session_and_clears_nothing(here: Installation) -> None:
    here.change("elections", logout=LEFT, seat_limits=SeatLimits(idle=60))
    browser = await signed_in(here)
    here.clock.ahead = 61
    reply = await browser.get(here.url(ELECTIONS), follow=False)
    assert (reply.status, cleared(reply)) == (303, [])
    here.change("elections", logout=LEFT, seat_limits=SeatLimits(idle=60), seat_then="sign_in")
    reply = await browser.get(here.url(ELECTIONS), follow=False)
    assert (reply.status, cleared(reply)) == (303, CLEARED)
