"""What a sign-in by OpenID Connect costs the gateway: the provider and the browser are in this process, not counted."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from tests.bench.processes import cpu_seconds
from tests.bench.site import HOST, Site
from tests.conformance.modules import SECRET, signed_userinfo
from tests.conformance.op import Op
from tests.federation.servers import web_server
from tests.portal.browser import Browser

_PROVIDER = """
version: 1
provider: op
oidc:
  issuer: {issuer}
  client_id: ecluse
  client_secret: {secret}
  userinfo_algorithms: [RS256]
attributes: {{uid: preferred_username, mail: email, groups: groups, family_name: family_name}}
tenant: mail
asserts: {{email_domains: [metropole.example]}}
"""
WARMING = 50
# People who sign in at the same time: at 8:45 on a Monday nobody is alone.
AT_ONCE = 8

Ports = tuple[int, int, int]
Reached = TypeVar("Reached")


def row(
    folder: Path, ports: tuple[int, int, int], upstream: int, slow: int, runs: int, people: int
) -> dict[str, object]:
    """`cpu_ms`: from the callback to the session, ID token and signed userinfo verified; `whole_cpu_ms`: from the first
    request to the page. CPU of all processes of the gateway, median of the runs."""
    return asyncio.run(_row(folder, ports, upstream, slow, runs, people))


async def _row(folder: Path, ports: Ports, upstream: int, slow: int, runs: int, people: int) -> dict[str, object]:
    op = Op()
    async with web_server(op) as op.port:
        signed_userinfo(op)
        op.userinfo |= {"groups": ["agents", "ONDE"], "family_name": "Müller"}
        provider = _PROVIDER.format(issuer=op.issuer, secret=SECRET)
        serve = partial(Site, folder, ports, upstream, slow, access_log=False, cores=1, provider=provider)
        site = await asyncio.to_thread(serve)
        try:
            await _sample(site, op, WARMING)
            samples = [await _sample(site, op, people) for _ in range(runs)]
        finally:
            await asyncio.to_thread(site.stop)
    callback, whole = ([sample[at] for sample in samples] for at in (0, 1))
    return {
        "bench": "oidc_login",
        "cpu_ms": round(median(callback), 3),
        "cpu_ms_min_max": [round(min(callback), 3), round(max(callback), 3)],
        "whole_cpu_ms": round(median(whole), 3),
        "logins": people,
        "runs": runs,
    }


async def _sample(site: Site, op: Op, people: int) -> tuple[float, float]:
    """Milliseconds a login: of the callback alone, and of all of it."""
    browsers = [Browser(keeps_alive=True) for _ in range(people)]
    urls = [f"http://{HOST}:{site.port}/private/page"] * people
    before: list[str] = []
    after: list[str] = []
    steps = [
        await spent(site, each(browsers, urls, before, until=op.issuer)),
        await spent(site, each(browsers, await _answers(browsers, before), after, until="/_ecluse/enter")),
    ]
    last: list[str] = []
    steps.append(await spent(site, each(browsers, after, last, until="")))
    for browser in browsers:
        await browser.close()
    if any(not url.endswith("/private/page") for url in last):
        raise RuntimeError(f"not signed in: {last[0]}")
    return steps[1] / people * 1000, sum(steps) / people * 1000


async def _answers(browsers: Sequence[Browser], asked: Sequence[str]) -> list[str]:
    """What the provider has each browser carry back."""
    return [(await browser.get(url, follow=False)).location for browser, url in zip(browsers, asked, strict=True)]


def each(
    browsers: Sequence[Browser], urls: Sequence[str], reached: list[str], until: str
) -> Callable[[], Awaitable[None]]:
    """Every browser follows the gateway's redirects from its URL, until one leads to `until` or there are no more."""

    async def follow(browser: Browser, url: str) -> str:
        while True:
            reply = await browser.get(url, follow=False)
            if reply.status != 303:
                return url
            url = reply.location
            if until and until in url:
                return url

    async def walk() -> None:
        reached.extend(await at_once(follow(browser, url) for browser, url in zip(browsers, urls, strict=True)))

    return walk


async def at_once(walks: Iterable[Coroutine[Any, Any, Reached]]) -> list[Reached]:
    """All of these, `AT_ONCE` at a time, in their order."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(walk: Coroutine[Any, Any, Reached]) -> Reached:
        async with turns:
            return await walk

    return await asyncio.gather(*map(in_turn, walks))


async def spent(site: Site, walk: Callable[[], Awaitable[None]]) -> float:
    started = cpu_seconds(site.pid)
    await walk()
    return cpu_seconds(site.pid) - started
