"""How often a sign-in waits for a store on a server, one question after the other, and how many questions that is."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit

from gateway.stores.redis.store import RedisStore
from gateway.stores.tickets.at_hand import AtHand
from gateway.stores.tickets.tickets import unix_now
from tests.portal.installation import ACTES, Installation, installed
from tests.portal.installation import Clock as OurClock
from tests.portal.saml.region import region_installed
from tests.stores.redis.servers import server, settings_of
from tests.stores.samples import PORTAL, Clock, Worker

NAME = "round_trips"
# The issue's, of a sign-in.
_LIMIT = 6


class Waits:
    """`asked`: questions. `waited`: what is asked while another question is open does not count again."""

    def __init__(self, store: Any) -> None:
        self.asked = self.waited = self._open = 0
        ask = store._asked

        async def counted(*args: Any, **options: Any) -> Any:
            self.asked += 1
            self.waited += self._open == 0
            self._open += 1
            try:
                return await ask(*args, **options)
            finally:
                self._open -= 1

        store._asked = counted


@asynccontextmanager
async def counted(port: int) -> AsyncIterator[tuple[RedisStore, Waits]]:
    """A store on the server at this port, with what it is asked from here on."""
    store = RedisStore(settings_of(port))
    await store.open()
    yield store, Waits(store)
    await store.close()


def row() -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, server("valkey", Path(folder)) as port:
        return {"row": NAME, "limit": _LIMIT, **asyncio.run(_measured(port))}


async def _measured(port: int) -> dict[str, object]:
    async with counted(port) as (store, waits):
        warm, cold = await of_a_request(store, waits)
        async with installed(store=store) as here:
            openid = await of_openid(here, waits)
    async with counted(port) as (store, waits):
        saml = await of_saml(store, waits)
        with nothing_at_hand():
            apart = await of_saml(store, waits)
    return {
        "warm_request": warm,
        "cold_request": cold,
        "oidc_sign_in": sum(openid.values()),
        "saml_sign_in": saml,
        "saml_sign_in_each_step_at_another_worker": apart,
    }


@contextmanager
def nothing_at_hand() -> Iterator[None]:
    """As where each request of a sign-in comes to a worker that had none of it before."""
    with patch.object(AtHand, "find", lambda *_: None):
        yield


async def of_a_request(store: RedisStore, waits: Waits) -> tuple[int, int]:
    """Of somebody whom the worker knows, and whom it does not know."""
    worker, cold = Worker(store, Clock(unix_now())), Worker(store, Clock(unix_now()))
    cookie = await worker.sign_in()
    before = waits.waited
    assert worker.sessions.cached(PORTAL, cookie) is not None
    warm = waits.waited - before
    assert await cold.sessions.load(PORTAL, cookie) is not None
    return warm, waits.waited - before - warm


async def of_openid(here: Installation, waits: Waits) -> dict[str, int]:
    """What each address of ours waited for, of a sign-in in a new browser as far as the application's page, without
    what that page asks then at a worker that did not make the seat."""
    waited: dict[str, int] = {}
    browser, url = here.browser(), here.url(ACTES, "/dossier/7")
    while True:
        before = waits.waited
        reply = await browser.get(url, follow=False)
        path = urlsplit(url).path
        if reply.status != 303:
            assert reply.text == "actes for alice"
            return waited
        if waits.waited > before:
            waited[path] = waits.waited - before
        url = urljoin(url, reply.location)


async def of_saml(store: RedisStore, waits: Waits) -> int:
    """As far as the seat, without the page. All of it within one second: for a response that waited longer, the store
    says whether its person has signed out since, which is once more."""
    now = time.time()
    with patch.object(OurClock, "now", lambda clock: now + clock.ahead):
        return await _of_saml(store, waits)


async def _of_saml(store: RedisStore, waits: Waits) -> int:
    async with region_installed(store=store) as region:
        person, before = region.person(), waits.waited
        asked = await region.asked(person)
        reply = await region.answer(person, region.response(asked), asked.relay_state)
        assert (await person.follow(reply)).status == 200
        return waits.waited - before - 1
