"""A person asks for their account of an application: what they send, what they read later, and who else could."""

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.accounts import request_file
from gateway.accounts.link import NewLink
from gateway.accounts.request import LONGEST_TEXT, AccountRequest
from gateway.accounts.request_file import RequestFile, requests_path
from gateway.model.account import AccountHolder, AccountSettings
from gateway.ops.log import short_reference
from gateway.portal.http.look import ASKS_ANEW, digest
from tests.portal.browser import Browser, Reply, leads_to
from tests.portal.installation import ACTES, KEYS, PORTAL, Installation
from tests.portal.test_account_pages import owner

SETTINGS = AccountSettings(by=("uid",), ask=(("", "Écrivez à la DSI."),), missing="request")
PAGE = "/_ecluse/account/request"


async def signed_in(here: Installation) -> Browser:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    here.link_accounts("actes", SETTINGS)
    return browser


async def shown(here: Installation, browser: Browser, **more: str) -> Reply:
    return await browser.get(here.url(PORTAL, f"{PAGE}?host={ACTES}&to=/dossiers?a=1"), **more)  # type: ignore[arg-type]


async def sent(here: Installation, browser: Browser, **fields: str) -> Reply:
    return await browser.post(
        here.url(PORTAL, PAGE), {"host": ACTES, "to": "/dossiers?a=1", "owner": owner(here), **fields}
    )


def kept(here: Installation) -> list[AccountRequest]:
    with closing(RequestFile(requests_path(here.state), KEYS)) as file:
        return file.all()


def counted(here: Installation, result: str) -> float:
    return here.counters.values.get(("ecluse_account_requests_total", "actes", result), 0)


async def test_the_page_is_on_the_portal_and_says_who_asks_and_what_is_kept(here: Installation) -> None:
    browser = await signed_in(here)
    page = await browser.get(here.url(ACTES, "/_ecluse/account?to=/dossiers?a=1"))
    assert page.url == here.url(PORTAL, f"{PAGE}?host={ACTES}&to=/dossiers%3Fa%3D1")
    assert page.status == 200
    for said in (
        "Ask for access",
        '<p class="app">',
        "Écrivez à la DSI.",
        "kept encrypted for up to 30 days, and for 30 more days if it is refused",
        "alice",
    ):
        assert said in page.text, said
    assert kept(here) == []
    # Out of a browser's memory it is asked for anew; what a form was answered with would be sent once more.
    assert f"<script>{ASKS_ANEW}</script>" in page.text
    assert f"script-src 'sha256-{digest(ASKS_ANEW)}'" in page.headers["Content-Security-Policy"]
    assert "<script" not in (await sent(here, browser, text="a" * (LONGEST_TEXT + 1))).text


async def test_whom_to_ask_is_said_in_the_language_of_the_page(here: Installation) -> None:
    browser = await signed_in(here)
    both = (("fr", "Écrivez à la DSI."), ("en", "Write to the IT office."))
    for ask, english, french in (
        (both, "<p>Write to the IT office.</p>", "<p>Écrivez à la DSI.</p>"),
        (both[:1], '<p lang="fr">Écrivez à la DSI.</p>', "<p>Écrivez à la DSI.</p>"),
        ((("", "Écrivez."),), "<p>Écrivez.</p>", "<p>Écrivez.</p>"),
    ):
        here.link_accounts("actes", replace(SETTINGS, ask=ask))
        assert english in (await shown(here, browser)).text
        assert french in (await shown(here, browser, Accept_Language="fr")).text


async def test_what_is_sent_is_kept_with_who_sent_it_and_told_to_them(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await sent(here, browser, text="Je remplace Paul\r\nau guichet.")
    (one,) = kept(here)
    assert reply.status == 200
    assert "Your request was sent" in reply.text
    assert 'href="/_ecluse/home">Your applications<' in reply.text
    assert one.reference in reply.text
    assert one.asked.holder == AccountHolder("actes", here.metropole.issuer, "uid=alice")
    assert one.asked.text == "Je remplace Paul\nau guichet."
    assert "alice" in one.asked.name
    again = await sent(here, browser, text="Encore")
    assert "Your request is waiting for an answer" in again.text
    later = await shown(here, browser)
    assert later.status == 200
    assert re.search(r"You sent it .*, and it has not been answered yet", later.text)
    assert one.reference in later.text
    assert "<textarea" not in later.text
    assert 'href="/_ecluse/home">Your applications<' in later.text
    assert kept(here) == [one], "one of each person at an application"
    assert counted(here, "sent") == 1
    told = [event for event in here.logged() if event["event"] == "account.asked"]
    assert [event["account_request"] for event in told] == [one.reference]


async def test_a_refusal_is_read_in_the_persons_language_with_whom_to_ask(here: Installation) -> None:
    browser = await signed_in(here)
    await sent(here, browser)
    with closing(RequestFile(requests_path(here.state), KEYS)) as file:
        file.refuse(file.all()[0].reference, {"fr": "<b>Non</b>", "en": "<b>No</b>"})
    page = await shown(here, browser)
    assert "Your request was refused" in page.text
    assert "&lt;b&gt;No&lt;/b&gt;" in page.text
    assert "Écrivez à la DSI." in page.text
    assert "<textarea" not in page.text
    again = await sent(here, browser)
    assert "Your request was refused" in again.text, "no second one meanwhile"
    french = await browser.get(here.url(PORTAL, f"{PAGE}?host={ACTES}"), Accept_Language="fr")
    assert "Votre demande a été refusée" in french.text
    assert "&lt;b&gt;Non&lt;/b&gt;" in french.text


async def test_whoever_is_linked_meanwhile_goes_on(here: Installation) -> None:
    browser = await signed_in(here)
    await sent(here, browser)
    await here.accounts.add(NewLink(AccountHolder("actes", here.metropole.issuer, "uid=alice"), "a.liddell"))
    for reply in (await shown(here, browser), await sent(here, browser)):
        assert (reply.status, leads_to(reply)) == (200, here.url(ACTES, "/dossiers?a=1"))


async def test_a_text_that_is_too_long_stands_there_still(here: Installation) -> None:
    browser = await signed_in(here)
    written = "é" * (LONGEST_TEXT + 1)
    reply = await sent(here, browser, text=written)
    assert reply.status == 403
    assert "Your request was not sent" in reply.text
    assert written in reply.text
    assert short_reference("request-1") in reply.text
    assert kept(here) == []
    assert counted(here, "refused") == 1
    assert here.codes()[-1:] == ["account.text"]


async def test_what_a_person_wrote_is_no_markup_on_the_page(here: Installation) -> None:
    browser = await signed_in(here)
    reply = await sent(here, browser, text="</textarea><script>alert(1)</script>" + "x" * LONGEST_TEXT)
    assert "<script>alert" not in reply.text
    assert "&lt;/textarea&gt;" in reply.text


async def test_a_flood_ends_at_the_quota_and_says_to_try_later(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_file, "MOST_IN_ALL", 0)
    browser = await signed_in(here)
    reply = await sent(here, browser, text="Bonjour")
    assert (reply.status, reply.headers["Retry-After"]) == (503, "5")
    assert "Too many requests are waiting for an answer" in reply.text
    assert "Bonjour" in reply.text
    assert kept(here) == []
    assert counted(here, "refused") == 1
    assert here.codes()[-1:] == ["account.quota"]


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://actes.localhost"}]
)
async def test_no_other_page_sends_this_form(here: Installation, headers: dict[str, str]) -> None:
    browser = await signed_in(here)
    told = {"Origin": "null", "Sec-Fetch-Site": "same-origin"} | headers
    reply = await browser.send("POST", here.url(PORTAL, PAGE), headers=told, data={"host": ACTES})
    assert reply.status == 403
    assert "Nothing was changed" in reply.text
    assert kept(here) == []


