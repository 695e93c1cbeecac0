"""What policy says of one person on one path and method, before a request is there and for each one that comes."""

from gateway.config.snapshot import App
from gateway.model.codes import POLICY_PROVIDER, SESSION_TOO_WEAK
from gateway.model.decision import Challenge, Decision, Deny
from gateway.model.identity import Identity
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.step_up import needed, required


class Question:
    """One identity (or nobody) on one path and method: all that is known before the request is asked.

    `open`: two requests could be answered differently. `heard`: the identity, None where the app does not hear it: it
    counts as nobody (invariant 5). Where a stronger sign-in would be let in, the answer is a challenge that says which.
    """

    __slots__ = ("_match", "_method", "_tenant", "_unheard", "_whole", "app", "heard", "open")

    def __init__(
        self, app: App, segments: tuple[str, ...], method: str, identity: Identity | None, tenant: str | None = None
    ) -> None:
        heard = identity if identity is not None and app.hears(identity) else None
        self.app = app
        self._method = method
        self.heard = heard
        self._unheard = identity is not None and heard is None
        self._tenant = None if heard is None else tenant
        self._whole = self._match = app.routes.find(segments)
        self.open = self._match is not None and self._match.turns_on_request
        if self._match is not None and self.open:
            self._match = settled(self._match, method, heard, Facts(method, self._tenant))

    def decision(self, asked: RequestFacts | None = None) -> Decision:
        """Never raises."""
        facts = Facts(self._method, self._tenant, asked)
        decision = decide(self._match, self._method, self.heard, facts)
        match decision:
            case Challenge() if self._whole is not None:
                reason = POLICY_PROVIDER if self._unheard else decision.reason
                return Challenge(decision.rule, reason, required(self._whole, self._method, facts))
            case Deny() if self.heard is not None and self._whole is not None and (asked or not self.open):
                need = needed(self._whole, self._method, self.heard, facts)
                return decision if need is None else Challenge(decision.rule, SESSION_TOO_WEAK, need)
            case _:
                return decision
