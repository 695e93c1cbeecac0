"""How requests are divided among several addresses of an application."""

from dataclasses import dataclass
from typing import Literal

BalanceBy = Literal["round_robin", "least_connections", "seat"]


@dataclass(frozen=True, slots=True)
class CircuitSettings:
    """An address with `failures` consecutive failures gets no request for `pause` seconds, then one request as a
    trial."""

    failures: int = 3
    pause: float = 10.0


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A GET of `path` at each address.

    `statuses`: the statuses of a healthy address.
    `every`: seconds between two checks, about.
    `within`: the most seconds until the answer.
    `failures`: the number of failures in a row after which the address is unhealthy."""

    path: str
    statuses: tuple[int, ...] = (200,)
    every: float = 5.0
    within: float = 2.0
    failures: int = 2


@dataclass(frozen=True, slots=True)
class Balancing:
    """`others`: (host, port) of further addresses, with the same scheme.
    `circuit`: None: an address is never left out.
    `retries`: at most this number per hundred requests.
    `concurrency`: requests under way at each address; 0: no limit.
    `queue`: requests that may wait for an address.
    `health`: None: no health checks.
    `slow_start`: seconds until a returned address gets its full share.
    """

    others: tuple[tuple[str, int], ...] = ()
    balance: BalanceBy = "round_robin"
    circuit: CircuitSettings | None = None
    retries: int = 10
    concurrency: int = 0
    queue: int = 0
    health: HealthCheck | None = None
    slow_start: float = 0.0
