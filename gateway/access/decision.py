"""What policy says of one person on one path and method, before a request is there and for each one that comes."""

from typing import Final, final

from gateway.access.outcome import NEVER, Prepared
from gateway.config.snapshot import App
from gateway.identity.directories import known_until, known_with, missing_from
from gateway.model.codes import POLICY_PROVIDER, SESSION_TOO_WEAK
from gateway.model.decision import Challenge, Decision, Deny
from gateway.model.directory import Directory
from gateway.model.identity import Identity
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.routes import Match
from gateway.policy.step_up import needed, required
from gateway.translation.render import Translation

# Seconds. A border is a moment of the wall clock, which may be set, and does not go on while a machine sleeps.
_LOOKED_AT_AGAIN: Final = 60.0


@final
class AppIdentity:
    """One identity, or nobody, at one application: what holds of them whatever they ask for, found out once. `now`:
    monotonic seconds; `wall`: Unix seconds at the same time.

    `heard`: the identity with what its directories add, None where the application does not hear it: it counts as
    nobody (invariant 5). `missing`: a directory that could not say, without which the person is refused. `prepared`:
    what the application was last sent of them; `prepared_by`: where paths differ, by what it is told there.
    `valid_until`: monotonic seconds, past which a mandate has ended or begun, and nothing of this holds any more.
    """

    __slots__ = ("app", "heard", "is_unheard", "missing", "prepared", "prepared_by", "valid_until")

    def __init__(self, app: App, identity: Identity | None, now: float, wall: float) -> None:
        self.app = app
        accepted = identity is not None and app.accepts(identity)
        self.heard = identity if accepted else None
        self.missing: Directory | None = None
        self.valid_until = NEVER
        if self.heard is not None and app.directories:
            until = known_until(self.heard, app.directories, wall)
            if until != NEVER:
                self.valid_until = now + min(until - wall, _LOOKED_AT_AGAIN)
            self.missing = missing_from(self.heard, app.directories)
            self.heard = known_with(self.heard, app.directories, wall)
        self.is_unheard = identity is not None and not accepted
        self.prepared: Prepared | None = None
        self.prepared_by: dict[Translation, Prepared] | None = None if app.told_by_path is None else {}


class Question:
    """One identity (or nobody) at one application, on one path and method: all that is known before the request is
    asked. `match`: of the path, None where no rule has it.

    `told`: what the application is told there, None where its file says the same for all paths. `open`: two requests
    could be answered differently. Where a stronger sign-in would be let in, the answer is a challenge that says which.
    `has_path`: whether one request has the path that is asked about.
    """

    __slots__ = ("_match", "_method", "_tenant", "_whole", "has_path", "open", "told", "who")

    def __init__(
        self,
        who: AppIdentity,
        match: Match | None,
        method: str,
        tenant: str | None = None,
        told: Translation | None = None,
        *,
        has_path: bool = True,
    ) -> None:
        self.who = who
        self.told = told
        self.has_path = has_path
        self._method = method
        self._tenant = None if who.heard is None else tenant
        self._whole = self._match = match
        self.open = match is not None and match.turns_on_request
        if match is not None and self.open:
            self._match = settled(match, method, who.heard, Facts(method, self._tenant))

    def decision(self, asked: RequestFacts | None = None) -> Decision:
        """Never raises."""
        facts = Facts(self._method, self._tenant, asked)
        decision = decide(self._match, self._method, self.who.heard, facts)
        match decision:
            case Challenge() if self._whole is not None:
                reason = POLICY_PROVIDER if self.who.is_unheard else decision.reason
                return Challenge(decision.rule, reason, required(self._whole, self._method, facts))
            case Deny() if self.who.heard is not None and self._whole is not None and (asked or not self.open):
                need = needed(self._whole, self._method, self.who.heard, facts)
                return decision if need is None else Challenge(decision.rule, SESSION_TOO_WEAK, need)
            case _:
                return decision
