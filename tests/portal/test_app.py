"""Whole sign-ins over real sockets: what a person lives through. Then the table of paths, and what every answer has."""

import asyncio
from urllib.parse import quote, urlsplit

import pytest

from gateway.access.inbound import InboundRequest
from gateway.access.own_paths import OF_FRONTS, OF_PORTAL
from gateway.model.codes.table import all_codes
from gateway.model.ports import Page
from gateway.ops.log import short_reference
from gateway.portal.http.look import ASKS_ANEW
from gateway.portal.http.request import PortalRequest
from gateway.wire.cookies import binding_hash
from tests.portal.browser import Browser, Reply
from tests.portal.installation import ACTES, ELECTIONS, PERMIS, PORTAL, Installation, OutOfReach

EVERYWHERE = ("login", "logout")
ON_APPS = ("enter", "session")
ON_THE_PORTAL = ("start", "callback/metropole", "sessions", "home")
METHODS = ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")


def places(reply: Reply, here: Installation) -> list[str]:
    """Host and path of each hop, without ports and queries."""
    names = {f"127.0.0.1:{here.metropole.port}": "op-1", f"127.0.0.1:{here.departement.port}": "op-2"}
    parts = [urlsplit(hop) for hop in reply.hops]
    return [f"{names.get(part.netloc, part.hostname)}{part.path}" for part in parts]


# --- signing in -------------------------------------------------------------------------------------------------------


async def test_an_anonymous_browser_comes_back_to_the_page_asked_for(here: Installation) -> None:
    reply = await here.browser().get(here.url(ACTES, "/dossier/7?vue=plan&page=2"))
    assert (reply.status, reply.text) == (200, "actes for alice")
    assert reply.url == here.url(ACTES, "/dossier/7?vue=plan&page=2")
    assert places(reply, here) == [
        "actes.localhost/dossier/7",
        "portail.localhost/_ecluse/start",
        "op-1/authorize",
        "portail.localhost/_ecluse/callback/metropole",
        "actes.localhost/_ecluse/enter",
        "actes.localhost/dossier/7",
    ]


