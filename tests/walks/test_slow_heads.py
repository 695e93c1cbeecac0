"""Slowloris, a tenth of the bench's: many who begin a request and never end it. Nobody else notices."""

import asyncio
from pathlib import Path

from tests.bench.processes import pss_megabytes
from tests.bench.slow_heads import go_on, standing
from tests.walks.place import ONE, Place
from tests.walks.world import ask, opened

CONNECTIONS, ADDRESSES = 1000, 50
# What 10,000 may take is 200 MB.
MOST_MB = 20.0
AT_ONCE, TIMES = 10, 10


async def test_who_never_ends_a_request_holds_little_and_nobody_else_waits_for_it(tmp_path: Path) -> None:
    # By default each is cut after 15 s: a slow machine needs longer to open them, and the gateway shall hold them all.
    place = Place(tmp_path, settings={"timeouts": "{request_head: 10m}"})
    async with opened(place) as world:
        gateway, cookie = world.gateway, world.cookie(await world.signed_in())
        people = (("/x", cookie), ("/public/x", ""))

        async def everybody() -> list[int]:
            """On connections of their own, from one more address; half of them are nobody."""
            statuses: list[int] = []
            for _ in range(TIMES):
                asked = (ask(place.url(), *person) for person in people for _ in range(AT_ONCE // 2))
                statuses += [answer.status for answer in await asyncio.gather(*asked)]
            return statuses

        assert await everybody() == [200] * TIMES * AT_ONCE
        before, came = pss_megabytes(gateway.pid), world.upstream.requests
        with standing(place.port, ONE, CONNECTIONS, ADDRESSES) as slow:
            await gateway.measured(lambda told: told.get("ecluse_http_connections", 0) >= CONNECTIONS)
            go_on(slow)
            assert await everybody() == [200] * TIMES * AT_ONCE
            told = await gateway.measured(lambda told: told.get("ecluse_http_connections", 0) >= CONNECTIONS)
            assert told.get("ecluse_connections_refused_total", 0) == 0
            assert pss_megabytes(gateway.pid) - before < MOST_MB
            # Nothing of theirs has reached the application.
            assert world.upstream.requests == came + TIMES * AT_ONCE
        gateway.is_clean()
