"""What a shadow would have answered otherwise."""

from typing import NamedTuple

from gateway.access.decision import Passage
from gateway.model.decision import Decision

OTHERWISE_TOLD = "allow, told otherwise"


class Difference(NamedTuple):
    """`live`, `shadow`: allow, deny or challenge. The rules as the log names them, empty where there is none."""

    live: str
    live_rule: str
    shadow: str
    shadow_rule: str


def difference(live: Passage, shadow: Passage) -> Difference | None:
    """None where the person would see the same: the same decision, and the application told the same."""
    one, other = live.decision, shadow.decision
    kind, instead = _kind(one), _kind(other)
    if kind == instead:
        if live.injection == shadow.injection:
            return None
        instead = OTHERWISE_TOLD
    return Difference(kind, _rule(one), instead, _rule(other))


def _kind(decision: Decision) -> str:
    return type(decision).__name__.lower()


def _rule(decision: Decision) -> str:
    return "" if decision.rule is None else f"{decision.rule.file}:{decision.rule.line}"
