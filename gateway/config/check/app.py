"""Checks an app file against itself and against the providers that the file lists."""

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from gateway.config.check.account import check_account
from gateway.config.check.api import check_api
from gateway.config.check.budget import check_budget
from gateway.config.check.conditions import (
    Index,
    check_condition,
    check_steps,
    check_use,
    check_use_levels,
    not_mapped,
    place_of_can,
    uses,
)
from gateway.config.check.cookies import check_cookies
from gateway.config.check.directories import check_listed, given_by, secrets_given_by, sections_given_by
from gateway.config.check.form_login import check_form_login
from gateway.config.check.fronts import check_front
from gateway.config.check.mounts import check_mount
from gateway.config.check.path_blocks import check_path_headers, check_path_limits
from gateway.config.check.tokens import carriers, check_header_of_programs, check_tokens
from gateway.config.check.translate import attributes_used, check_secrets, check_translate, secrets_used
from gateway.config.check.webdav import check_methods
from gateway.config.compile.app import public_of
from gateway.config.compile.frozen import Material
from gateway.config.folder.files import team_of
from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import HeaderIs
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Loaded
from gateway.config.schema.posts import KeepPostsSection
from gateway.config.schema.scalars import socket_address
from gateway.config.yaml.reader import YamlDocument
from gateway.model.account import ATTRIBUTE
from gateway.model.codes import config_codes
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.policy.patterns import Literal, Pattern, folded, may_be_below
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule, unveiled
from gateway.wire.addresses import Address
from gateway.wire.fences import IsOurs, closed_to_all, folder_of, literal
from gateway.wire.framing import ALL_METHODS, METHODS
from gateway.wire.target import PathLeniency, canonical_target

_USUAL_METHODS = frozenset(map(bytes.decode, METHODS))


def check_app(loaded: Loaded[AppFile], model: AppFile, index: Index, material: Material) -> Iterator[Problem]:
    """`material`: the contents of the references that could be read."""
    document, gateway, providers = loaded.document, index.folder.gateway_file, index.listed(model)
    yield from _rules(document, model)
    yield from _paths(document, model)
    yield from _session(document, model, providers)
    yield from _logout(document, model)
    yield from _upstream(loaded, model, gateway)
    yield from _optional_sections(document, model, gateway)
    if gateway is not None and not gateway.development:
        yield from _in_production(document, model)
    yield from _sign_ins_at_the_application(document, model, index, providers)
    yield from check_translate(document, model)
    if model.api is not None:
        yield from check_header_of_programs(document, model)
        yield from check_api(document, model, model.api, index)
    listed = [one.model for one in providers or () if one.model is not None]
    yield from check_budget(document, model, listed, file=loaded.path, gateway=gateway, material=material)
    yield from check_listed(loaded, model, index.folder, index.providers) if model.directories else ()
    mapped = _mapped(model, index, providers)
    if mapped is not None:
        yield from _unmapped(document, model, mapped, index)
    yield from _conditions(document, model, mapped, index)


