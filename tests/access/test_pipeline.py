"""From a request to what is to be done with it, without a socket."""

from dataclasses import dataclass, field
from itertools import count

import pytest

from gateway.access.application import ApplicationAccess
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Refuse, RequireSignIn, ToPortal
from gateway.access.pipeline import awaited, outcome_of
from gateway.access.portal_access import PortalAccess
from gateway.access.program import ProgramToken
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import AnyAccess, HostTable, VirtualHost
from gateway.config.snapshot import App
from gateway.model.codes import api_codes, login_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.session import Seat
from gateway.policy.facts import RequestFacts
from tests.config.samples import PERMIS, sample_snapshot
from tests.proxy.stand_ins import COOKIE, Sessions, identity, seat

HOST = "permis.localhost"
NOW = 1000.0
LOGOUT = PERMIS + "logout: {links: [/quitter, '/wiki?do=logout']}\n"


class Hosts(HostTable[AnyAccess]):
    def make_lane(self, app: App) -> ApplicationAccess:
        return ApplicationAccess(app, self.snapshot, count(1))

    def make_portal_lane(self) -> PortalAccess:
        return PortalAccess(self.snapshot, self.newcomers)


@dataclass
class Asked:
    host: VirtualHost[AnyAccess]
    line: RequestLine
    credential: bytes | ProgramToken | None = None

    def facts(self) -> RequestFacts:
        return RequestFacts(None, (), "/", "", 0.0)


class Programs:
    """ports.Callers. `known`: a token that was accepted a moment ago; `error`: what another one raises."""

    def __init__(self) -> None:
        self.known: dict[bytes, Seat] = {}
        self.error: GatewayError | None = None

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        return self.known.get(token)

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        assert (app, host, owner) == ("permis", HOST, "metropole")
        if self.error is not None:
            raise self.error
        return seat(host, identity(uid="service"), b"")


@dataclass
class Here:
    sessions: Sessions = field(default_factory=Sessions)
    callers: Programs = field(default_factory=Programs)
    hosts: Hosts = field(default_factory=lambda: Hosts(sample_snapshot({"apps/permis.yaml": LOGOUT})))

    def asked(self, path: str, credential: bytes | ProgramToken | None = None, host: str = HOST) -> Asked:
        found = self.hosts.find(host.encode())
        return Asked(found, found.lane.read_line(f"GET {path} HTTP/1.1".encode()), credential)


TOKEN = ProgramToken(b"opaque", "metropole")


@pytest.mark.parametrize(
    ("path", "host", "outcome"),
    [
        ("/_ecluse/session", HOST, "endpoint"),
        ("/_ecluse", HOST, "endpoint"),
        ("/_ECLUSE/session", HOST, "route.reserved"),
        ("/quitter", HOST, "logout"),
        ("/wiki?do=logout", HOST, "logout"),
        ("/wiki?id=start&do=%6Cogout", HOST, "logout"),
        ("/x", "portail.localhost", "route.reserved"),
        ("/", "portail.localhost", "endpoint"),
        ("/favicon.ico", "portail.localhost", "endpoint"),
        ("/favicon.ico/x", "portail.localhost", "route.reserved"),
        ("/_ecluse/start", "portail.localhost", "endpoint"),
    ],
)
def test_what_is_for_no_application_is_told_before_it_is_asked_who_comes(path: str, host: str, outcome: str) -> None:
    here = Here()
    for credential in (None, COOKIE, TOKEN):
        who, found = outcome_of(here.asked(path, credential, host), here, NOW)
        assert who is None
        assert (
            found.purpose if isinstance(found, ToPortal) else isinstance(found, Refuse) and found.code.id
        ) == outcome


def test_who_asks_is_nobody_or_a_seat_of_this_worker_or_the_store_has_to_say() -> None:
    here, known = Here(), seat(HOST, identity(uid="jdupont"))
    assert isinstance(outcome_of(here.asked("/a"), here, NOW)[1], RequireSignIn)
    assert outcome_of(here.asked("/a", COOKIE), here, NOW) == (None, NeedsStore(HOST, COOKIE))
    here.sessions.hot[COOKIE] = known
    who, outcome = outcome_of(here.asked("/a", COOKIE), here, NOW)
    assert who is known
    assert isinstance(outcome, Forward)
    assert outcome.prepared.headers == b"\r\nX-Remote-User: jdupont"
    assert outcome_of(here.asked("/b", COOKIE), here, NOW)[1] is outcome, "kept ready"
    assert isinstance(outcome_of(here.asked("/admin/", COOKIE), here, NOW)[1], Refuse)


def test_a_dead_seat_is_nobodys() -> None:
    here, dead = Here(), seat(HOST, identity(uid="jdupont"))
    outcome_of(here.asked("/a"), dead, NOW)
    dead.live = False
    who, outcome = outcome_of(here.asked("/a"), dead, NOW)
    assert who is None
    assert isinstance(outcome, RequireSignIn)


def test_a_program_is_known_by_its_token_or_work_is_needed() -> None:
    here, program = Here(), seat(HOST, identity(uid="service"), b"")
    who, outcome = outcome_of(here.asked("/a", TOKEN), here, NOW)
    assert who is None
    assert isinstance(outcome, NeedsWork)
    here.callers.known[TOKEN.token] = program
    who, outcome = outcome_of(here.asked("/a", TOKEN), here, NOW)
    assert who is program
    assert isinstance(outcome, Forward)


async def waited_for(here: Here, asked: Asked) -> tuple[Seat | None, object]:
    who, outcome = outcome_of(asked, here, NOW)
    assert isinstance(outcome, NeedsStore | NeedsWork)
    return await awaited(asked, here.sessions, who, outcome, lambda: NOW)


async def test_what_was_needed_is_awaited_and_the_pipeline_asked_again() -> None:
    here, cold = Here(), seat(HOST, identity(uid="jdupont"))
    here.sessions.cold[COOKIE] = cold
    who, outcome = await waited_for(here, here.asked("/a", COOKIE))
    assert who is cold
    assert isinstance(outcome, Forward)
    who, outcome = await waited_for(here, here.asked("/a", b"another"))
    assert who is None
    assert isinstance(outcome, RequireSignIn)
    who, outcome = await waited_for(here, here.asked("/a", TOKEN))
    assert who is not None
    assert isinstance(outcome, Forward)


async def test_invariant_9_without_the_store_what_is_everybodys_is_served_to_nobody_in_particular() -> None:
    here = Here()
    here.sessions.error = GatewayError(store_codes.UNREACHABLE, "locked")
    who, outcome = await waited_for(here, here.asked("/public/a", COOKIE))
    assert who is None
    assert isinstance(outcome, Forward)
    for path in ("/a", "/admin/"):
        _, outcome = await waited_for(here, here.asked(path, COOKIE))
        assert isinstance(outcome, Refuse)
        assert (outcome.code, outcome.detail) == (store_codes.UNREACHABLE, "locked")


@pytest.mark.parametrize(
    ("code", "shown", "told"),
    [
        (api_codes.SCOPE, "api.scope", b'error="insufficient_scope"'),
        (login_codes.PROVIDER_UNREACHABLE, None, b""),
    ],
)
async def test_a_token_that_is_not_accepted_is_refused_on_public_paths_too(
    code: object, shown: str, told: bytes
) -> None:
    here = Here()
    here.callers.error = GatewayError(code, "why")
    for path in ("/a", "/public/a"):
        _, outcome = await waited_for(here, here.asked(path, TOKEN))
        assert isinstance(outcome, Refuse)
        assert (outcome.code, outcome.bearer) == (code, told)
        assert (outcome.shown and outcome.shown.id) == shown
