"""The gateway, an application behind it, and providers that a test can script; people who sign in."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.attacks.provider import Issuer, Providers
from tests.browser_like import Person, Response
from tests.patience import PATIENCE
from tests.raw_http import Connection, Reading
from tests.walks.gateway import SERVE, Gateway
from tests.walks.place import ONE, TWO, Place
from tests.walks.upstream import Upstream

SEAT = "__Host-ecluse"
BINDING = "__Host-ecluse-b"
_LONGEST_CHAIN = 20


@dataclass
class World:
    """`alpha`, `beta`: issuers of these names, among `providers`; both apps list alpha alone."""

    place: Place
    gateway: Gateway
    upstream: Upstream
    alpha: Issuer
    beta: Issuer
    providers: Providers
    _people: list[Person] = field(default_factory=list)

    def person(self) -> Person:
        person = Person("en")
        self._people.append(person)
        return person

    async def signed_in(self, login: str = "alice", url: str = "") -> Person:
        person = self.person()
        page = await self.follow(person, await person.step("GET", url or self.place.url()), login)
        assert page.status == 200, f"{page.status} {page.url}: {page.text[:500]}"
        return person

    async def follow(self, person: Person, page: Response, login: str = "alice", *, before: str = "") -> Response:
        """Goes on from a redirect to the page it ends on, or to the redirect whose target has `before` in it."""
        for _ in range(_LONGEST_CHAIN):
            link = page.location
            if not link or (before and before in link):
                assert link or not before, f"never led to {before}: {page.status} {page.url}: {page.text[:500]}"
                return page
            if "/authorize?" in link:
                link += f"&as={login}"
            page = await person.step("GET", link, initiator=page.url)
        raise AssertionError(f"in circles: {page.url}")

    async def log_out(self, person: Person, host: str = ONE) -> Response:
        url = self.place.url(host, "/_ecluse/logout")
        return await person.post(url, "", headers=[("Sec-Fetch-Site", "same-origin")])

    def cookie(self, person: Person, host: str = ONE) -> str:
        value = person.jar.get(host, SEAT)
        assert value is not None, f"no seat on {host}"
        return f"{SEAT}={value}"

    def forget(self, person: Person) -> None:
        """One who is closed, where there are many."""
        self._people.remove(person)

    async def leave(self) -> None:
        for person in self._people:
            await person.close()
        self._people.clear()


def request(target: str = "/", cookie: str = "", host: str = ONE) -> bytes:
    """What a script of a page sends: never a redirect for an answer."""
    lines = f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
    return (lines + (f"Cookie: {cookie}\r\n" if cookie else "") + "\r\n").encode()


async def ask(url: str, target: str = "/", cookie: str = "", host: str = ONE) -> Reading:
    """One request on a connection of its own."""
    connection = await Connection.open(url)
    try:
        return await connection.exchange(request(target, cookie, host))
    finally:
        await connection.close()


def worker_of(reading: Reading) -> str:
    """Ids of requests begin with 16 characters of their worker's own."""
    told = json.loads(bytes(reading.body))
    return str(told["request_id"] if "request_id" in told else told["headers"]["x-request-id"])[:16]


async def from_every_worker(
    place: Place, target: str = "/", cookie: str = "", host: str = ONE, *, number: int = 0
) -> dict[str, set[int]]:
    """Connects until as many workers as there are (or `number`) have answered: worker to statuses."""
    found: dict[str, set[int]] = {}
    async with asyncio.timeout(PATIENCE):
        while len(found) < (number or place.workers):
            for reading in await asyncio.gather(*(ask(place.url(), target, cookie, host) for _ in range(8))):
                found.setdefault(worker_of(reading), set()).add(reading.status)
    return found


async def everywhere(place: Place, target: str = "/", cookie: str = "", host: str = ONE) -> set[int]:
    """What every worker answers."""
    return set().union(*(await from_every_worker(place, target, cookie, host)).values())


@asynccontextmanager
async def opened(
    place: Place,
    *,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str] = SERVE,
    output: int | None = None,
    serves: bool = True,
) -> AsyncIterator[World]:
    """Two applications on two hosts, both of provider alpha. Everything is stopped in the end. `serves`: both are the
    usual one; else the test has its own there."""
    upstream, providers = Upstream(), Providers(place.provider_port)
    alpha, beta = providers.add("alpha"), providers.add("beta")
    for name, issuer in (("alpha", alpha), ("beta", beta)):
        if not (place.policies / f"providers/{name}.yaml").exists():
            place.write_provider(name, issuer.url)
    for name, host in (("one", ONE), ("two", TWO)):
        if not (place.policies / f"apps/{name}.yaml").exists():
            place.write_app(name, host)
    gateway = Gateway(place, environment=environment, command=command, output=output)
    world = World(place, gateway, upstream, alpha, beta, providers)
    try:
        if serves:
            await upstream.start(place.upstream_port)
        await providers.start()
        await gateway.start()
        yield world
    finally:
        await world.leave()
        await gateway.end()
        await providers.stop()
        await upstream.stop()
