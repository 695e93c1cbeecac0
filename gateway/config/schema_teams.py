"""Teams that own their app files: how far each of them may reach."""

from pydantic import Field

from gateway.config.schema_types import HostPattern, Name, Strict, Word


class Team(Strict):
    """The fence around apps/TEAM/: a file that reaches beyond it is refused."""

    hosts: list[HostPattern] = Field(min_length=1, max_length=1000)
    """`*.example.org` covers every host of one label more."""
    providers: list[Name] = Field(min_length=1, max_length=10_000)
    headers: list[Word] = Field(default=[], max_length=200)
    """The only headers that its applications may be told something in."""
    cookies: list[Word] = Field(default=[], max_length=200)
    """Likewise."""
