"""Validated models to the plan of what is served."""

import posixpath
from collections.abc import Mapping
from typing import cast

from gateway.config.check.references_app import is_secret
from gateway.config.compile.plan import (
    ApiPlan,
    AppPlan,
    GatewayPlan,
    InjectedPlan,
    ListenerPlan,
    LogoutPlan,
    OpaquePlan,
    RulePlan,
    UpstreamPlan,
    encode_plan,
)
from gateway.config.compile.planning_oidc import encoded, plan_oidc_provider
from gateway.config.compile.planning_saml import Material, plan_saml_provider, plan_saml_self
from gateway.config.compile.planning_shared import plan_lists, plan_shared
from gateway.config.folder.files import team_of
from gateway.config.schema.app import AppApi, AppFile, AppLogout, Injected, OpaqueTokens
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import Folder
from gateway.config.schema.provider import ProviderFile, SamlProviderFile
from gateway.config.yaml.reader import Document


def plan_of(folder: Folder, material: Material, root: str, closed: Mapping[str, str]) -> bytes:
    """Of a folder without problems."""
    if folder.gateway is None or folder.gateway.model is None:
        raise ValueError("a folder with problems has no plan")
    model = folder.gateway.model
    gateway = _gateway(folder.gateway.path, model, material, root)
    providers = [
        plan_oidc_provider(loaded.path, loaded.model, model, material)
        for loaded in folder.providers
        if isinstance(loaded.model, ProviderFile)
    ]
    saml_providers = [
        plan_saml_provider(loaded.path, loaded.model, model, material)
        for loaded in folder.providers
        if isinstance(loaded.model, SamlProviderFile)
    ]
    apps = [
        (_app(loaded.path, loaded.model, model, material, root), plan_rules(loaded.document, loaded.model))
        for loaded in (*folder.apps, *folder.shadows)
        if loaded.model is not None
    ]
    return encode_plan(
        gateway,
        sorted(providers, key=lambda provider: provider["name"]),
        sorted(apps, key=lambda app: (app[0]["name"], not app[0]["shadow"], app[0]["file"])),
        sorted(saml_providers, key=lambda provider: provider["name"]),
        plan_lists(folder),
        plan_shared(folder),
        closed,
    )


def _gateway(file: str, model: GatewayFile, material: Material, root: str) -> GatewayPlan:
    listeners: list[ListenerPlan] = [
        {
            "host": listen.address[0],
            "port": listen.address[1],
            "certificate": encoded(material, file, ("listen", index, "tls", "certificate")),
            "key": encoded(material, file, ("listen", index, "tls", "key")),
            "redirect": listen.redirect is not None,
        }
        for index, listen in enumerate(model.listen)
    ]
    keys = [
        (key.id, encoded(material, file, ("store", "keys", index, "secret")) or "")
        for index, key in enumerate(model.store.keys)
    ]
    return {
        "portal_url": model.portal.origin,
        "portal_host": model.portal.host,
        "listeners": listeners,
        "admin": _admin(model.admin, root),
        "state_folder": _below(root, model.state),
        "store": model.store.type,
        "store_keys": keys,
        "trusted_proxies": [str(network) for network in model.trusted_proxies],
        "timeouts": model.timeouts.model_dump(),
        "limits": _limits(model),
        "networks": [(str(each.network), each.connections) for each in model.limits.networks],
        "hsts": model.hsts,
        "access_log": model.access_log,
        "development": model.development,
        "watch": model.watch,
        "workers": workers_of(model),
        "levels": model.levels,
        "saml": plan_saml_self(file, model, material),
    }


def workers_of(model: GatewayFile) -> int:
    """0: one for each core. Memory is not shared: one worker where nothing is said."""
    return model.workers or (1 if model.store.type == "memory" else 0)


def _admin(address: str, root: str) -> str:
    return f"unix:{_below(root, address.removeprefix('unix:'))}" if address.startswith("unix:") else address


def _below(root: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(root, path))


def _limits(model: GatewayFile) -> dict[str, int]:
    limits = model.limits.model_dump(exclude={"networks"})
    limits["headers_bytes"] = limits.pop("headers")
    limits["headers_count"] = limits.pop("header_count")
    return limits


