"""What a browser may send to us."""

from dataclasses import replace

import pytest

from gateway.model.errors import GatewayError
from gateway.portal.http.request import PortalRequest, require_form
from tests.portal.http.test_request import request
from tests.portal.installation import ACTES, Installation
from tests.portal.logout.test_sign_out import hosts_open, signed_in

FORM = b"application/x-www-form-urlencoded"


def sent_as(type: bytes) -> PortalRequest:
    return PortalRequest(replace(request("/_ecluse/logout").inbound, headers={b"content-type": type}), b"a=b")


@pytest.mark.parametrize("type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "text/xml"])
async def test_only_a_form_is_read(here: Installation, type: str) -> None:
    browser = await signed_in(here)
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"), data=b"{}", Content_Type=type)
    assert reply.status == 415
    assert len(await hosts_open(here, browser)) == 4
    assert here.codes() == ["portal.body"]


@pytest.mark.parametrize("type", [FORM, FORM.upper(), FORM + b" ; charset=utf-8", FORM + b"\t;", FORM + b";;"])
def test_a_form_may_say_more_of_itself(type: bytes) -> None:
    require_form(sent_as(type))


@pytest.mark.parametrize("type", [FORM + b"\xa0", b"\x85" + FORM, FORM + b", " + FORM, b";" + FORM, FORM + b" a", b""])
def test_what_is_only_like_one_is_none(type: bytes) -> None:
    """RFC 9110 5.6.3: blanks are spaces and tabs."""
    with pytest.raises(GatewayError, match=r"portal\.body"):
        require_form(sent_as(type))
