"""What a request line asks of the application of a host, in one reading (invariant 2)."""

from dataclasses import dataclass
from typing import Final, Literal

from gateway.config.snapshot import App
from gateway.model.codes import LIMIT_URL
from gateway.model.errors import GatewayError
from gateway.wire.host import canonical_host
from gateway.wire.method_override import judged_method
from gateway.wire.target import STRICT, Target, absolute_form, canonical_target

RESERVED: Final = "_ecluse"

Purpose = Literal["application", "endpoint", "logout"]


@dataclass(frozen=True, slots=True)
class RequestLine:
    """`purpose`: "endpoint" for a path of the gateway's own, "logout" for one of the application's addresses for
    signing out; neither reaches the application. `method` as sent, `judged` as rules are asked about. `authority`: the
    host of an absolute-form target, canonical, which has to be Host's too."""

    purpose: Purpose
    method: bytes
    judged: bytes
    target: Target
    authority: str | None = None


def read_request_line(app: App | None, method: bytes, raw: bytes, *, longest: int) -> RequestLine:
    """`raw`: the request target; `longest`: bytes. Raises GatewayError."""
    if len(raw) > longest:
        raise GatewayError(LIMIT_URL, f"{len(raw)} bytes")
    authority = None
    if not raw.startswith(b"/"):
        _, named, raw = absolute_form(raw)
        authority = canonical_host(named)
    target = canonical_target(raw, STRICT if app is None else app.leniency)
    if app is not None:
        app.check_readings(target)
    purpose = _purpose(app, target)
    judged = method
    if app is not None and purpose == "application" and target.query:
        judged = judged_method(method, target.query, taken=app.method_override)
    return RequestLine(purpose, method, judged, target, authority)


def method_named(app: App, method: bytes, target: Target, header: bytes, other: bytes) -> bytes:
    """The method that rules are asked about where headers name one, too: as in wire.method_override. Raises
    GatewayError."""
    return judged_method(method, target.query or b"", header, other, taken=app.method_override)


def _purpose(app: App | None, target: Target) -> Purpose:
    # Also where the app knows no case: no spelling of our prefix reaches an application.
    if app is None or target.segments[0].lower() == RESERVED:
        return "endpoint"
    return "application" if app.logout.links.find(target.segments) is None else "logout"
