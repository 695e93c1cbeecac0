"""One request tried on a snapshot, by the functions that the data plane itself calls, and in its order."""

from dataclasses import dataclass, field
from typing import Literal

from gateway.config.passages import compile_passage
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import HOST_UNKNOWN, LIMIT_URL, WIRE_METHOD
from gateway.model.decision import Allow, Challenge, Deny, RuleRef
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.translation.read_back import read_back
from gateway.translation.render import NOTHING
from gateway.trial.request import Request
from gateway.wire.framing import METHODS
from gateway.wire.host import canonical_host
from gateway.wire.target import STRICT, canonical_target

RESERVED = "_ecluse"

Outcome = Literal["allow", "deny", "challenge", "refuse", "own"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What comes of a request. `outcome` "refuse": before any rule is asked; "own": no application is asked.

    `reason`: the id of a code, empty for "own". `segments`: the path as the rules meet it, decoded.
    """

    outcome: Outcome
    reason: str = ""
    detail: str = ""
    app: App | None = None
    segments: tuple[str, ...] = ()
    rule: RuleRef | None = None
    refusal: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)


def try_request(snapshot: Snapshot, asked: Request, identity: Identity | None) -> Tried:
    try:
        return _tried(snapshot, asked, identity)
    except GatewayError as error:
        return Tried("refuse", error.code.id, error.detail)


def _tried(snapshot: Snapshot, asked: Request, identity: Identity | None) -> Tried:
    host = canonical_host(asked.authority)
    app = snapshot.find_app(host)
    if app is None and host != snapshot.gateway.portal_host:
        raise GatewayError(HOST_UNKNOWN, host)
    if asked.method.encode("ascii", "replace") not in METHODS:
        raise GatewayError(WIRE_METHOD, asked.method)
    if len(asked.target) > snapshot.gateway.limits.url:
        raise GatewayError(LIMIT_URL, f"{len(asked.target)} bytes")
    target = canonical_target(asked.target, STRICT if app is None else app.leniency)
    if app is None or target.segments[0].lower() == RESERVED:
        return Tried("own", app=app, segments=target.segments)
    return _decided(app, target.segments, asked.method, identity)


def _decided(app: App, segments: tuple[str, ...], method: str, identity: Identity | None) -> Tried:
    passage = compile_passage(app, segments, method, identity)
    match passage.decision:
        case Allow(rule, reason):
            headers, cookies = read_back(passage.injection or NOTHING)
            return Tried("allow", reason.id, "", app, segments, rule, "", headers, cookies)
        case Deny(rule, reason, refusal, detail):
            return Tried("deny", reason.id, detail, app, segments, rule, refusal)
        case Challenge(rule, reason):
            return Tried("challenge", reason.id, "", app, segments, rule)
