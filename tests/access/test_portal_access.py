"""A portal host without an application: its own paths, and nothing else."""

import itertools

import pytest

from gateway.access.application import ApplicationAccess
from gateway.access.outcome import Refuse, ToPortal
from gateway.access.pipeline import outcome_of
from gateway.access.portal_access import PortalAccess
from gateway.access.virtual_host import AnyAccess, HostTable
from gateway.config.snapshot import App
from gateway.model.codes import limit_codes, route_codes, wire_codes
from gateway.model.errors import GatewayError
from gateway.policy.facts import RequestFacts
from tests.config.samples import sample_snapshot

SNAPSHOT = sample_snapshot({})


class Hosts(HostTable[AnyAccess]):
    def make_lane(self, app: App) -> ApplicationAccess:
        return ApplicationAccess(app, self.snapshot, itertools.count())

    def make_portal_lane(self) -> PortalAccess:
        return PortalAccess(self.snapshot, self.newcomers)


class Asked:
    credential = None

    def __init__(self, target: bytes) -> None:
        self.host = Hosts(SNAPSHOT).find(SNAPSHOT.gateway.portal_host.encode() + b":8443")
        self.line = self.host.lane.read_line(b"GET %b HTTP/1.1" % target)

    def facts(self) -> RequestFacts:
        raise AssertionError("no rule is asked here")


@pytest.mark.parametrize("target", [b"/", b"/?a=b", b"/favicon.ico", b"/_ecluse", b"/_ecluse/start?t=1"])
def test_a_path_of_ours_is_the_portals(target: bytes) -> None:
    assert outcome_of(Asked(target), None, 0.0) == (None, ToPortal("endpoint"))


@pytest.mark.parametrize("target", [b"/index.html", b"/_ECLUSE/start", b"/oauth2/auth", b"/oauth2/sign_in"])
def test_nobody_serves_any_other_path(target: bytes) -> None:
    _, outcome = outcome_of(Asked(target), None, 0.0)
    assert isinstance(outcome, Refuse)
    assert outcome.code is route_codes.RESERVED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"GET /a;b HTTP/1.1", wire_codes.TARGET),
        (b"PROPFIND / HTTP/1.1", wire_codes.METHOD),
        (b"GET /%b HTTP/1.1" % (b"a" * 8192), limit_codes.URL),
    ],
)
def test_a_line_is_read_as_strictly_as_any_applications(text: bytes, code: object) -> None:
    access = PortalAccess(SNAPSHOT)
    with pytest.raises(GatewayError) as refused:
        access.read_line(text)
    assert refused.value.code is code
    assert text not in access.lines


def test_a_line_that_was_read_is_remembered() -> None:
    access = PortalAccess(SNAPSHOT)
    line = access.read_line(b"GET / HTTP/1.1")
    assert access.lines[b"GET / HTTP/1.1"] is line


def test_the_browsers_own_port_stays() -> None:
    assert Asked(b"/").host.authority == SNAPSHOT.gateway.portal_host.encode() + b":8443"