async def test_two_apps_on_two_hosts_need_one_sign_in(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    reply = await browser.get(here.url(PERMIS, "/plan"))
    assert reply.text == "permis for alice"
    assert places(reply, here)[1:3] == ["portail.localhost/_ecluse/start", "permis.localhost/_ecluse/enter"]
    assert here.metropole.redeemed == 1
    seats = [browser.jar[host]["__Host-ecluse"] for host in (PORTAL, ACTES, PERMIS)]
    assert len(set(seats)) == 3
    assert len({seat.partition(".")[0] for seat in seats}) == 1, "three seats in one session"


async def test_an_app_of_another_provider_needs_a_second_sign_in_and_ends_the_first(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    assert (await browser.get(here.url(ELECTIONS))).text == "elections for alice"
    assert (here.metropole.redeemed, here.departement.redeemed) == (1, 1)
    # Invariant 12: another issuer's person is another person, and one browser is one person.
    assert (await browser.get(here.url(ACTES), follow=False)).status == 303


async def test_several_providers_are_offered_as_links(here: Installation) -> None:
    browser = here.browser()
    chooser = await browser.get(here.url(PERMIS, "/plan"))
    assert (chooser.status, "Metropolis" in chooser.text, "Département" in chooser.text) == (200, True, True)
    link = chooser.text.split('href="/_ecluse/login', 2)[2].partition('"')[0].replace("&amp;", "&")
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/login{link}"))
    assert (reply.text, here.departement.redeemed) == ("permis for alice", 1)


async def test_one_host_for_portal_and_app_needs_no_hand_over(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    browser = one_host.browser()
    reply = await browser.get(one_host.url(PERMIS, "/plan"))
    assert (reply.text, reply.url) == ("permis for alice", one_host.url(PERMIS, "/plan"))
    assert places(reply, one_host) == [
        "permis.localhost/plan",
        "permis.localhost/_ecluse/start",
        "op-1/authorize",
        "permis.localhost/_ecluse/callback/metropole",
        "permis.localhost/plan",
    ]
    assert (await browser.get(one_host.url(ACTES))).text == "actes for alice", "a second app, on its own host"
    assert one_host.metropole.redeemed == 1


async def test_one_host_offers_several_providers_too(one_host: Installation) -> None:
    browser = one_host.browser()
    chooser = await browser.get(one_host.url(PERMIS, "/plan"))
    link = chooser.text.split('href="/_ecluse/login', 1)[1].partition('"')[0].replace("&amp;", "&")
    assert (await browser.get(one_host.url(PERMIS, f"/_ecluse/login{link}"))).text == "permis for alice"


@pytest.mark.parametrize("cookies_there_already", [False, True])
async def test_ten_tabs_at_once_all_arrive(here: Installation, cookies_there_already: bool) -> None:
    browser = here.browser()
    if cookies_there_already:
        await browser.get(here.url(ACTES), follow=False)
    replies = await asyncio.gather(*(browser.get(here.url(ACTES, f"/tab/{n}")) for n in range(10)))
    assert [reply.text for reply in replies] == ["actes for alice"] * 10
    assert [urlsplit(reply.url).path for reply in replies] == [f"/tab/{n}" for n in range(10)]
    assert here.metropole.redeemed >= 1
    assert (await browser.get(here.url(ACTES), follow=False)).text == "actes for alice"


async def test_ten_tabs_at_once_on_one_host_all_arrive(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    browser = one_host.browser()
    replies = await asyncio.gather(*(browser.get(one_host.url(PERMIS, f"/tab/{n}")) for n in range(10)))
    assert [reply.text for reply in replies] == ["permis for alice"] * 10


async def test_sessions_and_seats_are_new_at_each_sign_in(here: Installation) -> None:
    """Invariant 8, K095, SE01: what the browser brought is not carried on."""
    browser = here.browser()
    await browser.get(here.url(ACTES))
    before = {host: browser.jar[host]["__Host-ecluse"] for host in (PORTAL, ACTES)}
    await browser.get(here.url(ELECTIONS))
    after = browser.jar[PORTAL]["__Host-ecluse"]
    assert after.partition(".")[0] != before[PORTAL].partition(".")[0]

    planted = here.browser()
    planted.jar[PORTAL] = {"__Host-ecluse": "a" * 22 + "." + "b" * 43}
    planted.jar[ACTES] = dict(planted.jar[PORTAL])
    assert (await planted.get(here.url(ACTES))).text == "actes for alice"
    assert planted.jar[PORTAL]["__Host-ecluse"].partition(".")[0] != "a" * 22
    assert planted.jar[ACTES]["__Host-ecluse"].partition(".")[0] != "a" * 22


# --- going round ------------------------------------------------------------------------------------------------------


async def test_a_browser_that_drops_the_seat_cookie_stops_after_three_rounds(here: Installation) -> None:
    """Invariant 10."""
    browser = here.browser()
    browser.dropped = {"__Host-ecluse"}
    reply = await browser.get(here.url(ACTES, "/plan"))
    assert (reply.status, "We cannot complete your sign-in" in reply.text) == (400, True)
    assert places(reply, here).count("actes.localhost/_ecluse/enter") == 3
    assert f"{here.url(ACTES)}_ecluse/login?to=/plan&amp;again=1" in reply.text, "a way back"

    browser.dropped = set()
    again = await browser.get(here.url(ACTES, "/_ecluse/login?to=/plan&again=1"))
    assert again.text == "actes for alice"


async def test_a_browser_that_drops_the_seat_cookie_stops_on_one_host_too(one_host: Installation) -> None:
    one_host.change("permis", providers=("metropole",))
    browser = one_host.browser()
    browser.dropped = {"__Host-ecluse"}
    reply = await browser.get(one_host.url(PERMIS))
    assert (reply.status, one_host.metropole.redeemed) == (400, 3)


async def test_a_browser_that_keeps_no_cookie_at_all_stops_in_its_first_round(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES), follow=False)
    browser.jar[ACTES] = browser.jar[PORTAL] = {}
    start = await browser.get(reply.location, follow=False)
    browser.jar[PORTAL] = {}
    last = await browser.get(start.location)
    assert (last.status, here.metropole.redeemed) == (400, 0)
    assert here.codes() == ["login.other_browser"]


async def test_a_minute_later_the_rounds_are_forgotten(here: Installation) -> None:
    browser = here.browser()
    browser.dropped = {"__Host-ecluse"}
    assert (await browser.get(here.url(ACTES))).status == 400
    browser.dropped = set()
    assert (await browser.get(here.url(ACTES))).status == 400
    here.clock.ahead += 61
    assert (await browser.get(here.url(ACTES))).text == "actes for alice"


# --- the table of paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ON_THE_PORTAL)
async def test_an_app_host_has_no_endpoint_of_the_portal(here: Installation, path: str) -> None:
    assert (await here.browser().get(here.url(ACTES, f"/_ecluse/{path}"))).status == 404


@pytest.mark.parametrize("path", ON_APPS)
async def test_the_portal_has_no_endpoint_of_an_app_host(here: Installation, path: str) -> None:
    assert (await here.browser().get(here.url(PORTAL, f"/_ecluse/{path}"))).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "%65nter",
        "ENTER",
        "enter/",
        "enter/x",
        "callback/",
        "callback/metropole/more",
        "more/callback/metropole",
        "oidc/frontchannel/metropole/more",
        "login/../enter",
        "whoami",
        "metrics",
        "debug",
        "callback",
        "saml/other",
    ],
)
@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_every_other_path_of_ours_is_not_found(here: Installation, host: str, path: str) -> None:
    reply = await here.browser().get(here.url(host, f"/_ecluse/{path}"))
    assert (reply.status, here.codes()) == (404, ["route.reserved"])


@pytest.mark.parametrize(("path", "status"), [("no/such/page", 404), ("saml/acs", 405)])
async def test_a_page_of_the_portal_that_is_not_there_leads_to_peoples_applications(
    here: Installation, path: str, status: int
) -> None:
    reply = await here.browser().get(here.url(PORTAL, f"/_ecluse/{path}"))
    assert (reply.status, '<a href="/_ecluse/home">Your applications</a>' in reply.text) == (status, True)


async def test_the_icon_that_every_browser_asks_the_portal_for_is_no_line_of_the_log(here: Installation) -> None:
    reply = await here.browser().get(here.url(PORTAL, "/favicon.ico"))
    assert (reply.status, reply.text, reply.headers["Cache-Control"]) == (204, "", "public, max-age=86400")
    assert reply.set_cookies == []
    assert here.logged() == []


@pytest.mark.parametrize("path", [*EVERYWHERE, *ON_APPS, *ON_THE_PORTAL])
@pytest.mark.parametrize("method", METHODS)
async def test_what_is_for_get_takes_no_other_method(here: Installation, path: str, method: str) -> None:
    """K067: an empty POST is no step."""
    by_form = path in ("logout", "callback/metropole")
    if by_form and method == "POST":
        return
    host = PORTAL if path in ON_THE_PORTAL else ACTES
    reply = await here.browser().send(method, here.url(host, f"/_ecluse/{path}"))
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, POST" if by_form else "GET, HEAD")
    assert reply.set_cookies == []


async def test_an_empty_get_of_any_step_does_nothing(here: Installation) -> None:
    """K067."""
    for host, path in ((PORTAL, "start"), (PORTAL, "callback/metropole"), (PORTAL, "login"), (ACTES, "enter")):
        reply = await here.browser().get(here.url(host, f"/_ecluse/{path}"), follow=False)
        assert reply.status in {400, 404}, path
        assert reply.set_cookies == [], path
    assert here.metropole.asked == []


async def test_head_is_answered_like_get_without_a_body(here: Installation) -> None:
    reply = await here.browser().send("HEAD", here.url(PORTAL, "/_ecluse/logout"))
    assert (reply.status, reply.body) == (200, b"")


# --- what every answer has --------------------------------------------------------------------------------------------


async def everywhere(here: Installation, browser: Browser) -> list[Reply]:
    """One answer of each kind."""
    signed_in = here.browser()
    await signed_in.get(here.url(ACTES))
    return [
        await browser.get(here.url(ACTES), follow=False),
        await browser.send("POST", here.url(ACTES)),
        await browser.get(here.url(PORTAL, "/_ecluse/start?t=x")),
        await browser.get(here.url(PERMIS)),
        await browser.get(here.url(PORTAL, "/_ecluse/logout")),
        await browser.post(here.url(PORTAL, "/_ecluse/logout")),
        await browser.get(here.url(PORTAL, "/_ecluse/sessions")),
        await browser.get(here.url(ACTES, "/_ecluse/session")),
        await signed_in.get(here.url(ACTES, "/_ecluse/session")),
        await signed_in.get(here.url(PORTAL, "/_ecluse/sessions")),
        await browser.get(here.url(PORTAL, "/_ecluse/nothing")),
        await browser.send("PUT", here.url(PORTAL, "/_ecluse/start")),
    ]


async def test_every_answer_has_the_headers_of_a_page_that_nobody_may_keep_frame_or_script(here: Installation) -> None:
    for reply in await everywhere(here, here.browser()):
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["X-Frame-Options"] == "DENY"
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert "Server" not in reply.headers
        assert "Access-Control-Allow-Origin" not in reply.headers


async def test_pages_load_nothing_and_run_nothing(here: Installation) -> None:
    for reply in await everywhere(here, here.browser()):
        # Of what is a person's own: by its digest alone.
        shown = reply.text.replace(f"<script>{ASKS_ANEW}</script>", "")
        assert (shown != reply.text) == ("script-src" in reply.headers.get("Content-Security-Policy", ""))
        for forbidden in ("<script", "src=", "url(", "@import", "<link", "onclick", "javascript:"):
            assert forbidden not in shown


async def test_every_cookie_of_ours_has_its_flags(here: Installation) -> None:
    """SE03."""
    browser, hops = here.browser(), here.url(ACTES)
    lines: list[str] = []
    for _ in range(6):
        reply = await browser.get(hops, follow=False)
        lines += [line for line in reply.set_cookies if line.startswith("__Host-")]
        hops = reply.headers.get("Location", hops)
    lines += (await browser.post(here.url(ACTES, "/_ecluse/logout"), follow=False)).set_cookies
    names = {"-".join(line.partition("=")[0].split("-")[:3]) for line in lines}
    assert names == {"__Host-ecluse", "__Host-ecluse-b", "__Host-ecluse-out", "__Host-ecluse-provider"}
    for line in lines:
        flags = set(line.split("; ")[1:])
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= flags
        assert flags - {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= {
            "Max-Age=0",
            "Max-Age=600",
            "Max-Age=15552000",
        }


async def test_hosts_of_a_request_never_become_an_address_of_ours(here: Installation) -> None:
    """OR02: all absolute URLs come from the configuration."""
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    browser = here.browser()
    url = here.url(ACTES)
    for _ in range(4):
        reply = await browser.send("GET", url, headers=forged)
        assert "evil.example" not in str(reply.headers)
        url = reply.location
    assert here.metropole.asked[0]["redirect_uri"] == here.url(PORTAL, "/_ecluse/callback/metropole")


PAYLOADS = (
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{7*7}}",
    "\x1b[31m\r\nX: y\u2028",
)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        (PORTAL, "start", "t"),
        (PORTAL, "login", "t"),
        (PORTAL, "login", "provider"),
        (PORTAL, "callback/metropole", "state"),
        (PORTAL, "callback/metropole", "error_description"),
        (PORTAL, "logout", "to"),
        (ACTES, "enter", "code"),
        (ACTES, "login", "to"),
        (ACTES, "session", "x"),
    ],
)
async def test_nothing_that_a_url_says_comes_back_in_a_page(
    here: Installation, host: str, path: str, name: str, payload: str
) -> None:
    """K057, K092: and in the log it is one line."""
    reply = await here.browser().get(here.url(host, f"/_ecluse/{path}?{name}={quote(payload)}"), follow=False)
    for form in (payload, quote(payload)):
        assert form not in reply.text
        assert form not in str(reply.headers)
    here.logged()


