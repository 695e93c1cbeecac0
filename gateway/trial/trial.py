"""Tries one request on a snapshot by the pipeline of live traffic, without an application."""

import itertools
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

from gateway.access.account import SeatAccount, with_login
from gateway.access.application import ApplicationAccess
from gateway.access.outcome import Forward, NeedsStore, NeedsWork, Outcome, Refuse, RequireSignIn, ToPortal
from gateway.access.pipeline import outcome_of
from gateway.access.portal_access import PortalAccess
from gateway.access.request_line import RequestLine
from gateway.access.virtual_host import AnyAccess, HostTable, VirtualHost
from gateway.config.problems import did_you_mean
from gateway.config.snapshot import App, Snapshot
from gateway.formlogin.account import session_described
from gateway.identity.directories import known_with
from gateway.model.codes import route_codes, wire_codes
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.names import fold
from gateway.model.session import Seat
from gateway.model.theme import Words
from gateway.policy.facts import NO_FACTS, Facts, RequestFacts
from gateway.tokens.basic import described_basic
from gateway.tokens.making import described
from gateway.translation.read_back import SentAs, read_back_for_tools, sent_as, unsent
from gateway.translation.render import Injection
from gateway.trial.people import Known, as_told
from gateway.trial.request import Circumstances, WrittenRequest
from gateway.wire.framing import METHODS
from gateway.wire.headers import HeaderPolicy
from gateway.wire.method_override import FOLDS, HEADERS

_METHODS = sorted(map(bytes.decode, METHODS))
_OF_WEBDAV = frozenset({b"depth", b"destination", b"if"})
_FOREVER = float("inf")
_NO_LINK = "this person has no account link; `account: LOGIN` beside their attributes tries with one"

TriedOutcome = Literal["allow", "deny", "challenge", "refuse", "own", "logout"]


@dataclass(frozen=True, slots=True)
class Tried:
    """The result of a request.

    `outcome`: "refuse": refused before the rules; "own": for one of our own pages; "logout": the person signs out.
    "own" and "logout" do not reach an application.
    `reason`: the id of a code; empty for "own" and "logout".
    `segments`: the decoded path, as the rules match it. `other`: as in wire.target.
    `sent_as`: by name, the encoding and the bytes of headers that are not ASCII.
    `unsent`: by name, why a header or cookie of the application is missing.
    `facts`: the facts for the rules, beside the person.
    `reaches`: the further paths of a WebDAV request, with method and pattern.
    `shadows`: the results by the application's shadows, in order.
    """

    outcome: TriedOutcome
    reason: str = ""
    detail: str = ""
    app: App | None = None
    segments: tuple[str, ...] = ()
    rule: RuleRef | None = None
    refusal: Words = ""
    headers: dict[str, str] = field(default_factory=dict)
    sent_as: dict[str, SentAs] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    unsent: dict[str, str] = field(default_factory=dict)
    facts: Facts = NO_FACTS
    reaches: tuple[str, ...] = ()
    shadows: "tuple[Tried, ...]" = ()
    other: tuple[str, ...] | None = None

    def same(self, other: "Tried") -> bool:
        """Whether neither the person nor the application could tell the two apart."""
        return self.result == other.result

    @property
    def result(self) -> tuple[object, ...]:
        return self.outcome, self.headers, self.sent_as, self.cookies

    @property
    def shown_headers(self) -> dict[str, str]:
        """The text by name; a text that is not ASCII is followed by its encoding and bytes."""
        told = {name: f"  ({one.encoding}: {one.bytes})" for name, one in self.sent_as.items()}
        return {name: f"{text}{told.get(name, '')}" for name, text in self.headers.items()}

    def differing(self) -> "tuple[Tried, ...]":
        """The shadow rules with a different result."""
        return tuple(shadow for shadow in self.shadows if not self.same(shadow))


