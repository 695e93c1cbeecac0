"""One request, as the steps read it."""

import base64
import random
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from gateway.access.inbound import InboundRequest
from gateway.model.errors import GatewayError
from gateway.portal.http.request import PortalRequest
from gateway.wire.cookies import binding_hash, presented_seat, twin_of
from tests.portal.installation import _EMPTY, ACTES, PERMIS, PORTAL, Installation

SEAT = "s" * 22 + "." + "k" * 43
ONE, OTHER = "a" * 43, "b" * 43


def request(
    target: str = "/", *, client: str = "127.0.0.1", cookies: tuple[str, ...] = (), method: str = "GET"
) -> PortalRequest:
    call = InboundRequest(
        purpose="endpoint",
        snapshot=_EMPTY,
        app=None,
        host="portail.localhost",
        authority="portail.localhost",
        scheme="http",
        client=client,
        request_id="r",
        method=method,
        target=target,
        headers={},
        cookies="; ".join(cookies).encode(),
    )
    return PortalRequest(call, b"")


def test_a_page_that_waits_stands_in_no_frame() -> None:
    """Of a sign-in that is slow, it would ask again and again there, where nobody sees it."""
    call = replace(request("/_ecluse/start?t=x").inbound, host=_EMPTY.gateway.portal_host)
    assert PortalRequest(call, b"").asks_others
    assert not PortalRequest(replace(call, headers={b"sec-fetch-dest": b"iframe"}), b"").asks_others


def test_parameters_are_read_once_decoded() -> None:
    found = request("/_ecluse/start?t=a%20b+c&x=&y=%C3%A9&z")
    assert found.parameters() == {"t": "a b c", "x": "", "y": "é", "z": ""}
    assert (found.path, found.parameter("t"), found.parameter("nothing")) == ("/_ecluse/start", "a b c", "")


@pytest.mark.parametrize("query", ["t=1&t=2", "t=1&t=1", "t&t", "t=1&%74=1", "&".join(f"a{n}=1" for n in range(65))])
def test_a_parameter_sent_twice_or_too_many_are_refused(query: str) -> None:
    with pytest.raises(GatewayError, match=r"portal\.parameters"):
        request(f"/?{query}").parameters()


def test_the_largest_saml_message_is_read_and_what_is_escaped_beyond_reason_is_not() -> None:
    """Unescaping is done on the loop."""
    here = request(method="POST")
    message = base64.encodebytes(random.Random(1).randbytes(256 << 10)).replace(b"\n", b"\r\n").decode()
    here.body = urlencode({"SAMLResponse": message}).encode()
    assert here.form() == {"SAMLResponse": message}
    here.body = b"SAMLResponse=" + b"%41" * 40_001
    with pytest.raises(GatewayError, match=r"portal\.parameters"):
        here.form()


def test_a_semicolon_parts_no_parameters() -> None:
    assert request("/?t=1;t=2").parameters() == {"t": "1;t=2"}


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("unix", "unix"),
    ],
)
def test_a_network_is_what_one_client_can_choose_from(client: str, network: str) -> None:
    assert request(client=client).network == network


def test_a_seat_cookie_of_another_form_is_none() -> None:
    assert presented_seat(request(cookies=(f"a=b; __Host-ecluse={SEAT}",)).cookie_line) == SEAT.encode()
    assert presented_seat(request(cookies=(f"__Host-ecluse={SEAT}x",)).cookie_line) is None
    assert presented_seat(request(cookies=(f"__host-ecluse={SEAT}",)).cookie_line) is None
    assert presented_seat(request().cookie_line) is None


def test_two_cookies_of_one_name_are_refused_on_two_lines_too() -> None:
    with pytest.raises(GatewayError, match=r"wire\.cookie"):
        presented_seat(request(cookies=(f"__Host-ecluse={SEAT}", f"__Host-ecluse={SEAT}")).cookie_line)


def test_a_browser_is_told_by_its_binding_or_its_twin() -> None:
    twin = f"{twin_of(binding_hash(ONE.encode())).decode()}={ONE}"
    for cookies, held in (
        ((f"__Host-ecluse-b={ONE}",), True),
        ((f"__Host-ecluse-b={OTHER}",), False),
        ((f"__Host-ecluse-b={OTHER}", twin), True),
        ((twin,), True),
        ((twin.replace(ONE, OTHER),), False),
        ((), False),
    ):
        assert request(cookies=cookies).holds(binding_hash(ONE.encode())) is held


def test_a_binding_is_made_where_there_is_none() -> None:
    found = request()
    assert found.binding_made(lambda size: "c" * 43) == binding_hash(b"c" * 43)
    assert [line.partition("=")[0] for line in found.cookies_to_set] == [
        "__Host-ecluse-b",
        twin_of(binding_hash(b"c" * 43)).decode(),
    ]
    kept = request(cookies=(f"__Host-ecluse-b={ONE}",))
    assert kept.binding_made(lambda size: "c" * 43) == binding_hash(ONE.encode())
    assert kept.cookies_to_set == []


def test_head_is_get() -> None:
    assert request(method="HEAD").method == "GET"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"Sec_Fetch_Dest": "image"}, "application/json"),
        ({"Sec_Fetch_Dest": "empty"}, "application/json"),
        ({"Sec_Purpose": "prefetch"}, "application/json"),
        ({"Sec_Fetch_Dest": "iframe"}, "text/html"),
    ],
)
async def test_invariant_10_no_image_frame_prefetch_or_script_begins_a_sign_in_at_our_own_paths(
    here: Installation, headers: dict[str, str], kind: str
) -> None:
    """With one image each, a page on any site could push out the open sign-ins of its visitor's whole network."""
    browser = here.browser()
    t = (await browser.get(here.url(PERMIS, "/"), follow=False)).location
    for url in (
        here.url(ACTES, "/_ecluse/login?to=/plan"),
        here.url(PORTAL, "/_ecluse/login?provider=metropole"),
        t,
    ):
        reply = await browser.get(url, follow=False, **headers)
        assert (reply.status, reply.headers["Content-Type"].partition(";")[0]) == (401, kind)
        assert not reply.set_cookies
    assert here.metropole.asked == []
    framed = await here.browser().get(here.url(ACTES, "/_ecluse/login?to=/plan"), follow=False, Sec_Fetch_Dest="iframe")
    assert here.url(ACTES, "/_ecluse/login?to=/plan") in framed.text
    assert 'target="_top"' in framed.text
