"""One exchange with a provider as values: our request and its response. The caller owns the socket."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Call:
    """`what` names the exchange in the operator's log. Headers and body hold secrets and stay out of `repr`."""

    what: str
    method: Literal["GET", "POST"]
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """`content_type`: the media type in lower case, without parameters. The other fields are raw header values."""

    status: int
    content_type: str
    body: bytes = field(repr=False)
    cache_control: str = ""
    etag: str = ""
    last_modified: str = ""