async def test_an_error_description_of_the_provider_is_for_the_log_alone(here: Installation) -> None:
    browser = here.browser()
    asked = (await browser.get((await browser.get(here.url(ACTES), follow=False)).location, follow=False)).location
    state = asked.partition("state=")[2].partition("&")[0]
    error = f"error=access_denied&error_description=%3Cscript%3E&iss={here.metropole.issuer}"
    reply = await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={state}&{error}"))
    assert (reply.status, "script" in reply.text) == (403, False)
    assert "The sign-in was cancelled" in reply.text
    assert f"{here.url(ACTES)}_ecluse/login?to=/" in reply.text, "a way back"
    assert here.codes() == ["login.provider_refused"]


@pytest.mark.parametrize(
    "target",
    ["/_ecluse/start?t=http://[::1", "/_ecluse/callback/http:%2f%2f[::1?state=x", "/_ecluse/enter?code=%ff%fe"],
)
async def test_an_odd_address_is_refused_and_no_fault(here: Installation, target: str) -> None:
    """K175."""
    reply = await here.browser().get(here.url(ACTES if "enter" in target else PORTAL, target), follow=False)
    assert reply.status in {303, 400}
    assert "gateway.fault" not in here.codes()


async def test_a_referer_that_is_no_address_is_no_way_back_and_no_fault(here: Installation) -> None:
    reply = await here.browser().send("POST", here.url(ACTES, "/x"), headers={"Referer": "http://[::1"})
    assert (reply.status, "login?to=/&quot;" in reply.text, 'login?to=/"' in reply.text) == (401, False, True)