async def test_nobody_asks_for_another_or_reads_of_another(here: Installation) -> None:
    browser = await signed_in(here)
    await sent(here, browser, subject="bob", person="uid=bob", issuer="https://other.example", reference="AAAA2222")
    (one,) = kept(here)
    assert one.asked.holder.person == "uid=alice"
    nobody = here.browser()
    page = await nobody.get(here.url(PORTAL, f"{PAGE}?host={ACTES}&reference={one.reference}"), follow=False)
    assert page.status == 401
    assert (await sent(here, nobody)).status == 401
    assert len(kept(here)) == 1


async def test_whoever_comes_by_a_provider_that_the_application_does_not_hear_cannot_ask(here: Installation) -> None:
    browser = await signed_in(here)
    here.change("actes", providers=("departement",))
    assert (await sent(here, browser)).status == 401
    assert (await shown(here, browser)).status == 401
    assert kept(here) == []


async def test_where_nobody_asks_there_is_no_such_page(here: Installation) -> None:
    browser = await signed_in(here)
    for host in ("evil.example", "permis.localhost", PORTAL):
        assert (await sent(here, browser, host=host)).status in (404, 421)
    for missing in ("refuse", "link"):
        here.link_accounts("actes", AccountSettings(by=("uid",), ask=(("", "Ask."),), missing=missing))  # type: ignore[arg-type]
        assert (await sent(here, browser)).status == 404
    here.link_accounts("actes", SETTINGS)
    assert (await browser.post(here.url(PORTAL, "/_ecluse/account"), {"host": ACTES, "to": "/"})).status == 404
    assert kept(here) == []


async def test_a_person_who_lacks_what_names_them_cannot_ask(here: Installation) -> None:
    browser = await signed_in(here)
    here.link_accounts("actes", AccountSettings(by=("siren",), ask=(("", "Ask."),), missing="request"))
    reply = await sent(here, browser)
    assert reply.status == 403
    assert here.codes()[-1:] == ["account.person"]


@pytest.mark.parametrize("damaged", ["requests.sqlite", "links.sqlite"])
async def test_a_file_that_cannot_be_read_closes_the_page_and_is_left_as_it_is(
    here: Installation, damaged: str
) -> None:
    browser = await signed_in(here)
    (Path(here.state) / damaged).write_bytes(b"")
    for reply in (await shown(here, browser), await sent(here, browser)):
        assert reply.status == 503
        assert "This application is temporarily unavailable" in reply.text
    assert (Path(here.state) / damaged).read_bytes() == b""
    assert set(here.codes()[-2:]) == {"account.unreadable"}


async def test_without_a_key_nothing_is_kept(here: Installation) -> None:
    browser = await signed_in(here)
    here.snapshot = replace(here.snapshot, gateway=replace(here.snapshot.gateway, link_keys=()))
    assert (await sent(here, browser)).status == 503
    assert here.codes()[-1:] == ["account.key"]
    assert not requests_path(here.state).exists()


async def test_a_page_that_another_person_left_open_asks_for_nothing(here: Installation) -> None:
    """Invariant 12."""
    browser = await signed_in(here)
    browser.jar["127.0.0.1"]["op"] = "bob"
    await browser.get(here.url(PORTAL, "/_ecluse/login?provider=metropole&other_account=1"))
    reply = await sent(here, browser, text="je suis Alice")
    assert (reply.status, "Another account was used" in reply.text) == (403, True)
    assert "je suis Alice" not in reply.text
    assert here.codes() == ["account.other_person"]
    assert (await sent(here, browser, owner=owner(here, "bob"))).status == 200
