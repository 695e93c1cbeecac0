"""From an app host to the portal: what is stored, what is set, and where a browser may be sent back to."""

import pytest

from gateway.wire.cookies import binding_hash
from tests.portal.installation import ACTES, PORTAL, Installation

# OR01, with `app` for the app's own host.
STRANGERS = (
    "//evil", "///evil", "////evil", "/\\evil", "\\/evil", "\\\\evil", "/\t/evil", "/%09/evil", "/%5cevil",
    "%2f%2fevil", "/%2f/evil", "https:evil", "https:/evil", "https:\\\\evil", "http://app@evil", "http://app:80@evil",
    "http://evil#@app", "http://evil?app", "http://app.evil", "http://evilapp", "javascript:alert(1)", "JaVaScRiPt:",
    "data:text/html,", " https://evil", "https://evil%00.app", "https://app\u3002evil", "https://\u24d4vil",
    "/.evil/..//evil", "/x\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:%20a=b", "/" + "a" * 10_000, "/\udcff", "", "x",
    "/_ecluse/logout", "/_ecluse/login?to=/", "/_ECLUSE/logout", "/_ecluse", "/%5fecluse/logout", "//permis.localhost/",
)  # fmt: skip
OURS = ("/", "/a", "/a/b.php?x=1&y=//evil", "/redirect?u=//evil", "/a%20b?c=%0d%0a", "/caf%C3%A9/")


def encoded(target: str) -> str:
    return "".join(f"%{byte:02x}" for byte in target.encode("utf-8", "surrogateescape"))


async def test_a_navigation_becomes_a_transaction_bound_to_the_browser(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, "/plan?x=1"), follow=False)
    assert reply.status == 303
    start, _, id = reply.location.partition("?t=")
    assert start == here.url(PORTAL, "/_ecluse/start")
    transaction = await here.transactions.sign_ins.peek(id)
    assert transaction is not None
    assert (transaction.app, transaction.host, transaction.return_target) == ("actes", ACTES, "/plan?x=1")
    assert transaction.binding == binding_hash(browser.jar[ACTES]["__Host-ecluse-b"].encode())
    assert (transaction.round, transaction.not_before) == (0, 0)


async def test_the_binding_is_never_replaced_while_it_is_there(here: Installation) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES), follow=False)
    second = await browser.get(here.url(ACTES), follow=False)
    assert second.set_cookies == []


@pytest.mark.parametrize("value", ["", "short", "a" * 42, "a" * 44, "a" * 42 + "!", "é" * 43])
async def test_a_binding_of_another_form_counts_as_none(here: Installation, value: str) -> None:
    browser = here.browser()
    browser.jar[ACTES] = {"__Host-ecluse-b": value}
    await browser.get(here.url(ACTES), follow=False)
    assert len(browser.jar[ACTES]["__Host-ecluse-b"]) == 43


async def test_two_bindings_at_once_are_refused(here: Installation) -> None:
    cookie = f"__Host-ecluse-b={'a' * 43}; __Host-ecluse-b={'b' * 43}"
    reply = await here.browser().get(here.url(ACTES), follow=False, Cookie=cookie)
    assert (reply.status, here.codes()) == (400, ["wire.cookie"])


@pytest.mark.parametrize("target", STRANGERS)
async def test_a_way_back_to_elsewhere_is_the_home_page(here: Installation, target: str) -> None:
    reply = await here.browser().get(here.url(ACTES, f"/_ecluse/login?to={encoded(target)}"), follow=False)
    transaction = await here.transactions.sign_ins.peek(reply.location.partition("?t=")[2])
    assert transaction is not None
    assert transaction.return_target == "/"


@pytest.mark.parametrize("target", OURS)
async def test_a_way_back_to_a_page_of_the_app_is_kept_as_it_is(here: Installation, target: str) -> None:
    browser = here.browser()
    reply = await browser.get(here.url(ACTES, f"/_ecluse/login?to={encoded(target)}"))
    assert (reply.text, reply.url) == ("actes for alice", here.url(ACTES, target))


@pytest.mark.parametrize("target", STRANGERS)
async def test_who_is_signed_in_is_not_sent_elsewhere_either(here: Installation, target: str) -> None:
    browser = here.browser()
    await browser.get(here.url(ACTES))
    reply = await browser.get(here.url(ACTES, f"/_ecluse/login?to={encoded(target)}"), follow=False)
    assert (reply.status, reply.location) == (303, here.url(ACTES))


@pytest.mark.parametrize("destination", ["image", "iframe", "empty", "script"])
async def test_a_link_of_ours_in_another_sites_image_frame_or_script_begins_nothing(
    here: Installation, destination: str
) -> None:
    """Invariant 10."""
    headers = {"Sec-Fetch-Dest": destination}
    reply = await here.browser().get(here.url(ACTES, "/_ecluse/login?to=/a"), follow=False, **headers)
    assert (reply.status, reply.set_cookies) == (401, [])
    assert here.store.open_tickets == {}


async def test_two_ways_back_are_refused(here: Installation) -> None:
    reply = await here.browser().get(here.url(ACTES, "/_ecluse/login?to=/a&to=/b"), follow=False)
    assert (reply.status, here.codes()) == (400, ["portal.parameters"])


async def test_unknown_parameters_are_ignored(here: Installation) -> None:
    reply = await here.browser().get(here.url(ACTES, "/_ecluse/login?to=/a&rd=//evil&return=//evil"), follow=False)
    assert reply.location.startswith(here.url(PORTAL, "/_ecluse/start?t="))


async def test_a_form_without_a_session_ends_on_a_page_that_says_so(here: Installation) -> None:
    browser = here.browser()
    reply = await browser.send(
        "POST",
        here.url(ACTES, "/dossier/save"),
        headers={"Referer": here.url(ACTES, "/dossier/7?x=1")},
        data={"a": "b"},
    )
    assert reply.status == 401
    assert "Your form was not sent" in reply.text
    assert f'{here.url(ACTES, "/_ecluse/login?to=/dossier/7%3Fx%3D1")}"' in reply.text
    assert reply.set_cookies == []


@pytest.mark.parametrize(
    "referer", ["", "http://evil.example/x", "http://actes.localhost.evil/x", "http://actes.localhost"]
)
async def test_a_form_from_elsewhere_leads_back_to_the_home_page(here: Installation, referer: str) -> None:
    reply = await here.browser().send("POST", here.url(ACTES, "/x"), headers={"Referer": referer})
    assert f'{here.url(ACTES, "/_ecluse/login?to=/")}"' in reply.text


async def test_ten_tabs_are_one_round(here: Installation) -> None:
    browser = here.browser()
    for _ in range(10):
        reply = await browser.get(here.url(ACTES), follow=False)
        transaction = await here.transactions.sign_ins.peek(reply.location.partition("?t=")[2])
        assert transaction is not None
        await here.store.perform([here.transactions.round_counted(transaction.binding, ACTES, 0)], here.clock.seconds())
    assert await here.transactions.rounds(transaction.binding, ACTES) == 1


async def test_transactions_of_one_network_are_bounded(here: Installation) -> None:
    first = (await here.browser().get(here.url(ACTES), follow=False)).location.partition("?t=")[2]
    template = await here.transactions.sign_ins.peek(first)
    assert template is not None
    ids = [await here.transactions.sign_ins.put(template, "127.0.0.1") for _ in range(1000)]
    assert await here.transactions.sign_ins.peek(first) is None, "the oldest one went"
    assert await here.transactions.sign_ins.peek(ids[-1]) is not None
