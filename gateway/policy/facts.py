"""The facts that a condition may ask for, in addition to the identity."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address


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
    """

    method: str = ""
    tenant: str | None = None
    asked: RequestFacts | None = None


NO_FACTS = Facts()
