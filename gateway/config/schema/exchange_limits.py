"""How long a request of an application may take, and how large its body may be, beside what gateway.yaml says."""

from pydantic import Field, model_validator

from gateway.config.schema.rates import AppRequestRatesSection
from gateway.config.schema.types import Maybe, PathPattern, Seconds, SizeOrUnlimited, Strict, wrong


class PathTimeoutsSection(Strict):
    first_byte: Maybe[Seconds] = None
    """From the request to the first byte of the response."""
    body: Maybe[Seconds] = None
    """Between two pieces of a body, of the request or the response: raise it for a report that pauses in the middle of
    its response."""
    total: Maybe[Seconds] = None
    """The whole exchange."""


class AppTimeoutsSection(PathTimeoutsSection):
    """Timeouts of this application, instead of the timeouts in gateway.yaml."""

    connect: Maybe[Seconds] = None
    """The time to open a connection to the application."""


class PathLimitsSection(Strict):
    """Limits of some paths. If several blocks match, only the most specific block applies. Limits that the block
    omits are the application's."""

    path: PathPattern
    """A path pattern, as in a rule of `access`."""
    body: Maybe[SizeOrUnlimited] = None
    timeouts: Maybe[PathTimeoutsSection] = None

    @model_validator(mode="after")
    def _says_something(self) -> "PathLimitsSection":
        if self.body is None and (self.timeouts is None or not self.timeouts.model_fields_set):
            raise wrong("this block changes nothing", "add body: or timeouts:")
        return self


class AppLimitsSection(Strict):
    body: Maybe[SizeOrUnlimited] = None
    paths: list[PathLimitsSection] = Field(default=[], max_length=200)
    """Paths with other limits: larger uploads, slower responses."""
    requests: Maybe[AppRequestRatesSection] = None
    """The rate of requests."""
