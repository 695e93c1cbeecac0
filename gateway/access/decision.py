"""Policy's decisions about one person on one path and method: before a request, and for each request."""

from time import monotonic, thread_time
from typing import Final, final

from gateway.access.outcome import NEVER, Prepared
from gateway.config.snapshot import App
from gateway.identity.directories import known_until, known_with, missing_from
from gateway.model.codes import policy_codes, session_codes
from gateway.model.decision import Challenge, Decision, Deny
from gateway.model.directory import Directory
from gateway.model.identity import Identity
from gateway.policy.budget import Budget, Clocks
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.routes import Match
from gateway.policy.step_up import needed, required
from gateway.translation.render import Translation

# Seconds. A border is a moment of the wall clock, which may be set, and does not go on while a machine sleeps.
_LOOKED_AT_AGAIN: Final = 60.0
CLOCKS: Final = Clocks(monotonic, thread_time)
"""They end a decision that takes far longer than its steps (policy.budget)."""


@final
class AppIdentity:
    """One identity, or nobody, at one application: facts computed once, which hold for every request.

    `now`: monotonic seconds. `wall`: Unix seconds at the same moment.
    `accepted`: the identity with the attributes of directories. None: the application does not accept the identity, so
    the person counts as nobody (invariant 5).
    `is_refused`: the identity was not accepted.
    `missing`: a directory that could not answer, so the person is refused.
    `prepared`: the last data for the application. `prepared_by`: by translation, if the file has several.
    `valid_until`: monotonic seconds, when a mandate begins or ends and the facts change.
    """

    __slots__ = ("accepted", "app", "is_refused", "missing", "prepared", "prepared_by", "valid_until")

    def __init__(self, app: App, identity: Identity | None, now: float, wall: float) -> None:
        self.app = app
        self.accepted = identity if identity is not None and app.accepts(identity) else None
        self.is_refused = identity is not None and self.accepted is None
        self.missing: Directory | None = None
        self.valid_until = NEVER
        if self.accepted is not None and app.directories:
            until = known_until(self.accepted, app.directories, wall)
            if until != NEVER:
                self.valid_until = now + min(until - wall, _LOOKED_AT_AGAIN)
            self.missing = missing_from(self.accepted, app.directories)
            self.accepted = known_with(self.accepted, app.directories, wall)
        self.prepared: Prepared | None = None
        self.prepared_by: dict[Translation, Prepared] | None = None if app.path_translations is None else {}


class Question:
    """One identity (or nobody) at one application, on one path and method: the part of a decision known before a
    request.

    `match`: the path's match; None: no rule covers the path.
    `translation`: the path's translation; None: the file has one translation.
    `turns_on_request`: two requests could get different decisions.
    `has_path`: a request has the path in question.
    `budget`: of the conditions decided before a request; None: a new budget.

    If a stronger sign-in would be admitted, the decision is a challenge that names the sign-in.
    """

    __slots__ = ("_match", "_method", "_settled", "_tenant", "has_path", "translation", "turns_on_request", "who")

    def __init__(
        self,
        who: AppIdentity,
        match: Match | None,
        method: str,
        tenant: str | None = None,
        translation: Translation | None = None,
        *,
        has_path: bool = True,
        budget: Budget | None = None,
    ) -> None:
        self.who = who
        self.translation = translation
        self.has_path = has_path
        self._method = method
        self._tenant = None if who.accepted is None else tenant
        self._match = self._settled = match
        self.turns_on_request = match is not None and match.turns_on_request
        if match is not None and self.turns_on_request:
            facts = Facts(method, self._tenant, budget=budget or Budget(CLOCKS))
            self._settled = settled(match, method, who.accepted, facts)

    def decision(self, request: RequestFacts | None = None, budget: Budget | None = None) -> Decision:
        """`request`: the facts of one request; None: before a request.
        `budget`: shared by several questions; None: a new budget.
        Never raises.
        """
        budget = budget or Budget(CLOCKS)
        facts = Facts(self._method, self._tenant, request, budget)
        identity = self.who.accepted
        decision = decide(self._settled, self._method, identity, facts)
        match decision:
            case Challenge() if self._match is not None:
                budget.renew()
                reason = policy_codes.PROVIDER if self.who.is_refused else decision.reason
                asked_for = required(self._match, self._method, facts)
                return Challenge(decision.rule, reason, asked_for)
            case Deny() if identity is not None and self._match is not None and (request or not self.turns_on_request):
                budget.renew()
                need = needed(self._match, self._method, identity, facts)
                return decision if need is None else Challenge(decision.rule, session_codes.TOO_WEAK, need)
            case _:
                return decision
