"""An application's file as it goes to the workers: the application, and beside it the rules as the file has them."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, cast

from pydantic import BaseModel

from gateway.config.api import Api, OpaqueTokens
from gateway.config.check.pem import certificate_der
from gateway.config.check.translate import spec_of
from gateway.config.compile.form_login import plan_form_login
from gateway.config.compile.frozen import Material, frozen
from gateway.config.compile.plan import Application
from gateway.config.compile.rates import rates_of
from gateway.config.compile.tokens import plan_basic, plan_tokens
from gateway.config.exchange_limits import NOT_BUFFERED, Buffering, ExchangeLimits, PathLimits, Timeouts
from gateway.config.folder.files import team_of
from gateway.config.path_translations import PathTranslations
from gateway.config.problems import Path
from gateway.config.schema.app import AppFile, TunnelSection
from gateway.config.schema.app_api import AppApiSection, OpaqueTokensSection
from gateway.config.schema.gateway import GatewayFile, TeamSection
from gateway.config.schema.scalars import Url
from gateway.config.schema.translate import InjectedAt
from gateway.config.schema.upstream import BufferSection, CircuitSection, UpstreamSection, UpstreamTlsSection
from gateway.config.snapshot import App, Logout, TunnelSettings
from gateway.config.upstream_settings import Upstream
from gateway.config.yaml.reader import YamlDocument
from gateway.model.balancing import Balancing, CircuitSettings, HealthCheck
from gateway.model.provider import ApiAccess, ClientCertificate, OidcProvider
from gateway.model.session import SeatLimits
from gateway.model.unix_socket import CONTROL_SOCKET, UnixSocket
from gateway.model.upstream_tls import UpstreamTls
from gateway.policy.links import QueryLinks
from gateway.policy.patterns import Pattern
from gateway.policy.routes import NO_PATHS, PathSet
from gateway.translation.render import Translation
from gateway.translation.specs import CookieSpec, HeaderSpec
from gateway.wire.application_cookies import AS_THEY_ARE, CookieRules, shown_names
from gateway.wire.fences import Fence, folder_of
from gateway.wire.mounts import Mount
from gateway.wire.response_edits import ResponseEdits
from gateway.wire.response_guard import ResponseLeniency
from gateway.wire.target import PathLeniency

_TLS: Final[Path] = ("upstream", "tls")


def plan_app(
    document: YamlDocument,
    file: str,
    model: AppFile,
    gateway: GatewayFile,
    providers: Iterable[OidcProvider],
    material: Material,
    root: str,
) -> Application:
    """`providers`: the providers of the folder.
    `root`: the policy folder, absolute."""
    return Application(
        app=_app(document, file, model, gateway, providers, material, root),
        providers=tuple(dict.fromkeys(model.providers)),
        directories=tuple(dict.fromkeys(model.directories)),
        shadow=model.shadow,
    )


def _app(
    document: YamlDocument,
    file: str,
    model: AppFile,
    gateway: GatewayFile,
    providers: Iterable[OidcProvider],
    material: Material,
    root: str,
) -> App:
    scheme, port = public_of(model, gateway)
    edits = _edits(model)
    responses, translate = model.responses, model.translate
    cache = b"" if responses.cache == "unchanged" else b"\r\nCache-Control: " + responses.cache.encode("ascii")
    upstream = _upstream(file, model, gateway, material, root)
    body_limit = gateway.limits.body if model.limits.body is None else model.limits.body
    return frozen(
        App,
        model,
        name=model.app,
        file=posixpath.join(posixpath.basename(root), file),
        hosts=tuple(sorted(set(model.hosts))),
        path=model.path or "",
        start=model.start or "",
        mount=edits.mount if edits.mount is not None and edits.mount.is_moved else None,
        scheme=scheme,
        port=port,
        upstream=upstream,
        path_limits=_path_limits(model, body_limit, upstream.timeouts) if model.limits.paths else None,
        methods=tuple(sorted(set(model.methods))),
        leniency=_leniency(model, edits.mount),
        body_limit=body_limit,
        request_rates=None if model.limits.requests is None else rates_of(model.limits.requests),
        seat_then=model.session.then,
        streams_last=model.session.streams == "last",
        grace=model.session.grace,
        logout=_logout(model, edits),
        responses=frozen(ResponseLeniency, responses, cache=cache),
        edits=edits,
        seat_limits=frozen(SeatLimits, model.session),
        api=None if model.api is None else _api(model, model.api, {one.name: one.api for one in providers}),
        translation=_translation(file, model, translate.told, material),
        path_translations=_path_translations(file, model, material) if translate.paths else None,
        tokens=plan_tokens(file, model, gateway, material) if translate.has_tokens else (),
        basic=None if translate.basic is None else plan_basic(file, translate.basic, material),
        tunnel=None if model.tunnel is None else _tunnel(model.tunnel),
        embedded_by=tuple(Url(scheme, host, port, "").origin for host in dict.fromkeys(model.embedded_by)),
        form_login=None
        if model.form_login is None
        else plan_form_login(document.line(("form_login",)), file, model, model.form_login, material),
    )


def _paths(model: AppFile, patterns: Iterable[Pattern]) -> PathSet:
    texts = tuple(pattern.text for pattern in patterns)
    return PathSet(texts, model.paths.case == "insensitive") if texts else NO_PATHS


def _logout(model: AppFile, edits: ResponseEdits) -> Logout:
    logout = model.logout
    told = [link for link in logout.links if link.parameters]
    # As browsers know them.
    shown = logout.cookies if edits.cookies == AS_THEY_ARE else shown_names(edits.cookies, logout.cookies)
    paths = tuple(dict.fromkeys(_cookie_paths(model)) if logout.cookie_paths is None else logout.cookie_paths)
    by_itself = logout.all_cookies is None and not logout.cookies
    return frozen(
        Logout,
        logout,
        cookies=tuple((name, path) for name in shown for path in paths),
        told_cookies=tuple(logout.cookies),
        login=logout.login or "",
        cookie_paths=paths,
        all_cookies=logout.all_cookies or by_itself,
        # The token in a form that was kept is held against the application's own session.
        all_left=logout.all_cookies or (by_itself and model.keep_posts is None),
        links=_paths(model, [link.pattern for link in logout.links if not link.parameters]),
        query_links=QueryLinks.of(told, model.paths.case == "insensitive") if told else None,
    )


def _cookie_paths(model: AppFile) -> Iterator[str]:
    """Yields the usual cookie paths of applications: `/` with PHP, the application's folder with Tomcat."""
    yield "/"
    if model.path is not None:
        yield model.path
    elif model.logout.url is not None and not model.upstream.url.rest:
        _, folder, *below = model.logout.url.partition("?")[0].split("/")
        if folder and below:
            yield f"/{folder}"


