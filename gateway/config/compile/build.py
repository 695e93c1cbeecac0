"""From a plan to the snapshot, in steps short enough to stand between two requests.

A worker imports this and neither the YAML reader nor pydantic: what is in a plan has been validated.
"""

import hashlib
import json
from base64 import b64decode
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from gateway.config.compile.build_oidc import build_oidc_provider
from gateway.config.compile.build_rules import build_condition, build_rule
from gateway.config.compile.build_saml import build_saml_provider, build_service_provider
from gateway.config.compile.cel import loading
from gateway.config.compile.named import Named
from gateway.config.compile.plan import AppPlan, GatewayPlan, InjectedPlan, OpaquePlan, gateway_plan, plan_lines
from gateway.config.snapshot import (
    Api,
    App,
    Gateway,
    Limits,
    Listener,
    Logout,
    OpaqueTokens,
    Snapshot,
    Timeouts,
    Upstream,
)
from gateway.model.decision import RuleRef
from gateway.model.provider import OidcProvider, Provider, SamlProvider
from gateway.model.session import SeatLimits
from gateway.policy.patterns import parse_pattern
from gateway.policy.routes import RouteTable
from gateway.policy.rules import Rule, unveiled
from gateway.translation.render import Constant, CookieSpec, FromAttribute, HeaderSpec, Translation
from gateway.wire.addresses import IpNetwork, parse_network, parse_networks
from gateway.wire.fences import Fence
from gateway.wire.framing import METHODS
from gateway.wire.response_guard import ResponseLeniency
from gateway.wire.target import PathLeniency


def build(plan: bytes) -> Snapshot:
    """The snapshot, at once."""
    steps = build_steps(plan)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return cast(Snapshot, done.value)


def build_steps(plan: bytes) -> Generator[None, None, Snapshot]:
    """Yields between steps of under 2 ms; the snapshot is the value of StopIteration."""
    digest = hashlib.sha256()
    gateway: Gateway | None = None
    providers: dict[str, Provider] = {}
    apps: dict[str, App] = {}
    rules: list[Rule] = []
    named = Named()
    shadows: dict[str, list[App]] = {}
    if b'"when":' in plan:
        yield from loading()
    for line in plan_lines(plan):
        digest.update(line)
        ((kind, value),) = json.loads(line).items()
        if kind == "gateway":
            gateway = _gateway(value)
            named.use_ladder(value["levels"])
        elif kind == "provider":
            named.add_attributes(value["attributes"])
            providers[value["name"]] = build_oidc_provider(value)
            named.levels[value["name"]] = providers[value["name"]].levels
        elif kind == "saml_provider":
            named.add_attributes(value["attributes"])
            providers[value["name"]] = build_saml_provider(value)
            named.levels[value["name"]] = providers[value["name"]].levels
        elif kind in ("list", "shared", "closed"):
            _name(kind, value, named)
        elif kind == "rules":
            rules += (build_rule(value["file"], rule, named) for rule in value["rules"])
        elif gateway is not None:
            # Compiling has found no conflicts in these rules.
            routes = yield from RouteTable.build_steps(rules, value["case_insensitive"])
            app = _app(value, routes, gateway, providers)
            if value["shadow"]:
                shadows.setdefault(app.name, []).append(app)
            else:
                beside = unveiled(rules, map(bytes.decode, METHODS), value["case_insensitive"])
                if beside:
                    routes = yield from RouteTable.build_steps(beside, value["case_insensitive"])
                    shadows.setdefault(app.name, []).append(replace(app, routes=routes))
                apps[app.name] = replace(app, shadows=tuple(shadows.get(app.name, ())))
            rules = []
        yield
    if gateway is None:
        raise ValueError("a plan without a gateway")
    exact, wildcards = _hosts(apps)
    return Snapshot(
        digest.hexdigest(), gateway, providers, apps, exact, wildcards, named.tally, named.ladder, named.closed
    )


def _name(kind: str, value: Any, named: Named) -> None:
    match kind:
        case "list":
            named.add_organisations(value)
        case "shared":
            named.shared[value["name"]] = build_condition(value["condition"], named)
        case _:
            named.closed = value


def build_gateway(plan: bytes) -> Gateway:
    """gateway.yaml alone, for the process that listens and does not serve."""
    return _gateway(gateway_plan(next(plan_lines(plan))))


def build_saml_providers(plan: bytes) -> list[SamlProvider]:
    """Those alone, for the process that keeps their metadata fresh."""
    found = (json.loads(line) for line in plan_lines(plan) if line.startswith(b'{"saml_provider":'))
    return [build_saml_provider(value["saml_provider"]) for value in found]


class Names(NamedTuple):
    """Of what a plan serves."""

    apps: tuple[str, ...]
    oidc_providers: tuple[str, ...]
    saml_providers: tuple[str, ...]


def names_of(plan: bytes) -> Names:
    """For the process that tells what there is and does not serve."""
    found: dict[str, list[str]] = {"app": [], "provider": [], "saml_provider": []}
    for line in plan_lines(plan):
        if line.startswith((b'{"app":', b'{"provider":', b'{"saml_provider":')):
            ((kind, value),) = json.loads(line).items()
            if not value.get("shadow"):
                found[kind].append(value["name"])
    return Names(*map(tuple, found.values()))


def _hosts(apps: dict[str, App]) -> tuple[dict[str, App], dict[str, App]]:
    exact = {host: app for app in apps.values() for host in app.hosts if not host.startswith("*.")}
    wildcards = {host[2:]: app for app in apps.values() for host in app.hosts if host.startswith("*.")}
    return exact, wildcards


def _bytes(encoded: str | None) -> bytes | None:
    return None if encoded is None else b64decode(encoded)


