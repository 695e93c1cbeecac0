"""Teams that own their app files: how far each of them may reach."""

from pydantic import Field

from gateway.config.schema_types import AttributeName, HostPattern, Maybe, Name, Strict, UpstreamPlace, Word


class Team(Strict):
    """The fence around apps/TEAM/: a file that reaches beyond it is refused."""

    hosts: list[HostPattern] = Field(min_length=1, max_length=1000)
    """`*.example.org` covers every host of one label more."""
    providers: list[Name] = Field(min_length=1, max_length=10_000)
    upstreams: list[UpstreamPlace] = Field(min_length=1, max_length=1000)
    """Where its applications may listen: networks and addresses, which hold whatever answers there under whatever name,
    and names (`*.example.org` covers one label more), which are taken at their word wherever they lead. An address or a
    name may have a port. Judged on the address, at every connect."""
    secrets: list[str] = Field(default=[], max_length=100)
    """Folders, from the policy folder: below them its files may name secrets and certificates, as `{file: path}`. No
    link is followed there."""
    headers: list[Word] = Field(default=[], max_length=200)
    """The only headers that its applications may be told something in."""
    cookies: list[Word] = Field(default=[], max_length=200)
    """Likewise."""
    attributes: Maybe[list[AttributeName]] = Field(default=None, max_length=200)
    """The only attributes of people that its applications may be told; where this is left out, all that its providers
    say."""
