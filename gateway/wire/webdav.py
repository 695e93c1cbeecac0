"""The paths of a WebDAV request beside the path of the request line (RFC 4918 10): by Depth, Destination and If."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.wire.target import PathLeniency, Target, canonical_target

# Methods that act on everything below a path, unless Depth limits them.
SUBTREE: Final = frozenset({b"COPY", b"MOVE", b"DELETE", b"LOCK", b"PROPFIND"})
_WITHOUT_DEPTH: Final = frozenset({b"MOVE", b"DELETE"})
TO_ANOTHER: Final = frozenset({b"COPY", b"MOVE"})
# Methods with paths in their bodies, which the gateway does not read.
IN_BODIES: Final = frozenset({b"REPORT", b"SEARCH", b"MERGE", b"CHECKOUT"})

# RFC 4918 10.4.2: a resource stands outside the parentheses, and state tokens and ETags within.
_LISTS: Final = re.compile(rb"\((?:[^()<>\"]|<[^<>]*>|\"[^\"]*\")*\)")
_TAG: Final = re.compile(rb"<([^<>]*)>")
_MOST_TAGS: Final = 20


@dataclass(frozen=True, slots=True)
class DavReach:
    """`below`: the paths below the request's path count too.
    `destination`: written, with the paths below it; None: the method has no destination.
    `named`: the paths in the If header.
    """

    below: bool
    destination: Target | None = None
    named: tuple[Target, ...] = ()


def reach_of(method: bytes, lines: Iterable[tuple[bytes, bytes]], origin: str, leniency: PathLeniency) -> DavReach:
    """`lines`: names and values of the lines that the application receives. `origin`: of the host, as browsers write
    it.

    Raises GatewayError(wire_codes.HEADER) for a repeated or empty header, and wire_codes.TARGET for a path without a
    single reading, or of another host.
    """
    found: dict[bytes, bytes] = {}
    for name, value in lines:
        key = name.lower()
        if key in (b"depth", b"destination", b"if"):
            if key in found:
                raise GatewayError(wire_codes.HEADER, f"two {key.decode('ascii')} headers")
            found[key] = value
    depth = found.get(b"depth", b"infinity").lower()
    if depth not in (b"0", b"1", b"infinity"):
        raise GatewayError(wire_codes.HEADER, f"Depth: {depth[:20]!r}")
    destination = None
    if method in TO_ANOTHER:
        if b"destination" not in found:
            raise GatewayError(wire_codes.HEADER, f"a {method.decode('ascii')} without Destination")
        destination = _own_path(found[b"destination"], origin, leniency)
    below = method in SUBTREE and (depth != b"0" or method in _WITHOUT_DEPTH)
    return DavReach(below, destination, _named_in_if(found.get(b"if", b""), origin, leniency))


def _named_in_if(value: bytes, origin: str, leniency: PathLeniency) -> tuple[Target, ...]:
    rest = _LISTS.sub(b" ", value)
    if b"(" in rest or b")" in rest or rest.count(b"<") > _MOST_TAGS:
        raise GatewayError(wire_codes.HEADER, "an If header that has no one reading")
    tags = _TAG.findall(rest)
    if _TAG.sub(b" ", rest).strip(b" \t"):
        raise GatewayError(wire_codes.HEADER, "an If header that has no one reading")
    return tuple(_own_path(tag, origin, leniency) for tag in tags)


def _own_path(url: bytes, origin: str, leniency: PathLeniency) -> Target:
    """RFC 4918 8.3: an absolute path, or a whole address, which has to be of the same host."""
    own = origin.encode("ascii")
    raw = url[len(own) :] if url[: len(own)].lower() == own.lower() else url
    if not raw.startswith(b"/"):
        raise GatewayError(wire_codes.TARGET, f"a Destination or If of another host than {origin}")
    if raw.startswith(b"//"):
        # Also for an application that merges slashes: a parser of addresses reads a host after two slashes (RFC 3986
        # 4.2).
        raise GatewayError(wire_codes.TARGET, "a Destination or If that begins with two slashes")
    target = canonical_target(raw, leniency)
    if target.query is not None:
        raise GatewayError(wire_codes.TARGET, "a Destination or If with a query")
    return target
