"""What gateway.yaml says of servers in front that pass requests on themselves, and ask about each one before."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """`secret`: what a front shows with each question; visible ASCII. `host`: of questions that have no host of a
    browser's, canonical; empty for none."""

    secret: bytes = field(repr=False)
    host: str = ""
