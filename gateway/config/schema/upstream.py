"""An application at several addresses: how requests are divided among them."""

from typing import Annotated

from pydantic import Field, model_validator

from gateway.config.schema.types import Seconds, Strict, wrong
from gateway.config.schema.values import ApplicationTarget


class HealthSection(Strict):
    """A page that each worker asks each address for, again and again from the first request on; an address that does
    not answer as it should gets nothing until it does."""

    path: ApplicationTarget
    """The page that is asked for. It is cheap, and nobody has to sign in for it."""
    status: list[Annotated[int, Field(ge=200, le=599)]] = Field(default=[200], min_length=1, max_length=20)
    """The statuses of a healthy address."""
    every: Seconds = 5.0
    """The time between two checks, a second at least. Each wait is up to a tenth longer or shorter."""
    within: Seconds = 2.0
    """The longest wait for the answer."""
    failures: Annotated[int, Field(ge=1, le=100)] = 2
    """An address is left out after so many failed checks in a row, until one succeeds."""

    @model_validator(mode="after")
    def _ends(self) -> "HealthSection":
        if self.every < 1:
            raise wrong("an address is asked once a second at most", "write every: 1s, or more")
        if self.within > self.every:
            raise wrong("the next check would begin before this one has ended", "write a shorter within")
        return self


class CircuitSection(Strict):
    """When an address gets no more requests for a while. One that accepts no connection counts in any case; one that
    breaks off unanswered, or says nothing within the timeout, only while there is another."""

    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """An address is left out after so many failures in a row."""
    pause: Seconds = 10.0
    """How long it is left out before one request tries it. Each time that this fails too, it is left out for twice as
    long, two minutes at most."""
