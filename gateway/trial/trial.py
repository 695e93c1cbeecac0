"""One request tried on a snapshot, by the functions that the data plane itself calls, and in its order."""

from dataclasses import dataclass, field, replace
from typing import Literal

from gateway.access.decision import compile_passage
from gateway.access.request_line import RequestLine, method_named, read_request_line
from gateway.access.virtual_host import find_virtual_host
from gateway.config.problems import did_you_mean
from gateway.config.snapshot import App, Snapshot
from gateway.model.codes import HOST_UNKNOWN, WIRE_METHOD
from gateway.model.decision import Allow, Challenge, Deny, RuleRef
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.policy.facts import NO_FACTS, Facts, RequestFacts
from gateway.translation.read_back import read_back_for_tools
from gateway.translation.render import NOTHING
from gateway.trial.people import Known
from gateway.trial.request import Around, Request
from gateway.wire.framing import METHODS
from gateway.wire.method_override import FOLDS, HEADERS
from gateway.wire.target import Target

_METHODS = sorted(map(bytes.decode, METHODS))

Outcome = Literal["allow", "deny", "challenge", "refuse", "own", "logout"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What comes of a request. `outcome` "refuse": before any rule is asked; "own": no application is asked; "logout":
    nor here, for the person signs out.

    `reason`: the id of a code, empty for these two. `segments`: the path as the rules meet it, decoded;
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
    app = _application(snapshot, asked.authority)
    method = asked.method.encode("ascii", "replace")
    if method not in METHODS:
        raise GatewayError(WIRE_METHOD, f"{asked.method}: the gateway passes on {', '.join(_METHODS)}, in capitals")
    line = read_request_line(app, method, asked.target, longest=snapshot.gateway.limits.url)
    target = line.target
    if app is None or line.purpose != "application":
        return Tried("logout" if line.purpose == "logout" else "own", app=app, segments=target.segments)
    facts = facts_of(app, target, _judged(app, line, around), person, around)
    live, *shadows = (_decided(one, target.segments, person, facts) for one in (app, *app.shadows))
    return replace(live, other=target.other, shadows=tuple(shadows))


def _application(snapshot: Snapshot, authority: bytes) -> App | None:
    try:
        return find_virtual_host(snapshot, authority).app
    except GatewayError as error:
        hint = did_you_mean(error.detail, snapshot.exact_hosts) if error.code is HOST_UNKNOWN else ""
        told = f"{error.detail}: no application has this host" + (f" ({hint})" if hint else "")
        raise GatewayError(error.code, told if error.code is HOST_UNKNOWN else error.detail) from None


def _judged(app: App, line: RequestLine, around: Around) -> str:
    """The method that rules are asked about. Raises GatewayError, as method_named."""
    sent = [(name.encode(), value.encode()) for name, value in around.headers if fold(name.encode()) in FOLDS]
    header = b", ".join(value for name, value in sent if name in HEADERS)
    other = b", ".join(value for name, value in sent if name not in HEADERS)
    return method_named(app, line.method, line.target, header, other).decode("ascii")


def facts_of(app: App, target: Target, method: str, person: Known | None, around: Around) -> Facts:
    """As the data plane has them: a header that the application is told by us is not one that a client can send."""
    headers = tuple(line for line in around.headers if fold(line[0].encode()) not in app.translation.header_folds)
    query = (target.query or b"").decode("ascii")
    asked = RequestFacts(around.client, headers, f"/{'/'.join(target.segments)}", query, around.now)
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
