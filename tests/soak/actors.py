"""Those who use the gateway in a soak, each over and over until they are stopped, and say what was wrong."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.raw_http import Connection, Reading
from tests.soak.ledger import Ledger
from tests.walks.place import ONE, TWO
from tests.walks.world import SEAT, World, ask, everywhere, request

_LOGINS = ("alice", "bob", "root")
_APPLICATION_AWAY = {502, 503, 504}
_DIES_FOR = 0.3
_MESSAGES = 20


@dataclass
class Soak:
    """`pace`: seconds between two things that one of those who come and go does. `port`: of the notebook."""

    world: World
    ledger: Ledger
    pace: float
    notebook: int
    _stopping: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        for act in (
            self.comes_and_goes,
            self.reloads,
            self.application_dies,
            self.leaves_midway,
            self.talks,
            self.streams,
        ):
            self._tasks.append(asyncio.create_task(self._again_and_again(act)))

    async def end(self) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def _again_and_again(self, act: Callable[[int], Awaitable[None]]) -> None:
        number = 0
        while not self._stopping:
            try:
                await act(number)
            except (AssertionError, OSError, TimeoutError) as error:
                self.ledger.mistaken(f"{act.__name__} {number}: {error!r:.600}")
            number += 1
            await asyncio.sleep(self.pace)

    # --- pages, at a rate ---

    async def reads(self, login: str, cookie: str, gap: float) -> None:
        """One person who asks for a page every `gap` seconds, on a connection that is kept."""
        connection, number, due = None, 0, monotonic()
        while not self._stopping:
            number, due = number + 1, max(due + gap, monotonic() - gap)
            await asyncio.sleep(max(0.0, due - monotonic()))
            connection = connection or await Connection.open(self.world.place.url())
            if not await self._page(connection, login, cookie, f"/page/{login}/{number}"):
                await connection.close()
                connection = None
        if connection is not None:
            await connection.close()

    async def _page(self, connection: Connection, login: str, cookie: str, target: str) -> bool:
        """Whether the connection can be used again."""
        began = monotonic()
        try:
            reading = await connection.exchange(request(target, cookie))
        except (OSError, TimeoutError) as error:
            # A connection that was idle may end as this is sent.
            self.ledger.judge("ended idle", isinstance(error, ConnectionError), repr(error))
            return False
        if reading.status in _APPLICATION_AWAY and self.ledger.may_fail(began):
            self.ledger.right("told that the application is away")
        else:
            self.ledger.judge("page", is_theirs(reading, login, target), shown(reading, target))
        return connection.usable and not connection.ended

    # --- those who come and go ---

    async def comes_and_goes(self, number: int) -> None:
        """Signs in, reads, signs out: from then on the cookie opens nothing in any worker."""
        world, login, began = self.world, _LOGINS[number % len(_LOGINS)], monotonic()
        person = world.person()
        page = await world.follow(person, await person.step("GET", world.place.url()), login)
        if page.status in _APPLICATION_AWAY and self.ledger.may_fail(began):
            self.ledger.right("signed in while the application is away")
        else:
            self.ledger.judge("signed in", page.status == 200, f"{page.status} {page.url} {page.text[:300]}")
        cookie = world.cookie(person)
        before = await ask(world.place.url(), "/mine", cookie)
        self.ledger.judge(
            "reads", is_theirs(before, login, "/mine") or self.ledger.may_fail(began), shown(before, "/mine")
        )
        left = await world.log_out(person)
        self.ledger.judge("signed out", left.status == 200, left.status)
        after = await everywhere(world.place, "/mine", cookie)
        self.ledger.judge("refused after it", after == {401}, after)
        await person.close()
        world.forget(person)

    async def reloads(self, number: int) -> None:
        """Every fifth is of a broken file, and changes nothing."""
        place = self.world.place
        good = place.read("apps/one.yaml").partition("#")[0]
        if number % 5 == 4:
            place.write("apps/one.yaml", f"{good}nonsense: [\n")
            await self.world.gateway.reload("config.refused")
            place.write("apps/one.yaml", good)
        else:
            place.write("apps/one.yaml", f"{good}# {number}\n")
            await self.world.gateway.reload()
        self.ledger.right("reload")

    async def application_dies(self, number: int) -> None:
        """With all of its connections, and comes again."""
        await asyncio.sleep(self.pace * 3)
        with self.ledger.away():
            await self.world.upstream.die()
            await asyncio.sleep(_DIES_FOR)
            await self.world.upstream.start(self.world.place.upstream_port)
        self.ledger.right("application died")

    async def leaves_midway(self, number: int) -> None:
        """Within a head, within a body, within an answer."""
        url = self.world.place.url()
        head = f"POST /public/post HTTP/1.1\r\nHost: {ONE}\r\nContent-Length: 100000\r\n\r\n".encode()
        for begun in (head[:40], head + bytes(10_000), request("/public/stream?seconds=5")):
            _, writer = await asyncio.open_connection("127.0.0.1", self.world.place.port)
            writer.write(begun)
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0.1)
            writer.transport.abort()
        connection = await Connection.open(url)
        await connection.close()
        self.ledger.right("left midway")

    async def streams(self, number: int) -> None:
        """To the end, or to the application's."""
        began = monotonic()
        try:
            reading = await ask(self.world.place.url(), "/public/stream?seconds=1")
        except ConnectionError as error:
            self.ledger.judge("cut with its application", self.ledger.may_fail(began), repr(error))
            return
        whole = reading.status == 200 and bytes(reading.body) == b"".join(b"%07d\n" % each for each in range(20))
        away = reading.status in _APPLICATION_AWAY and self.ledger.may_fail(began)
        self.ledger.judge("streamed", whole or away, shown(reading, "/public/stream"))

    async def talks(self, number: int) -> None:
        """Through a WebSocket, across reloads; every other time until a sign-out ends it."""
        world = self.world
        person = await world.signed_in("bob", world.place.url(TWO))
        cookie = f"{SEAT}={person.jar.get(TWO, SEAT)}"
        async with self._tunnel(cookie) as socket:
            self.ledger.judge("tunnel", await socket.recv() == "hello bob", "another greeting")
            for each in range(_MESSAGES):
                await socket.send(f"{number} {each}")
                said = await socket.recv()
                self.ledger.judge("message", said == f"you said {number} {each}", said)
                await asyncio.sleep(self.pace / _MESSAGES)
            await world.log_out(person, TWO)
            with contextlib.suppress(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
            self.ledger.judge("tunnel ended", socket.close_code == 1008, socket.close_code)
        try:
            async with self._tunnel(cookie):
                self.ledger.mistaken("a tunnel after the sign-out")
        except InvalidStatus as refused:
            self.ledger.judge("no tunnel after it", refused.response.status_code == 401, refused)
        await person.close()
        world.forget(person)

    def _tunnel(self, cookie: str) -> connect:
        place = self.world.place
        return connect(
            f"ws://{TWO}:{place.port}/ws", host="127.0.0.1", port=place.port, origin=place.url(TWO, ""),  # type: ignore[arg-type]
            additional_headers={"Cookie": cookie},
        )  # fmt: skip


def is_theirs(reading: Reading, login: str, target: str) -> bool:
    if reading.status != 200:
        return False
    told = json.loads(bytes(reading.body))
    return bool(told["target"] == target and told["headers"].get("x-remote-user") == login and SEAT not in str(told))


def shown(reading: Reading, target: str) -> str:
    return f"{target}: {reading.status} {bytes(reading.body)[:300]!r}"
