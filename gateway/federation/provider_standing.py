"""Whether one provider answers, as far as looks of our own and the people who come back can say. A value that knows no
clock and no socket.

A look that fails proves little by itself: browsers often reach what the gateway cannot. So a provider that no look has
ever reached is unknown, never away; and a person who comes back with a verified answer outweighs every look.
"""

from dataclasses import dataclass, replace
from typing import Literal, TypedDict

ProviderVerdict = Literal["unknown", "up", "away"]

# Seconds between two looks: while people go on being sent, so that the first who meets silence is soon noticed; then,
# while somebody has not come back; and while several have not.
SENT_PAUSE = 2.0
USUAL_PAUSE = 10.0
SHORT_PAUSE = 3.0
SEVERAL = 3
# Seconds until the look that confirms or denies another verdict.
CONFIRMED_AFTER = 1.0
# So many looks in a row change a verdict.
IN_A_ROW = 2
# Seconds after the last person was sent, and after the last person wanted a provider that is away. Then looks end.
SENT_LATELY = 30.0
WANTED_LATELY = 3600.0
_NEVER = float("-inf")


class SignInNews(TypedDict, total=False):
    """What a worker tells of one provider. `back`: somebody came back with a verified answer. `sent`: people sent
    since, or who were to be; `address`: where to, absent if nobody could be. `wanted`: somebody wanted it while it was
    away."""

    back: bool
    sent: int
    address: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    """`address`: what is looked at. `reached`: whether a look at it has ever been answered. `failures`, `answers`:
    looks in a row that speak against the verdict. `missing`: people sent since the last one came back.
    `is_doubted`: browsers reached it while looks did not, so that one look more is due.

    Times are monotonic seconds. `wanted_at`: when a person was last sent there, or wanted to go while it was away.
    """

    address: str
    reached: bool = False
    verdict: ProviderVerdict = "unknown"
    failures: int = 0
    answers: int = 0
    missing: int = 0
    is_doubted: bool = False
    sent_at: float = _NEVER
    wanted_at: float = _NEVER
    looked_at: float = _NEVER

    def sent(self, people: int, now: float) -> "ProviderStanding":
        return replace(self, missing=self.missing + people, sent_at=now, wanted_at=now)

    def wanted(self, now: float) -> "ProviderStanding":
        return replace(self, wanted_at=now)

    def came_back(self) -> "ProviderStanding":
        """A provider that looks took for away is out of their reach alone: until one succeeds, no look counts."""
        misled = self.verdict == "away"
        reached = self.reached and not misled
        verdict: ProviderVerdict = "up" if reached else "unknown"
        return replace(self, reached=reached, verdict=verdict, failures=0, answers=0, missing=0, is_doubted=misled)

    def looked(self, answered: bool, now: float) -> "ProviderStanding":
        after = replace(self, looked_at=now, is_doubted=False)
        if not answered:
            failures = self.failures + 1
            away = self.verdict == "away" or (self.reached and failures >= IN_A_ROW)
            return replace(after, failures=failures, answers=0, verdict="away" if away else self.verdict)
        answers = self.answers + 1
        if self.verdict == "away" and answers < IN_A_ROW:
            return replace(after, reached=True, failures=0, answers=answers)
        return replace(after, reached=True, failures=0, answers=0, verdict="up")

    def rested(self, now: float) -> "ProviderStanding":
        """Away and wanted by nobody for long: nobody looks any more, so that the verdict ends."""
        is_over = self.verdict == "away" and now >= self.wanted_at + WANTED_LATELY
        return replace(self, verdict="unknown", failures=0, answers=0, missing=0) if is_over else self

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
