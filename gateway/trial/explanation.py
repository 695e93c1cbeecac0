"""The rules that a request meets, with their results and reasons: a value for `ecluse explain` to print."""

from dataclasses import dataclass, replace
from typing import Literal

from gateway.config.exchange_limits import Rate
from gateway.config.snapshot import App, Snapshot, TunnelSettings
from gateway.identity.directories import known_with
from gateway.model.decision import RuleRef
from gateway.model.kept_post import KeepPosts
from gateway.policy.rules import Rule
from gateway.policy.trace import Say, TracedCondition, trace
from gateway.policy.truth import Truth
from gateway.trial.leniencies import leniencies_needed
from gateway.trial.people import Known
from gateway.trial.request import Circumstances, WrittenRequest
from gateway.trial.trial import Tried, try_request
from gateway.wire.host import canonical_host
from gateway.wire.response_edits import told

Answer = Literal["hit", "miss", "unknown", "not asked"]
_ANSWERS: dict[Truth, Answer] = {Truth.TRUE: "hit", Truth.FALSE: "miss", Truth.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class Row:
    """One `allow` or `deny` of a rule whose pattern matches the path.

    `why`: the reason why the rule is not evaluated.
    `shadow`: the rule is evaluated without taking part in the decision.
    """

    rule: RuleRef
    methods: tuple[str, ...]
    say: Say
    answer: Answer
    why: str = ""
    step: TracedCondition | None = None
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Rewriting:
    """The rewriting of addresses in a response. `bodies`: in texts too. `texts`: further replacements."""

    public: str
    internal: tuple[str, ...]
    bodies: bool
    texts: int


@dataclass(frozen=True, slots=True)
class Bounded:
    """The limit of the requests.

    `of`: "client" (a stranger's address), "person", or "all" callers of the application.
    `app`: the application whose file sets the limit; empty: gateway.yaml, which counts hosts together.
    """

    of: str
    rate: Rate
    app: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """`rows`: the matching rules, with the deciding pattern first; then shadow rules.
    `others`: live rules of the application that do not match.
    `keeps`: for a POST that reaches the application or asks for a sign-in, the limits for keeping the form after a
    session has ended.
    `rewriting`: for a request that reaches an application; None: addresses stay.
    `tunnel`: likewise, if the request could open a tunnel; None: tunnels are refused.
    `leniencies`: keys of `paths:` without which the path would be refused or read otherwise.
    `told_for`: the pattern of `translate.paths` that changes the headers for the path; empty: none.
    `moved_to`: the application's own path, if it differs; empty: none.
    `bounds`: the limits beyond which the answer is 429.
    """

    asked: WrittenRequest
    tried: Tried
    rows: tuple[Row, ...]
    others: int
    rewriting: Rewriting | None = None
    tunnel: TunnelSettings | None = None
    keeps: KeepPosts | None = None
    leniencies: tuple[str, ...] = ()
    told_for: str = ""
    now: float = 0.0
    moved_to: str = ""
    bounds: tuple[Bounded, ...] = ()


def explain_request(
    snapshot: Snapshot, asked: WrittenRequest, person: Known | None, circumstances: Circumstances
) -> Explanation:
    tried = try_request(snapshot, asked, person, circumstances)
    if tried.app is None or tried.outcome in ("refuse", "own", "logout"):
        return Explanation(asked, tried, (), 0)
    app = tried.app
    matching = app.routes.matching(tried.segments)
    rows = _rows(app, matching, tried, person, circumstances.now)
    for shadow in app.shadows:
        live = {rule.ref for rule in app.routes.rules()}
        own = tuple(rule for rule in shadow.routes.matching(tried.segments) if rule.ref not in live)
        rows += tuple(replace(row, shadow=True) for row in _rows(shadow, own, tried, person, circumstances.now))
    rewriting = _rewriting(app, asked) if tried.outcome == "allow" else None
    tunnel = app.tunnel if tried.outcome == "allow" and asked.method == "GET" else None
    keeps = app.keep_posts if tried.facts.method == "POST" and tried.outcome in ("allow", "challenge") else None
    others = sum(1 for _ in app.routes.rules()) - len(matching)
    leniencies = leniencies_needed(asked.target, app.leniency)
    told_for = (
        ""
        if app.path_translations is None or tried.outcome != "allow"
        else app.path_translations.pattern(tried.segments)
    )
    moved_to = "" if app.mount is None or tried.outcome != "allow" else app.mount.target(asked.target).decode("ascii")
    return Explanation(
        asked,
        tried,
        rows,
        others,
        rewriting,
        tunnel,
        keeps,
        leniencies,
        told_for,
        circumstances.now,
        moved_to,
        _bounds(snapshot, app, tried, person),
    )


def _bounds(snapshot: Snapshot, app: App, tried: Tried, person: Known | None) -> tuple[Bounded, ...]:
    kind = "client" if person is None else "person"
    found = []
    for rates, name in ((snapshot.gateway.limits.requests, ""), (app.request_rates, app.name)):
        if rates is not None and (rate := rates.per(kind)) is not None:
            found.append(Bounded(kind, rate, name))
    if app.request_rates is not None and app.request_rates.all is not None and tried.outcome == "allow":
        found.append(Bounded("all", app.request_rates.all, app.name))
    return tuple(found)


def _rewriting(app: App, asked: WrittenRequest) -> Rewriting | None:
    edits, public = app.edits, app.origin(canonical_host(asked.authority, underscore=True))
    if not edits.addresses:
        return None
    return Rewriting(public, told(edits, public), edits.bodies, len(edits.texts))


def _rows(app: App, matching: tuple[Rule, ...], tried: Tried, person: Known | None, now: float) -> tuple[Row, ...]:
    method = tried.facts.method
    accepted = None
    if person is not None and app.accepts(person.identity):
        accepted = known_with(person.identity, app.directories, now)
    traced = trace(app.routes.find(tried.segments), method, accepted, tried.facts)
    steps = {(one.rule, one.say): one.step for one in traced}
    return tuple(_row(rule, say, method, steps.get((rule.ref, say))) for rule in matching for say in _says(rule))


def _says(rule: Rule) -> list[Say]:
    says: list[Say] = []
    if rule.deny is not None:
        says.append("deny")
    if rule.allow is not None:
        says.append("allow")
    return says


def _row(rule: Rule, say: Say, method: str, step: TracedCondition | None) -> Row:
    methods = tuple(sorted(rule.methods or ()))
    if step is not None:
        return Row(rule.ref, methods, say, _ANSWERS[step.truth], "", step)
    why = "a more specific path decides" if rule.covers(method) else f"not for {method}"
    return Row(rule.ref, methods, say, "not asked", why)