class TrialHosts(HostTable[AnyAccess]):
    """Without connections or counters. `now`: Unix seconds of the request that is tried."""

    def __init__(self, snapshot: Snapshot, now: float) -> None:
        self._now = now
        super().__init__(snapshot)

    def make_lane(self, app: App) -> ApplicationAccess:
        return ApplicationAccess(app, self.snapshot, itertools.count(), wall=lambda: self._now)

    def make_portal_lane(self) -> PortalAccess:
        return PortalAccess(self.snapshot)


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """access.pipeline.AccessRequest from a written request."""

    host: VirtualHost[AnyAccess]
    line: RequestLine
    circumstances: Circumstances
    credential: None = None

    @property
    def app(self) -> App:
        """Of a request that rules are asked about."""
        assert isinstance(self.host.lane, ApplicationAccess)
        return self.host.lane.app

    def facts(self) -> RequestFacts:
        """The headers as in live traffic: injected headers, without dropped headers."""
        target, app = self.line.target, self.app
        listed = frozenset(name.lower().encode("ascii") for name in app.client_headers)
        policy = HeaderPolicy.compile(app.header_folds, listed)
        headers = tuple(line for line in self.circumstances.headers if policy.passes_on(line[0].encode()))
        query = (target.query or b"").decode("ascii")
        return RequestFacts(
            self.circumstances.client, headers, f"/{'/'.join(target.segments)}", query, self.circumstances.now
        )


def try_request(snapshot: Snapshot, asked: WrittenRequest, person: Known | None, circumstances: Circumstances) -> Tried:
    """Never raises."""
    try:
        request = _read(snapshot, asked, circumstances)
    except GatewayError as error:
        return Tried("refuse", error.code.id, _explained(error, asked, snapshot))
    if isinstance(request.host.lane, PortalAccess):
        return _tried_without_rules(request)
    line = request.line
    shadows = request.app.shadows if line.purpose == "application" else ()
    beside = (_shadowed(snapshot, asked.authority, request, shadow) for shadow in shadows)
    live, *others = (_tried(one, person) for one in (request, *beside))
    reaches = tuple(
        f"{one.method} {'below or beside it, where no rule is' if one.match is None else one.match.pattern}"
        for one in line.also
    )
    return replace(live, other=line.target.other, shadows=tuple(others), reaches=reaches)


def _tried_without_rules(request: TrialRequest) -> Tried:
    _, outcome = outcome_of(request, None, 0.0)
    segments = request.line.target.segments
    return (
        Tried("refuse", outcome.code.id, outcome.detail, None, segments)
        if isinstance(outcome, Refuse)
        else Tried("own", segments=segments)
    )


def _read(snapshot: Snapshot, asked: WrittenRequest, circumstances: Circumstances) -> TrialRequest:
    """Raises GatewayError."""
    text = b"%b %b HTTP/1.1" % (asked.method.encode("ascii", "replace"), asked.target)
    host = TrialHosts(snapshot, circumstances.now).find(asked.authority).at(text)
    line = host.lane.read_line(text)
    host.require_own(line.target)
    if isinstance(host.lane, PortalAccess):
        return TrialRequest(host, line, circumstances)
    sent = [(name.encode(), value.encode()) for name, value in circumstances.headers if fold(name.encode()) in FOLDS]
    header = b", ".join(value for name, value in sent if name in HEADERS)
    other = b", ".join(value for name, value in sent if name not in HEADERS)
    line = host.lane.overridden(line, header, other) if sent else line
    return TrialRequest(host, _reaching(host.lane, host.name, line, circumstances), circumstances)


def _reaching(access: ApplicationAccess, host: str, line: RequestLine, circumstances: Circumstances) -> RequestLine:
    """Adds the further paths that a WebDAV request's headers name."""
    named = [(name.encode(), value.encode()) for name, value in circumstances.headers]
    if not any(name.lower() in _OF_WEBDAV for name, _ in named):
        return line
    return access.reaching(line, named, host)


