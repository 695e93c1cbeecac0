"""Whom an application lets in nowhere, the portal does nothing for: no password is tried, no account asked for."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from gateway.accounts.link import NewLink
from gateway.model.account import AccountHolder, AccountSettings
from gateway.model.levels import ProviderLevels
from gateway.policy.conditions import All, Anyone, Claim, Condition, SignedIn
from gateway.policy.levels import USUAL_LADDER, AcrMin, Ladder
from gateway.policy.request_conditions import Network
from gateway.policy.rules import Rule
from gateway.policy.values import Equals
from tests.policy.short import rule, table
from tests.portal.browser import Browser, Reply, leads_to
from tests.portal.installation import ACTES, PORTAL, Installation
from tests.portal.test_account_pages import FORM, SETTINGS, login_of, owner
from tests.portal.test_account_requests import PAGE, kept
from tests.portal.test_account_requests import SETTINGS as ASKS

HERS: Condition = Claim("uid", Equals("alice"))
"""Lets alice in, and keeps bob out."""


async def person(here: Installation, settings: AccountSettings, *rules: Rule, user: str = "bob") -> Browser:
    browser = here.browser(user)
    await browser.get(here.url(ACTES))
    here.link_accounts("actes", settings)
    here.change("actes", routes=table(*rules))
    return browser


async def linked(here: Installation, browser: Browser, to: str) -> Reply:
    fields = {
        "host": ACTES,
        "to": to,
        "owner": owner(here, browser.jar["127.0.0.1"]["op"]),
        "login": "a.liddell",
        "password": "right",
    }
    return await browser.post(here.url(PORTAL, FORM), fields)


async def asked_for(here: Installation, browser: Browser, to: str) -> Reply:
    return await browser.post(
        here.url(PORTAL, PAGE),
        {"host": ACTES, "to": to, "owner": owner(here, browser.jar["127.0.0.1"]["op"]), "text": "please"},
    )


PRIVATE = rule("/**", HERS)
PUBLIC, INSIDE = rule("/**", Anyone()), rule("/dossiers/**", HERS)
LINE, NOBODYS = rule("/dossiers/~d[0-9]", HERS), rule("/closed/**", None)


@pytest.mark.parametrize("to", ["/", "/dossiers?a=1", "/public/x", "/_ecluse/kept?post=" + "A" * 43, "//evil.example"])
@pytest.mark.parametrize(
    "rules",
    [
        (PRIVATE,),
        # A page that is open to anybody lets nobody link an account of the others.
        (PUBLIC, INSIDE),
        (PRIVATE, rule("/public/**", Anyone())),
        (PUBLIC, LINE),
        (rule("/**", SignedIn(), deny=Claim("uid", Equals("bob"))),),
        (),
    ],
    ids=["private", "public and inside", "private and public", "by an expression", "denied", "no rule"],
)
async def test_no_password_is_tried_and_no_account_is_asked_for(
    here: Installation, rules: tuple[Rule, ...], to: str
) -> None:
    browser = await person(here, SETTINGS, *rules)
    assert (await browser.get(here.url(PORTAL, f"{FORM}?host={ACTES}&to={to}"))).status == 403
    reply = await linked(here, browser, to)
    assert (reply.status, "You may not open this page" in reply.text) == (403, True), reply.text
    assert await login_of(here, "bob") is None
    here.link_accounts("actes", ASKS)
    here.change("actes", routes=table(*rules))
    assert (await browser.get(here.url(PORTAL, f"{PAGE}?host={ACTES}&to={to}"))).status == 403
    assert (await asked_for(here, browser, to)).status == 403
    assert kept(here) == []
    assert {code.partition(".")[0] for code in here.codes()} == {"policy"}


@pytest.mark.parametrize(
    ("rules", "to"),
    [
        ((PRIVATE,), "/"),
        ((PUBLIC, INSIDE), "/"),
        ((PUBLIC, INSIDE), "/dossiers/7"),
        ((PUBLIC, LINE), "/dossiers/d7"),
        # Everything is open to anybody, but for what is closed to all.
        ((PUBLIC,), "/"),
        ((PUBLIC, NOBODYS), "/"),
    ],
)
async def test_whoever_is_let_in_links_their_account(here: Installation, rules: tuple[Rule, ...], to: str) -> None:
    browser = await person(here, SETTINGS, *rules, user="alice")
    assert (await browser.get(here.url(PORTAL, f"{FORM}?host={ACTES}&to={to}"))).status == 200
    assert leads_to(await linked(here, browser, to)) == here.url(ACTES, to)
    assert await login_of(here) == "a.liddell"


@pytest.mark.parametrize(("network", "status"), [("127.0.0.0/8", 200), ("10.0.0.0/8", 403)])
async def test_where_the_person_is_counts_as_for_the_application(here: Installation, network: str, status: int) -> None:
    here_alone = All((SignedIn(), Network(frozenset({ip_network(network)}))))
    browser = await person(here, SETTINGS, rule("/**", here_alone))
    assert (await browser.get(here.url(PORTAL, f"{FORM}?host={ACTES}&to=/"))).status == status
    assert (await linked(here, browser, "/")).status == status


async def test_whoever_needs_a_stronger_sign_in_is_led_to_it_first(here: Installation) -> None:
    said = {"metropole": ProviderLevels(frozenset({"acr"}))}
    here.snapshot = replace(here.snapshot, ladder=Ladder(USUAL_LADDER, said))
    browser = await person(here, SETTINGS, rule("/**", AcrMin("eidas2", here.snapshot.ladder)))
    reply = await linked(here, browser, "/dossiers")
    assert (reply.status, await login_of(here, "bob")) == (401, None)
    assert "/_ecluse/login?to=/dossiers&amp;level=eidas2" in reply.text


async def test_a_link_is_taken_back_by_whom_rules_keep_out_by_now(here: Installation) -> None:
    browser = await person(here, SETTINGS, PRIVATE)
    await here.accounts.add(NewLink(AccountHolder("actes", here.metropole.issuer, "uid=bob"), "bob"))
    reply = await browser.post(here.url(PORTAL, f"{FORM}/remove"), {"host": ACTES, "owner": owner(here, "bob")})
    assert (reply.status, await login_of(here, "bob")) == (303, None)
