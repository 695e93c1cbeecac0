"""What a condition may ask of beside the identity."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """One request. `headers`: those of the client that go on to the application, names in lower case, in order.

    `client`: None where the peer has no address. `query`: what follows `?`, as it came. `now`: Unix seconds.
    """

    client: IPv4Address | IPv6Address | None
    headers: tuple[tuple[str, str], ...]
    path: str
    query: str
    now: float


@dataclass(frozen=True, slots=True)
class Facts:
    """`tenant`: the SIRET in whose name the person acts. `asked` None: no request yet, so that all of it is unknown."""

    method: str = ""
    tenant: str | None = None
    asked: RequestFacts | None = None


NO_FACTS = Facts()
