"""A store that cannot say: 503 for what needs it, everything else goes on, and it mends by itself (invariant 9)."""

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.patience import PATIENCE, until
from tests.walks.load import Asked, Load, running
from tests.walks.place import Place
from tests.walks.world import World, everywhere, opened, request

WORKERS = 2
# What a worker knows it may still say for this long.
KNOWN = 1.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    # What follows the grace; tests/walks/test_grace.py has the grace.
    store = "{type: sqlite, grace: 0s, keys: [{id: k1, secret: {file: ../certs/store.key}}]}"
    async with opened(Place(tmp_path_factory.mktemp("store"), workers=WORKERS, settings={"store": store})) as world:
        yield world
        world.gateway.is_clean()


def replaced_by(content: bytes | None):
    @contextmanager
    def trouble(database: Path):
        """The database and its companions are away; `content` stands in its place."""
        names = [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]
        away = database.parent / "away"
        away.mkdir()
        for name in names:
            name.rename(away / name.name)
        if content is not None:
            database.write_bytes(content)
        yield
        for name in names:
            name.unlink(missing_ok=True)
        # The database last: it is there when all of it is.
        for name in reversed(names):
            (away / name.name).rename(name)
        away.rmdir()

    return trouble


def foreign() -> bytes:
    """Another program's database."""
    with sqlite3.connect(":memory:") as other:
        other.execute("CREATE TABLE theirs (x)")
        content = other.serialize()
    other.close()
    return content


TROUBLES = {
    "gone": replaced_by(None),
    "corrupt": replaced_by(b"\xde\xad\xbe\xef" * 4096),
    "emptied": replaced_by(b""),
    "of another program": replaced_by(foreign()),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_while_it_cannot_say_people_get_503_and_public_pages_go_on(world: World, trouble: str) -> None:
    cookie = world.cookie(await world.signed_in())
    assert await everywhere(world.place, "/x", cookie) == {200}
    mark = world.gateway.mark()
    private = Load(world.place.url(), lambda target: request(target, cookie), ["/a", "/b"], pause=0.02)
    public = Load(world.place.url(), request, ["/public/a", "/public/b"], pause=0.02)
    both = Load(world.place.url(), lambda target: request(target, cookie), ["/public/c"], pause=0.02)
    async with running(private, kept=3, anew=2), running(public, kept=2, anew=1), running(both, kept=2):
        await private.answers(20)
        with TROUBLES[trouble](world.place.database):
            began = time.monotonic()
            await asyncio.sleep(KNOWN + 0.2)
            nobody = world.person()
            page = await nobody.step("GET", world.place.url())
            # Each client has been answered more than once meanwhile.
            await private.answers(20)
            ended = time.monotonic()
            assert await said_ready(world, "unreachable") == (503, False)
        try:
            await until(lambda: {asked.status for asked in private.done[-50:]} == {200})
        except TimeoutError:
            raise AssertionError(f"it does not mend: {private.done[-3:]} {world.gateway.text(mark)[-2000:]}") from None
    assert {asked.status for asked in public.done + both.done} == {200}
    assert {asked.status for asked in private.done} == {200, 503}
    told = statuses(private.done, began + KNOWN + 0.1, ended)
    assert told == {503}, f"{told}: it was let in, or sent away, on no one's word"
    for asked in private.done:
        if asked.reading is not None and asked.status == 503:
            assert [value for name, value in asked.reading.headers if name.lower() == "retry-after"] == ["5"]
    # Who is not signed in is not sent to sign in, for nothing could come of it.
    assert (page.status, page.location) == (503, "")
    assert "<h1>" in page.text
    assert page.header("Retry-After") == "5"
    assert await said_ready(world, "ok") == (200, True)
    # A worker that has not told that it recovered would tell nothing of the next trouble.
    await until(lambda: told_by(world, mark, "store.recovered") == told_by(world, mark, "store.unreachable") != {})
    workers = told_by(world, mark, "store.unreachable")
    assert len(workers) <= WORKERS
    assert sum(workers.values()) <= 4 * WORKERS, "it is told again and again"


def told_by(world: World, mark: int, event: str) -> Counter[int]:
    """How often each worker has told it."""
    return Counter(line["pid"] for line in world.gateway.lines(mark, event=event))


async def said_ready(world: World, sessions: str) -> tuple[int, bool]:
    """Once readiness tells this of sessions."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status, text = await world.gateway.admin("/readyz")
            if (told := json.loads(text))["sessions"] == sessions:
                return status, told["ready"]
            await asyncio.sleep(0.02)


def statuses(asked: list[Asked], after: float, before: float) -> set[int]:
    return {each.status for each in asked if after < each.began and each.ended < before}


async def test_while_another_holds_the_write_lock_people_who_are_signed_in_go_on(world: World) -> None:
    cookie = world.cookie(await world.signed_in())
    private = Load(world.place.url(), lambda target: request(target, cookie), ["/a", "/b"], pause=0.02)
    holder = sqlite3.connect(world.place.database, isolation_level=None)
    async with running(private, kept=3, anew=2):
        holder.execute("BEGIN IMMEDIATE")
        page = await world.person().step("GET", world.place.url())
        holder.execute("ROLLBACK")
        await world.signed_in("bob")
    holder.close()
    assert {asked.status for asked in private.done} == {200}
    assert (page.status, page.location, page.header("Retry-After")) == (503, "", "5")


async def test_a_store_that_was_deleted_is_made_anew_and_everybody_signs_in_again(world: World) -> None:
    cookie = world.cookie(await world.signed_in())
    mark = world.gateway.mark()
    for name in world.place.database.parent.glob(f"{world.place.database.name}*"):
        name.unlink()
    line = await world.gateway.logged(mark, event="store.set_aside")
    assert (line["level"], line["detail"]) == ("error", f"{world.place.database}: it is gone")
    assert await said_ready(world, "ok") == (200, True)
    again = world.cookie(await world.signed_in())
    assert await everywhere(world.place, "/x", again) == {200}
    assert await everywhere(world.place, "/x", cookie) == {401}
    assert len(world.gateway.lines(mark, event="store.set_aside")) == 1
