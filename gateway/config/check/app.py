"""What one app file says against itself or against the providers that it lists."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, quote

from gateway.config.check.api import check_api
from gateway.config.check.conditions import Index, check_condition, check_use, check_use_levels, place_of_can, uses
from gateway.config.check.references import is_secret
from gateway.config.compile.app import source_of
from gateway.config.problems import Path, Place, Problem, did_you_mean, key_path
from gateway.config.schema.app import AppFile, InjectedSection
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import Folder, Loaded
from gateway.config.schema.scalars import Reference, socket_address
from gateway.config.yaml.reader import YamlDocument
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.policy.patterns import Literal, Pattern, folded
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule, unveiled
from gateway.translation.render import CookieSpec, HeaderSpec, check_cookie, check_header
from gateway.wire.addresses import Address, parse_address
from gateway.wire.fences import IsOurs, closed_to_all, literal
from gateway.wire.framing import METHODS
from gateway.wire.target import PathLeniency, canonical_target

_ALWAYS_KNOWN = frozenset({"subject", "provider", "issuer"})


def check_app(loaded: Loaded[AppFile], model: AppFile, folder: Folder, index: Index) -> Iterator[Problem]:
    document = loaded.document
    yield from _rules(document, model)
    yield from _paths(document, model)
    yield from _injected(document, model)
    yield from _secrets(document, model, folder)
    yield from _session(document, model, index)
    gateway = folder.gateway_file
    if model.public is not None and model.public.scheme == "http" and gateway is not None and not gateway.development:
        yield document.problem(("public", "scheme"), "browsers keep our cookies over https only", "write https")
    yield from _upstream(document, model, gateway)
    if model.api is not None:
        yield from check_api(document, model, model.api, index)
    yield from _logout(document, model)
    providers = index.listed(model)
    mapped = None if providers is None else {name for one in providers if one.model for name in one.model.sources()}
    if mapped is not None:
        yield from _unmapped(document, model, mapped)
    yield from _conditions(document, model, mapped, index)


def _session(document: YamlDocument, model: AppFile, index: Index) -> Iterator[Problem]:
    session = model.session
    if session.idle is not None and session.absolute is not None and session.idle > session.absolute:
        message = "the seat would end before it is idle for so long"
        yield document.problem(("session", "idle"), message, "idle below absolute")
    # `then: sign_in` rests on a provider that asks people anew: after the limit, no other's people could come back.
    providers = index.listed(model) if session.then == "sign_in" else None
    if providers is not None and not any(one.model is not None and "fresh_login" in one.model.can for one in providers):
        message, hint = (
            "no provider of this application asks people anew",
            "in the provider's file: can: [fresh_login], if it does",
        )
        others = tuple(("and", place_of_can(provider)) for provider in providers[:3])
        yield document.problem(("session", "then"), message, hint, others=others)


def _logout(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """What says who the person is is one of what the application is told of them."""
    login, translate = model.logout.login, model.translate
    told = {name for part in (translate.headers, translate.cookies) for name in part if part[name].source is not None}
    path: Path = ("logout", "login")
    if login is not None and model.logout.url is None:
        yield document.problem(path, "nothing is called at a sign-out", "name url as well")
    elif login is not None and login not in told:
        message = f"translate tells nothing of the person in {login}"
        yield document.problem(path, message, did_you_mean(login, told))


def _conditions(document: YamlDocument, model: AppFile, mapped: set[str] | None, index: Index) -> Iterator[Problem]:
    injected = frozenset(fold(name.encode()) for name in model.translate.headers)
    attributes = None if mapped is None else frozenset(mapped)
    for number, rule in enumerate(model.access):
        for word, condition in (("allow", rule.allow), ("deny", rule.deny)):
            if condition is not None:
                path: Path = ("access", number, word)
                yield from check_condition(document, path, condition, index)
                for use in uses(document, path, condition, index):
                    yield from check_use(use, model.providers, attributes, injected, index)
                    yield from check_use_levels(use, model, index)


def _rules(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    # Collisions depend on paths and methods alone, not on conditions.
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
    beside = unveiled(rules, map(bytes.decode, METHODS), case_insensitive)
    found = conflicts(rules, case_insensitive)
    told = {(one.ref, other.ref) for one, other, _ in found}
    found += [one for one in conflicts(beside, case_insensitive) if (one[0].ref, one[1].ref) not in told]
    for one, other, why in found:
        first, second = sorted((one.ref.line, other.ref.line))
        path = ("access", second, "path")
        yield document.problem(path, why, others=(("and", document.place(("access", first, "path"))),))


def _injected(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    sections = (("headers", model.translate.headers), ("cookies", model.translate.cookies))
    for section, entries in sections:
        seen: dict[bytes, tuple[str, Place]] = {}
        for name, injected in entries.items():
            path: Path = ("translate", section, name)
            place = document.place(path, key=True)
            try:
                _check(section, name, injected)
            except GatewayError as error:
                yield document.problem(path, error.detail, key=True)
                continue
            other, first = seen.setdefault(fold(name.encode()), (name, place))
            if other != name:
                message = f"a server may read this as {other}"
                yield document.problem(path, message, key=True, others=(("and", first),))


def _secrets(document: YamlDocument, model: AppFile, folder: Folder) -> Iterator[Problem]:
    """A secret in clear is everybody's who reads the repository, or a message that shows its line."""
    if folder.gateway is None or folder.gateway.model is None or folder.gateway.model.development:
        return
    for section, entries in (("headers", model.translate.headers), ("cookies", model.translate.cookies)):
        for name, injected in entries.items():
            value = injected.value
            if value is not None and value.kind == "inline" and is_secret(name, value):
                path: Path = ("translate", section, name, "value")
                place = replace(document.place(path), source="")
                message = "this looks like a secret, which is not written into this file"
                yield Problem(place, key_path(path), message, "{file: path}, {env: NAME} or {credential: name}")
    for parameter, text in parse_qsl((model.logout.url or "").partition("?")[2], keep_blank_values=True):
        if is_secret(parameter, Reference("inline", text)):
            place = replace(document.place(("logout", "url")), source="")
            message = f"`{parameter}` looks like a secret, which is not written into this file"
            hint = "let the call carry it in a header: translate.headers.NAME.value: {file: path}"
            yield Problem(place, "logout.url", message, hint)


