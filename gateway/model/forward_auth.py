"""The settings in gateway.yaml for servers in front that pass requests on themselves and ask about each request."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """`secret`: sent by a front with each question; visible ASCII.
    `host`: the host of questions without a browser's host, canonical; empty: none.
    """

    secret: bytes = field(repr=False)
    host: str = ""
