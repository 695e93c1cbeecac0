"""HAProxy as deploy/nodes has it asks each gateway on its traffic listener. Two gateways and a Valkey, on one machine;
each gateway reaches the Valkey by a way of its own."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from deploy.demo.ports import free
from tests.attacks.provider import Providers
from tests.interop.servers import found, running
from tests.patience import PATIENCE
from tests.raw_http import Reading
from tests.stores.redis.proxy import proxied
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.load import Load
from tests.walks.load import running as running_load
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.upstream import Upstream
from tests.walks.world import World, ask, request

HAPROXY = Path(__file__).parents[2] / "deploy/nodes/haproxy.cfg"
NAMES = ("one", "two")
# Seconds. An answer of the store that comes so late is none.
LATE, GRACE = 3.0, 6.0

pytestmark = [pytest.mark.service, pytest.mark.slow]


@dataclass
class Nodes:
    """`late`: by gateway, how late the store answers it."""

    world: World
    gateways: dict[str, Gateway]
    stats_port: int
    late: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, 0.0))

    @property
    def url(self) -> str:
        return self.world.place.url()

    async def states(self, backend: str = "ready") -> dict[str, str]:
        """What HAProxy says of each gateway: UP, DOWN or on the way from one to the other."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.stats_port)
        writer.write(b"show stat\n")
        head, *rows = (await reader.read()).decode().removeprefix("# ").strip().splitlines()
        writer.close()
        lines = [dict(zip(head.split(","), row.split(","), strict=True)) for row in rows]
        return {
            line["svname"]: line["status"]
            for line in lines
            if (line["pxname"], line["svname"] in NAMES) == (backend, True)
        }

    async def until(self, **states: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.states() != states:
                await asyncio.sleep(0.05)


def _place(folder: Path, front: int, port: int, store: int, first: Place | None) -> Place:
    keys = "keys: [{id: k1, secret: {file: ../certs/store.key}}]"
    place = Place(
        folder,
        workers=1,
        settings={
            "portal": f"http://{PORTAL_HOST}:{front}",
            "listen": f"[{{address: '127.0.0.1:{port}'}}]",
            "trusted_proxies": "[127.0.0.1/32]",
            "store": f"{{type: redis, server: {{address: '127.0.0.1:{store}'}}, grace: {GRACE:g}s, {keys}}}",
        },
    )
    place.port = front
    if first is not None:
        place.upstream_port, place.provider_port = first.upstream_port, first.provider_port
    place.write_provider("alpha", f"http://127.0.0.1:{place.provider_port}/alpha")
    place.write_app("one", ONE)
    return place


def _haproxy(folder: Path, front: int, stats: int, ports: list[int]) -> list[str]:
    """The shipped file without TLS towards people, with these gateways, and with a port that tells what it thinks."""
    text = HAPROXY.read_text()
    text = text.replace("bind :443 ssl crt /etc/haproxy/portail.pem", f"bind 127.0.0.1:{front}")
    text = text.replace("    http-request set-header X-Forwarded-Proto https\n", "")
    for number, port in enumerate(ports, 1):
        text = text.replace(f"10.0.0.1{number}:8080", f"127.0.0.1:{port}")
    text = "".join(line for line in text.splitlines(keepends=True) if "10.0.0.13" not in line)
    (folder / "haproxy.cfg").write_text(f"global\n    stats socket ipv4@127.0.0.1:{stats} level user\n\n{text}")
    return [found("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")]


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Nodes]:
    front, stats, *ports = free(2 + len(NAMES))
    (folder / "valkey").mkdir()
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(server("valkey", folder / "valkey"))
        nodes: list[Nodes] = []
        places: list[Place] = []
        for name, port in zip(NAMES, ports, strict=True):
            way = await stack.enter_async_context(
                proxied(valkey, lambda name=name: nodes[0].late[name] if nodes else 0.0)
            )
            places.append(_place(folder / name, front, port, way.port, places[0] if places else None))
        upstream, providers = Upstream(), Providers(places[0].provider_port)
        alpha, beta = providers.add("alpha"), providers.add("beta")
        await upstream.start(places[0].upstream_port)
        stack.push_async_callback(upstream.stop)
        await providers.start()
        stack.push_async_callback(providers.stop)
        gateways = {name: Gateway(place) for name, place in zip(NAMES, places, strict=True)}
        for gateway in gateways.values():
            stack.push_async_callback(gateway.end)
        await asyncio.gather(*(gateway.start() for gateway in gateways.values()))
        stack.enter_context(running(_haproxy(folder, front, stats, ports), folder / "haproxy.log", front))
        world = World(places[0], gateways["one"], upstream, alpha, beta, providers)
        stack.push_async_callback(world.leave)
        nodes.append(Nodes(world, gateways, stats))
        await nodes[0].until(one="UP", two="UP")
        yield nodes[0]


