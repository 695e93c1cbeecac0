"""A shadow's different answer."""

from typing import NamedTuple

from gateway.access.outcome import Prepared
from gateway.model.decision import Decision

OTHERWISE_TOLD = "allow, told otherwise"


class ShadowDifference(NamedTuple):
    """`live`, `shadow`: allow, deny or challenge. Rules by their names in the log; empty: no rule."""

    live: str
    live_rule: str
    shadow: str
    shadow_rule: str


def difference(
    live: Decision, prepared: Prepared | None, shadow: Decision, would_prepare: Prepared | None
) -> ShadowDifference | None:
    """None where the person would see the same: the same decision, and the application told the same."""
    kind, instead = _kind(live), _kind(shadow)
    if kind == instead:
        if prepared == would_prepare:
            return None
        instead = OTHERWISE_TOLD
    return ShadowDifference(kind, _rule(live), instead, _rule(shadow))


def _kind(decision: Decision) -> str:
    return type(decision).__name__.lower()


def _rule(decision: Decision) -> str:
    return "" if decision.rule is None else f"{decision.rule.file}:{decision.rule.line}"
