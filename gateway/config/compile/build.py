"""From a plan to the snapshot, in steps short enough to stand between two requests.

A worker imports this and neither the YAML reader nor pydantic: what is in a plan has been validated.
"""

import hashlib
import importlib
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

from gateway.config.compile.cel import loading
from gateway.config.compile.login_paths import closed_login_paths
from gateway.config.compile.plan import (
    LINE,
    AccessRules,
    Application,
    ClosedHosts,
    OrganisationList,
    SharedCondition,
    lines_of,
    plan_lines,
)
from gateway.config.compile.rules import Named, build_condition, build_rule
from gateway.config.host_applications import HostApplications
from gateway.config.snapshot import App, Gateway, Snapshot
from gateway.identity.directories import attributes_of
from gateway.model.directory import Directory
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import OidcProvider, Provider, SamlProvider
from gateway.model.theme import DesignFile
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule, unveiled
from gateway.wire.framing import ALL_METHODS

_Listed = dict[tuple[str, ...], Mapping[str, Provider]]
_Shared = dict[Any, Any]
"""What files of applications say alike, by itself: a worker holds it once."""
_UNLABELLED: Final[Mapping[str, str]] = {}


class _Unnamed:
    """The values of a plan that rules do not refer to."""

    def __init__(self) -> None:
        self.closed = ClosedHosts({}, {})
        self.tables: list[OrganisationTable] = []
        self.design: dict[str, DesignFile] = {}

    def add(self, line: ClosedHosts | OrganisationTable | DesignFile) -> None:
        if isinstance(line, ClosedHosts):
            self.closed = line
        elif isinstance(line, DesignFile):
            self.design[line.name] = line
        else:
            self.tables.append(line)


def build(plan: bytes) -> Snapshot:
    """Builds the snapshot without pauses."""
    steps = build_steps(plan)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return cast(Snapshot, done.value)


def build_steps(plan: bytes) -> Generator[None, None, Snapshot]:
    """Builds the snapshot, and yields between steps of under 2 ms; only loading a library takes longer, once.
    StopIteration carries the snapshot. Raises ValueError for bytes that are not a plan."""
    yield from _loading(plan)
    digest = hashlib.sha256()
    gateway: Gateway | None = None
    providers: dict[str, Provider] = {}
    directories: dict[str, Directory] = {}
    listed: _Listed = {}
    apps: dict[str, App] = {}
    shadows: dict[str, list[App]] = {}
    rules: list[Rule] = []
    unnamed, named, shared = _Unnamed(), Named(), _Shared()
    for line in plan_lines(plan):
        digest.update(line)
        match LINE.read(json.loads(line)):
            case Gateway() as gateway:
                named.use_ladder(gateway.levels)
            case OidcProvider() | SamlProvider() as provider:
                named.add_provider(provider)
                providers[provider.name] = provider
            case Directory() as directory:
                named.add_attributes(
                    name for given in directory.gives if not given.is_secret for name in attributes_of(given)
                )
                directories[directory.name] = directory
            case OrganisationList() as part:
                named.add_organisations(part)
            case SharedCondition(name, condition):
                named.shared[name] = build_condition(condition, named)
            case ClosedHosts() | OrganisationTable() | DesignFile() as other:
                unnamed.add(other)
            case AccessRules(file, some):
                yield from _extend(rules, shared.setdefault(file, file), some, named)
            case Application() as line_of_app:
                app = _joined(line_of_app, providers, directories, listed, shared)
                yield from _add(app, rules, apps, shadows, is_shadow=line_of_app.shadow)
                rules = []
        yield
    if gateway is None:
        raise ValueError("a plan without a gateway")
    exact, wildcards = _hosts(apps)
    return Snapshot(
        digest.hexdigest(), gateway, providers, apps, exact, wildcards, named.tally, named.ladder, unnamed.closed.files,
        directories, unnamed.closed.unread, tuple(unnamed.tables), unnamed.design,
    )  # fmt: skip