async def known_at_both(nodes: Nodes) -> str:
    cookie = nodes.world.cookie(await nodes.world.signed_in())
    for gateway in nodes.gateways.values():
        address = gateway.place.read("gateway.yaml").partition("address: '")[2].partition("'")[0]
        assert (await ask(f"http://{address}", "/x", cookie)).status == 200
    return cookie


def statuses(load: Load) -> Counter[int]:
    return Counter(asked.status for asked in load.done)


async def test_nobody_is_sent_to_a_gateway_that_is_cut_off_from_the_store_while_another_is_well(tmp_path: Path) -> None:
    async with opened(tmp_path) as nodes:
        cookie = await known_at_both(nodes)
        load = Load(nodes.url, partial(request, cookie=cookie), ["/x"], pause=0.02)
        async with running_load(load, kept=2, anew=2):
            nodes.late["two"] = LATE
            await nodes.until(one="UP", two="DOWN")
            # Beyond its grace, and well after that.
            await nodes.gateways["two"].logged(0, event="store.grace_over")
            await load.answers(100)
            # Somebody new has nobody's memory to live on.
            assert nodes.world.cookie(await nodes.world.signed_in("root"))
            nodes.late["two"] = 0.0
            await nodes.until(one="UP", two="UP")
            await load.answers(20)
        assert set(statuses(load)) == {200}, statuses(load)


async def test_where_no_gateway_is_ready_all_get_requests(tmp_path: Path) -> None:
    async with opened(tmp_path) as nodes:
        cookie = await known_at_both(nodes)
        nodes.late.update(one=LATE, two=LATE)
        await nodes.until(one="DOWN", two="DOWN")
        assert set((await nodes.states("alive")).values()) == {"UP"}
        # In the grace, who is known goes on.
        assert (await ask(nodes.url, "/x", cookie)).status == 200
        for gateway in nodes.gateways.values():
            await gateway.logged(0, event="store.grace_over")
        answer = await ask(nodes.url, "/x", cookie)
        assert (answer.status, {name.lower(): value for name, value in answer.headers}["retry-after"]) == (503, "5")
        assert b"store.unreachable" in bytes(answer.body)
        assert (await ask(nodes.url, "/public/a")).status == 200


async def test_a_gateway_that_drains_gets_nothing_new_and_nothing_is_cut(tmp_path: Path) -> None:
    async with opened(tmp_path) as nodes:
        upstream = nodes.world.upstream
        downloads: list[asyncio.Task[Reading]] = []
        for _ in range(4):
            before = upstream.requests
            downloads.append(asyncio.create_task(ask(nodes.url, "/public/stream?held")))
            while upstream.requests == before:
                await asyncio.sleep(0.01)
        held = {name: (await connections(gateway)) for name, gateway in nodes.gateways.items()}
        assert all(held.values()), f"one gateway has all of them: {held}"
        load = Load(nodes.url, request, ["/public/a"], pause=0.02)
        async with running_load(load, kept=2, anew=2):
            nodes.gateways["two"].signal(signal.SIGTERM)
            await nodes.gateways["two"].logged(0, event="gateway.draining")
            await nodes.until(one="UP", two="DOWN")
            await load.answers(100)
        assert set(statuses(load)) == {200}, statuses(load)
        upstream.go_on.set()
        for download in downloads:
            assert len(bytes((await download).body).splitlines()) == 20
        assert await nodes.gateways["two"].ended() == 0


async def connections(gateway: Gateway) -> int:
    return int((await gateway.measured(lambda told: True))["ecluse_http_active_requests"])