def _check(section: str, name: str, injected: InjectedSection) -> None:
    # What stands elsewhere is looked at where it is read (`references`).
    elsewhere = injected.value is not None and injected.value.kind != "inline"
    source = source_of(name, injected, b"x" if elsewhere else None)
    if section == "headers":
        check_header(HeaderSpec(name, source, injected.encoding, injected.unencodable))
    else:
        check_cookie(CookieSpec(name, source, injected.encoding, injected.unencodable))


def _unmapped(document: YamlDocument, model: AppFile, mapped: set[str]) -> Iterator[Problem]:
    for path, attribute in attributes_used(model):
        if attribute not in mapped:
            message = f"no provider of this application maps an attribute {attribute}"
            yield document.problem(path, message, did_you_mean(attribute, mapped))


def attributes_used(model: AppFile) -> Iterator[tuple[Path, str]]:
    """What of a person the application is told, and where its file says so."""
    for section, entries in (("headers", model.translate.headers), ("cookies", model.translate.cookies)):
        for name, injected in entries.items():
            if injected.source is not None and injected.source not in _ALWAYS_KNOWN:
                yield ("translate", section, name, "from"), injected.source


# --- the paths that its patterns name


def _paths(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """Patterns that no request can meet, because of how the file reads paths: a deny on one would protect nothing."""
    leniency = model.paths.leniency()
    for path, pattern in _patterns(model):
        for why in _never_met(pattern, leniency):
            yield document.problem(path, f"no request meets this path: {why}")


def _patterns(model: AppFile) -> Iterator[tuple[Path, Pattern]]:
    for index, rule in enumerate(model.access):
        yield ("access", index, "path"), rule.path
    for index, pattern in enumerate(model.api.paths if model.api is not None else ()):
        yield ("api", "paths", index), pattern
    for index, pattern in enumerate(model.logout.links):
        yield ("logout", "links", index), pattern


def _never_met(pattern: Pattern, leniency: PathLeniency) -> Iterator[str]:
    last = len(pattern.segments) - 1
    for place, segment in enumerate(folded(pattern, leniency.case_insensitive).segments):
        if isinstance(segment, Literal) and segment.text:
            yield from _misread(segment.text, leniency, inside=place != last)


def _misread(name: str, leniency: PathLeniency, *, inside: bool) -> Iterator[str]:
    """Nothing where a request for this name is read as this name."""
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
    return quote(data, safe="").encode("ascii")


# --- where it listens


def _upstream(document: YamlDocument, model: AppFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    """A name is judged by the address that it leads to, at every connect; what is an address already, here too."""
    url = model.upstream.url
    address = literal(url.host.strip("[]"))
    if address is None:
        return
    if why := closed_to_all(address, url.effective_port, _listens(gateway)):
        what, _, hint = why.partition(": ")
        yield document.problem(("upstream", "url"), f"{url.authority} leads to {address}, {what}", hint)


def _listens(gateway: GatewayFile | None) -> IsOurs:
    """What the file alone can tell: which addresses this machine has is looked at when one is connected to."""
    if gateway is None:
        return lambda address, port: False
    listeners = [listen.address for listen in gateway.listen]
    if not gateway.admin.startswith("unix:"):
        listeners.append(socket_address(gateway.admin))

    def is_ours(address: Address, port: int) -> bool:
        return any(port == its_port and _is_at(address, parse_address(host)) for host, its_port in listeners)

    return is_ours


def _is_at(address: Address, listener: Address | None) -> bool:
    return address == listener or (listener is not None and listener.is_unspecified and address.is_loopback)
