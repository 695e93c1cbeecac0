"""Judges whether one provider answers, by the gateway's looks and by the people who come back. Knows no clock and no
socket.

A failed look proves little: browsers often reach servers that the gateway cannot. So a provider that no look has ever
reached is unknown, never away. A person who comes back with a verified answer outweighs every look.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypedDict

ProviderVerdict = Literal["unknown", "up", "away"]

# Seconds between two looks: while people keep being sent, so that the first silence is soon noticed; then, while one or
# two people have not come back; and while several have not.
SENT_PAUSE = 2.0
USUAL_PAUSE = 10.0
SHORT_PAUSE = 3.0
SEVERAL = 3
# Seconds until the look that confirms or refutes a new verdict.
CONFIRMED_AFTER = 1.0
# Consecutive looks that change a verdict.
IN_A_ROW = 2
# Looks end so many seconds after the last person was sent, or last wanted a provider that is away.
SENT_LATELY = 30.0
WANTED_LATELY = 3600.0
_NEVER = float("-inf")


class SignInNews(TypedDict, total=False):
    """A worker's report on one provider.

    `back`: when the provider was last asked for an answer that a person brought, and that was verified; monotonic
    seconds. The provider may have died since.
    `sent`: people sent, or about to be sent, since the last return.
    `address`: the sign-in address; absent: no person could be sent.
    `wanted`: a person wanted the provider while away.
    """

    back: float
    sent: int
    address: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    """The standing of one provider.

    `address`: the address that looks request.
    `reached`: whether a look at `address` has ever succeeded.
    `failures`, `answers`: consecutive looks that speak against the verdict.
    `failing_since`: the end of the first failed look since looks were last answered; monotonic seconds.
    `missing`: people sent since the last person came back.
    `is_doubted`: browsers reached the provider while looks did not, or before any look; one look is due.
    `sent_at`, `looked_at`: monotonic seconds.
    `wanted_at`: when a person was last sent, or wanted to go while the provider was away; monotonic seconds.
    """

    address: str
    reached: bool = False
    verdict: ProviderVerdict = "unknown"
    failures: int = 0
    answers: int = 0
    failing_since: float = _NEVER
    missing: int = 0
    is_doubted: bool = False
    sent_at: float = _NEVER
    wanted_at: float = _NEVER
    looked_at: float = _NEVER

    def sent(self, people: int, now: float) -> "ProviderStanding":
        return replace(self, missing=self.missing + people, sent_at=now, wanted_at=now)

    def wanted(self, now: float) -> "ProviderStanding":
        return replace(self, wanted_at=now)

    def came_back(self, asked_at: float) -> "ProviderStanding":
        """Notes a person's return with a verified answer to a request of `asked_at`. An answer to a request before the
        first failed look proves nothing: the browser may have held the answer since. If looks had judged the provider
        away, only the gateway fails to reach the provider: failed looks count again after the first successful look.
        The first return makes a look due: a later death is noticed.
        """
        if asked_at < self.failing_since:
            return self
        misled = self.verdict == "away"
        is_doubted = misled or self.looked_at == _NEVER
        reached = self.reached and not misled
        verdict: ProviderVerdict = "up" if reached else "unknown"
        return replace(
            self, reached=reached, verdict=verdict, failures=0, answers=0, failing_since=_NEVER, missing=0,
            is_doubted=is_doubted,
        )  # fmt: skip

    def looked(self, answered: bool, now: float) -> "ProviderStanding":
        after = replace(self, looked_at=now, is_doubted=False)
        if not answered:
            failures = self.failures + 1
            away = self.verdict == "away" or (self.reached and failures >= IN_A_ROW)
            since = now if self.failing_since == _NEVER else self.failing_since
            verdict: ProviderVerdict = "away" if away else self.verdict
            return replace(after, failures=failures, answers=0, failing_since=since, verdict=verdict)
        answers = self.answers + 1
        if self.verdict == "away" and answers < IN_A_ROW:
            return replace(after, reached=True, failures=0, answers=answers)
        return replace(after, reached=True, failures=0, answers=0, failing_since=_NEVER, verdict="up")

    def rested(self, now: float) -> "ProviderStanding":
        """Ends the verdict "away" once no person has wanted the provider for `WANTED_LATELY` seconds: looks then
        stop.
        """
        is_over = self.verdict == "away" and now >= self.wanted_at + WANTED_LATELY
        if not is_over:
            return self
        return replace(self, verdict="unknown", failures=0, answers=0, failing_since=_NEVER, missing=0)

    @property
    def due_at(self) -> float:
        """When the next look is due; infinite where none is."""
        if self.is_doubted or self.answers > 0:
            return self.looked_at + CONFIRMED_AFTER
        if self.verdict == "away":
            return self.looked_at + USUAL_PAUSE
        if self.reached and self.failures > 0:
            return self.looked_at + CONFIRMED_AFTER
        if self.missing and self.looked_at < self.sent_at:
            return self.looked_at + SENT_PAUSE
        if self.missing and self.looked_at < self.sent_at + SENT_LATELY:
            return self.looked_at + (SHORT_PAUSE if self.missing >= SEVERAL else USUAL_PAUSE)
        return float("inf")
