"""From a Host header to what answers there."""

import pytest

from gateway.access import remembered
from gateway.model.errors import GatewayError
from gateway.proxy.tables import RequestTables
from gateway.proxy.upstream.pools import Pools
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.applications import application
from tests.proxy.gateways import gateway

WILD = PERMIS.replace("app: permis", "app: wild").replace("[permis.localhost]", '["*.wild.localhost"]')
WILD += "public: {scheme: https}\n"


def places() -> RequestTables:
    return RequestTables(sample_snapshot({"apps/wild.yaml": WILD}), Pools(None, None, None), iter(range(1000)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "host", "app", "line"),
    [
        (b"permis.localhost", "permis.localhost", "permis", b"permis.localhost"),
        (b"PERMIS.Localhost", "permis.localhost", "permis", b"permis.localhost"),
        (b"permis.localhost.", "permis.localhost", "permis", b"permis.localhost"),
        (b"permis.localhost:8080", "permis.localhost", "permis", b"permis.localhost:8080"),
        (b"permis.localhost.:8080", "permis.localhost", "permis", b"permis.localhost:8080"),
        # A port that is not the public one (8080 here, the portal's): the application would write it into its links.
        (b"permis.localhost:80", "permis.localhost", "permis", b"permis.localhost:8080"),
        (b"permis.localhost:1337", "permis.localhost", "permis", b"permis.localhost:8080"),
        (b"a.wild.localhost:1", "a.wild.localhost", "wild", b"a.wild.localhost"),
        (b"a.wild.localhost:443", "a.wild.localhost", "wild", b"a.wild.localhost:443"),
        (b"a.wild.localhost", "a.wild.localhost", "wild", b"a.wild.localhost"),
        (b"portail.localhost", "portail.localhost", "_portal", b"portail.localhost"),
    ],
)
def test_each_spelling_of_a_host_has_one_place(raw: bytes, host: str, app: str, line: bytes) -> None:
    here = places()
    place = here.find(raw)
    assert (place.name, place.lane.name, place.line, place.authority) == (host, app, b"\r\nHost: " + line, line)
    assert place.portal is (app == "_portal")
    assert here.by_host[raw] is place


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "wire.host"), (b"permis_localhost", "wire.host"), (b"permis.localhost:0443", "wire.host"),
        (b"permis.localhost:", "wire.host"), (b"permis.localhost:99999", "wire.host"),
        (b"app@permis.localhost", "wire.host"),
        (b"permis.localhost/evil", "wire.host"), (b"permis.localhost,evil", "wire.host"), (b"[::1]", "wire.host"),
        (b"permis.localhost..", "wire.host"), (b"2130706433", "wire.host"), (b"0x7f.1", "wire.host"),
        (b"127.0.0.1", "route.host_unknown"), (b"evil.example", "route.host_unknown"),
        (b"wild.localhost", "route.host_unknown"), (b"a.b.wild.localhost", "route.host_unknown"),
        (b"x.permis.localhost", "route.host_unknown"),
    ],
)  # fmt: skip
def test_any_other_host_is_nobodys_and_is_not_remembered(raw: bytes, code: str) -> None:
    """PC13, PC14."""
    here = places()
    with pytest.raises(GatewayError) as caught:
        here.find(raw)
    assert (caught.value.code.id, here.by_host) == (code, {})


@pytest.mark.parametrize("status", [400])
@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (b"Host: permis.localhost",) * 2,
        (b"Host: permis.localhost", b"host: evil.example"),
        (b"Host:",),
        (b"Host : permis.localhost",),
    ],
)
async def test_a_head_has_one_host_line(hosts: tuple[bytes, ...], status: int) -> None:
    async with application() as app, gateway(app) as gate:
        answer = await gate.once(b"\r\n".join((b"GET /public/a HTTP/1.1", *hosts, b"X-A: 1", b"", b"")))
        assert (answer.status, app.peers) == (status, [])


def test_what_strangers_fill_is_bounded() -> None:
    here = places()
    for number in range(10_000):
        here.find(b"h%d.wild.localhost" % number)
    assert len(here.by_host) == remembered._NEWCOMERS


def test_hosts_of_one_application_share_a_lane() -> None:
    here = places()
    assert here.find(b"a.wild.localhost").lane is here.find(b"b.wild.localhost").lane
    assert {lane.name for lane in here.lanes} == {"wild"}


def test_a_host_as_its_application_spells_it_is_never_evicted() -> None:
    here = places()
    usual = here.find(b"permis.localhost:8080")
    odd, somebodys = here.find(b"PERMIS.localhost:8080"), here.find(b"a.wild.localhost")
    somebodys.let_in = True
    for number in range(20_000):
        here.find(b"h%d.wild.localhost" % number)
    assert here.by_host[b"permis.localhost:8080"] is usual
    assert here.by_host[b"a.wild.localhost"] is somebodys
    assert odd not in here.by_host.values()
