"""A server of sessions that no file names, for Sentinels lead to it: no application is connected to there."""

from pathlib import Path

import pytest

from tests.stores.redis.servers import server
from tests.stores.redis.test_locating import Played, listening
from tests.walks.place import ONE, TWO, Place
from tests.walks.world import ask, opened


@pytest.mark.service
async def test_the_primary_that_sentinels_name_is_no_applications(tmp_path: Path) -> None:
    for name in ("valkey", "place"):
        (tmp_path / name).mkdir()
    with server("valkey", tmp_path / "valkey") as valkey:
        async with listening(Played(1, ("127.0.0.1", valkey))) as ((host, port),):
            sentinel = f"{{name: ecluse, addresses: ['{host}:{port}']}}"
            keys = "[{id: k1, secret: {file: ../certs/store.key}}]"
            store = f"{{type: redis, server: {{sentinel: {sentinel}}}, keys: {keys}}}"
            place = Place(tmp_path / "place", workers=1, settings={"store": store})
            place.write_app("two", TWO, upstream=f"{{url: http://127.0.0.1:{valkey}}}")
            async with opened(place) as world:
                assert (await ask(place.url(), "/public/x", host=ONE)).status == 200
                refused = await ask(place.url(TWO), "/public/x", host=TWO)
                assert refused.status == 502
                assert b"upstream.address" in refused.body
                world.gateway.is_clean()
