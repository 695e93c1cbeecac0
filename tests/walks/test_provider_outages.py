"""A provider is killed, or hangs, under a gateway with two workers: the chooser says so, people are not sent there, and
they are again once it is back. On providers of others' making, each a process of its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from aiohttp import web

from deploy.demo.ports import free
from gateway.federation.client import TOLD
from gateway.federation.provider_looks import LOOK_SECONDS
from gateway.federation.provider_standing import CONFIRMED_AFTER, IN_A_ROW, SENT_PAUSE
from gateway.server.worker import _PUSH_EVERY
from tests.browser.chromium import walked
from tests.idp.keys import new_pair
from tests.idp.pysaml import Pysaml
from tests.op.process import OpenIdProvider
from tests.patience import PATIENCE
from tests.stores.redis.servers import server
from tests.walks.gateway import Gateway
from tests.walks.place import ONE, PORTAL_HOST, Place
from tests.walks.saml_world import SamlWorld, write_saml_provider
from tests.walks.world import World, opened

LABEL = "Fournisseur"
SILENT = "Does not answer for the moment"


class Peer(Protocol):
    """A provider that runs as a process, as `watched` in the policies of a place."""

    @property
    def url(self) -> str: ...

    @property
    def pid(self) -> int: ...

    def start_again(self) -> None: ...


class OpenidPeer:
    def __init__(self, place: Place) -> None:
        client = {
            "client_id": "ecluse",
            "client_secret": "a-secret-of-the-tests",
            "redirect_uris": [place.portal("/_ecluse/callback/watched")],
        }
        (port,) = free(1)
        told = {"helene": {"preferred_username": "helene"}}
        self._make = lambda: OpenIdProvider(
            [client], told, options={"conformIdTokenClaims": False}, port=port
        ).start()  # fmt: skip
        self._running = self._make()
        self.url = self._running.issuer
        lines = {"client_id": "ecluse", "client_secret": "a-secret-of-the-tests", "scopes": "[openid, profile]"}
        place.write_only_provider("watched", self.url, "corp.example", lines, f"label: {LABEL}\n")

    @property
    def pid(self) -> int:
        return self._running.pid

    def start_again(self) -> None:
        self.stop()
        self._running = self._make()

    def stop(self) -> None:
        self._running.stop()


class SamlPeer:
    def __init__(self, place: Place) -> None:
        own, (port,) = new_pair("ecluse"), free(1)
        certs = place.folder / "certs"
        (certs / "saml.key").write_text(own.key)
        (certs / "saml.crt").write_text(own.certificate)
        keys = "{id: k1, key: {file: ../certs/saml.key}, certificate: {file: ../certs/saml.crt}}"
        place.settings["saml"] = f"{{keys: [{keys}]}}"
        place.write_gateway()
        self._running = Pysaml(place.folder / "idp", port, new_pair("idp"))
        self.url = self._running.url
        (certs / "idp.xml").write_text(self._running.metadata)
        write_saml_provider(
            place,
            self._running.entity_id,
            "{file: ../certs/idp.xml}",
            saml="  common: [mail]\n",
            attributes=f"{{uid: NameID}}\nlabel: {LABEL}",
        )
        idp = place.policies / "providers/idp.yaml"
        place.write("providers/watched.yaml", idp.read_text().replace("provider: idp", "provider: watched"))
        idp.unlink()
        self._told = SamlWorld(place, Gateway(place), "watched").metadata()
        self._running.start(self._told)

    @property
    def pid(self) -> int:
        return self._running.pid

    def start_again(self) -> None:
        self.stop()
        self._running.start(self._told)

    def stop(self) -> None:
        self._running.stop()


@contextmanager
def beside(make: Callable[[Place], "OpenidPeer | SamlPeer"], place: Place) -> Iterator[Peer]:
    peer = make(place)
    try:
        yield peer
    finally:
        if peer._running is not None:
            peer.stop()


def chosen_among_two(place: Place) -> None:
    place.write_app("one", ONE, providers="watched, alpha")


async def sent(world: World, place: Place) -> None:
    """One more person is on the way to the provider, from whichever worker."""
    person = world.person()
    chooser = await world.follow(person, await person.step("GET", place.url(ONE)))
    (link,) = (link for link in chooser.links() if link.endswith("provider=watched"))
    # Of one that is gone already, a worker that has not had its document sends nobody.
    assert (await person.step("GET", link, initiator=chooser.url)).status in (303, 502)


async def everywhere_says(world: World, place: Place) -> set[bool]:
    """Whether the chooser says that it is silent: on so many connections that each worker has some."""
    found = set()
    for _ in range(16):
        person = world.person()
        page = await world.follow(person, await person.step("GET", place.url(ONE)))
        assert LABEL in page.text, page.text
        found.add(SILENT in page.text)
        world.forget(person)
        await person.close()
    return found


async def until_everywhere(world: World, place: Place, says: bool, within: float = PATIENCE) -> None:
    async with asyncio.timeout(within):
        while await everywhere_says(world, place) != {says}:
            await asyncio.sleep(0.1)


def looked(metrics: dict[str, float], result: str) -> float:
    return metrics.get(f'ecluse_provider_looks_total{{provider="watched",result="{result}"}}', 0.0)


async def seen(gateway: Gateway) -> None:
    await gateway.measured(lambda metrics: metrics.get('ecluse_provider_away{provider="watched"}') == 0.0)


def test_whoever_is_sent_first_is_the_last_in_ten_seconds() -> None:
    """Also where it hangs, and the last look was just before that."""
    hangs = IN_A_ROW * LOOK_SECONDS + (IN_A_ROW - 1) * CONFIRMED_AFTER
    assert max(_PUSH_EVERY, SENT_PAUSE) + hangs <= 9.0


@asynccontextmanager
async def controlled(become: dict[str, Callable[[], object]]) -> AsyncIterator[str]:
    """The address at which a walk says what is to become of the provider."""

    async def told(request: web.BaseRequest) -> web.StreamResponse:
        done = become[request.path.removeprefix("/")]()
        if asyncio.iscoroutine(done):
            await done
        return web.Response()

    runner = web.ServerRunner(web.Server(told), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.browser
@pytest.mark.parametrize("trouble", ["killed", "hangs"])
@pytest.mark.parametrize("make", [OpenidPeer, SamlPeer])
async def test_people_are_told_led_round_it_and_led_back(
    tmp_path: Path, make: Callable[[Place], OpenidPeer | SamlPeer], trouble: str
) -> None:
    place = Place(tmp_path)
    chosen_among_two(place)
    with beside(make, place) as peer:
        async with opened(place) as world:

            async def everywhere() -> None:
                assert await everywhere_says(world, place) == {True}

            become: dict[str, Callable[[], object]] = {
                "seen": lambda: seen(world.gateway),
                "killed": lambda: os.kill(peer.pid, signal.SIGKILL),
                "hangs": lambda: os.kill(peer.pid, signal.SIGSTOP),
                "everywhere": everywhere,
                "well": peer.start_again if trouble == "killed" else lambda: os.kill(peer.pid, signal.SIGCONT),
            }
            async with controlled(become) as control:
                site = {"app": place.url(ONE, ""), "portal": place.portal("").rstrip("/"), "control": control}
                await walked("provider_outage.mjs", {**site, "provider": peer.url, "trouble": trouble})
            events = [(line["event"], line["provider"]) for line in world.gateway.lines() if "watched" in line.values()]
            assert [event for event in events if event[0] in ("provider.away", "provider.back")] == [
                ("provider.away", "watched"),
                ("provider.back", "watched"),
            ]
            metrics = await world.gateway.metrics()
            assert metrics['ecluse_provider_away{provider="watched"}'] == 0.0
            assert looked(metrics, "failed") >= IN_A_ROW
            world.gateway.is_clean()


async def test_a_worker_that_starts_later_knows_it(tmp_path: Path) -> None:
    place = Place(tmp_path)
    chosen_among_two(place)
    with beside(OpenidPeer, place) as peer:
        async with opened(place) as world:
            await sent(world, place)
            await seen(world.gateway)
            os.kill(peer.pid, signal.SIGKILL)
            await sent(world, place)
            await until_everywhere(world, place, True)
            before = world.gateway.workers()
            os.kill(before[0], signal.SIGKILL)
            await world.gateway.serving(without=before[:1])
            assert await everywhere_says(world, place) == {True}
            world.gateway.is_clean(but=["worker.died"])


async def test_nobody_who_signs_in_costs_no_look(tmp_path: Path) -> None:
    place = Place(tmp_path)
    chosen_among_two(place)
    with beside(OpenidPeer, place):
        async with opened(place) as world:
            await everywhere_says(world, place)
            await asyncio.sleep(2 * _PUSH_EVERY)
            metrics = await world.gateway.metrics()
            assert (looked(metrics, "answered"), looked(metrics, "failed")) == (0.0, 0.0)


async def test_another_node_that_shares_the_store_says_so_too(tmp_path: Path) -> None:
    with server("valkey", tmp_path) as port:
        keys = "[{id: k1, secret: {file: ../certs/store.key}}]"
        told = f"{{type: redis, server: {{address: '127.0.0.1:{port}'}}, keys: {keys}}}"
        first = Place(tmp_path / "one", settings={"store": told})
        portal = {"portal": f"http://{PORTAL_HOST}:{first.port}"}
        second = Place(tmp_path / "two", settings={"store": told, **portal})
        second.upstream_port, second.provider_port = first.upstream_port, first.provider_port
        with beside(OpenidPeer, first) as peer:
            for place in (first, second):
                chosen_among_two(place)
            async with opened(first) as world:

                async def at_the_second() -> set[bool]:
                    """Every link to the portal leads to the first node, whose name it is."""
                    found = set()
                    for _ in range(8):
                        person = world.person()
                        begun = await person.step("GET", second.url(ONE))
                        page = await person.step("GET", begun.location.replace(f":{first.port}/", f":{second.port}/"))
                        assert LABEL in page.text, page.text
                        found.add(SILENT in page.text)
                        world.forget(person)
                        await person.close()
                    return found

                for name in ("watched", "alpha"):
                    second.write(f"providers/{name}.yaml", first.read(f"providers/{name}.yaml"))
                other = Gateway(second)
                try:
                    await other.start()
                    await sent(world, first)
                    await seen(world.gateway)
                    os.kill(peer.pid, signal.SIGKILL)
                    await sent(world, first)
                    await until_everywhere(world, first, True)
                    assert await at_the_second() == {True}
                    metrics = await other.metrics()
                    assert (looked(metrics, "answered"), looked(metrics, "failed")) == (0.0, 0.0), "by hearsay alone"
                    peer.start_again()
                    # What a worker itself has met counts for longer than that.
                    await until_everywhere(world, first, False, within=TOLD / 2)
                    async with asyncio.timeout(PATIENCE):
                        while await at_the_second() != {False}:
                            await asyncio.sleep(0.1)
                    other.is_clean()
                finally:
                    await other.end()
                world.gateway.is_clean()
