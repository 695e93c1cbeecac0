"""Policy, then translation: the one place where a decision and what is injected are joined."""

from dataclasses import dataclass

from gateway.config.snapshot import App
from gateway.model.codes import POLICY_PROVIDER, SESSION_TOO_WEAK
from gateway.model.decision import Allow, Challenge, Decision, Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.decide import decide, settled
from gateway.policy.facts import Facts, RequestFacts
from gateway.policy.step_up import needed, required
from gateway.translation.render import Injection


@dataclass(frozen=True, slots=True)
class Passage:
    """The compiled result for one identity (or nobody) on one match and method: the decision, and what is injected."""

    decision: Decision
    injection: Injection | None


class Question:
    """One identity (or nobody) on one path and method: all that is known before the request is asked.

    `open`: two requests could be answered differently. An identity that the app does not hear counts as nobody
    (invariant 5). Where a stronger sign-in would be let in, the answer is a challenge that says which.
    """

    __slots__ = ("_app", "_heard", "_match", "_method", "_tenant", "_unheard", "_whole", "open")

    def __init__(
        self, app: App, segments: tuple[str, ...], method: str, identity: Identity | None, tenant: str | None = None
    ) -> None:
        heard = identity if identity is not None and app.hears(identity) else None
        self._app = app
        self._method = method
        self._heard = heard
        self._unheard = identity is not None and heard is None
        self._tenant = None if heard is None else tenant
        self._whole = self._match = app.routes.find(segments)
        self.open = self._match is not None and self._match.turns_on_request
        if self._match is not None and self.open:
            self._match = settled(self._match, method, heard, Facts(method, self._tenant))

    def decision(self, asked: RequestFacts | None = None) -> Decision:
        """Never raises."""
        facts = Facts(self._method, self._tenant, asked)
        decision = decide(self._match, self._method, self._heard, facts)
        match decision:
            case Challenge() if self._whole is not None:
                reason = POLICY_PROVIDER if self._unheard else decision.reason
                return Challenge(decision.rule, reason, required(self._whole, self._method, facts))
            case Deny() if self._heard is not None and self._whole is not None and (asked or not self.open):
                need = needed(self._whole, self._method, self._heard, facts)
                return decision if need is None else Challenge(decision.rule, SESSION_TOO_WEAK, need)
            case _:
                return decision

    def passage(self, decision: Decision) -> Passage:
        if not isinstance(decision, Allow):
            return Passage(decision, None)
        try:
            return Passage(decision, self._app.translation.render(self._heard))
        except GatewayError as error:
            return Passage(Deny(decision.rule, error.code, detail=error.detail), None)


def compile_passage(
    app: App, segments: tuple[str, ...], method: str, identity: Identity | None, facts: Facts | None = None
) -> Passage:
    """At once, for one request. `facts`: as `decide` takes them; what is left unsaid is unknown."""
    facts = facts or Facts(method)
    question = Question(app, segments, method, identity, facts.tenant)
    return question.passage(question.decision(facts.asked))
