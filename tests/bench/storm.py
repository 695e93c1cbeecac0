"""200 people a second sign in by SAML while others work: what the latter feel of it."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.load import BROWSER
from tests.bench.login import Ports, each
from tests.bench.paced import Paced
from tests.bench.saml_login import IDP, answer, form_of, served
from tests.bench.site import HOST, Site
from tests.portal.browser import Browser

NAME = "saml_200_logins_per_second"
LOGINS_PER_SECOND = 200
REQUESTS_PER_SECOND = 250
SECONDS = 5
LIMIT_MS = 20.0


def row(folder: Path, ports: Ports, upstream: int, slow: int) -> dict[str, object]:
    """`p99_ms`: of authenticated requests through the two workers that also serve the sign-ins, 250 a second;
    `p99_ms_alone`: before the sign-ins begin."""
    return asyncio.run(_row(folder, ports, upstream, slow))


async def _row(folder: Path, ports: Ports, upstream: int, slow: int) -> dict[str, object]:
    site = await asyncio.to_thread(partial(served, folder, ports, upstream, slow, cores=2))
    try:
        headers = {"Host": HOST, **BROWSER, "Cookie": await _at_work(site)}
        paced = partial(Paced, site.port, headers, "/signed-in/page", REQUESTS_PER_SECOND)
        people = [Browser(keeps_alive=True) for _ in range(LOGINS_PER_SECOND * SECONDS)]
        asked: list[str] = []
        await each(people, [f"http://{HOST}:{site.port}/signed-in/page"] * len(people), asked, until=IDP)()
        forms = [form_of(site, url) for url in asked]
        with paced() as alone:
            await asyncio.sleep(SECONDS)
        with paced() as meanwhile:
            took = await _storm(site, people, forms)
    finally:
        await asyncio.to_thread(site.stop)
    return {
        "bench": NAME,
        "logins_per_second": round(len(people) / took),
        "p99_ms": meanwhile.p99_ms,
        "p99_ms_alone": alone.p99_ms,
        "limit": LIMIT_MS,
        "requests": meanwhile.requests,
    }


async def _at_work(site: Site) -> str:
    """The cookie of somebody who came earlier."""
    browser = Browser()
    asked = await browser.get(f"http://{HOST}:{site.port}/signed-in/page", follow=False)
    while not asked.location.startswith(IDP):
        asked = await browser.get(asked.location, follow=False)
    await browser.get(await answer(site, browser, form_of(site, asked.location)))
    await browser.close()
    return f"__Host-ecluse={browser.jar[HOST]['__Host-ecluse']}"


async def _storm(site: Site, people: Sequence[Browser], forms: Sequence[bytes]) -> float:
    """Each comes at their moment, however long those before them take. Seconds from the first to the last session."""
    began = time.monotonic()

    async def come(number: int, browser: Browser, form: bytes) -> str:
        await asyncio.sleep(max(0.0, began + number / LOGINS_PER_SECOND - time.monotonic()))
        arrived = await answer(site, browser, form)
        await browser.close()
        return arrived

    arrived = await asyncio.gather(*(come(*each) for each in zip(range(len(people)), people, forms, strict=True)))
    if any("/_ecluse/enter" not in url for url in arrived):
        raise RuntimeError(f"not signed in: {arrived[0]}")
    return time.monotonic() - began
