"""Invariant 16, of mandates: nothing that was decided or prepared while one was held outlives its last day."""

from dataclasses import replace
from itertools import count

import pytest

from gateway.access.application import ApplicationAccess, ConditionalDecision
from gateway.access.outcome import NEVER, Forward, Outcome, Prepared, Refuse
from gateway.access.pipeline import outcome_of
from gateway.access.virtual_host import HostTable
from gateway.config.snapshot import App
from gateway.identity.directories import finding_of
from gateway.identity.mandates import span_of
from gateway.model.codes import directory_codes, policy_codes
from gateway.model.identity import Identity
from gateway.model.session import Seat
from tests.access.test_pipeline import Asked
from tests.config.samples import METROPOLE, sample_snapshot

LILLE = "21590350100017"
SOURCE = """\
version: 1
directory: elus
csv: {path: ../elus.csv}
rows: many
key: {uid: {from: uid, providers: [metropole]}}
gives:
  mandates: {type: mandates, mandate: {office: office, siren: siren, start: start, end: end, zone: Europe/Paris}}
"""
APP = """\
version: 1
app: permis
hosts: [permis.localhost]
upstream: {url: http://127.0.0.1:9001}
providers: [metropole]
directories: [elus]
translate:
  headers:
    X-Mandats: {from: mandates, join: ","}
    X-Organismes: {from: mandates_in_full, join: ","}
access:
  - {path: /**, allow: signed_in}
  - {path: /conseil/**, allow: {mandate: {office: maire, of: tenant}}}
  - {path: /ailleurs/**, allow: {mandate: adjoint}}
  - {path: /soir/**, allow: {all: [{mandate: maire}, {network: 10.0.0.0/8}]}}
  - {path: /sans/**, allow: signed_in, deny: {not: {mandate: maire}}}
"""
BOTH = METROPOLE.replace('["21590350100017"]', '["21590350100017", "22590001800014"]')
SNAPSHOT = sample_snapshot({"directories/elus.yaml": SOURCE, "apps/permis.yaml": APP, "providers/metropole.yaml": BOTH})
TERM = {"office": ("maire",), "siren": ("215903501",), "start": ("2020-05-25",), "end": ("2026-03-29",)}
NEXT = {"office": ("adjoint",), "siren": ("215903501",), "start": ("2026-03-31",), "end": ("2032-03-21",)}


class Clocks(HostTable[ApplicationAccess]):
    """`wall`: Unix seconds, `mono`: monotonic ones."""

    def __init__(self) -> None:
        self.mono, self.wall = 1000.0, 0.0
        super().__init__(SNAPSHOT)

    def make_lane(self, app: App) -> ApplicationAccess:
        return ApplicationAccess(app, self.snapshot, count(1), wall=lambda: self.wall)

    def passes(self, seconds: float) -> None:
        self.mono += seconds
        self.wall += seconds

    def asked(self, path: str, who: Seat) -> Outcome:
        host = self.find(b"permis.localhost")
        line = host.lane.read_line(f"GET {path} HTTP/1.1".encode())
        return outcome_of(Asked(host, line), who, self.mono)[1]


def elected(*rows: dict[str, tuple[str, ...]], tenant: str | None = LILLE) -> Seat:
    finding, faults = finding_of(SNAPSHOT.directories["elus"], rows, 0)
    assert not faults
    attributes = {"uid": ("a",)} | ({} if tenant is None else {"siret": (tenant,)})
    who = Identity("metropole", "http://127.0.0.1:9400", "s-1", attributes, findings=(finding,))
    return Seat(b"c", "permis.localhost", "s", who, tenant, 1800.0, NEVER, NEVER, NEVER)


@pytest.fixture
def clocks() -> Clocks:
    """A second before the last midnight of TERM."""
    found = Clocks()
    finding = elected(TERM).identity.findings[0]
    found.wall = span_of(finding.terms[0])[1] - 1
    return found


def told(outcome: Outcome) -> bytes:
    assert isinstance(outcome, Forward)
    return outcome.prepared.headers


