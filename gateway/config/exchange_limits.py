"""Limits of a request to an application, also for single paths, and limits of request rates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.policy.routes import PathSet


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts in seconds.

    `request_head`: from the first byte to the end of a head.
    `idle`: keep-alive without a request.
    `body`: between two pieces of a body, in either direction.
    `connect`, `first_byte`, `total`: of the upstream."""

    request_head: float = 15.0
    idle: float = 75.0
    body: float = 30.0
    connect: float = 5.0
    first_byte: float = 60.0
    total: float = 3600.0
    drain: float = 30.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket.

    `every`: seconds between two tokens.
    `burst`: the largest number of tokens."""

    every: float
    burst: int


@dataclass(frozen=True, slots=True)
class RequestRates:
    """The highest request rates; None: no limit.

    `per_client`: of a client address without a signed-in person.
    `per_person`: of a signed-in person.
    `all`: of all clients and people together."""

    per_client: Rate | None = None
    per_person: Rate | None = None
    all: Rate | None = None

    def per(self, kind: str) -> Rate | None:
        """`kind`: "client" or "person"; other kinds have no limit."""
        return self.per_person if kind == "person" else self.per_client if kind == "client" else None


@dataclass(frozen=True, slots=True)
class Buffering:
    """The most bytes of a body that wait in the gateway; 0: the body does not wait.

    `requests`: for a request, before the gateway sends the request on.
    `responses`: for a response that arrives faster than the client reads."""

    requests: int = 0
    responses: int = 0


NOT_BUFFERED: Final = Buffering()


@dataclass(frozen=True, slots=True)
class BufferSettings:
    """`folder`: an absolute path.
    `in_all`: the most bytes of the folder, for each worker."""

    folder: str = ""
    in_all: int = 1 << 30


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """`body`: bytes, 0 for no limit."""

    body: int
    timeouts: Timeouts


@dataclass(frozen=True, slots=True)
class PathLimits:
    """The paths with limits of their own."""

    paths: PathSet
    by_path: Mapping[str, ExchangeLimits]
    """The limits at each pattern of `paths`."""

    def at(self, segments: tuple[str, ...]) -> ExchangeLimits | None:
        """The limits at a path; None if the application's own limits apply."""
        match = self.paths.find(segments)
        return None if match is None else self.by_path[match.pattern]
