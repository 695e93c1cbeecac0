"""A form or an upload that is sent when the session has ended is not lost: kept, then sent on by one click of the same
person, whole and once. Before PHP, which tells what has come."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser_like import Person, Response
from tests.interop.servers import php
from tests.walks.place import ONE, Place
from tests.walks.world import World, opened

SCRIPT = Path(__file__).parent / "php/deposit.php"
LARGE = 20 << 20
BOUNDARY = "----ecluse"


class Application:
    def __init__(self, folder: Path) -> None:
        self.log = folder / "deposits.jsonl"

    def received(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write_app("one", ONE, keep_posts="{}", session="{idle: 1s}", limits="{body: 100MB}")
    return place


@pytest.fixture
def application(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    application = Application(place.folder)
    monkeypatch.setenv("DEPOSITS", str(application.log))
    with php(place.folder, place.upstream_port, SCRIPT, ("post_max_size=64M", "upload_max_filesize=64M")):
        yield application


@pytest.fixture
async def world(place: Place, application: Application) -> AsyncIterator[World]:
    async with opened(place, serves=False) as world:
        yield world
        world.gateway.is_clean()


def multipart(content: bytes, token: str) -> tuple[str, bytes]:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'.encode(),
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="piece"; filename="plan.pdf"\r\n'
        "Content-Type: application/pdf\r\n\r\n".encode()
        + content
        + b"\r\n",
        f"--{BOUNDARY}--\r\n".encode(),
    ]
    return f"multipart/form-data; boundary={BOUNDARY}", b"".join(parts)


async def sent(person: Person, url: str, content_type: str, body: bytes, *more: tuple[str, str]) -> Response:
    origin = url.partition("/depot")[0]
    headers = [("Content-Type", content_type), ("Origin", origin), *more]
    return await person.step("POST", url, headers, body=body, initiator=url)


async def until_ended() -> None:
    await asyncio.sleep(2.1)


async def test_an_upload_of_20_mb_arrives_whole_and_once(world: World, application: Application) -> None:
    person = await world.signed_in(url=world.place.url(ONE, "/depot"))
    page = await person.open(world.place.url(ONE, "/depot"))
    token = page.forms()[0].fields[0][1]
    content_type, body = multipart(os.urandom(LARGE), token)
    await until_ended()
    kept = await sent(person, world.place.url(ONE, "/depot?annee=2026"), content_type, body)
    assert kept.status == 401, kept.text
    assert "Your form is not lost" in kept.text
    assert application.received() == []
    ready = await world.follow(person, await person.step("GET", kept.links()[-1]))
    assert ready.status == 200, ready.text
    assert "Your form is ready to be sent" in ready.text
    done = await person.submit(ready, ready.forms()[0])
    assert done.status == 200, done.text
    (told,) = application.received()
    assert done.json() == told
    assert told["target"] == "/depot?annee=2026"
    assert (told["type"], told["length"], told["user"]) == (content_type, str(len(body)), "alice")
    assert told["token_is_good"]
    again = await person.submit(ready, ready.forms()[0])
    assert again.status == 410
    assert len(application.received()) == 1
