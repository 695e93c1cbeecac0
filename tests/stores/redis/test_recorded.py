"""N reads N-1 on a server: what an earlier release wrote there, key by key, is read by this one.

`python -m tests.stores.redis.test_recorded` records what this release writes: tests/stores/recorded/redis/VERSION.json,
the version of step.lua and that of what is sealed. Commit the file under a new number; those before stay as they are.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from gateway.stores.redis import encoding, steps
from gateway.stores.redis import store as redis_store
from gateway.stores.sealing import VERSION, read_cookie
from tests.stores.record import RECORDED, filled
from tests.stores.redis.servers import TestedStore, server, settings_of
from tests.stores.samples import NOW, PORTAL, Clock, Worker
from tests.stores.test_recorded import (
    test_an_applications_cookies_stay,
    test_people_stay_signed_in,
    test_sign_ins_and_sign_outs_under_way_go_on,
    test_their_applications_are_still_told_of_the_end,
    test_their_provider_can_still_end_their_sessions,
    test_what_was_used_stays_used,
)

__all__ = (
    "test_an_applications_cookies_stay",
    "test_people_stay_signed_in",
    "test_sign_ins_and_sign_outs_under_way_go_on",
    "test_their_applications_are_still_told_of_the_end",
    "test_their_provider_can_still_end_their_sessions",
    "test_what_was_used_stays_used",
)
pytestmark = pytest.mark.service
FOLDER = RECORDED / "redis"
FILES = sorted(FOLDER.glob("*.json"))
EPOCH = b"(epoch)"
NAME = f"{redis_store.VERSION}.{VERSION}"
# How each kind of value is read and written whole.
_KINDS = {
    "string": (("GET",), "SET"),
    "hash": (("HGETALL",), "HSET"),
    "set": (("SMEMBERS",), "SADD"),
    "list": (("LRANGE", 0, -1), "RPUSH"),
    "zset": (("ZRANGE", 0, -1, "WITHSCORES"), "ZADD"),
}


async def written(store: TestedStore) -> dict[str, Any]:
    """With a session that ended, and what is left of it."""
    worker = Worker(store, Clock())
    await store.purge(NOW - 10**9, bury=True)
    buried = await worker.sign_in("buried")
    (ended,) = [one.id for one in await worker.sessions.of_browser(PORTAL, buried)]
    await worker.sessions.end([ended], buried=True)
    told = await filled(store)
    return {**told, "buried": buried.decode(), "ended": ended, "keys": await keys_of(store), "schema": 6}


async def keys_of(store: TestedStore) -> dict[str, list[Any]]:
    """By name without the prefix, the kind and all that it holds. Not the store's own age: that is of its server, and
    its epoch stands in the names of tickets, as EPOCH."""
    found: dict[str, list[Any]] = {}
    for key in await store.names():
        if key == store._keys.store:
            continue
        kind = (await ask(store, "TYPE", key)).decode()
        command, *rest = _KINDS[kind][0]
        value = await ask(store, command, key, *rest)
        parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else value
        parts = [value] if kind == "string" else parts
        name = key.removeprefix(store._server.prefix.encode()).replace(store._epoch.encode(), EPOCH)
        found[text(name)] = [kind, *(text(part) for part in parts)]
    return found


async def ask(store: TestedStore, *command: Any) -> Any:
    return await store._connections.ask(command, again=True)


def text(part: Any) -> str:
    return b64encode(part if isinstance(part, bytes) else b"%d" % int(part)).decode()


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def told(request: pytest.FixtureRequest) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(request.param.read_text())
    return read


@pytest.fixture
async def worker(told: dict[str, Any], valkey: int) -> AsyncIterator[Worker]:
    store = TestedStore(settings_of(valkey))
    await store.open()
    for name, (kind, *parts) in told["keys"].items():
        values = [b64decode(part) for part in parts]
        if kind == "zset":
            values = [part for pair in zip(values[1::2], values[::2], strict=True) for part in pair]
        key = store._server.prefix.encode() + b64decode(name).replace(EPOCH, store._epoch.encode())
        await ask(store, _KINDS[kind][1], key, *values)
    yield Worker(store, Clock())
    await store.close()


def test_what_this_release_writes_is_recorded() -> None:
    assert NAME in [file.stem for file in FILES], "python -m tests.stores.redis.test_recorded"


async def test_what_a_session_leaves_behind_is_read(told: dict[str, Any], worker: Worker) -> None:
    presented = read_cookie(told["buried"].encode())
    assert presented is not None
    stone = await worker.store.tombstone(presented.key, NOW)
    assert stone is not None
    assert (stone.host, stone.tenant) == (PORTAL, "21590350100017")
    *_, entries = await worker.store._run_step("", [steps.ended(0)])  # type: ignore[union-attr]
    assert told["ended"] in [encoding.ended_from_bytes(entry).session_id for entry in entries]


def main() -> None:
    async def recorded(port: int) -> dict[str, Any]:
        store = TestedStore(settings_of(port))
        await store.open()
        told = await written(store)
        await store.close()
        return told

    with TemporaryDirectory() as folder, server("valkey", Path(folder)) as port:
        told = asyncio.run(recorded(port))
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{NAME}.json"
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    print(file)


if __name__ == "__main__":
    main()
