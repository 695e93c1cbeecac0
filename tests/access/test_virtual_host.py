"""Which application answers at a host, by the one reading of its name."""

from itertools import count

import pytest

from gateway.access.application import ApplicationAccess
from gateway.access.virtual_host import HostTable, host_of
from gateway.config.snapshot import App
from gateway.model.codes import route_codes, wire_codes
from gateway.model.errors import GatewayError
from tests.config.samples import PERMIS, sample_snapshot

HOSTS = "hosts: [permis.localhost, per_mis.localhost, '*.villes.localhost']"
SNAPSHOT = sample_snapshot({"apps/permis.yaml": PERMIS.replace("hosts: [permis.localhost]", HOSTS)})


class Hosts(HostTable[ApplicationAccess]):
    def make_lane(self, app: App) -> ApplicationAccess:
        return ApplicationAccess(app, self.snapshot, count(1))


@pytest.mark.parametrize("raw", [b"per_mis.localhost", b"PER_mis.localhost:8080", b"per_mis.localhost."])
def test_a_name_with_an_underscore_answers_where_a_file_lists_it(raw: bytes) -> None:
    host = Hosts(SNAPSHOT).find(raw)
    assert host.name == host_of(raw, SNAPSHOT) == "per_mis.localhost"
    assert host.lane.app is SNAPSHOT.apps["permis"]


@pytest.mark.parametrize(
    "raw",
    [
        b"per__mis.localhost",
        b"_per_mis.localhost",
        b"per_mis.localhost.evil.example",
        b"a.per_mis.localhost",
        # No wildcard stands for one: two readers of `_` differ, and nobody has written this one down.
        b"lille_1.villes.localhost",
        b"_dmarc.villes.localhost",
        b"por_tail.localhost",
        b"per_mis.localhost:",
        b"per_mis.localhost:080",
        b"per_mis.localhost@evil.example",
    ],
)
def test_no_other_one_is_a_host(raw: bytes) -> None:
    for read in (lambda: Hosts(SNAPSHOT).find(raw), lambda: host_of(raw, SNAPSHOT)):
        with pytest.raises(GatewayError) as refused:
            read()
        assert refused.value.code is wire_codes.HOST


def test_a_usual_name_that_nobody_lists_is_an_unknown_host() -> None:
    with pytest.raises(GatewayError) as refused:
        Hosts(SNAPSHOT).find(b"per-mis.localhost")
    assert refused.value.code is route_codes.HOST_UNKNOWN