def _translation(file: str, model: AppFile, told: tuple[InjectedAt, ...], material: Material) -> Translation:
    headers = [spec_of(HeaderSpec, *one) for one in _with_texts("headers", file, told, material)]
    cookies = [spec_of(CookieSpec, *one) for one in _with_texts("cookies", file, told, material)]
    return Translation.compile(headers, cookies, model.translate.budget)


def _path_translations(file: str, model: AppFile, material: Material) -> PathTranslations:
    blocks = zip(model.translate.paths, model.translate.by_path[1:], strict=True)
    by_pattern = {block.path.text: _translation(file, model, told, material) for block, told in blocks}
    return PathTranslations(_paths(model, [block.path for block in model.translate.paths]), by_pattern)


def _with_texts(
    section: str, file: str, told: tuple[InjectedAt, ...], material: Material
) -> list[tuple[InjectedAt, bytes | None]]:
    """The headers or cookies of the section, each with the content behind the reference in its `value`, else None."""
    return [(one, material.get((file, (*one.at, "value")))) for one in told if one.kind == section]


def plan_rules(document: YamlDocument) -> list[object]:
    """The rules in the form of the file, each with its line number. Validation changes nothing in them."""
    written = cast(dict[str, list[dict[str, object]]], document.data)["access"]
    return [{"line": document.line(("access", index)), **rule} for index, rule in enumerate(written)]