def _networks(listed: Iterable[tuple[str, int]]) -> tuple[tuple[IpNetwork, int], ...]:
    networks = ((parse_network(network), most) for network, most in listed)
    return tuple(sorted(networks, key=lambda each: each[0].prefixlen, reverse=True))


def _gateway(plan: GatewayPlan) -> Gateway:
    return Gateway(
        portal_url=plan["portal_url"],
        portal_host=plan["portal_host"],
        listeners=tuple(
            Listener(
                (listener["host"], listener["port"]),
                _bytes(listener["certificate"]),
                _bytes(listener["key"]),
                redirect=listener["redirect"],
            )
            for listener in plan["listeners"]
        ),
        admin=plan["admin"],
        state_folder=plan["state_folder"],
        store=plan["store"],
        store_keys=tuple((id, b64decode(key)) for id, key in plan["store_keys"]),
        trusted_proxies=parse_networks(plan["trusted_proxies"]),
        timeouts=Timeouts(**plan["timeouts"]),
        limits=Limits(**plan["limits"], networks=_networks(plan["networks"])),
        hsts=plan["hsts"],
        access_log=plan["access_log"],
        development=plan["development"],
        workers=plan["workers"],
        watch=plan["watch"],
        service_provider=build_service_provider(plan),
    )


def _app(plan: AppPlan, routes: RouteTable, gateway: Gateway, providers: Mapping[str, Provider]) -> App:
    return App(
        name=plan["name"],
        file=plan["file"],
        hosts=tuple(plan["hosts"]),
        scheme=plan["scheme"],
        port=plan["port"],
        upstream=_upstream(plan, gateway.timeouts),
        listed={name: providers[name] for name in plan["providers"]},
        leniency=_leniency(plan),
        routes=routes,
        translation=build_translation(plan["headers"], plan["cookies"]),
        seat_limits=SeatLimits(plan["seat_idle"], plan["seat_absolute"]),
        seat_then=plan["seat_then"],
        streams_last=plan["streams_last"],
        logout=_logout(plan),
        api=_api(plan, providers),
        body_limit=plan["body_limit"],
        method_override=plan["method_override"],
        responses=_responses(plan),
    )


def _leniency(plan: AppPlan) -> PathLeniency:
    return PathLeniency(
        frozenset(plan["parameters"]),
        plan["case_insensitive"],
        plan["merge_slashes"],
        plan["encoding"],
        frozenset(plan["escaped"]),
        plan["cookieless"],
        plan["windows"],
        plan["mangled"],
    )


def _responses(plan: AppPlan) -> ResponseLeniency:
    told = plan["responses"]
    cache = b"" if told["cache"] == "unchanged" else b"\r\nCache-Control: " + told["cache"].encode("ascii")
    return ResponseLeniency(cache, told["clear_site_data"], told["end_hsts"], told["front_orders"])


def _api(plan: AppPlan, providers: Mapping[str, Provider]) -> Api | None:
    api = plan["api"]
    if api is None:
        return None
    told = {one["provider"]: one for one in api["opaque"]}
    opaque = tuple(
        _opaque(plan, name, provider.api.prefix, told.get(name))
        for name in api["providers"]
        if isinstance(provider := providers[name], OidcProvider) and provider.api and provider.api.introspection
    )
    return Api(tuple(api["providers"]), _paths(plan, api["paths"]), api["forward"], opaque)


def _opaque(plan: AppPlan, provider: str, prefix: str, told: OpaquePlan | None) -> OpaqueTokens:
    paths, header = (None, None) if told is None else (told["paths"], told["header"])
    return OpaqueTokens(
        provider,
        prefix.encode("ascii"),
        None if paths is None else _paths(plan, paths),
        None if header is None else (header[0].encode("latin-1"), header[1].encode()),
    )


def _paths(plan: AppPlan, patterns: list[str]) -> RouteTable:
    """A table of rules that nobody is judged by: whether a path is one of these is all that is asked of it."""
    rules = [Rule(RuleRef(plan["file"], 0, text), parse_pattern(text), None, None, None) for text in patterns]
    return RouteTable.build(rules, plan["case_insensitive"])


def _logout(plan: AppPlan) -> Logout:
    logout = plan["logout"]
    return Logout(
        scope=logout["scope"],
        cookies=tuple((name, path) for name, path in logout["cookies"]),
        url=logout["url"],
        login=logout["login"],
        links=_paths(plan, logout["links"]),
    )


def _upstream(plan: AppPlan, timeouts: Timeouts) -> Upstream:
    upstream = plan["upstream"]
    first_byte, fence = upstream["first_byte"], upstream["fence"]
    return Upstream(
        scheme=upstream["scheme"],
        host=upstream["host"],
        port=upstream["port"],
        host_header=upstream["host_header"],
        ca=_bytes(upstream["ca"]),
        timeouts=timeouts if first_byte is None else replace(timeouts, first_byte=first_byte),
        fence=None if fence is None else Fence.of(*fence),
    )


def build_translation(headers: list[InjectedPlan], cookies: list[InjectedPlan]) -> Translation:
    """Raises GatewayError where a name or a source cannot be injected."""
    return Translation.compile(
        [HeaderSpec(plan["name"], build_source(plan), plan["encoding"], plan["unencodable"]) for plan in headers],
        [CookieSpec(plan["name"], build_source(plan), plan["encoding"], plan["unencodable"]) for plan in cookies],
    )


def build_source(plan: InjectedPlan) -> FromAttribute | Constant:
    return (
        Constant(plan["value"], plan["secret"])
        if plan["source"] is None
        else FromAttribute(plan["source"], plan["join"])
    )
