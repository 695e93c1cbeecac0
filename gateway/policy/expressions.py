"""`when:`, an expression in a language that is evaluated elsewhere: to policy, a condition as any other."""

from dataclasses import dataclass, field
from typing import Protocol

from gateway.model.identity import Identity
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth


class Expression(Protocol):
    """Total: what is not the boolean true or false is unknown, and counted by whoever evaluates."""

    def truth(self, identity: Identity | None, facts: Facts) -> Truth: ...


@dataclass(frozen=True, slots=True)
class When:
    """`of_identity`, `of_request`: whether its variables are of the one, or of the other."""

    source: str
    expression: Expression = field(repr=False, compare=False)
    of_identity: bool = field(repr=False)
    of_request: bool = field(repr=False)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        return self.expression.truth(identity, facts)
