"""The files of the State's design system, as browsers get them."""

import asyncio
from dataclasses import replace

import pytest

from gateway.config.snapshot import Snapshot
from gateway.portal.design import DesignFiles
from tests.config.design_copy import FILES, READ
from tests.config.samples import GATEWAY, sample_snapshot
from tests.portal.http.test_request import request
from tests.portal.installation import ACTES, PORTAL, Installation

DSFR = sample_snapshot({"gateway.yaml": GATEWAY + "theme: {dsfr: {folder: x}}\n"}, READ)


@pytest.fixture
def dressed(here: Installation) -> Installation:
    here.snapshot = with_design(here.snapshot)
    return here


def with_design(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, gateway=replace(snapshot.gateway, theme=DSFR.gateway.theme), design=DSFR.design)


def path(name: str, digest: str = "") -> str:
    assert DSFR.gateway.theme.dsfr is not None
    return f"/_ecluse/dsfr/{digest or DSFR.gateway.theme.dsfr.digest}/{name}"


@pytest.mark.parametrize("host", [PORTAL, ACTES])
async def test_a_browser_keeps_them_for_good_on_every_host_of_ours(dressed: Installation, host: str) -> None:
    for name, kind in (("fonts/Made-Up.woff2", "font/woff2"), ("icons/system/made-up.svg", "image/svg+xml")):
        reply = await dressed.browser().get(dressed.url(host, path(name)))
        assert (reply.status, reply.headers["Content-Type"]) == (200, kind)
        assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.body == FILES[f"dist/{name}"]
        assert "Set-Cookie" not in reply.headers


async def test_an_icon_that_is_opened_by_itself_runs_nothing(dressed: Installation) -> None:
    reply = await dressed.browser().get(dressed.url(PORTAL, path("icons/system/made-up.svg")))
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; sandbox")


async def test_the_sheet_comes_packed_to_who_can_unpack_it(dressed: Installation) -> None:
    url = dressed.url(PORTAL, path("dsfr.min.css"))
    plain = await dressed.browser().get(url, Accept_Encoding="identity")
    packed = await dressed.browser().get(url, Accept_Encoding="gzip, br")
    # The client unpacks what says that it is packed.
    assert plain.body == packed.body == FILES["dist/dsfr.min.css"]
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"])


async def test_those_who_cannot_unpack_it_share_one_copy() -> None:
    """Of 90 KB it makes 700: for each of many strangers who read nothing, a worker would be full of it."""
    files, asked = DesignFiles(), request(path("dsfr.min.css"))
    asked.snapshot = with_design(asked.snapshot)
    first, second = await asyncio.gather(files.file(asked), files.file(asked))
    assert first.body is second.body
    assert first.body == FILES["dist/dsfr.min.css"]
    asked.snapshot = replace(asked.snapshot, design={name: replace(file) for name, file in DSFR.design.items()})
    assert (await files.file(asked)).body is not first.body, "another copy, after a reload"


async def test_a_page_of_before_a_reload_is_still_dressed_and_that_is_not_kept(dressed: Installation) -> None:
    reply = await dressed.browser().get(dressed.url(PORTAL, path("fonts/Made-Up.woff2", "0123456789abcdef")))
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")


@pytest.mark.parametrize(
    "name", ["", "package.json", "fonts/Unnamed.woff2", "../package.json", "fonts/%4dade-Up.woff2"]
)
async def test_nothing_else_of_the_copy_can_be_had(dressed: Installation, name: str) -> None:
    reply = await dressed.browser().get(dressed.url(PORTAL, path(name)))
    assert reply.status in (400, 404)
    assert "Made" not in reply.text


async def test_without_it_there_is_no_such_page(here: Installation) -> None:
    assert (await here.browser().get(here.url(PORTAL, path("dsfr.min.css")))).status == 404