def _api(model: AppFile, api: AppApiSection, accesses: Mapping[str, ApiAccess | None]) -> Api:
    """`accesses`: the token settings of the providers, by provider name."""
    asked = {name: access for name in api.providers if (access := accesses.get(name)) and access.introspection}
    return frozen(
        Api,
        api,
        providers=tuple(dict.fromkeys(api.providers)),
        paths=_paths(model, api.paths),
        opaque=tuple(_opaque(model, name, access, api.opaque.get(name)) for name, access in asked.items()),
    )


def _tunnel(model: TunnelSection) -> TunnelSettings:
    origins = tuple(dict.fromkeys(origin.origin for origin in model.origins))
    return frozen(TunnelSettings, model, protocols=tuple(model.protocols), origins=origins)


def _opaque(model: AppFile, provider: str, access: ApiAccess, told: OpaqueTokensSection | None) -> OpaqueTokens:
    paths, header = (None, None) if told is None else (told.paths, told.header)
    return OpaqueTokens(
        provider,
        access.prefix.encode("ascii"),
        None if paths is None else _paths(model, paths),
        None if header is None or told is None else (header.lower().encode("latin-1"), (told.value or "").encode()),
    )


def public_of(model: AppFile, gateway: GatewayFile) -> tuple[str, int | None]:
    """Scheme and port in the browser's address bar: the portal's, unless the app file says others."""
    if model.public is None:
        scheme, port = gateway.portal.scheme, gateway.portal.port
    else:
        scheme, port = model.public.scheme or gateway.portal.scheme, model.public.port
    return scheme, None if (scheme, port) in (("http", 80), ("https", 443)) else port


def _edits(model: AppFile) -> ResponseEdits:
    responses, rewrite, upstream = model.responses, model.rewrite, model.upstream
    return frozen(
        ResponseEdits,
        responses,
        rewrite,
        addresses=rewrite.headers,
        internal=tuple(dict.fromkeys(_internal(model))) if rewrite.headers else (),
        kept_port=upstream.url.effective_port if rewrite.headers and upstream.host == "keep" else None,
        same_site=rewrite.same_site or "",
        added=tuple(responses.add.items()),
        replaced=tuple(responses.replace.items()),
        cookies=frozen(CookieRules, model.cookies, prefix=model.cookies.prefix or ""),
        mount=_mount(model),
    )


def _mount(model: AppFile) -> Mount | None:
    """None if the application has the whole of its hosts, and receives paths as browsers send them."""
    public, there = model.path or "", model.upstream.url.rest
    inner = there.rstrip("/") if there else public
    return Mount(public, inner) if public or inner else None


def _leniency(model: AppFile, mount: Mount | None) -> PathLeniency:
    """Adds the number of public path segments before an application that has its pages at its root: the application
    does not read these segments."""
    ahead = 0 if mount is None or mount.inner else mount.public.count("/")
    return replace(model.paths.leniency(), root=ahead)


def _internal(model: AppFile) -> Iterator[str]:
    """Yields the origins that the application may write for itself. Its own address counts with both schemes: the
    application listens by one scheme, and learns the other from the gateway."""
    upstream = model.upstream
    url, places = upstream.url, [(one.host, one.effective_port) for one in upstream.urls]
    if upstream.host not in ("keep", "upstream"):
        places.append((upstream.host, url.effective_port))
        yield from (f"{scheme}://{upstream.host}" for scheme in ("http", "https"))
    for host, port in places:
        yield from (Url(scheme, host, port, "").origin for scheme in ("http", "https"))
    for one in upstream.urls:
        if one.port is None:
            yield from (Url(scheme, one.host, None, "").origin for scheme in ("http", "https"))
    yield from (further.origin for further in model.rewrite.internal)