async def test_a_store_that_cannot_say_is_503_and_no_sign_in(here: Installation) -> None:
    """Invariant 9."""
    here.store.__class__ = OutOfReach
    OutOfReach.cut = True
    try:
        browser = here.browser()
        replies = [
            await browser.get(here.url(ACTES), follow=False),
            await browser.get(here.url(PORTAL, "/_ecluse/start?t=x"), follow=False),
            await browser.get(here.url(PORTAL, f"/_ecluse/callback/metropole?state={'s' * 43}&code=c"), follow=False),
            await browser.get(here.url(ACTES, "/_ecluse/enter?code=x"), follow=False),
        ]
    finally:
        OutOfReach.cut = False
    assert [reply.status for reply in replies] == [503] * 4
    assert all(reply.headers["Retry-After"] == "5" for reply in replies)
    assert here.codes() == ["store.unreachable"] * 4


async def test_a_provider_that_does_not_answer_is_502_with_a_way_back(here: Installation) -> None:
    here.metropole.down = True
    reply = await here.browser().get(here.url(ACTES, "/plan"))
    assert (reply.status, "login?to=/plan" in reply.text) == (502, True)
    assert here.counters.values["ecluse_provider_errors_total", "metropole", "login.provider_unreachable"] == 1


async def test_a_fault_of_ours_is_one_page_and_one_line_without_what_was_handled(here: Installation) -> None:
    here.change_provider("metropole", attributes=None)
    reply = await here.browser().get(here.url(ACTES))
    assert (reply.status, short_reference("request-1") in reply.text) == (500, True)
    (fault,) = [event for event in here.logged() if event["event"] == "gateway.fault"]
    assert fault["detail"].startswith("AttributeError < ")


