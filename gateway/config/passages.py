"""Policy, then translation: the one place where a decision and what is injected are joined."""

from gateway.config.snapshot import App, Passage
from gateway.model.codes import POLICY_PROVIDER
from gateway.model.decision import Allow, Challenge, Deny
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.policy.decide import decide
from gateway.policy.facts import Facts


def compile_passage(
    app: App, segments: tuple[str, ...], method: str, identity: Identity | None, facts: Facts | None = None
) -> Passage:
    """An identity that the app does not hear counts as nobody (invariant 5). `facts`: as `decide` takes them."""
    heard = identity if identity is not None and app.hears(identity) else None
    decision = decide(app.routes.find(segments), method, heard, facts)
    match decision:
        case Allow():
            try:
                return Passage(decision, app.translation.render(heard))
            except GatewayError as error:
                return Passage(Deny(decision.rule, error.code, detail=error.detail), None)
        case Challenge() if identity is not None:
            return Passage(Challenge(decision.rule, POLICY_PROVIDER), None)
        case _:
            return Passage(decision, None)