def _optional_sections(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    """Checks the sections that most files leave out."""
    if model.methods or any(name not in _USUAL_METHODS for rule in model.access for name in rule.methods or ()):
        yield from check_methods(document, model)
    if model.upstream.url.rest:
        yield from check_mount(document, model)
    if model.embedded_by:
        yield from _embedded(document, model, gateway)
    if model.keep_posts is not None and gateway is not None:
        yield from _keep_posts(document, model.keep_posts, gateway)
    if model.translate.paths:
        yield from check_path_headers(document, model)
    if model.cookies.model_fields_set:
        yield from check_cookies(document, model)
    if model.translate.has_tokens:
        yield from check_tokens(document, model, gateway)


def _in_production(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Refuses what only a gateway with `development: true` may do."""
    if model.public is not None and model.public.scheme == "http":
        yield document.problem(("public", "scheme"), "browsers keep our cookies over https only", "write https")
    yield from check_secrets(document, model)


def _sign_ins_at_the_application(
    document: YamlDocument, model: AppFile, index: Index, providers: list[Loaded[AnyProviderFile]] | None
) -> Iterator[Problem]:
    """Checks `account` and `form_login`."""
    gateway = index.folder.gateway_file
    if model.account is not None:
        by_form = model.form_login is not None and model.form_login.trusted is None
        given = sections_given_by(model, index.folder)
        yield from check_account(document, model.account, gateway, providers, given, by_form=by_form)
    if model.form_login is not None:
        forgets = gateway is not None and not gateway.development and gateway.store.type == "memory"
        yield from check_form_login(document, model, model.form_login, forgets=forgets)


def _mapped(model: AppFile, index: Index, providers: list[Loaded[AnyProviderFile]] | None) -> set[str] | None:
    """The attributes that a person of this application can have; None if a provider's file is wrong."""
    if providers is None:
        return None
    mapped = {name for one in providers if one.model for name in one.model.sources()}
    return mapped | given_by(model, index.folder) if model.directories else mapped


def _session(
    document: YamlDocument, model: AppFile, providers: list[Loaded[AnyProviderFile]] | None
) -> Iterator[Problem]:
    session = model.session
    if session.idle is not None and session.absolute is not None and session.idle > session.absolute:
        message = "idle is longer than absolute: the seat would always end before"
        yield document.problem(("session", "idle"), message, "idle below absolute")
    # `then: sign_in` needs a provider that asks people anew: after the limit, people of the others could not come back.
    if session.then != "sign_in" or providers is None:
        return
    if not any(one.model is not None and "fresh_login" in one.model.can for one in providers):
        message = "no provider of this application asks people anew"
        hint = "in the provider's file: can: [fresh_login], if it does"
        others = tuple(("and", place_of_can(provider)) for provider in providers[:3])
        yield document.problem(("session", "then"), message, hint, others=others)


def _logout(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    yield from _logout_call(document, model)
    for number, domain in enumerate(model.logout.cookie_domains):
        if not any(host == domain or ("." in domain and host.endswith(f".{domain}")) for host in model.hosts):
            message = "no host of this application is in this domain: browsers take no such cookie from it"
            yield document.problem(("logout", "cookie_domains", number), message, "one of hosts, or what it ends with")
    yield from _logout_headers(document, model)
    yield from _logout_login(document, model)


def _logout_call(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    logout = model.logout
    for word in ("method", "form", "headers"):
        if logout.url is None and word in logout.model_fields_set:
            yield document.problem(("logout", word), "no address is called at a sign-out", "name url as well")
    if logout.form and logout.method != "post":
        yield document.problem(("logout", "form"), "a GET has no form", "write method: post as well")


def _logout_headers(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """No header of the sign-out call may be read as another header that the application is sent."""
    known = {fold(one.name.encode()): one.name for one in model.translate.told_anywhere if one.kind == "headers"}
    seen: dict[bytes, str] = {}
    for name in model.logout.headers:
        at: Path = ("logout", "headers", name)
        if other := known.get(fold(name.encode())) or seen.get(fold(name.encode())):
            yield document.problem(at, f"a server may read this as {other}", "keep one of the two", key=True)
        seen[fold(name.encode())] = name


def _logout_login(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """The header or cookie that names the person in the sign-out call has to be sent to the application anyway."""
    login = model.logout.login
    about_the_person = {one.name for one in model.translate.told if one.injected.value is None}
    path: Path = ("logout", "login")
    if login is not None and model.logout.url is None:
        yield document.problem(path, "no address is called at a sign-out", "name url as well")
    elif login is not None and login not in about_the_person:
        message = f"translate tells nothing of the person in {login}"
        yield document.problem(path, message, did_you_mean(login, about_the_person))


def _conditions(document: YamlDocument, model: AppFile, mapped: set[str] | None, index: Index) -> Iterator[Problem]:
    headers = [one.name for one in model.translate.told_anywhere if one.kind == "headers"]
    if model.translate.has_tokens:
        headers += (name for _, section, name in carriers(model.translate) if section == "headers")
    injected = frozenset(fold(name.encode()) for name in headers)
    listed = {fold(name.encode()): name for name in model.client_headers}
    if listed:
        yield from _client_headers(document, model, injected)
    attributes = None if mapped is None else frozenset(mapped)
    for number, rule in enumerate(model.access):
        for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
            if condition is not None:
                path: Path = ("access", number, word)
                yield from check_condition(document, path, condition, index)
                if attributes is not None:
                    yield from check_steps(document, path, condition, attributes, index)
                for use in uses(document, path, condition, index):
                    yield from check_use(use, model.providers, attributes, injected, index)
                    yield from check_use_levels(use, model, index)
                    if isinstance(use.leaf, HeaderIs) and (name := listed.get(fold(use.leaf.header.name.encode()))):
                        message = f"a server may read {name} (client_headers) as this header, which is asked for here"
                        yield use.problem("header.name", message, "leave it out there, or ask of another header")


def _client_headers(document: YamlDocument, model: AppFile, injected: frozenset[bytes]) -> Iterator[Problem]:
    seen: dict[bytes, str] = {}
    for index, name in enumerate(model.client_headers):
        folded = fold(name.encode())
        if folded in injected:
            message = f"a server may read {name} as a header that translate sends: no client's may go on"
            yield document.problem(("client_headers", index), message, "leave it out")
        elif other := seen.get(folded):
            message = f"a server may read this as {other}"
            yield document.problem(("client_headers", index), message, "keep one of the two")
        seen[folded] = name


def _rules(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    # Whether two rules collide depends on their paths and methods alone, not on their conditions.
    rules = [
        Rule(
            ref=RuleRef("", index, rule.path.text),
            pattern=rule.path,
            methods=frozenset(rule.methods) if rule.methods else None,
            allow=None,
            deny=None,
            shadow=rule.shadow,
        )
        for index, rule in enumerate(model.access)
    ]
    case_insensitive = model.paths.case == "insensitive"
    with_shadow_rules = unveiled(rules, map(bytes.decode, ALL_METHODS), case_insensitive)
    found = conflicts(rules, case_insensitive)
    known = {(one.ref, other.ref) for one, other, _ in found}
    found += [one for one in conflicts(with_shadow_rules, case_insensitive) if (one[0].ref, one[1].ref) not in known]
    for one, other, why in found:
        first, second = sorted((one.ref.line, other.ref.line))
        path = ("access", second, "path")
        yield document.problem(path, why, others=(("and", document.place(("access", first, "path"))),))


def _unmapped(document: YamlDocument, model: AppFile, mapped: set[str], index: Index) -> Iterator[Problem]:
    for path, attribute in attributes_used(model, needed=True):
        if attribute not in mapped:
            say, write = not_mapped(attribute, mapped)
            if attribute == ATTRIBUTE and model.account is None:
                write = "write account: {ask: ...} in this file, for the login of a link"
            yield replace(document.problem(path, say, write), code=config_codes.NAME.id)
    if model.translate.basic is not None or model.form_login is not None:
        yield from _secrets(document, model, index)


def _secrets(document: YamlDocument, model: AppFile, index: Index) -> Iterator[Problem]:
    for path, name in secrets_used(model):
        given = secrets_given_by(model, index.folder)
        if name not in given:
            hint = did_you_mean(name, given) or f"in the directory's file: gives: {{{name}: {{secret: true}}}}"
            yield document.problem(path, "no directory that this application lists gives a secret of this name", hint)


# --- the paths of patterns


def _paths(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Refuses patterns that no request can meet under the file's path settings: a deny rule there would protect
    nothing."""
    leniency = model.paths.leniency()
    if model.limits.paths:
        yield from check_path_limits(document, model)
    for path, pattern in _patterns(model):
        for why in _never_met(pattern, leniency):
            yield document.problem(path, f"no request meets this path: {why}")
        if model.path is not None and not _may_be_below(pattern, model.path, leniency):
            yield document.problem(path, f"no request meets this path: the application answers below {model.path}")


def _may_be_below(pattern: Pattern, path: str, leniency: PathLeniency) -> bool:
    caseless = leniency.case_insensitive
    return may_be_below(folded(pattern, caseless), path.lower() if caseless else path)


def _patterns(model: AppFile) -> Iterator[tuple[Path, Pattern]]:
    for index, rule in enumerate(model.access):
        yield ("access", index, "path"), rule.path
    for index, pattern in enumerate(model.api.paths if model.api is not None else ()):
        yield ("api", "paths", index), pattern
    for name, opaque in model.api.opaque.items() if model.api is not None else ():
        for index, pattern in enumerate(opaque.paths or ()):
            yield ("api", "opaque", name, "paths", index), pattern
    for index, link in enumerate(model.logout.links):
        yield ("logout", "links", index), link.pattern
    for index, block in enumerate(model.translate.paths):
        yield ("translate", "paths", index, "path"), block.path
    for index, limits in enumerate(model.limits.paths):
        yield ("limits", "paths", index, "path"), limits.path


def _never_met(pattern: Pattern, leniency: PathLeniency) -> Iterator[str]:
    last = len(pattern.segments) - 1
    for place, segment in enumerate(folded(pattern, leniency.case_insensitive).segments):
        if isinstance(segment, Literal) and segment.text:
            yield from _misread(segment.text, leniency, inside=place != last)


def _misread(name: str, leniency: PathLeniency, *, inside: bool) -> Iterator[str]:
    """Yields the reason why no request path can have this segment. Yields nothing if a request path can have it."""
    for mark, needed, named in (
        (";", "semicolon: literal", ";" in leniency.escaped),
        ("%2F", "encoded_slash: keep", "%2F" in leniency.kept),
        ("%5C", "encoded_backslash: keep", "%5C" in leniency.kept),
    ):
        # In lower case where the application knows none.
        if mark.lower() in name.lower() and not named:
            yield f"`{name}` has a {mark}, which is refused unless the application's file says paths: {{{needed}}}"
            return
    target = b"/%b/x" if inside else b"/%b"
    try:
        read = canonical_target(target % _written(name, leniency), leniency).segments[0]
    except GatewayError as error:
        yield f"`{name}` is refused in every request, as {error.detail.rpartition(':')[0]}"
    else:
        if read != name:
            yield f"`{name}` is read as `{read}`"


def _written(name: str, leniency: PathLeniency) -> bytes:
    try:
        data = name.encode("cp1252" if leniency.encoding == "latin-1" else "utf-8")
    except UnicodeEncodeError:
        data = name.encode()
    # In a pattern, the escapes that are kept stand for themselves.
    parts = re.split(rb"(%b)" % "|".join(sorted(leniency.kept)).encode("ascii"), data) if leniency.kept else [data]
    return b"".join(part if place % 2 else quote(part, safe="").encode("ascii") for place, part in enumerate(parts))


# --- what is kept of it


def _keep_posts(document: YamlDocument, keep: KeepPostsSection, gateway: GatewayFile) -> Iterator[Problem]:
    for key in ("per_person", "in_all"):
        most: int = getattr(gateway.posts, key)
        if keep.largest > most:
            message = f"no form of this size is ever kept: posts.{key} of gateway.yaml is {most} bytes"
            yield document.problem(("keep_posts", "largest"), message, "write a smaller one, or more there")
            return


def _embedded(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    """Refuses frames of another site, into which browsers send no cookie. Only browsers know, from lists, which sites
    have more than two labels."""
    portal = "" if gateway is None else gateway.portal.host
    for index, host in enumerate(model.embedded_by if portal else ()):
        site = _site(portal)
        if _site(host) != site or not any(_site(own) == site for own in model.hosts):
            message = f"{host}, the application and the portal, {portal}, are of more than one site"
            hint = "list hosts of the same domain, or leave it out: a frame of another site has no session"
            yield document.problem(("embedded_by", index), message, hint)


def _site(host: str) -> str:
    return ".".join(host.rsplit(".", 2)[-2:])


# --- where it listens


def _upstream(loaded: Loaded[AppFile], model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    """Checks literal addresses, and the folder of a socket (teams.py checks a team's socket against the fence). Each
    connect checks the address behind a host name, and the socket itself."""
    document, socket = loaded.document, model.upstream.socket
    if model.front is not None:
        yield from check_front(document, model, gateway)
    if model.rewrite.internal and gateway is not None:
        yield from _internal(document, model, gateway)
    for index, url in enumerate(model.upstream.urls if socket is None else ()):
        address = literal(url.host.strip("[]"))
        if address is not None and (why := closed_to_all(address, url.effective_port, _listens(gateway))):
            what, _, hint = why.partition(": ")
            at: Path = ("upstream", "others", index - 1) if index else ("upstream", "url")
            yield document.problem(at, f"{url.authority} leads to {address}, {what}", hint)
    if socket is None or gateway is None or team_of(loaded.path) or folder_of(socket, gateway.sockets) is not None:
        return
    message = f"{socket} is in no folder that gateway.yaml lists for sockets of applications"
    yield document.problem(("upstream", "socket"), message, "add its folder to sockets of gateway.yaml")


def _internal(document: YamlDocument, model: AppFile, gateway: GatewayFile) -> Iterator[Problem]:
    scheme, port = public_of(model, gateway)
    own = {f"{scheme}://{host}" if port is None else f"{scheme}://{host}:{port}" for host in model.hosts}
    for index, internal in enumerate(model.rewrite.internal):
        if internal.origin in own:
            message = f"browsers know the application by {internal.origin}"
            yield document.problem(("rewrite", "internal", index), message, "leave it out: it is what others become")
        elif internal.origin == gateway.portal.origin:
            message = f"{internal.origin} is the portal: links to it would lead to the application"
            yield document.problem(("rewrite", "internal", index), message, "leave it out")


def _listens(gateway: GatewayFile | None) -> IsOurs:
    """Recognises the gateway's own addresses that the file gives. The addresses of the machine are known only at
    connect."""
    if gateway is None:
        return lambda address, port: False
    listeners = [listen.address for listen in gateway.listen]
    if not gateway.admin.startswith("unix:"):
        listeners.append(socket_address(gateway.admin))
    if gateway.store.server is not None:
        listeners += gateway.store.server.places

    def is_ours(address: Address, port: int) -> bool:
        return any(port == its_port and _is_at(address, literal(host)) for host, its_port in listeners)

    return is_ours


def _is_at(address: Address, listener: Address | None) -> bool:
    return address == listener or (listener is not None and listener.is_unspecified and address.is_loopback)
