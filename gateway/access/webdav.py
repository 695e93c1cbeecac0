"""The further paths of a WebDAV request: each path that the request reaches must be allowed."""

from typing import Final

from gateway.access.request_line import ReachedPath, purpose_of
from gateway.config.snapshot import App
from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.policy.conditions import When, leaves
from gateway.policy.routes import Match
from gateway.wire.target import Target
from gateway.wire.webdav import SUBTREE, TO_ANOTHER, DavReach

_WRITTEN: Final = "PUT"
_READ: Final = "GET"
_EVERYWHERE: Final = DavReach(below=True)
_NOWHERE: Final = DavReach(below=False)


def reached(app: App, target: Target, method: bytes, reach: DavReach | None = None) -> tuple[ReachedPath, ...]:
    """`reach`: from the header; None: no header, so the request reaches everything below, and nothing is copied or
    moved.
    Raises GatewayError for a path outside the application.
    """
    found: list[ReachedPath] = []
    if reach is None:
        reach = _EVERYWHERE if method in SUBTREE else _NOWHERE
        found += [ReachedPath(None, _WRITTEN, True)] if method in TO_ANOTHER else []
    if reach.below:
        found += _beneath(app, target, method.decode("ascii"))
    if reach.destination is not None:
        found += (*_each(app, (reach.destination,), _WRITTEN), *_beneath(app, reach.destination, _WRITTEN))
    found += _each(app, reach.named, _READ)
    own = app.routes.find(target.segments)
    return tuple(dict.fromkeys(one for one in found if one != (own, method.decode("ascii"), True)))


def _each(app: App, targets: tuple[Target, ...], method: str) -> tuple[ReachedPath, ...]:
    for target in targets:
        app.check_readings(target)
        if purpose_of(app, target) != "application":
            raise GatewayError(wire_codes.TARGET, "a Destination or If that is none of the application's paths")
    return tuple(_of(app.routes.find(target.segments), method) for target in targets)


def _beneath(app: App, target: Target, method: str) -> list[ReachedPath]:
    """For a path with two readings, the paths below both: rules may differ further down."""
    readings = (target.segments,) if target.other is None else (target.segments, target.other)
    return [_of(match, method) for segments in readings for match in app.routes.beneath(segments)]


def _of(match: Match | None, method: str) -> ReachedPath:
    conditions = () if match is None else match.conditions()
    asks = any(
        isinstance(leaf, When) and leaf.of_request and "path" in leaf.source
        for _, condition in conditions
        for leaf in leaves(condition)
    )
    return ReachedPath(match, method, not asks)
