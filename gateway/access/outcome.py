"""What is to be done with a request: a closed union. Where a case is added, the type checker tells where it is not
handled. Every value can be kept and used for many requests."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.formlogin.spec import ApplicationSession
from gateway.model.codes.code import Code
from gateway.model.decision import Allow, Challenge, Decision
from gateway.model.errors import GatewayError
from gateway.model.levels import Need
from gateway.model.session import Seat
from gateway.model.theme import Words

NEVER: Final = float("inf")
_LONGEST_RULE: Final = 400


@dataclass(frozen=True, slots=True)
class Prepared:
    """The addition to a request for an application.

    `headers`: lines, each b"\\r\\nName: value".
    `cookies`: b"a=b; c=d", or b"".
    `valid_until`: on the monotonic clock; afterwards nothing of this is sent (invariant 16).
    `session`: the person's session at the application, whose cookies are in `cookies`.
    """

    headers: bytes
    cookies: bytes
    valid_until: float = NEVER
    session: ApplicationSession | None = field(default=None, compare=False)


@dataclass(slots=True, eq=False)
class CompiledDecision:
    """Policy's decision for one person on one match and method.

    `person`: the person's name in the log.
    `tally`: a counter, incremented at each use.
    `log_end`: the end of the access log line; None until first needed.
    """

    decision: Decision
    person: str = ""
    tally: list[int] = field(default_factory=lambda: [0])
    log_end: bytes | None = None

    def end_of_log_line(self) -> bytes:
        """The deciding rule and the person; empty if absent."""
        rule = self.decision.rule
        said = {"rule": "" if rule is None else f"{rule.file}:{rule.line}"[-_LONGEST_RULE:], "person": self.person}
        end = "".join(f',"{name}":{json.dumps(text)}' for name, text in said.items() if text).encode("ascii")
        self.log_end = end
        return end


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """The request goes to the application, with `prepared`. `valid_until`: of `prepared`."""

    by: CompiledDecision
    decision: Allow
    prepared: Prepared
    valid_until: float


@dataclass(frozen=True, slots=True, eq=False)
class Refuse:
    """`code`, `detail`: for the operator.
    `shown`: the code shown to the person; None: `code`.
    `by`: policy's decision; None: refused before policy.
    `refusal`: the application file's own text for the person.
    `bearer`: for a program, the parameters of a Bearer challenge (RFC 6750 3.1).
    `close`: the connection is closed, its further bytes unread.
    `retry_after`: seconds until a retry; 0: unknown.
    """

    code: Code
    detail: str = ""
    shown: Code | None = None
    by: CompiledDecision | None = None
    refusal: Words = ""
    bearer: bytes = b""
    close: bool = False
    retry_after: int = 0
    valid_until: float = NEVER


@dataclass(frozen=True, slots=True, eq=False)
class RequireSignIn:
    """Policy's challenge (model.decision): nobody is signed in, or the sign-in is too weak. The answer depends on the
    caller: a redirect, a 401 with an address, or an answer for programs.
    """

    by: CompiledDecision
    decision: Challenge
    valid_until: float = NEVER

    @property
    def reason(self) -> Code:
        return self.decision.reason

    @property
    def need(self) -> Need:
        return self.decision.need


@dataclass(frozen=True, slots=True)
class ToPortal:
    """One of the gateway's own paths, or an application's address for signing out."""

    purpose: Literal["endpoint", "logout"]


@dataclass(frozen=True, slots=True)
class NeedsStore:
    """This worker does not hold the cookie's seat: the store must be asked."""

    host: str
    cookie: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class NeedsWork:
    """Work must be awaited, and the pipeline asked again.

    `work`: returns the seat, if the seat was unknown. Raises GatewayError. Bounds its own time. A request that leaves
    does not end the work for others (access.shared_work).
    `failed`: the outcome for an error.
    """

    work: Callable[[], Awaitable[Seat | None]]
    failed: Callable[[GatewayError], Refuse]


ReadyOutcome = Forward | Refuse | RequireSignIn
Outcome = ReadyOutcome | ToPortal | NeedsStore | NeedsWork
