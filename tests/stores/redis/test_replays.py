"""What others made works once, also where the server has forgotten that it was used (invariant 6); an end does each
time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.ports import free
from gateway.model.assertion import NameId
from gateway.saml.own_messages import logout_request
from gateway.saml.signing import sign_enveloped
from gateway.saml.soap import in_envelope
from gateway.stores.redis.store import RedisStore
from tests.portal.installation import PORTAL
from tests.portal.saml.region import KEY, Region, region_installed
from tests.portal.saml.test_logout import as_provider, is_signed_in, soap
from tests.saml.idp import at
from tests.stores.redis.servers import server, settings_of
from tests.stores.redis.trio import trio, until_done

pytestmark = pytest.mark.service

SKEW = 180
# Three ways to forget.
EMPTIED, STARTED_AGAIN, FAILED_OVER = "emptied", "started again", "failed over"
Forgets = Callable[[], Awaitable[None]]


@asynccontextmanager
async def on_a_server(folder: Path, *, started_again: bool) -> AsyncIterator[tuple[Region, Forgets]]:
    """With what makes the server forget: it is emptied, or ends and another one without its files takes its place."""
    (port,) = free(1)
    files = [folder / name for name in ("one", "two")]
    for each in files:
        each.mkdir()
    first = server("valkey", files[0], port=port)
    first.__enter__()
    running = [first]
    store = RedisStore(settings_of(port))
    await store.open()

    async def forgets() -> None:
        if started_again:
            running.pop().__exit__(None, None, None)
            running.append(server("valkey", files[1], port=port))
            running[-1].__enter__()
        else:
            await store._connections.ask(["FLUSHALL"], again=True)
        await store.probe()
        await store.ended_since(None)
        # Not the very second: what is dated ahead is meant.
        await asyncio.sleep(1.1)

    try:
        async with region_installed(store=store) as region:
            yield region, forgets
        await store.close()
    finally:
        running[0].__exit__(None, None, None)


@asynccontextmanager
async def on_three_servers(folder: Path) -> AsyncIterator[tuple[Region, Forgets]]:
    """With what kills the primary: a replica that knows nothing of the last minute takes its place."""
    with trio(folder) as three:
        store = RedisStore(three.settings(timeout=3.0))
        await store.open()

        async def forgets() -> None:
            primary = three.primary()
            # Another's word, which is lost: as it is where it was not copied yet.
            await store._connections.ask(
                ["DEL", *await store._connections.ask(["KEYS", "*}u"], again=True)], again=True
            )
            three.process(primary).kill()
            await until_done(store.probe)
            await store.ended_since(None)
            await asyncio.sleep(1.1)

        async with region_installed(store=store) as region:
            yield region, forgets
        await store.close()


def forgetful(folder: Path, how: str) -> AbstractAsyncContextManager[tuple[Region, Forgets]]:
    if how == FAILED_OVER:
        return on_three_servers(folder)
    return on_a_server(folder, started_again=how == STARTED_AGAIN)


@pytest.mark.parametrize("how", [EMPTIED, STARTED_AGAIN, FAILED_OVER])
async def test_an_unsolicited_response_of_a_clock_that_is_ahead_signs_in_once(tmp_path: Path, how: str) -> None:
    async with forgetful(tmp_path, how) as (region, forgets):
        region.change(unsolicited=True, skew=SKEW)
        ahead = at(region.here.clock.seconds() + SKEW - 5)
        response = region.response(None, assertion_id="_once", assertion_issued=ahead, issued=ahead)

        async def arrives() -> int:
            person = region.person()
            return (await person.follow(await region.answer(person, response, None))).status

        assert await arrives() == 200
        assert await arrives() == 403
        await forgets()
        assert await arrives() == 403
        assert region.here.codes() == ["saml.replayed"] * 2
        # The control: what answers a request of ours is in this store or in none.
        assert (await region.signed_in(region.person())).status == 200


async def test_a_logout_request_is_heard_again_and_ends_no_later_session(tmp_path: Path) -> None:
    """Invariant 12: an end is not used up, and so no server can have forgotten it."""
    async with on_a_server(tmp_path, started_again=True) as (region, forgets):
        url = region.here.url(PORTAL, "/_ecluse/saml/soap")
        message = logout_request(
            as_provider(),
            destination=url,
            id="_once",
            now=region.here.clock.now(),
            name_id=NameId("alice"),
            session_indexes=(),
        )
        for _ in range(2):
            assert (await soap(region, in_envelope(sign_enveloped(KEY, message)))).status == 200
        await forgets()
        person = region.person()
        assert (await region.signed_in(person)).status == 200
        assert (await soap(region, in_envelope(sign_enveloped(KEY, message)))).status == 200
        assert await is_signed_in(region, person)