async def test_no_secret_and_no_value_is_logged(here: Installation) -> None:
    """K019 and the rule for every refusal."""
    browser = here.browser("a-person")
    reply = await browser.get(here.url(ACTES))
    secrets = [hop.partition("?")[2] for hop in reply.hops if "?" in hop]
    for hop in reply.hops[1:5]:
        await browser.get(hop)
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    log = str(here.logged())
    values = [pair.partition("=")[2] for query in secrets for pair in query.split("&")]
    # The name of a provider is none.
    cookies = [value for jar in browser.jar.values() for name, value in jar.items() if name != "__Host-ecluse-provider"]
    for secret in (*(value for value in values if len(value) >= 40 and "http" not in value), *cookies, "a-person"):
        assert secret not in log


async def test_sign_ins_and_refusals_are_counted_by_provider_and_code(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES))
    await here.browser().get(reply.hops[3])
    await browser.post(here.url(ACTES, "/_ecluse/logout"))
    values = here.counters.values
    assert values["ecluse_auth_transactions_total", "actes"] == 1
    assert values["ecluse_auth_logins_total", "metropole", "success", ""] == 1
    assert values["ecluse_auth_logins_total", "", "refused", "login.transaction_gone"] == 1
    assert values["ecluse_auth_logouts_total",] == 1
    known = {code.id for code in all_codes()}
    assert {key[-1] for key in values if key[0] == "ecluse_auth_logins_total"} <= known | {""}


