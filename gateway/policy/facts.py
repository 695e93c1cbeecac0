"""The facts that a condition may ask for, in addition to the identity."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from gateway.policy.budget import Budget


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One request. `headers`: the client's lines that go on to the application, in order, with names in lower case.

    `client`: None if the peer has no address. `query`: the text behind `?`, as it came. `now`: Unix seconds.
    """

    client: IPv4Address | IPv6Address | None
    headers: tuple[tuple[str, str], ...]
    path: str
    query: str
    now: float


@dataclass(frozen=True, slots=True)
class Facts:
    """`tenant`: the SIRET for which the person acts.
    `asked` None: no request yet, so the facts of the request are unknown.
    `budget` None: the conditions have no bound, as in a tool.
    """

    method: str = ""
    tenant: str | None = None
    asked: RequestFacts | None = None
    budget: Budget | None = field(default=None, compare=False, repr=False)

    def afford(self, steps: int) -> bool:
        """Whether a condition may take so many steps of the decision's budget."""
        return self.budget is None or self.budget.spend(steps)

    @property
    def is_over_budget(self) -> bool:
        return self.budget is not None and self.budget.is_exceeded


NO_FACTS = Facts()
