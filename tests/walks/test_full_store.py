"""People leave while the store is full (invariant 12).

The button, the provider's word and the operator's end the session in every worker. It stands ended when there is room
again, and after a restart.
"""

import asyncio
import os
import resource
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.attacks.provider import sign
from tests.patience import PATIENCE, until
from tests.stores.redis.servers import server
from tests.stores.redis.trio import ask
from tests.walks.gateway import Gateway
from tests.walks.place import Place
from tests.walks.test_full_disk import copied, limit
from tests.walks.test_session_command import listed, said
from tests.walks.world import World, everywhere, opened

WORKERS = 2
SIZE = 48 << 20
EVENT = "http://schemas.openid.net/event/backchannel-logout"


class Full(ABC):
    """A store of the gateway that another program can fill."""

    @abstractmethod
    @contextmanager
    def place(self, folder: Path) -> Iterator[Place]: ...

    @abstractmethod
    def fill(self) -> None: ...

    @abstractmethod
    def make_room(self) -> None: ...


class OnDisk(Full):
    """The state folder is on a file system of its own."""

    @contextmanager
    def place(self, folder: Path) -> Iterator[Place]:
        state = folder / "var"
        state.mkdir(mode=0o700)
        mounted = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(state)]
        if subprocess.run(mounted, capture_output=True).returncode:
            pytest.skip("this account may mount no file system")
        self._filled = state / "filled"
        yield Place(folder, workers=WORKERS)
        subprocess.run(["umount", "--lazy", str(state)], check=True)

    def fill(self) -> None:
        with self._filled.open("ab", buffering=0) as filled, suppress(OSError):
            while filled.write(b"x" * 4096) == 4096:
                pass

    def make_room(self) -> None:
        self._filled.unlink()


class OnServer(Full):
    @contextmanager
    def place(self, folder: Path) -> Iterator[Place]:
        with server("valkey", folder) as self._port:
            keys = "keys: [{id: k1, secret: {file: ../certs/store.key}}]"
            store = f"{{type: redis, server: {{address: '127.0.0.1:{self._port}'}}, {keys}}}"
            yield Place(folder, workers=WORKERS, settings={"store": store})

    def fill(self) -> None:
        ask(self._port, "CONFIG", "SET", "maxmemory", "1")

    def make_room(self) -> None:
        ask(self._port, "CONFIG", "SET", "maxmemory", "0")


FULL = [pytest.param(OnDisk, id="disk"), pytest.param(OnServer, id="server", marks=pytest.mark.service)]


async def told_by_provider(world: World, subject: str) -> int:
    """The status of the answer."""
    now = int(time.time())
    claims = {"iss": world.alpha.url, "aud": "ecluse", "iat": now, "exp": now + 120, "jti": f"of {subject}",
              "sub": subject, "events": {EVENT: {}}}  # fmt: skip
    token = sign(claims, world.alpha.signing_key, typ="logout+jwt")
    page = world.place.portal("/_ecluse/oidc/backchannel/alpha")
    return (await world.person().post(page, f"logout_token={token}")).status


async def is_full(world: World) -> None:
    """Once nobody can sign in any more, in a worker and in the other."""

    async def refused() -> bool:
        for _ in range(2 * WORKERS):
            if (await world.person().step("GET", world.place.url())).status != 503:
                return False
        return True

    while not await refused():
        pass


@pytest.mark.parametrize("kind", FULL)
@pytest.mark.slow
async def test_invariant_12_a_store_that_is_full_refuses_no_end(tmp_path: Path, kind: type[Full]) -> None:
    full = kind()
    with full.place(tmp_path) as place:
        async with opened(place) as world:
            people = {login: await world.signed_in(login) for login in ("alice", "bob", "carol", "dave")}
            cookies = {login: world.cookie(person) for login, person in people.items()}
            (carol,) = await listed(place, "--provider", "alpha", "--subject", "carol")
            full.fill()
            await is_full(world)
            assert await everywhere(place, "/x", cookies["alice"]) == {200}

            page = await world.log_out(people["alice"])
            assert page.status in (200, 303), page.text
            assert await everywhere(place, "/x", cookies["alice"]) == {401}
            assert await told_by_provider(world, "bob") == 200
            assert await everywhere(place, "/x", cookies["bob"]) == {401}
            assert await said(place, "revoke", "--id", carol["id"]) == (0, "ended: 1\n", "")
            assert await everywhere(place, "/x", cookies["carol"]) == {401}
            assert await everywhere(place, "/x", cookies["dave"]) == {200}
            assert not world.gateway.lines(event="revocation.unwritten"), "all of it is written"

            full.make_room()
            await world.signed_in("erin")
            await restarted(world.gateway)
            assert [await everywhere(place, "/x", cookies[login]) for login in people] == [{401}] * 3 + [{200}]
            world.gateway.is_clean()


