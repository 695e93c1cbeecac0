"""Where an application may be, judged on the address that is connected to, each time that one is."""

import asyncio

import pytest

from gateway.config.snapshot import Snapshot
from gateway.proxy.lasting import still_allowed
from tests.config.samples import GATEWAY, sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import APP, Gateway, ask, gateway
from tests.proxy.stand_ins import Holder

PUBLIC = ask(b"GET /public/a")
TEAM_FILE = "apps/urba/permis.yaml"


def fenced(port: int, upstreams: str, host: str = "app.example") -> dict[str, str | None]:
    """The application as a file of a team, at a name that somebody else may turn elsewhere."""
    bounds = "hosts: [permis.localhost], providers: [metropole], headers: [X-Remote-User], cookies: [CTSESSION]"
    return {
        "gateway.yaml": f"{GATEWAY}teams: {{urba: {{{bounds}, upstreams: [{upstreams}]}}}}\n",
        "apps/permis.yaml": None,
        TEAM_FILE: APP.format(url=f"http://{host}:{port}", upstream="", more=""),
    }


def swap(gate: Gateway, snapshot: Snapshot) -> None:
    assert isinstance(gate.plane.holder, Holder)
    gate.plane.holder.snapshot = snapshot
    gate.plane.snapshot_swapped()


def leads_to(gate: Gateway, *found: str) -> None:
    """What the resolver says from here on."""

    async def resolve(host: str) -> tuple[str, ...]:
        return found

    gate.plane._pools._shared.addresses._resolve = resolve
    gate.plane._pools._shared.addresses._known.clear()


async def refused(gate: Gateway, why: str) -> None:
    answer = await gate.once(PUBLIC)
    assert (answer.status, answer.body.split()[0]) == (502, b"upstream.address")
    assert gate.log.named("upstream.failed")[-1]["detail"].endswith(why)


async def test_a_name_that_turns_beyond_the_fence_is_not_connected_to() -> None:
    async with application() as app, gateway(app) as gate:
        swap(gate, sample_snapshot(fenced(app.port, "10.1.0.0/16")))
        leads_to(gate, "127.0.0.1")
        why = "outside the fence of team urba: see teams.urba.upstreams in gateway.yaml"
        await refused(gate, why)
        leads_to(gate, "::ffff:127.0.0.1")
        await refused(gate, why)
        assert app.peers == []
        swap(gate, sample_snapshot(fenced(app.port, "127.0.0.0/8")))
        leads_to(gate, "127.0.0.1")
        assert (await gate.once(PUBLIC)).status == 200


async def test_what_is_refused_is_looked_up_anew_and_what_may_be_is_taken() -> None:
    async with application() as app, gateway(app) as gate:
        swap(gate, sample_snapshot(fenced(app.port, "127.0.0.1")))
        leads_to(gate, "10.0.0.1")
        await refused(gate, "in gateway.yaml")
        assert gate.plane._pools._shared.addresses._known["app.example"][0] < 0
        leads_to(gate, "10.0.0.1", "169.254.169.254", "127.0.0.1")
        assert (await gate.once(PUBLIC)).status == 200


async def test_a_kept_connection_is_not_taken_under_another_fence() -> None:
    """The team's fence was drawn closer: what was opened before is no way through it."""
    async with application() as app, gateway(app) as gate:
        swap(gate, sample_snapshot(fenced(app.port, "127.0.0.1")))
        leads_to(gate, "127.0.0.1")
        client = await gate.client()
        assert (await client.ask(PUBLIC)).status == 200
        swap(gate, sample_snapshot(fenced(app.port, "10.1.0.0/16")))
        assert (await client.ask(PUBLIC)).status == 502
        assert len(app.requests) == 1


@pytest.mark.parametrize(("upstreams", "lives"), [("10.1.0.0/16", False), ("app.example", True), ("127.0.0.0/8", True)])
async def test_what_streams_from_beyond_a_fence_that_is_drawn_since_is_cut(upstreams: str, lives: bool) -> None:
    """Invariant 12."""
    async with application(None) as app, gateway(app) as gate:
        swap(gate, sample_snapshot(fenced(app.port, "127.0.0.1")))
        leads_to(gate, "127.0.0.1")
        client = await gate.client()
        client.send(PUBLIC)
        await app.request()
        (connection,) = gate.plane.connections
        assert still_allowed(connection.request, connection.active.upstream, gate.plane.tables)
        swap(gate, sample_snapshot(fenced(app.port, upstreams)))
        assert still_allowed(connection.request, connection.active.upstream, gate.plane.tables) is lives


@pytest.mark.parametrize("found", ["127.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"])
@pytest.mark.parametrize("upstreams", ["", "app.example", "'0.0.0.0/0', '::/0'"])
async def test_the_gateway_itself_is_an_application_of_nobodys(found: str, upstreams: str) -> None:
    async with application() as app, gateway(app) as gate:
        gate.own.add(("127.0.0.1", app.port))
        unfenced = {"apps/permis.yaml": APP.format(url=f"http://app.example:{app.port}", upstream="", more="")}
        swap(gate, sample_snapshot(fenced(app.port, upstreams) if upstreams else dict(unfenced)))
        leads_to(gate, found)
        await refused(
            gate, "where this gateway listens itself or keeps its sessions: write the application's own address"
        )
        assert app.peers == []


@pytest.mark.parametrize("found", ["169.254.169.254", "fe80::1%lo", "0.0.0.0", "::", "224.0.0.1", "::ffff:0.0.0.0"])
async def test_nor_is_what_is_no_ones_address(found: str) -> None:
    async with application() as app, gateway(app) as gate:
        changes = {"apps/permis.yaml": APP.format(url=f"http://app.example:{app.port}", upstream="", more="")}
        swap(gate, sample_snapshot(changes))
        leads_to(gate, found)
        await refused(gate, "unspecified or a cloud's metadata service: no application may be there")
        await asyncio.sleep(0)
        assert app.peers == []