def _app(file: str, model: AppFile, gateway: GatewayFile, material: Material, root: str) -> AppPlan:
    body = gateway.limits.body if model.limits.body is None else model.limits.body
    scheme, port = _public(model, gateway)
    return {
        "shadow": model.shadow,
        "name": model.app,
        "file": posixpath.join(posixpath.basename(root), file),
        "hosts": sorted(set(model.hosts)),
        "scheme": scheme,
        "port": port,
        "upstream": _upstream(file, model, gateway, material),
        "providers": list(dict.fromkeys(model.providers)),
        "parameters": sorted(set(model.paths.parameters)),
        "case_insensitive": model.paths.case == "insensitive",
        "merge_slashes": model.paths.merge_slashes,
        "encoding": "latin-1" if model.paths.encoding == "latin1" else "utf-8",
        "escaped": sorted(set(model.paths.escaped)),
        "cookieless": model.paths.cookieless,
        "mangled": model.paths.mangled,
        "windows": model.paths.windows,
        "body_limit": body,
        "method_override": model.method_override,
        "responses": {
            "cache": model.responses.cache,
            "clear_site_data": model.responses.clear_site_data,
            "end_hsts": model.responses.end_hsts,
            "front_orders": model.responses.front_orders,
        },
        "seat_idle": model.session.idle,
        "seat_absolute": model.session.absolute,
        "seat_then": model.session.then,
        "streams_last": model.session.streams == "last",
        "logout": _logout(model.logout),
        "api": None if model.api is None else _api(model.api),
        "headers": _injected(file, "headers", model.translate.headers, material),
        "cookies": _injected(file, "cookies", model.translate.cookies, material),
    }


def _logout(model: AppLogout) -> LogoutPlan:
    cookies = [(name, path) for name in model.cookies for path in model.cookie_paths]
    links = [link.text for link in model.links]
    return {"scope": model.scope, "cookies": cookies, "url": model.url, "login": model.login or "", "links": links}


def _api(model: AppApi) -> ApiPlan:
    providers = list(dict.fromkeys(model.providers))
    return {
        "providers": providers,
        "paths": [path.text for path in model.paths],
        "forward": model.forward,
        "opaque": [_opaque(name, one) for name, one in sorted(model.opaque.items())],
    }


def _opaque(provider: str, model: OpaqueTokens) -> OpaquePlan:
    return {
        "provider": provider,
        "paths": None if model.paths is None else [path.text for path in model.paths],
        "header": None if model.header is None else (model.header.lower(), model.value or ""),
    }


def _public(model: AppFile, gateway: GatewayFile) -> tuple[str, int | None]:
    """Scheme and port in the browser's address bar: the portal's, unless the app file says others."""
    if model.public is None:
        scheme, port = gateway.portal.scheme, gateway.portal.port
    else:
        scheme, port = model.public.scheme or gateway.portal.scheme, model.public.port
    return scheme, None if (scheme, port) in (("http", 80), ("https", 443)) else port


def _upstream(file: str, model: AppFile, gateway: GatewayFile, material: Material) -> UpstreamPlan:
    url, team = model.upstream.url, team_of(file)
    host_header = {"keep": None, "upstream": url.authority}.get(model.upstream.host, model.upstream.host)
    return {
        "scheme": url.scheme,
        "host": url.host.strip("[]"),
        "port": url.effective_port,
        "host_header": host_header,
        "ca": encoded(material, file, ("upstream", "ca")),
        "first_byte": model.upstream.timeout,
        "fence": (team, gateway.teams[team].upstreams) if team in gateway.teams else None,
    }


def _injected(file: str, section: str, entries: Mapping[str, Injected], material: Material) -> list[InjectedPlan]:
    return [
        plan_injected(name, injected, material.get((file, ("translate", section, name, "value"))))
        for name, injected in entries.items()
    ]


def plan_injected(name: str, injected: Injected, content: bytes | None) -> InjectedPlan:
    """`content`: what stands where its value refers to."""
    value = injected.value
    written = value.name if value is not None and value.kind == "inline" else ""
    return {
        "name": name,
        "source": injected.source,
        "value": written if content is None else content.decode(),
        "secret": value is not None and is_secret(name, value),
        "join": injected.join,
        "encoding": injected.encoding,
        "unencodable": injected.unencodable,
    }


def plan_rules(document: Document, model: AppFile) -> list[RulePlan]:
    """Conditions go on as they are written: validation changed nothing in them."""
    written = cast(dict[str, list[dict[str, object]]], document.data)["access"]
    return [
        {
            "line": document.line(("access", index)),
            "path": rule.path.text,
            "methods": rule.methods,
            "allow": written[index].get("allow"),
            "deny": written[index].get("deny"),
            "refusal": rule.refusal or "",
            "shadow": rule.shadow,
        }
        for index, rule in enumerate(model.access)
    ]