def _changed(timeouts: Timeouts, *sections: BaseModel) -> Timeouts:
    """The timeouts, changed by sections of an app file."""
    given = {name: seconds for one in sections for name, seconds in one if seconds is not None}
    return replace(timeouts, **given) if given else timeouts


def _path_limits(model: AppFile, body: int, timeouts: Timeouts) -> PathLimits:
    """`body`, `timeouts`: of the application, which hold where a block leaves them out."""
    blocks = model.limits.paths
    limits = {
        block.path.text: ExchangeLimits(
            body if block.body is None else block.body,
            timeouts if block.timeouts is None else _changed(timeouts, block.timeouts),
        )
        for block in blocks
    }
    return PathLimits(_paths(model, [block.path for block in blocks]), limits)


def _balancing(model: UpstreamSection) -> Balancing:
    alone = not model.others
    return frozen(
        Balancing,
        model,
        others=tuple((url.host.strip("[]"), url.effective_port) for url in model.others),
        circuit=None if alone and model.circuit is None else frozen(CircuitSettings, model.circuit or CircuitSection()),
        retries=0 if alone else model.retries,
        slow_start=model.slow_start or 0.0,
        health=None if model.health is None else frozen(HealthCheck, model.health, statuses=tuple(model.health.status)),
        concurrency=model.concurrency or 0,
        queue=(model.concurrency or 0) if model.queue is None else model.queue,
    )


def _buffering(model: BufferSection) -> Buffering:
    return Buffering(model.requests or 0, model.responses or 0)


def _upstream(file: str, model: AppFile, gateway: GatewayFile, material: Material, root: str) -> Upstream:
    there, url, team = model.upstream, model.upstream.url, team_of(file)
    fence = gateway.teams.get(team)
    timeouts = frozen(Timeouts, gateway.timeouts)
    if there.timeout is not None:
        timeouts = replace(timeouts, first_byte=there.timeout)
    return Upstream(
        scheme=url.scheme,
        host=url.host.strip("[]"),
        port=url.effective_port,
        timeouts=_changed(timeouts, model.timeouts),
        host_header={"keep": None, "upstream": url.authority}.get(model.upstream.host, model.upstream.host),
        ca=material.get((file, ("upstream", "ca"))),
        tls=UpstreamTls() if there.tls is None else _tls(file, there.tls, material),
        balancing=_balancing(there) if there.others or there.circuit or there.concurrency or there.health else None,
        fence=None if fence is None else Fence.of(team, fence.upstreams, fence.sockets),
        accepts=frozenset(there.accept),
        announces=there.proxy_protocol is not None,
        buffering=NOT_BUFFERED if there.buffer is None else _buffering(there.buffer),
        socket=None if there.socket is None else _socket(there.socket, fence, gateway, root),
    )


def _tls(file: str, model: UpstreamTlsSection, material: Material) -> UpstreamTls:
    shown: Path = (*_TLS, "client_certificate")
    certificate = (material[file, (*shown, part)] for part in ("certificate", "key"))
    return frozen(
        UpstreamTls,
        model,
        name=model.name or "",
        sni="" if model.sni == "none" else model.sni,
        pins=tuple(certificate_der(material[file, (*_TLS, "pins", index)]) for index in range(len(model.pins))),
        client_certificate=None if model.client_certificate is None else ClientCertificate(*certificate),
    )


def _socket(path: str, fence: TeamSection | None, gateway: GatewayFile, root: str) -> UnixSocket:
    folder = folder_of(path, (gateway if fence is None else fence).sockets)
    assert folder is not None  # config.check.app, config.check.teams
    kind, _, admin = gateway.admin.partition(":")
    # Sockets in the state folder are known by their path. The control and admin sockets are also known by their
    # identity, wherever a hard link or a mount shows them.
    ours = (gateway.state, f"{gateway.state}/{CONTROL_SOCKET}", *((admin,) if kind == "unix" else ()))
    own = tuple(posixpath.normpath(posixpath.join(root, one)) for one in ours)
    return UnixSocket(folder, tuple(path.removeprefix(folder).strip("/").split("/")), own)
