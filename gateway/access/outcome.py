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
    """What is added to a request for an application. `headers`: each line b"\\r\\nName: value". `cookies`:
    b"a=b; c=d", or b"". `valid_until`: on the monotonic clock; past it nothing of this is sent (invariant 16).
    `session`: of the person at the application, whose cookies are among these."""

    headers: bytes
    cookies: bytes
    valid_until: float = NEVER
    session: ApplicationSession | None = field(default=None, compare=False)


@dataclass(slots=True, eq=False)
class CompiledDecision:
    """What policy decided for one person on one match and method. `person`: the name that the log has for them.
    `tally`: one cell, counted up at each use. `log_end`: of a line of the access log, None until it is asked for."""

    decision: Decision
    person: str = ""
    tally: list[int] = field(default_factory=lambda: [0])
    log_end: bytes | None = None

    def end_of_log_line(self) -> bytes:
        """By which rule, and who it was; empty where there is neither."""
        rule = self.decision.rule
        said = {"rule": "" if rule is None else f"{rule.file}:{rule.line}"[-_LONGEST_RULE:], "person": self.person}
        end = "".join(f',"{name}":{json.dumps(text)}' for name, text in said.items() if text).encode("ascii")
        self.log_end = end
        return end


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """To the application, with what is prepared for it. `valid_until`: of `prepared`."""

    by: CompiledDecision
    decision: Allow
    prepared: Prepared
    valid_until: float


@dataclass(frozen=True, slots=True, eq=False)
class Refuse:
    """`code` and `detail` are for the operator; the person is told `shown`, or `code` where that is None. `by`: the
    decision of policy, None where a request is refused before policy is asked. `refusal`: the application file's own
    text for the person. `bearer`: what a program is told, as parameters of a Bearer challenge (RFC 6750 3.1). `close`:
    nothing more is read of the connection. `retry_after`: seconds until it may be asked again, 0 where that is not
    known."""

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
    """Policy's challenge (model.decision): nobody is signed in, or not well enough. What comes of it turns on who asks:
    a page, a 401 with an address, or what a program is told."""

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
    """One of the gateway's own paths, or an address of the application's that means to sign out."""

    purpose: Literal["endpoint", "logout"]


@dataclass(frozen=True, slots=True)
class NeedsStore:
    """This worker does not hold the seat of this cookie: the store has to say."""

    host: str
    cookie: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class NeedsWork:
    """Something has to be awaited first; then the pipeline is asked again. `work`: gives the seat, where that is what
    had to be found out; raises GatewayError; bounds its own time, and a request that leaves ends it for no other one
    (access.shared_work). `failed`: what comes of an error."""

    work: Callable[[], Awaitable[Seat | None]]
    failed: Callable[[GatewayError], Refuse]


ReadyOutcome = Forward | Refuse | RequireSignIn
Outcome = ReadyOutcome | ToPortal | NeedsStore | NeedsWork
