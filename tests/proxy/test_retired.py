"""An old snapshot goes an application at a time, and nobody who waits holds it."""

import asyncio
from collections.abc import Callable
from dataclasses import fields, replace

from gateway.config.host_applications import HostApplications
from gateway.config.snapshot import App, Snapshot
from gateway.proxy import retired
from tests.config.samples import sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import APP, Gateway, ask, files, gateway
from tests.proxy.stand_ins import Holder

APPS = 30


class Watched(App):
    """Tells when it is freed."""

    __slots__ = ("freed",)

    freed: Callable[[], None]

    def __del__(self) -> None:
        self.freed()


def watched(port: int, freed: Callable[[], None]) -> Snapshot:
    url = f"http://127.0.0.1:{port}"
    more = {
        f"apps/app-{number}.yaml": APP.format(url=url, upstream="", more="").replace("permis", f"app-{number}")
        for number in range(APPS - 1)
    }
    snapshot = sample_snapshot({**files(port), **more})
    apps = {
        name: Watched(**{each.name: getattr(app, each.name) for each in fields(App)})
        for name, app in snapshot.apps.items()
    }
    for app in apps.values():
        object.__setattr__(app, "freed", freed)
    hosts = {host: HostApplications(apps[there.all[0].name]) for host, there in snapshot.exact_hosts.items()}
    return replace(snapshot, apps=apps, exact_hosts=hosts)


def take(gate: Gateway, snapshot: Snapshot) -> None:
    assert isinstance(gate.plane.holder, Holder)
    gate.plane.holder.snapshot = snapshot
    gate.plane.snapshot_swapped()


async def test_of_an_old_snapshot_each_turn_frees_one_application_and_in_the_end_all() -> None:
    freed = 0

    def count() -> None:
        nonlocal freed
        freed += 1

    async with application() as app, gateway(app) as gate:
        take(gate, watched(app.port, count))
        waiting = await gate.client()
        assert (await waiting.ask(ask(b"GET /public/a"))).status == 200
        other = sample_snapshot(files(app.port))
        for _ in range(retired._KEPT):
            take(gate, replace(other))
            await asyncio.sleep(0)
        assert freed == 0
        take(gate, replace(other))
        seen = [freed]
        for _ in range(3 * APPS):
            await asyncio.sleep(0)
            seen.append(freed)
        assert max(after - before for before, after in zip([0, *seen], seen, strict=False)) == 1
        # The connection that waits holds the one application that it was for, until its next request.
        assert freed == APPS - 1
        assert (await waiting.ask(ask(b"GET /public/a"))).status == 200
        assert freed == APPS


async def test_what_a_request_was_begun_under_stays_as_long_as_it_lasts() -> None:
    async with application(None) as app, gateway(app) as gate:
        client = await gate.client()
        client.send(ask(b"GET /public/a"))
        await app.request()
        for _ in range(2 * retired._KEPT):
            take(gate, sample_snapshot(files(app.port)))
            for _ in range(5):
                await asyncio.sleep(0)
        app.peers[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert (await client.answer()).body == b"ok"