def test_what_was_kept_ready_ends_with_the_mandate(clocks: Clocks) -> None:
    who = elected(TERM)
    let_in = clocks.asked("/conseil/", who)
    assert isinstance(let_in, Forward)
    assert told(let_in) == b"\r\nX-Mandats: maire\r\nX-Organismes: maire:215903501"
    assert clocks.asked("/conseil/", who) is let_in, "kept ready until then"
    assert (let_in.valid_until, let_in.prepared.valid_until) == (clocks.mono + 1, clocks.mono + 1)
    assert told(clocks.asked("/", who)) == told(let_in)
    clocks.passes(0.999)
    assert clocks.asked("/conseil/", who) is let_in
    clocks.passes(0.001)
    refused = clocks.asked("/conseil/", who)
    assert isinstance(refused, Refuse)
    assert refused.code.id == "policy.not_allowed"
    assert told(clocks.asked("/", who)) == b"", "it is told of no office either"
    assert clocks.asked("/", who).valid_until == NEVER  # type: ignore[union-attr]


def test_the_next_one_begins_by_itself(clocks: Clocks) -> None:
    who = elected(TERM, NEXT)
    assert isinstance(clocks.asked("/ailleurs/", who), Refuse)
    clocks.passes(1)
    assert isinstance(clocks.asked("/conseil/", who), Refuse)
    assert isinstance(clocks.asked("/ailleurs/", who), Refuse)
    clocks.passes(86400)
    assert isinstance(clocks.asked("/ailleurs/", who), Forward)
    assert isinstance(clocks.asked("/conseil/", who), Refuse)


def test_a_rule_that_asks_of_the_request_too_is_asked_anew(clocks: Clocks) -> None:
    who = elected(TERM)
    clocks.asked("/soir/", who)
    (kept,) = [one for one in who.outcomes.values() if isinstance(one, ConditionalDecision)]
    assert kept.valid_until == clocks.mono + 1
    clocks.passes(1)
    outcome = clocks.asked("/soir/", who)
    assert isinstance(outcome, Refuse)
    assert outcome.code.id == "policy.not_allowed", "whatever the network"


def test_who_holds_no_mandate_any_more_is_met_by_a_deny(clocks: Clocks) -> None:
    who = elected(TERM)
    assert isinstance(clocks.asked("/sans/", who), Forward)
    clocks.passes(1)
    outcome = clocks.asked("/sans/", who)
    assert isinstance(outcome, Refuse)
    assert outcome.code.id == "policy.denied"


def test_a_clock_that_is_set_is_looked_at_within_a_minute(clocks: Clocks) -> None:
    clocks.wall -= 86400
    who = elected(TERM)
    assert isinstance(clocks.asked("/conseil/", who), Forward)
    # The machine slept over midnight: its monotonic clock stood still.
    clocks.wall += 2 * 86400
    clocks.mono += 60
    assert isinstance(clocks.asked("/conseil/", who), Refuse)
    clocks.wall -= 2 * 86400
    assert isinstance(clocks.asked("/conseil/", elected(TERM)), Forward)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (elected(TERM, tenant="22590001800014"), "policy.not_allowed"),
        (elected(TERM, tenant=None), "policy.unknown"),
        (elected(NEXT), "policy.not_allowed"),
        (elected(), "policy.not_allowed"),
        (elected({**TERM, "siren": ("225900018",)}), "policy.not_allowed"),
    ],
    ids=["acts for another", "acts for nobody", "another office, later", "no row", "of another organisation"],
)
def test_no_other_mandate_opens(clocks: Clocks, who: Seat, reason: str) -> None:
    outcome = clocks.asked("/conseil/", who)
    assert isinstance(outcome, Refuse)
    assert outcome.code.id == reason


def test_what_was_prepared_is_the_same_for_those_without_a_border(clocks: Clocks) -> None:
    who = elected({**TERM, "end": ("9999-12-31",)})
    outcome = clocks.asked("/conseil/", who)
    assert isinstance(outcome, Forward)
    assert (outcome.valid_until, type(outcome.prepared)) == (NEVER, Prepared)


def test_invariant_9_a_directory_that_did_not_say_is_told_apart_from_one_that_says_no(clocks: Clocks) -> None:
    unsaid = elected(TERM)
    unsaid.identity = replace(unsaid.identity, findings=())
    for who, code in ((unsaid, directory_codes.AWAY), (elected(NEXT), policy_codes.NOT_ALLOWED)):
        found = clocks.asked("/conseil/x", who)
        assert isinstance(found, Refuse)
        assert found.code is code
    assert isinstance(clocks.asked("/conseil/x", elected(TERM)), Forward)
