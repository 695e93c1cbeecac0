"""What a browser may send to us."""

import pytest

from tests.portal.installation import ACTES, Installation
from tests.portal.test_logout import hosts_open, signed_in


@pytest.mark.parametrize("type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "text/xml"])
async def test_only_a_form_is_read(here: Installation, type: str) -> None:
    browser = await signed_in(here)
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"), data=b"{}", Content_Type=type)
    assert reply.status == 415
    assert len(await hosts_open(here, browser)) == 4
    assert here.codes() == ["portal.body"]
