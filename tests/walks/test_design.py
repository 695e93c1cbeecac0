"""The State's design system in a whole gateway: served, changed by a reload, and refused where it is not
whole."""

import re
from pathlib import Path

import aiohttp

from tests.config.design_copy import FILES, make_copy
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, Place

_SHEET = re.compile('<link rel="stylesheet" href="(/_ecluse/dsfr/[0-9a-f]{16}/)dsfr.min.css">')


async def got(place: Place, host: str, target: str) -> tuple[int, str, bytes]:
    """Of 127.0.0.1, by the host that is named."""
    url = f"http://127.0.0.1:{place.port}{target}"
    named = {"Host": f"{host}:{place.port}", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    async with aiohttp.request("GET", url, headers=named, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Cache-Control", ""), await answer.read()


async def folder_of(place: Place) -> str:
    """What the pages load their sheet from."""
    _, _, page = await got(place, PORTAL_HOST, "/_ecluse/logout")
    found = _SHEET.search(page.decode())
    assert found is not None, page
    return found[1]


async def test_a_copy_is_served_changed_and_kept_while_another_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, workers=1, settings={"theme": "{dsfr: {folder: ../dsfr}}"})
    place.write_provider("alpha", f"http://127.0.0.1:{place.provider_port}")
    place.write_app("one", ONE)
    copy = make_copy(tmp_path / "dsfr")
    gateway = Gateway(place)
    try:
        await gateway.start()
        first = await folder_of(place)
        for host in (PORTAL_HOST, ONE):
            status, kept, body = await got(place, host, f"{first}dsfr.min.css")
            assert (status, kept) == (200, "public, max-age=31536000, immutable")
            assert body == FILES["dist/dsfr.min.css"]

        (copy / "dist/fonts/Made-Up.woff2").write_bytes(b"wOF2 of today")
        await gateway.reload()
        second = await folder_of(place)
        assert second != first
        assert await got(place, ONE, f"{first}fonts/Made-Up.woff2") == (200, "no-store", b"wOF2 of today")

        (copy / "dist/fonts/Made-Up.woff2").unlink()
        told = await gateway.reload("config.refused")
        assert "npm i @gouvfr/dsfr" in str(told)
        status, kept, body = await got(place, ONE, f"{second}fonts/Made-Up.woff2")
        assert (status, body) == (200, b"wOF2 of today")
        gateway.is_clean()
    finally:
        await gateway.end()