async def test_bindings_are_256_bits(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    asked = here.metropole.asked[0]
    for secret in (browser.jar[ACTES]["__Host-ecluse-b"], asked["state"], asked["nonce"], asked["code_challenge"]):
        assert len(secret) == 43
    assert len(binding_hash(browser.jar[ACTES]["__Host-ecluse-b"].encode())) == 64


# --- the end ----------------------------------------------------------------------------------------------------------


def asked_for(here: Installation, target: str) -> InboundRequest:
    return InboundRequest(
        purpose="endpoint", snapshot=here.snapshot, app=None, host=PORTAL, authority=PORTAL, scheme="http",
        client="127.0.0.1", request_id="r", method="GET", target=target, headers={}, cookies=b"",
    )  # fmt: skip


async def test_who_is_being_answered_when_the_worker_ends_is_answered(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, page_of = asyncio.Event(), here.portal._page

    async def slowly(request: PortalRequest) -> Page:
        await may.wait()
        return await page_of(request)

    monkeypatch.setattr(here.portal, "_page", slowly)
    page = here.portal.ask(asked_for(here, "/_ecluse/nothing"), b"")
    closing = asyncio.create_task(here.portal.close(60))
    await asyncio.sleep(0.05)
    assert not closing.done()
    may.set()
    await closing
    assert (await page).status == 404


async def test_but_not_for_ever(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: PortalRequest) -> Page:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(here.portal, "_page", never)
    page = here.portal.ask(asked_for(here, "/_ecluse/nothing"), b"")
    await here.portal.close(0.01)
    await asyncio.wait([page], timeout=10)
    assert page.cancelled()


async def test_what_the_portal_serves_outside_its_prefix_is_in_the_table_of_own_paths(here: Installation) -> None:
    """A handler that the table lacks would never be asked: the data plane takes the path for an application's."""
    portal = here.portal
    fixed = {path.encode() for path in portal._of_portal if path.startswith("/")}
    assert fixed == OF_PORTAL
    of_apps = {path.split("/")[1] for path in portal._of_apps if path.startswith("/")}
    assert of_apps == set(OF_FRONTS.values())
