"""From a plan to the snapshot, in steps short enough to stand between two requests.

A worker imports this and neither the YAML reader nor pydantic: what is in a plan has been validated.
"""

import hashlib
import importlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from typing import Any, Final, TypeVar, cast

from gateway.config.compile.cel import loading
from gateway.config.compile.login_paths import closed_login_paths
from gateway.config.compile.plan import (
    LINE,
    ClosedHosts,
    OrganisationList,
    SharedCondition,
    TimeoutChanges,
    WrittenApp,
    WrittenOpaqueTokens,
    WrittenRule,
    WrittenRules,
    lines_of,
    plan_lines,
)
from gateway.config.compile.rules import Named, build_condition, build_rule
from gateway.config.exchange_limits import ExchangeLimits, PathLimits, Timeouts
from gateway.config.host_applications import HostApplications
from gateway.config.path_translations import PathTranslations
from gateway.config.snapshot import (
    Api,
    App,
    AppSettings,
    Gateway,
    Logout,
    LogoutSettings,
    OpaqueTokens,
    Snapshot,
)
from gateway.config.upstream_settings import Upstream, UpstreamSettings
from gateway.identity.directories import attributes_of
from gateway.model.decision import RuleRef
from gateway.model.directory import Directory
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import OidcProvider, Provider, SamlProvider
from gateway.model.theme import DesignFile
from gateway.policy.links import QueryLinks, parse_link
from gateway.policy.patterns import parse_pattern
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule, unveiled
from gateway.translation.render import Translation
from gateway.wire.framing import ALL_METHODS

_Extended = TypeVar("_Extended")
_Listed = dict[tuple[str, ...], Mapping[str, Provider]]
_Shared = dict[Any, Any]
"""What files of applications say alike, by itself: a worker holds it once."""
_NO_PATHS = RouteTable.build((), False)
_UNLABELLED: Final[Mapping[str, str]] = {}
_USUAL_LOGOUT = Logout(links=_NO_PATHS)


class _Unnamed:
    """What the plan has that no rule refers to."""

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
    """The snapshot, at once."""
    steps = build_steps(plan)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return cast(Snapshot, done.value)


def build_steps(plan: bytes) -> Generator[None, None, Snapshot]:
    """Yields between steps of under 2 ms, but for a library that is loaded once; the snapshot is the value of
    StopIteration. ValueError: this is no plan."""
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
            case WrittenRules(file, some):
                yield from _extend(rules, shared.setdefault(file, file), some, named)
            case WrittenApp() as written:
                yield from _add(written, rules, gateway, (providers, directories, listed, shared), apps, shadows)
                rules = []
        yield
    if gateway is None:
        raise ValueError("a plan without a gateway")
    exact, wildcards = _hosts(apps)
    return Snapshot(
        digest.hexdigest(), gateway, providers, apps, exact, wildcards, named.tally, named.ladder, unnamed.closed.files,
        directories, unnamed.closed.unread, tuple(unnamed.tables), unnamed.design,
    )  # fmt: skip


def _extend(rules: list[Rule], file: str, some: Sequence[WrittenRule], named: Named) -> Iterator[None]:
    """Yields behind each rule that has an expression, whose compilation takes up to 3 ms."""
    compiled = named.expressions
    for written in some:
        rules.append(build_rule(file, written, named))
        if named.expressions > compiled:
            compiled = named.expressions
            yield


def _loading(plan: bytes) -> Iterator[None]:
    """Loads the libraries that only some configurations need, before a request waits for them."""
    if b'"when":' in plan:
        yield from loading()
    if b'"service_provider":' in plan:
        # It signs SAML messages: 5 ms, and 7 MB, for those alone who have keys for it.
        importlib.import_module("xmlsec")
        yield


def _add(
    written: WrittenApp,
    rules: list[Rule],
    gateway: Gateway | None,
    known: tuple[Mapping[str, Provider], Mapping[str, Directory], _Listed, _Shared],
    apps: dict[str, App],
    shadows: dict[str, list[App]],
) -> Generator[None]:
    """An app with its rules. Compiling has found no conflicts in them. Raises ValueError."""
    if gateway is None:
        raise ValueError("a plan that begins without a gateway")
    case_insensitive = written.leniency.case_insensitive
    form = written.form_login
    closed = [] if form is None else closed_login_paths(written.file, form, written.leniency)
    routes = yield from RouteTable.build_steps(rules, case_insensitive, closed)
    app = _app(written, routes, gateway, *known)
    if written.shadow:
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
    """By exact name, and by the suffix of a wildcard."""
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


