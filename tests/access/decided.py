"""What policy decides at once, for one request, and what the application is told then."""

from itertools import count
from typing import NamedTuple

from gateway.access.application import ApplicationAccess
from gateway.access.decision import AppIdentity, Question
from gateway.access.outcome import NEVER, NeedsWork, Prepared
from gateway.config.snapshot import App
from gateway.model.decision import Decision
from gateway.model.identity import Identity
from gateway.model.session import Seat
from gateway.policy.facts import Facts
from tests.config.samples import sample_snapshot

SNAPSHOT = sample_snapshot()


class Decided(NamedTuple):
    decision: Decision
    prepared: Prepared | NeedsWork | None


def decided_at_once(
    app: App, segments: tuple[str, ...], method: str, identity: Identity | None, facts: Facts | None = None
) -> Decided:
    """`facts`: as `decide` takes them; what is left unsaid is unknown."""
    facts = facts or Facts(method)
    question = Question(AppIdentity(app, identity, 0.0, 0.0), app.routes.find(segments), method, facts.tenant)
    access = ApplicationAccess(app, SNAPSHOT, count())
    seat = None if identity is None else Seat(b"", "", "", identity, facts.tenant, 0.0, NEVER, NEVER, 0.0)
    return Decided(*access._prepared(question, question.decision(facts.asked), seat, 0.0))
