"""What gateway.yaml says of servers in front that pass requests on themselves, and ask about each one before."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """`secret`: what a front shows with each question; visible ASCII."""

    secret: bytes = field(repr=False)
