"""Where a browser may be sent back to: a path of the same host, and nothing that some browser reads as another."""

from typing import Final

from gateway.model.errors import GatewayError
from gateway.wire.target import STRICT, PathLeniency, canonical_target

_LONGEST: Final = 8192
_OUR_PATHS: Final = "_ecluse"


def safe_target(raw: str, leniency: PathLeniency = STRICT) -> str | None:
    """`raw` itself where it is an origin-form target of one reading, else None. Our own endpoints are no way back.

    `leniency`: the application's own; two slashes at the start stay refused (a browser takes them for a host).
    """
    if len(raw) > _LONGEST or not raw.isascii() or raw.startswith("//"):
        return None
    try:
        target = canonical_target(raw.encode("ascii"), leniency)
    except GatewayError:
        return None
    return None if target.segments[0].lower() == _OUR_PATHS else raw
