"""The requests and people for comparing two folders, taken from their rules and tests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from gateway.config.snapshot import App, Snapshot
from gateway.identity.perimeter import is_inside
from gateway.model.directory import DirectoryFinding
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.mandate import MANDATES
from gateway.model.provider import Provider
from gateway.policy.conditions import GROUPS, Claim, Condition, Group
from gateway.policy.patterns import ExpressionSegment, Literal, Pattern
from gateway.policy.persons import Mandate, Tenant
from gateway.policy.rules import Rule
from gateway.policy.trace import parts
from gateway.policy.values import Equals, Suffix, Within
from gateway.trial.cases import Case
from gateway.trial.people import Known, tenant_of
from gateway.trial.request import WrittenRequest, app_asked, parse_request

NOBODY = "nobody"
_ANY_SEGMENT = "x"
_USUAL_METHODS = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Somebody:
    """`provider`: None: not signed in. `attributes`: no attribute twice, because policy reads only the values."""

    name: str
    provider: str | None
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    of_test: Known | None = None

    def known(self, snapshot: Snapshot) -> Known | None:
        """The person in the snapshot. Raises KeyError for an unknown provider."""
        if self.provider is None:
            return None
        provider = snapshot.providers[self.provider]
        if self.of_test is not None:
            told = self.of_test.identity
            identity = Identity(
                provider.name, provider.issuer, told.subject, told.attributes, told.left_out, told.acr, told.amr,
                told.authenticated_at, _findings(told, snapshot),
            )  # fmt: skip
            return Known(identity, self.of_test.tenant)
        identity = Identity(provider.name, provider.issuer, "somebody", dict(self.attributes))
        return Known(identity, tenant_of(provider, identity))


def _findings(told: Identity, snapshot: Snapshot) -> tuple[DirectoryFinding, ...]:
    """The findings of directories in a test, by the directories of the snapshot."""
    known = snapshot.directories
    held = (one for one in told.findings if one.directory in known)
    return tuple(replace(one, fingerprint=known[one.directory].fingerprint) for one in held)


def requests_of(snapshots: Iterable[Snapshot], cases: Iterable[Case]) -> list[WrittenRequest]:
    """The tests' requests, then one request for each method of each pattern that a path can spell out."""
    found = {case.request.text: case.request for case in cases}
    for snapshot in snapshots:
        for app in snapshot.apps.values():
            for text in sorted(_derived(app)):
                found.setdefault(text, parse_request(text))
    return list(found.values())


class People:
    """The people for a request: nobody, the people of the tests, one more per provider, and people made from the rules
    of its application. With hundreds of applications, trying every person everywhere would take hours.
    """

    def __init__(self, snapshots: Iterable[Snapshot], cases: Iterable[Case]) -> None:
        self._snapshots = tuple(snapshots)
        self._everywhere = {NOBODY: Somebody(NOBODY, None)}
        self._of_app: dict[str, dict[str, Somebody]] = {}
        for case in cases:
            if case.person is not None:
                known = Somebody(case.who, case.person.identity.provider, (), case.person)
                self._everywhere.setdefault(case.who, known)
        for snapshot in self._snapshots:
            for name in snapshot.providers:
                self._everywhere.setdefault(f"somebody of {name}", Somebody(f"somebody of {name}", name))
            for app in snapshot.apps.values():
                self._add(app, snapshot.providers.values())

    def _add(self, app: App, providers: Iterable[Provider]) -> None:
        found = self._of_app.setdefault(app.name, {})
        conditions = list(_conditions(app))
        for provider in providers:
            wanted = sorted({one for condition in conditions for one in _named(condition, provider)})
            for person in _announced(provider, wanted):
                found.setdefault(person.name, person)

    def before(self, request: WrittenRequest) -> list[Somebody]:
        found = dict(self._everywhere)
        for snapshot in self._snapshots:
            app = _app_of(snapshot, request)
            found |= {} if app is None else self._of_app[app.name]
        return list(found.values())


def _app_of(snapshot: Snapshot, request: WrittenRequest) -> App | None:
    try:
        return app_asked(snapshot, request)
    except GatewayError:
        return None


def host_of(app: App) -> str:
    """A host for requests; `*.` sorts before other names."""
    return app.hosts[-1].replace("*", _ANY_SEGMENT)


def _derived(app: App) -> Iterator[str]:
    for rule in _rules(app):
        path = _path(rule.pattern)
        if path is not None:
            yield from (f"{method} {app.origin(host_of(app))}{path}" for method in _methods(rule))


def _rules(app: App) -> Iterator[Rule]:
    """Includes shadow rules: a shadow that needs a stronger sign-in counts as a difference."""
    for one in (app, *app.shadows):
        yield from one.routes.rules()


def _methods(rule: Rule) -> Iterable[str]:
    return _USUAL_METHODS if rule.methods is None else sorted(rule.methods | set(_USUAL_METHODS))


def _path(pattern: Pattern) -> str | None:
    """A path that matches the pattern. None: the pattern has an expression, and no text is made up for expressions."""
    if any(isinstance(segment, ExpressionSegment) for segment in pattern.segments):
        return None
    pieces = (segment.text if isinstance(segment, Literal) else _ANY_SEGMENT for segment in pattern.segments)
    return f"/{'/'.join(pieces)}"


def _conditions(app: App) -> Iterator[Condition]:
    for rule in _rules(app):
        yield from (condition for condition in (rule.allow, rule.deny) if condition is not None)


def _named(condition: Condition, provider: Provider) -> Iterator[tuple[str, str]]:
    """The attributes and values in a condition and its parts."""
    match condition:
        case Group(name):
            yield GROUPS, name
        case Claim(name, Equals(value)):
            yield name, value
        case Claim(name, Within(values)):
            yield from ((name, value) for value in values)
        case Claim(name, Suffix(text)):
            yield name, f"somebody{text}"
        case Mandate(names):
            yield from ((MANDATES, name) for name in names)
        case Tenant(_, organisations):
            sirets = sorted(provider.perimeter.siret or ())
            held = (one for one in sirets if any(some.holds(one) for some in organisations))
            yield from ((provider.tenant_attribute or "", one) for one in islice(held, 1))
        case _:
            for part in parts(condition):
                yield from _named(part, provider)


def _announced(provider: Provider, wanted: Iterable[tuple[str, str]]) -> Iterator[Somebody]:
    """Drops people whom the provider may not assert."""
    for name, value in wanted:
        identity = Identity(provider.name, provider.issuer, "somebody", {name: (value,)})
        if name in provider.attributes and is_inside(provider, identity):
            yield Somebody(f"somebody of {provider.name}, {name} {value}", provider.name, ((name, (value,)),))
