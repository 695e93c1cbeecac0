"""A PHP application whose session no browser has: workers share it, and it ends with the person's session."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.browser.chromium import walked
from tests.interop.servers import php
from tests.patience import PATIENCE, until
from tests.raw_http import Connection
from tests.walks.place import Place
from tests.walks.world import World, opened, request

pytestmark = pytest.mark.service

PAGES, HERE = "pages.localhost", Path(__file__).parent
LOGOUT = "{url: /bye.php, method: post, form: {action: bye}, cookies: [PHPSESSID]}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place, inside = Place(tmp_path, workers=3), tmp_path / "pages"
    inside.mkdir()
    (port,) = free(1)
    upstream = f"{{url: http://127.0.0.1:{port}}}"
    place.write_app("pages", PAGES, upstream=upstream, cookies="{hidden: [PHPSESSID]}", logout=LOGOUT)
    with php(inside, port, HERE / "php/session.php"):
        async with opened(place) as world:
            yield world
            world.gateway.is_clean()


def sessions(world: World) -> int:
    """How many the application holds."""
    return len(list((world.place.folder / "pages").glob("sess_*")))


def jars(world: World) -> int:
    """How many people's hidden cookies the store has."""
    with closing(sqlite3.connect(world.place.database, timeout=PATIENCE)) as connection:
        (number,) = connection.execute("SELECT count(*) FROM jars").fetchone()
    return int(number)


def ends(world: World) -> list[str]:
    file = world.place.folder / "pages/bye"
    return file.read_text().splitlines() if file.exists() else []


async def test_each_worker_has_it_and_a_sign_out_ends_it(world: World) -> None:
    """Each request comes by a connection of its own, and so to any of three workers, right after the one before."""
    person = await world.signed_in(url=world.place.url(PAGES, "/page"))
    assert person.jar.get(PAGES, "PHPSESSID") is None
    assert person.jar.get(PAGES, "theme") == "dark"
    mark = person.jar.get(PAGES, "__Host-ecluse-c")
    assert mark is not None
    cookie = f"{world.cookie(person, PAGES)}; __Host-ecluse-c={mark}; PHPSESSID=forged"
    for number in range(2, 30):
        connection = await Connection.open(world.place.url())
        reading = await connection.exchange(request("/page", cookie, PAGES))
        await connection.close()
        assert reading.status == 200
        assert bytes(reading.body).endswith(b"alice: %d</p>" % number)
        assert "PHPSESSID" not in str(reading.headers)
    assert sessions(world) == 1
    await world.log_out(person, PAGES)
    await until(lambda: ends(world) == ["POST bye 29"])
    assert sessions(world) == 0
    assert "PHPSESSID" not in world.gateway.text()


async def test_who_signs_out_at_once_is_signed_out_there_too(world: World) -> None:
    """Before what the application has just set is in the store, at whichever worker."""
    for number in range(1, 9):
        person = await world.signed_in(url=world.place.url(PAGES, "/page"))
        await world.log_out(person, PAGES)
        await until(lambda number=number: len(ends(world)) >= number)
        assert ends(world) == ["POST bye 1"] * number
        assert sessions(world) == 0


async def test_it_ends_without_a_browser_too(world: World) -> None:
    person = await world.signed_in(url=world.place.url(PAGES, "/page"))
    await world.signed_in("bob", url=world.place.url(PAGES, "/page"))
    assert sessions(world) == 2
    # What a worker has seen of them is in the store a moment later, and a tenth of a second after that what the
    # application is told. That is sealed: whether it is there already, no test can see.
    await until(lambda: jars(world) == 2)
    await asyncio.sleep(1)
    await world.log_out(person, "portail.localhost")
    await until(lambda: ends(world) == ["POST bye 1"])
    assert sessions(world) == 1


@pytest.mark.browser
async def test_no_page_nor_response_shows_it_to_chromium(world: World) -> None:
    printed = await walked("hidden_cookie.mjs", {"app": world.place.url(PAGES, "")})
    assert "theme=dark" in printed
    await until(lambda: ends(world) == ["POST bye 3"])
    assert sessions(world) == 0
