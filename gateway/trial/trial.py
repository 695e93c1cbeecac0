"""One request tried on a snapshot, by the functions that the data plane itself calls, and in its order."""

from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.config.passages import compile_passage
from gateway.config.problems import did_you_mean
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import APP_CLOSED, HOST_UNKNOWN, LIMIT_URL, WIRE_METHOD
from gateway.model.decision import Allow, Challenge, Deny, RuleRef
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.policy.facts import NO_FACTS, Asked, Facts
from gateway.translation.read_back import read_back_for_tools
from gateway.translation.render import NOTHING
from gateway.trial.people import Known
from gateway.trial.request import Around, Request
from gateway.wire.framing import METHODS
from gateway.wire.host import canonical_host
from gateway.wire.method_override import FOLDS, HEADERS, judged_method
from gateway.wire.target import STRICT, Target, canonical_target

RESERVED = "_ecluse"
_METHODS = sorted(map(bytes.decode, METHODS))

Outcome = Literal["allow", "deny", "challenge", "refuse", "own"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What comes of a request. `outcome` "refuse": before any rule is asked; "own": no application is asked.

    `reason`: the id of a code, empty for "own". `segments`: the path as the rules meet it, decoded;
    `other`: as in wire.target.
    `facts`: what the rules were held against beside the person. `shadows`: what each shadow of the application would
    have come to, in its order.
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
    facts: Facts = NO_FACTS
    shadows: "tuple[Tried, ...]" = ()
    other: tuple[str, ...] | None = None

    def same(self, other: "Tried") -> bool:
        """Whether neither the person nor the application could tell one from the other."""
        return (self.outcome, self.headers, self.cookies) == (other.outcome, other.headers, other.cookies)

    def differing(self) -> "tuple[Tried, ...]":
        """The shadows that are not the same."""
        return tuple(shadow for shadow in self.shadows if not self.same(shadow))


def try_request(snapshot: Snapshot, asked: Request, person: Known | None, around: Around) -> Tried:
    try:
        return _tried(snapshot, asked, person, around)
    except GatewayError as error:
        return Tried("refuse", error.code.id, error.detail)


def _tried(snapshot: Snapshot, asked: Request, person: Known | None, around: Around) -> Tried:
    host = canonical_host(asked.authority)
    app = snapshot.find_app(host)
    if app is None and host != snapshot.gateway.portal_host:
        if closed := snapshot.closed_by(host):
            raise GatewayError(APP_CLOSED, f"{host}: {closed}")
        raise GatewayError(HOST_UNKNOWN, _near(snapshot, host))
    if asked.method.encode("ascii", "replace") not in METHODS:
        raise GatewayError(WIRE_METHOD, f"{asked.method}: the gateway passes on {', '.join(_METHODS)}, in capitals")
    if len(asked.target) > snapshot.gateway.limits.url:
        raise GatewayError(LIMIT_URL, f"{len(asked.target)} bytes")
    target = canonical_target(asked.target, STRICT if app is None else app.leniency)
    if app is not None:
        app.check_readings(target)
    if app is None or target.segments[0].lower() == RESERVED:
        return Tried("own", app=app, segments=target.segments)
    facts = facts_of(app, target, _method(app, target, asked.method, around), person, around)
    live, *shadows = (_decided(one, target.segments, person, facts) for one in (app, *app.shadows))
    return replace(live, other=target.other, shadows=tuple(shadows))


def _method(app: App, target: Target, method: str, around: Around) -> str:
    """Raises GatewayError where the request names another, and the application's file does not say that it may."""
    sent = [(name.encode(), value.encode()) for name, value in around.headers if fold(name.encode()) in FOLDS]
    header = b", ".join(value for name, value in sent if name in HEADERS)
    other = b", ".join(value for name, value in sent if name not in HEADERS)
    judged = judged_method(method.encode(), target.query or b"", header, other, taken=app.method_override)
    return judged.decode("ascii")


def _near(snapshot: Snapshot, host: str) -> str:
    hint = did_you_mean(host, snapshot.exact_hosts)
    return f"{host}: no application has this host" + (f" ({hint})" if hint else "")


def facts_of(app: App, target: Target, method: str, person: Known | None, around: Around) -> Facts:
    """As the data plane has them: a header that the application is told by us is not one that a client can send."""
    headers = tuple(line for line in around.headers if fold(line[0].encode()) not in app.translation.header_folds)
    query = (target.query or b"").decode("ascii")
    asked = Asked(around.client, headers, f"/{'/'.join(target.segments)}", query, around.now)
    return Facts(method, None if person is None else person.tenant, asked)


def _decided(app: App, segments: tuple[str, ...], person: Known | None, facts: Facts) -> Tried:
    passage = compile_passage(app, segments, facts.method, None if person is None else person.identity, facts)
    match passage.decision:
        case Allow(rule, reason):
            headers, cookies = read_back_for_tools(app.translation, passage.injection or NOTHING)
            return Tried("allow", reason.id, "", app, segments, rule, "", headers, cookies, facts)
        case Deny(rule, reason, refusal, detail):
            return Tried("deny", reason.id, detail, app, segments, rule, refusal, facts=facts)
        case Challenge(rule, reason):
            return Tried("challenge", reason.id, "", app, segments, rule, facts=facts)