async def restarted(gateway: Gateway) -> None:
    await gateway.stop()
    await gateway.start()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[int]:
    """Where the gateway writes its log: a pipe, which no limit of files meets."""
    reading, writing = os.pipe()
    thread = threading.Thread(target=copied, args=(reading, tmp_path / "gateway.log"), daemon=True)
    thread.start()
    yield writing
    os.close(writing)
    thread.join(PATIENCE)


@pytest.mark.slow
async def test_invariant_12_what_no_store_takes_ends_in_every_worker_and_in_those_that_start(
    tmp_path: Path, log: int
) -> None:
    """Files that may not grow at all: the room that is kept is of no use either."""
    place = Place(tmp_path, workers=WORKERS)
    async with opened(place, output=log) as world:
        people = {login: await world.signed_in(login) for login in ("alice", "bob", "carol")}
        cookies = {login: world.cookie(person) for login, person in people.items()}
        (carol,) = await listed(place, "--provider", "alpha", "--subject", "carol")
        limit(world.gateway, 0)
        mark = world.gateway.mark()
        page = await world.log_out(people["alice"])
        page = await world.follow(people["alice"], page) if page.location else page
        assert (page.status, "cannot record this sign-out" in page.text) == (200, True)
        assert await told_by_provider(world, "bob") == 503, "the provider may say it again"
        _, told, _ = await said(place, "revoke", "--id", carol["id"])
        assert told.splitlines()[1].startswith("not stored yet: 1")
        assert await opened_by(place, cookies) == {401}

        for pid in world.gateway.workers():
            os.kill(pid, signal.SIGKILL)
            await world.gateway.serving(without=[pid])
        assert await opened_by(place, cookies) == {401}, "a worker that starts learns of it first"

        limit(world.gateway, resource.RLIM_INFINITY)
        await until(lambda: written(world.gateway, mark) >= len(people))
        await restarted(world.gateway)
        assert await opened_by(place, cookies) == {401}
        world.gateway.is_clean(but=["worker.died"])


@pytest.mark.slow
@pytest.mark.service
async def test_invariant_12_an_operator_ends_a_session_by_its_id_though_the_store_is_away(tmp_path: Path) -> None:
    (port,) = free(1)
    keys = "keys: [{id: k1, secret: {file: ../certs/store.key}}]"
    store = f"{{type: redis, server: {{address: '127.0.0.1:{port}'}}, {keys}}}"
    with server("valkey", tmp_path, port=port):
        place = Place(tmp_path, workers=WORKERS, settings={"store": store})
        running = opened(place)
        world = await running.__aenter__()
        cookies = {login: world.cookie(await world.signed_in(login)) for login in ("alice", "bob")}
        (alice,) = await listed(place, "--provider", "alpha", "--subject", "alice")
    # Whose it is and whether there is one cannot be said: the end is in force in every worker all the same.
    code, told, errors = await said(place, "revoke", "--id", alice["id"])
    assert (code, told.splitlines()[0], told.splitlines()[1][:17]) == (1, "ended: 1", "not stored yet: 1")
    assert errors.startswith("ecluse: store.unreachable: ")
    code, told, _ = await said(place, "revoke", "--id", alice["id"], "--id", "another")
    assert (code, told) == (2, "")
    code, told, _ = await said(place, "revoke", "--provider", "alpha", "--yes")
    assert (code, told) == (1, "")
    with server("valkey", tmp_path, port=port):
        await until(lambda: written(world.gateway, 0) == 1)
        assert await opened_by(place, {"alice": cookies["alice"]}) == {401}
        assert await opened_by(place, {"bob": cookies["bob"]}) == {200}
        await running.__aexit__(None, None, None)


async def opened_by(place: Place, cookies: Mapping[str, str]) -> set[int]:
    """What every worker answers to each of them, once the store can say."""
    return set().union(*[await answers(place, cookie) for cookie in cookies.values()])


async def answers(place: Place, cookie: str) -> set[int]:
    async with asyncio.timeout(PATIENCE):
        while 503 in (statuses := await everywhere(place, "/x", cookie)):
            await asyncio.sleep(0.1)
    return statuses


def written(gateway: Gateway, mark: int) -> int:
    return sum(int(line["sessions"]) for line in gateway.lines(mark, event="revocation.written"))
