"""One access rule of an app file."""

from dataclasses import dataclass

from gateway.model.decision import RuleRef
from gateway.policy.conditions import Condition
from gateway.policy.patterns import Pattern


@dataclass(frozen=True, slots=True)
class Rule:
    """`methods` None: all of them. `allow` None: nobody is let in by it. `refusal`: the text for who is refused."""

    ref: RuleRef
    pattern: Pattern
    methods: frozenset[str] | None
    allow: Condition | None
    deny: Condition | None
    refusal: str = ""
    shadow: bool = False

    def covers(self, method: str) -> bool:
        """GET includes HEAD (RFC 9110 9.3.2: the same, without the content)."""
        methods = self.methods
        return methods is None or method in methods or (method == "HEAD" and "GET" in methods)


def meet(one: Rule, other: Rule) -> frozenset[str] | None:
    """The methods that both rules cover; None: all of them."""
    if one.methods is None or other.methods is None:
        return one.methods if other.methods is None else other.methods
    return _with_head(one.methods) & _with_head(other.methods)


def _with_head(methods: frozenset[str]) -> frozenset[str]:
    return methods | {"HEAD"} if "GET" in methods else methods
