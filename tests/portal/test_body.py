"""What a browser may send to us."""

import asyncio

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


async def test_a_form_of_over_64_kb_is_refused(here: Installation) -> None:
    browser = await signed_in(here)
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"), data=b"a=" + b"b" * 65536, **form)
    assert reply.status == 413
    assert len(await hosts_open(here, browser)) == 4
    reply = await browser.post(here.url(ACTES, "/_ecluse/logout"), data=b"a=" + b"b" * 65534, **form)
    assert reply.status == 200


async def test_a_form_that_breaks_off_is_refused_and_no_fault(here: Installation) -> None:
    """Attack K102."""
    head = (
        f"POST /_ecluse/logout HTTP/1.1\r\nHost: {ACTES}\r\nContent-Length: 100\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\na=1"
    )
    # Who breaks off before the form is looked at has asked for nothing: on a busy machine that takes longer.
    for pause in (0.1, 1, 10):
        _, writer = await asyncio.open_connection("127.0.0.1", here.port)
        writer.write(head.encode())
        await asyncio.sleep(pause)
        writer.transport.abort()
        await asyncio.sleep(pause)
        if here.codes():
            break
    assert here.codes() == ["portal.body"]
