"""`limits.requests`: how often somebody may ask, and how many times at once."""

from typing import Annotated

from pydantic import PlainValidator, model_validator

from gateway.config.schema import scalars
from gateway.config.schema.types import Count, Maybe, Strict, checked, text_schema, wrong

RateText = Annotated[
    scalars.WrittenRate, PlainValidator(checked(scalars.rate)), text_schema("^[1-9][0-9]{0,6}/[smh]$", "20/s", "600/m")
]


class RateSection(Strict):
    """So many requests in the long run, and `burst` at once after a pause."""

    rate: RateText
    burst: Maybe[Count] = None
    """Default: the number of `rate`."""


class RequestRatesSection(Strict):
    """Each worker counts separately. Requests beyond the rate get 429, with the time to wait."""

    per_client: Maybe[RateSection] = None
    """Limits requests without a session, for each address (IPv6: each /64). Behind `trusted_proxies`, the browser's
    address counts."""
    per_person: Maybe[RateSection] = None
    """Limits requests of each signed-in person and each program, from all addresses together."""

    @model_validator(mode="after")
    def _says_something(self) -> "RequestRatesSection":
        names = list(type(self).model_fields)
        if not any(getattr(self, name) for name in names):
            raise wrong("this block limits nothing", f"add {' or '.join(f'{name}:' for name in names)}")
        return self


class AppRequestRatesSection(RequestRatesSection):
    """Limits for requests to this application alone, in addition to the limits in gateway.yaml."""

    all: Maybe[RateSection] = None
    """Limits all requests to the application together. Requests without a session leave half of `burst` to signed-in
    people."""