def _explained(error: GatewayError, asked: WrittenRequest, snapshot: Snapshot) -> str:
    if error.code is wire_codes.METHOD:
        return f"{asked.method}: the gateway passes on {', '.join(_METHODS)}, in capitals"
    if error.code is route_codes.HOST_UNKNOWN:
        hint = did_you_mean(error.detail, snapshot.exact_hosts)
        return f"{error.detail}: no application has this host" + (f" ({hint})" if hint else "")
    return error.detail


def _shadowed(snapshot: Snapshot, raw: bytes, live: TrialRequest, shadow: App) -> TrialRequest:
    """The same request, as if the shadow were enforced."""
    access = ApplicationAccess(shadow, snapshot, itertools.count(), wall=lambda: live.circumstances.now)
    host: VirtualHost[AnyAccess] = VirtualHost(raw, live.host.name, access, portal=live.host.portal)
    matched = access.matched(live.line, live.line.judged)
    return replace(live, host=host, line=_reaching(access, host.name, matched, live.circumstances))


def _tried(request: TrialRequest, person: Known | None) -> Tried:
    # Of this one trial alone, so that nothing is kept from one to the next.
    seat = None if person is None else _seat(request, person)
    _, outcome = outcome_of(request, seat, 0.0)
    tried = _result(outcome, request, person)
    by = outcome.by if isinstance(outcome, Forward | Refuse | RequireSignIn) else None
    if by is None:
        return tried
    tenant = None if seat is None else request.app.tenant_of(seat, request.circumstances.now)
    facts = Facts(request.line.judged.decode("ascii"), tenant, request.facts())
    return replace(tried, rule=by.decision.rule, facts=facts)


def _result(outcome: Outcome, request: TrialRequest, person: Known | None) -> Tried:
    app, segments = request.app, request.line.target.segments
    match outcome:
        case Forward(decision=decision, prepared=prepared):
            injection = Injection(prepared.headers, prepared.cookies)
            translation = app.translation_at(segments)
            headers, cookies = read_back_for_tools(translation, injection)
            accepted = None
            if person is not None and app.accepts(person.identity):
                accepted = _known_at(app, person, request.circumstances.now)
            if accepted is not None:
                made = described(app.tokens, accepted)
                headers, cookies = headers | made[0], cookies | made[1]
                headers |= {} if app.basic is None else described_basic(app.basic, accepted)
            why = unsent(translation, accepted)
            if accepted is not None and app.form_login is not None:
                there = session_described(app.form_login, accepted)
                cookies, why = cookies | there[0], why | there[1]
            tried = Tried("allow", decision.reason.id, "", app, segments, headers=headers, cookies=cookies, unsent=why)
            return replace(tried, sent_as=sent_as(translation, injection))
        case Refuse(code=code, detail=detail, by=None):
            return Tried("refuse", code.id, detail, app, segments)
        case Refuse(code=code, detail=detail, refusal=refusal):
            return Tried("deny", code.id, detail, app, segments, refusal=refusal)
        case RequireSignIn(decision=decision):
            return Tried("challenge", decision.reason.id, "", app, segments)
        case ToPortal(purpose="logout"):
            return Tried("logout", app=app, segments=segments)
        case ToPortal():
            return Tried("own", app=app, segments=segments)
        case NeedsStore() | NeedsWork():
            raise AssertionError("a trial says who asks, and awaits nothing")
        case _:
            assert_never(outcome)


def _seat(request: TrialRequest, person: Known) -> Seat:
    """The seat of a person who has signed in."""
    app = request.app
    seat = Seat(b"trial", request.host.name, "", as_told(app, person), person.tenant, 0.0, _FOREVER, _FOREVER, 0.0)
    if app.account is not None and app.account.source is None:
        told = None if person.account is None else with_login(person.identity, person.account)
        seat.account = SeatAccount(app.name, app.account, person.identity, 0, told, detail=_NO_LINK)
    return seat


def _known_at(app: App, person: Known, now: float) -> Identity:
    """The person's known attributes at this application."""
    identity = as_told(app, person)
    has_login = app.account is not None and person.account is not None
    known = known_with(identity, app.directories, now)
    return with_login(known, person.account or "") if has_login else known