def _extend(rules: list[Rule], file: str, some: Iterable[object], named: Named) -> Iterator[None]:
    """Adds the rules, and yields after each rule with an expression, which takes up to 3 ms to compile."""
    compiled = named.expressions
    for written in some:
        rules.append(build_rule(file, cast(dict[str, Any], written), named))
        if named.expressions > compiled:
            compiled = named.expressions
            yield


def _loading(plan: bytes) -> Iterator[None]:
    """Loads the optional libraries that the plan needs, before a request has to wait for them."""
    if b'"when":' in plan:
        yield from loading()
    if b'"service_provider":' in plan:
        # It signs SAML messages: 5 ms, and 7 MB, only for gateways with keys for SAML.
        importlib.import_module("xmlsec")
        yield


def _add(
    app: App, rules: list[Rule], apps: dict[str, App], shadows: dict[str, list[App]], *, is_shadow: bool
) -> Generator[None]:
    """Adds an application with its rules, in which the compiler has found no conflicts."""
    case_insensitive = app.leniency.case_insensitive
    closed = [] if app.form_login is None else closed_login_paths(app.file, app.form_login, app.leniency)
    routes = yield from RouteTable.build_steps(rules, case_insensitive, closed)
    app = replace(app, routes=routes)
    if is_shadow:
        shadows.setdefault(app.name, []).append(app)
        return
    with_shadow_rules = unveiled(rules, map(bytes.decode, ALL_METHODS), case_insensitive)
    if with_shadow_rules:
        routes = yield from RouteTable.build_steps(with_shadow_rules, case_insensitive, closed)
        shadows.setdefault(app.name, []).append(replace(app, routes=routes))
    own_shadows = shadows.get(app.name)
    apps[app.name] = replace(app, shadows=tuple(own_shadows)) if own_shadows else app


def build_gateway(plan: bytes) -> Gateway:
    """gateway.yaml alone, for the supervisor, which listens and does not serve."""
    return next(lines_of(plan, Gateway))


_Hosts = dict[str, HostApplications[App]]


def _hosts(apps: dict[str, App]) -> tuple[_Hosts, _Hosts]:
    """The applications by exact host name, and by the suffix of a wildcard."""
    whole: dict[str, App] = {}
    below: dict[str, list[App]] = {}
    for app in apps.values():
        for host in app.hosts:
            if app.path:
                below.setdefault(host, []).append(app)
            else:
                whole[host] = app
    found = {host: HostApplications(app) for host, app in whole.items() if host not in below}
    for host, some in below.items():
        some.sort(key=lambda app: len(app.path), reverse=True)
        found[host] = HostApplications(whole.get(host), tuple(some))
    exact = {host: there for host, there in found.items() if not host.startswith("*.")}
    return exact, {host[2:]: there for host, there in found.items() if host.startswith("*.")}


def _joined(
    line: Application,
    providers: Mapping[str, Provider],
    directories: Mapping[str, Directory],
    listed: _Listed,
    shared: _Shared,
) -> App:
    """The application with its providers and directories.

    `listed`, `shared`: values that several applications share."""
    app, upstream = line.app, line.app.upstream
    return replace(
        app,
        file=shared.setdefault(app.file, app.file),
        scheme=shared.setdefault(app.scheme, app.scheme),
        label=app.label or _UNLABELLED,
        upstream=replace(
            upstream,
            host=shared.setdefault(upstream.host, upstream.host),
            scheme=shared.setdefault(upstream.scheme, upstream.scheme),
            timeouts=shared.setdefault(upstream.timeouts, upstream.timeouts),
        ),
        listed=listed.setdefault(line.providers, {name: providers[name] for name in line.providers}),
        directories=tuple([directories[name] for name in line.directories]) if line.directories else (),
        naming=tuple([one for one in directories.values() if one.names_organisations]),
    )
