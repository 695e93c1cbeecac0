"""What bounds one request to an application, where its file tells paths apart, and how often it may be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.policy.routes import PathSet


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `request_head`: from the first byte to the end of a head; `idle`: keep-alive without a request;
    `body`: between two pieces of a body, either way; `connect`, `first_byte`, `total`: of the upstream."""

    request_head: float = 15.0
    idle: float = 75.0
    body: float = 30.0
    connect: float = 5.0
    first_byte: float = 60.0
    total: float = 3600.0
    drain: float = 30.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: one token each `every` seconds, `burst` at most."""

    every: float
    burst: int


@dataclass(frozen=True, slots=True)
class RequestRates:
    """How often a stranger's address, a person who is signed in, and everybody together may ask; None: not bounded."""

    per_client: Rate | None = None
    per_person: Rate | None = None
    all: Rate | None = None

    def per(self, kind: str) -> Rate | None:
        """`kind`: "client" or "person"; no other is bounded here."""
        return self.per_person if kind == "person" else self.per_client if kind == "client" else None


@dataclass(frozen=True, slots=True)
class Buffering:
    """Bytes of one body that wait at most, 0 where it does not: of a request before its application is asked, of a
    response that comes faster than its client reads."""

    requests: int = 0
    responses: int = 0


NOT_BUFFERED: Final = Buffering()


@dataclass(frozen=True, slots=True)
class BufferSettings:
    """`folder`: absolute. `in_all`: bytes, in each worker."""

    folder: str = ""
    in_all: int = 1 << 30


@dataclass(frozen=True, slots=True)
class ExchangeLimits:
    """`body`: bytes, 0 for no limit."""

    body: int
    timeouts: Timeouts


@dataclass(frozen=True, slots=True)
class PathLimits:
    """Paths with limits of their own."""

    paths: PathSet
    by_path: Mapping[str, ExchangeLimits]
    """The limits at each pattern of `paths`."""

    def at(self, segments: tuple[str, ...]) -> ExchangeLimits | None:
        """None where the application's own hold."""
        match = self.paths.find(segments)
        return None if match is None else self.by_path[match.pattern]
