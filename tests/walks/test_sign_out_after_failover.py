"""A provider's sign-out that comes after the store's server was restarted, or another one took its place: what began
before the sign-out ends, and what began after it goes on, however often the sign-out comes."""

import asyncio
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.demo.ports import free
from gateway.oidc.logout_token import EVENT
from tests.attacks.provider import sign
from tests.patience import PATIENCE, until
from tests.stores.redis.servers import server
from tests.stores.redis.trio import NAME, Trio, trio
from tests.walks.place import Place
from tests.walks.world import World, everywhere, opened

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


class Servers(ABC):
    """The servers of sessions. `setting`: what gateway.yaml says of them."""

    setting: str

    @abstractmethod
    @contextmanager
    def running(self, folder: Path) -> Iterator[None]: ...

    @abstractmethod
    async def end_first(self) -> None:
        """The server that knows of what was used is there no more, and another one serves, or the same anew."""


class Alone(Servers):
    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        self._folder, (self._port,) = folder, free(1)
        self.setting = f"server: {{address: '127.0.0.1:{self._port}'}}"
        self._server = self._started()
        try:
            yield
        finally:
            self._server.__exit__(None, None, None)

    async def end_first(self) -> None:
        self._server.__exit__(None, None, None)
        self._server = self._started()

    def _started(self) -> AbstractContextManager[int]:
        started = server("valkey", self._folder, "--appendfsync", "always", port=self._port)
        started.__enter__()
        return started


class WithSentinels(Servers):
    _trio: Trio

    @contextmanager
    def running(self, folder: Path) -> Iterator[None]:
        with trio(folder) as self._trio:
            addresses = ", ".join(f"'127.0.0.1:{port}'" for port in self._trio.sentinels)
            self.setting = f"server: {{sentinel: {{name: {NAME}, addresses: [{addresses}]}}, replicas: 1}}"
            yield

    async def end_first(self) -> None:
        old = self._trio.primary()
        self._trio.process(old).kill()
        await until(lambda: self._trio.primary() != old)


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[Alone, WithSentinels], ids=lambda kind: kind.__name__
)
async def here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[World, Servers]]:
    servers: Servers = request.param()
    with servers.running(tmp_path_factory.mktemp("servers")):
        told = f"{{type: redis, {servers.setting}, keys: [{{id: k1, secret: {{file: ../certs/store.key}}}}]}}"
        place = Place(tmp_path_factory.mktemp("gateway"), workers=2, settings={"store": told})
        async with opened(place) as world:
            yield world, servers


def logout_token(world: World, who: str) -> str:
    now = int(time.time())
    claims = {
        "iss": world.alpha.url, "aud": "ecluse", "iat": now, "exp": now + 120, "jti": secrets.token_urlsafe(),
        "sub": who, "events": {EVENT: {}},
    }  # fmt: skip
    return sign(claims, world.alpha.signing_key, typ="logout+jwt")


async def delivered(world: World, token: str) -> int:
    """As a provider does that is told "try again" while the store is away."""
    url = world.place.portal("/_ecluse/oidc/backchannel/alpha")
    async with asyncio.timeout(PATIENCE):
        while (answer := await world.person().post(url, f"logout_token={token}")).status == 503:
            await asyncio.sleep(0.1)
    return answer.status


async def next_second() -> None:
    """Both times are told in whole seconds."""
    second = int(time.time())
    await until(lambda: int(time.time()) > second)


async def answers(world: World, cookie: str) -> set[int]:
    """Of every worker, once the store can say."""
    async with asyncio.timeout(PATIENCE):
        while 503 in (statuses := await everywhere(world.place, "/x", cookie)):
            await asyncio.sleep(0.1)
    return statuses


async def test_a_sign_out_that_comes_after_it_ends_the_session_and_no_later_one(here: tuple[World, Servers]) -> None:
    world, servers = here
    cookie = world.cookie(await world.signed_in())
    token = logout_token(world, "alice")
    await next_second()
    await servers.end_first()
    assert await answers(world, cookie) == {200}, "the control: the session outlives its server"
    assert await delivered(world, token) == 200
    assert await answers(world, cookie) == {401}

    later = world.cookie(await world.signed_in())
    for _ in range(2):
        assert await delivered(world, token) == 200
        assert await answers(world, later) == {200}
