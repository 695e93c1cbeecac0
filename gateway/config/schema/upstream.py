"""An application at several addresses: how requests are divided among them."""

from typing import Annotated

from pydantic import Field

from gateway.config.schema.types import Seconds, Strict


class CircuitSection(Strict):
    """When an address gets no more requests for a while. One that accepts no connection counts in any case; one that
    breaks off unanswered, or says nothing within the timeout, only while there is another."""

    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """So many failures on end put it out."""
    pause: Seconds = 10.0
    """For so long; then one request tries it. Each time that this fails too, it is out for twice as long, two minutes
    at most."""
