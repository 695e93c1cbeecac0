"""The settings in gateway.yaml for front servers, which ask the gateway about a request and pass it on themselves."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """`secret`: visible ASCII. The front server sends it with each authorization request.
    `host`: the canonical host of authorization requests that do not carry the browser's host; empty: no such host.
    """

    secret: bytes = field(repr=False)
    host: str = ""
