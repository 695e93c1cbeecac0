"""A person links their own account of an application: what they show for it, and who else could."""

import pytest

from gateway.accounts.file import links_path
from gateway.model.account import AccountHolder, AccountSettings
from gateway.model.codes import form_login_codes
from gateway.model.codes.code import Code
from gateway.model.identity import Identity
from gateway.ops.log import short_reference
from gateway.portal.account_pages import owner_of
from gateway.portal.http.look import ASKS_ANEW, digest
from tests.portal.browser import Browser, Reply, leads_to
from tests.portal.installation import ACTES, PORTAL, Installation

SETTINGS = AccountSettings(by=("uid",), ask=(("", "Ask."),), missing="link")
FORM = "/_ecluse/account"


async def signed_in(here: Installation) -> Browser:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    here.link_accounts("actes", SETTINGS)
    return browser


def owner(here: Installation, person: str = "alice") -> str:
    """As the page has it that was shown to this person."""
    return owner_of(Identity("metropole", here.metropole.issuer, person, {}))


async def sent(here: Installation, browser: Browser, path: str = FORM, **fields: str) -> Reply:
    usual = {"host": ACTES, "to": "/dossiers?a=1", "owner": owner(here), "login": "a.liddell", "password": "right"}
    told = usual | fields
    return await browser.post(here.url(PORTAL, path), {name: value for name, value in told.items() if value})


async def login_of(here: Installation, user: str = "alice") -> str | None:
    found = await here.accounts.credential(AccountHolder("actes", here.metropole.issuer, f"uid={user}"), SETTINGS)
    return None if found is None else found[0]


async def test_the_form_is_on_the_portal_and_says_what_is_kept(here: Installation) -> None:
    browser = await signed_in(here)
    page = await browser.get(here.url(ACTES, f"{FORM}?to=/dossiers?a=1"))
    assert page.url == here.url(PORTAL, f"{FORM}?host={ACTES}&to=/dossiers%3Fa%3D1")
    assert page.status == 200
    assert "kept here, encrypted" in page.text
    assert 'value="/dossiers?a=1"' in page.text
    assert f'name="owner" value="{owner(here)}"' in page.text


async def test_out_of_a_browsers_memory_the_form_is_asked_for_anew_and_no_answer_to_it(
    here: Installation,
) -> None:
    """Back, after somebody else has signed out elsewhere, or after the account was linked."""
    browser = await signed_in(here)
    page = await browser.get(here.url(PORTAL, f"{FORM}?host={ACTES}&to=/"))
    refused = await sent(here, browser, password="wrong")
    for reply, anew in ((page, True), (refused, False)):
        assert (f"<script>{ASKS_ANEW}</script>" in reply.text) == anew, reply.text
        assert (f"script-src 'sha256-{digest(ASKS_ANEW)}'" in reply.headers["Content-Security-Policy"]) == anew
        assert ("<script" in reply.text) == ("script-src" in reply.headers["Content-Security-Policy"]) == anew


@pytest.mark.parametrize("said", [form_login_codes.REFUSED, form_login_codes.LOOP])
async def test_a_password_that_the_application_does_not_take_is_told_as_that(
    here: Installation, monkeypatch: pytest.MonkeyPatch, said: Code
) -> None:
    """form_login.loop: a refusal of the application looks like a success, and the page that checks shows it."""
    monkeypatch.setattr("tests.portal.installation.form_login_codes.REFUSED", said)
    reply = await sent(here, await signed_in(here), password="wrong")
    assert (reply.status, "This account was not linked" in reply.text) == (403, True)