def _app(
    written: WrittenApp,
    routes: RouteTable,
    gateway: Gateway,
    providers: Mapping[str, Provider],
    directories: Mapping[str, Directory],
    listed: _Listed,
    shared: _Shared,
) -> App:
    """`listed`: what applications that list the same providers share."""
    return _extended(
        App,
        AppSettings,
        written,
        file=shared.setdefault(written.file, written.file),
        scheme=shared.setdefault(written.scheme, written.scheme),
        label=written.label or _UNLABELLED,
        upstream=_upstream(written, gateway.timeouts, shared),
        listed=listed.setdefault(written.providers, {name: providers[name] for name in written.providers}),
        directories=tuple([directories[name] for name in written.directories]) if written.directories else (),
        naming=tuple([one for one in directories.values() if one.names_organisations]),
        routes=routes,
        translation=Translation.compile(written.headers, written.cookies, written.header_budget),
        path_translations=_path_translations(written) if written.path_headers else None,
        logout=_logout(written),
        api=_api(written, providers),
        path_limits=_path_limits(written, gateway) if written.path_limits else None,
    )


def _path_translations(written: WrittenApp) -> PathTranslations:
    blocks = written.path_headers
    table = _paths(written, [block.path for block in blocks])
    compiled = {
        block.path: Translation.compile(block.headers, written.cookies, written.header_budget) for block in blocks
    }
    return PathTranslations(table, compiled)


def _extended(kind: type[_Extended], base: type, settings: object, **compiled: object) -> _Extended:
    """`kind` extends `base` by what is compiled; the other fields of `base` are taken over from `settings`."""
    return kind(**{name: getattr(settings, name) for name in _names(base)} | compiled)


@cache
def _names(base: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(base))


def _upstream(written: WrittenApp, timeouts: Timeouts, shared: _Shared) -> Upstream:
    changes = written.timeouts
    timeouts = timeouts if changes is None else _changed(timeouts, changes)
    host, scheme = written.upstream.host, written.upstream.scheme
    host, scheme = shared.setdefault(host, host), shared.setdefault(scheme, scheme)
    return _extended(Upstream, UpstreamSettings, written.upstream, timeouts=timeouts, host=host, scheme=scheme)


def _changed(timeouts: Timeouts, changes: TimeoutChanges) -> Timeouts:
    said = {name: value for name in _names(TimeoutChanges) if (value := getattr(changes, name)) is not None}
    return replace(timeouts, **said) if said else timeouts


def _path_limits(written: WrittenApp, gateway: Gateway) -> PathLimits:
    timeouts = gateway.timeouts if written.timeouts is None else _changed(gateway.timeouts, written.timeouts)
    blocks = {
        block.path: ExchangeLimits(
            written.body_limit if block.body is None else block.body, _changed(timeouts, block.timeouts)
        )
        for block in written.path_limits
    }
    return PathLimits(_paths(written, tuple(blocks)), blocks)


def _api(written: WrittenApp, providers: Mapping[str, Provider]) -> Api | None:
    api = written.api
    if api is None:
        return None
    told = {one.provider: one for one in api.opaque}
    opaque = tuple(
        _opaque(written, name, provider.api.prefix, told.get(name))
        for name in api.providers
        if isinstance(provider := providers[name], OidcProvider) and provider.api and provider.api.introspection
    )
    return Api(api.providers, _paths(written, api.paths), api.forward, opaque)


def _opaque(written: WrittenApp, provider: str, prefix: str, told: WrittenOpaqueTokens | None) -> OpaqueTokens:
    paths, header = (None, None) if told is None else (told.paths, told.header)
    return OpaqueTokens(
        provider,
        prefix.encode("ascii"),
        None if paths is None else _paths(written, paths),
        None if header is None else (header[0].encode("latin-1"), header[1].encode()),
    )


def _logout(written: WrittenApp) -> Logout:
    if not written.logout_links and written.logout == LogoutSettings():
        return _USUAL_LOGOUT
    links = [parse_link(text) for text in written.logout_links]
    told = [link for link in links if link.parameters]
    return _extended(
        Logout,
        LogoutSettings,
        written.logout,
        links=_paths(written, [link.text for link in links if not link.parameters]),
        query_links=QueryLinks((_paths(written, [link.pattern.text]), link.parameters) for link in told)
        if told
        else None,
    )


def _paths(written: WrittenApp, patterns: Sequence[str]) -> RouteTable:
    """A table that is only asked whether it has a path: its rules decide nothing."""
    if not patterns:
        return _NO_PATHS
    rules = [
        Rule(RuleRef(written.file, 0, text), parse_pattern(text, named=True), None, None, None) for text in patterns
    ]
    return RouteTable.build(rules, written.leniency.case_insensitive)