async def test_what_the_application_accepts_is_kept_and_the_person_goes_on(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await sent(here, browser)
    # A page that leads there, and no redirect: browsers hold the form's page against one to another origin.
    assert (reply.status, leads_to(reply)) == (200, here.url(ACTES, "/dossiers?a=1"))
    assert await login_of(here) == "a.liddell"
    shown = await browser.get(here.url(PORTAL, "/_ecluse/sessions"))
    assert "actes – a.liddell" in shown.text
    assert "right" not in shown.text
    gone = await sent(here, browser, f"{FORM}/remove", login="", password="")
    assert (gone.status, gone.location) == (303, here.url(PORTAL, "/_ecluse/sessions"))
    assert await login_of(here) is None
    assert "a.liddell" not in (await browser.get(here.url(PORTAL, "/_ecluse/sessions"))).text
    told = [event["event"] for event in here.logged()]
    assert [one for one in told if one.startswith("account.")] == ["account.linked", "account.unlinked"]


async def test_a_page_that_another_person_left_open_links_and_removes_nothing(here: Installation) -> None:
    """Invariant 12: the form of one person in the session of the next one."""
    browser = await signed_in(here)
    await sent(here, browser)
    browser.jar["127.0.0.1"]["op"] = "bob"
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole&other_account=1"))
    reply = await sent(here, browser, login="a.secret-name")
    assert (reply.status, "Another account was used" in reply.text) == (403, True)
    assert "a.secret-name" not in reply.text
    assert f'name="owner" value="{owner(here, "bob")}"' in reply.text, "the form of who is here now"
    gone = await sent(here, browser, f"{FORM}/remove", login="", password="")
    assert gone.status == 403
    assert (await sent(here, browser, owner="")).status == 403
    assert here.codes() == ["account.other_person"] * 3
    bob = AccountHolder("actes", here.metropole.issuer, "uid=bob")
    assert await here.accounts.credential(bob, SETTINGS) is None
    assert await login_of(here) == "a.liddell"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"password": "wrong"}, "form_login.refused"),
        ({"login": ""}, "account.login"),
        ({"login": " a"}, "account.login"),
        ({"password": ""}, "account.table"),
        ({"password": "a\nb"}, "account.table"),
    ],
)
async def test_what_is_not_accepted_is_not_kept(here: Installation, fields: dict[str, str], code: str) -> None:
    browser = await signed_in(here)
    reply = await sent(here, browser, **fields)
    assert reply.status == 403
    assert "This account was not linked" in reply.text
    # What was written stands there still, but for a password.
    written = fields.get("login", "a.liddell")
    assert (f'value="{written}"' in reply.text) == bool(written)
    assert not any(f'"{secret}"' in reply.text for secret in ("right", "wrong"))
    assert short_reference("request-1") in reply.text
    assert await login_of(here) is None
    assert here.codes()[-1:] == [code]


async def test_tries_are_counted_whatever_accounts_a_person_names(here: Installation) -> None:
    browser = await signed_in(here)
    for number in range(5):
        assert (await sent(here, browser, login=f"a{number}", password="wrong")).status == 403
    reply = await sent(here, browser)
    assert reply.status == 503
    assert "Sign-in to this application is suspended" in reply.text
    assert await login_of(here) is None


@pytest.mark.parametrize("path", [FORM, f"{FORM}/remove"])
@pytest.mark.parametrize(
    "headers", [{"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://actes.localhost"}]
)
async def test_no_other_page_sends_these_forms(here: Installation, path: str, headers: dict[str, str]) -> None:
    browser = await signed_in(here)
    await sent(here, browser)
    data = {"host": ACTES, "login": "attacker", "password": "right"}
    url, told = here.url(PORTAL, path), {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    reply = await browser.send("POST", url, headers=told, data=data)
    assert reply.status == 403
    assert "Nothing was changed" in reply.text
    assert await login_of(here) == "a.liddell"


async def test_where_nobody_links_by_themselves_there_is_no_such_page(here: Installation) -> None:
    browser = await signed_in(here)
    nobody = here.browser()
    assert (await sent(here, nobody)).status == 401
    assert (await nobody.get(here.url(PORTAL, f"{FORM}?host={ACTES}"), follow=False)).status == 401
    for host in ("evil.example", "permis.localhost", PORTAL):
        assert (await sent(here, browser, host=host)).status in (404, 421)
    here.link_accounts("actes", AccountSettings(by=("uid",), ask=(("", "Ask."),)))
    assert (await sent(here, browser)).status == 404


async def test_it_leads_nowhere_but_to_the_application(here: Installation) -> None:
    browser = await signed_in(here)
    for target in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        reply = await sent(here, browser, to=target)
        assert leads_to(reply) == here.url(ACTES, "/")


async def test_links_that_cannot_be_written_are_told_and_the_sessions_are_shown_all_the_same(
    here: Installation,
) -> None:
    browser = await signed_in(here)
    links_path(here.state).write_bytes(b"")
    reply = await sent(here, browser)
    assert reply.status == 503
    assert "This application is temporarily unavailable" in reply.text
    assert (await browser.get(here.url(PORTAL, "/_ecluse/sessions"))).status == 200
