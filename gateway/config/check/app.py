"""What one app file says against itself or against the providers that it lists."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

from gateway.config.check.api import check_api
from gateway.config.check.levels import check_then, check_use_levels
from gateway.config.check.paths import check_paths
from gateway.config.check.references_app import is_secret
from gateway.config.check.shared import Index, check_condition, check_use, uses
from gateway.config.check.upstream import check_upstream
from gateway.config.compile.app import source_of
from gateway.config.problems import Path, Place, Problem, did_you_mean, key_path
from gateway.config.schema.app import AppFile, InjectedSection
from gateway.config.schema.load import Folder, Loaded
from gateway.config.schema.scalars import Reference
from gateway.config.yaml.reader import YamlDocument
from gateway.model.decision import RuleRef
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.policy.routes import conflicts
from gateway.policy.rules import Rule, unveiled
from gateway.translation.render import CookieSpec, HeaderSpec, check_cookie, check_header
from gateway.wire.framing import METHODS

_ALWAYS_KNOWN = frozenset({"subject", "provider", "issuer"})


def check_app(loaded: Loaded[AppFile], model: AppFile, folder: Folder, index: Index) -> Iterator[Problem]:
    document = loaded.document
    yield from _rules(document, model)
    yield from check_paths(document, model)
    yield from _injected(document, model)
    yield from _secrets(document, model, folder)
    session = model.session
    if session.idle is not None and session.absolute is not None and session.idle > session.absolute:
        path = ("session", "idle")
        yield Problem(
            document.place(path),
            key_path(path),
            "the seat would end before it is idle for so long",
            "idle below absolute",
        )
    gateway = folder.gateway.model if folder.gateway is not None else None
    if model.public is not None and model.public.scheme == "http" and gateway is not None and not gateway.development:
        path = ("public", "scheme")
        yield Problem(document.place(path), key_path(path), "browsers keep our cookies over https only", "write https")
    yield from check_upstream(document, model, gateway)
    yield from check_then(document, model, folder)
    yield from check_api(document, model, folder)
    yield from _logout(document, model)
    mapped = _mapped(model, folder)
    if mapped is not None:
        yield from _unmapped(document, model, mapped)
    yield from _conditions(document, model, mapped, index)


def _logout(document: YamlDocument, model: AppFile) -> Iterator[Problem]:
    """What says who the person is is one of what the application is told of them."""
    login, translate = model.logout.login, model.translate
    told = {name for part in (translate.headers, translate.cookies) for name in part if part[name].source is not None}
    path: Path = ("logout", "login")
    if login is not None and model.logout.url is None:
        yield Problem(document.place(path), key_path(path), "nothing is called at a sign-out", "name url as well")
    elif login is not None and login not in told:
        message = f"translate tells nothing of the person in {login}"
        yield Problem(document.place(path), key_path(path), message, did_you_mean(login, told))


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
                    yield from check_use_levels(use, model, index.folder)


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
        first_place = document.place(("access", first, "path"))
        yield Problem(document.place(path), key_path(path), why, "", (("and", first_place),))


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
                yield Problem(place, key_path(path), error.detail)
                continue
            other, first = seen.setdefault(fold(name.encode()), (name, place))
            if other != name:
                yield Problem(place, key_path(path), f"a server may read this as {other}", "", (("and", first),))


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
    # What stands elsewhere is looked at where it is read (references_app).
    elsewhere = injected.value is not None and injected.value.kind != "inline"
    source = source_of(name, injected, b"x" if elsewhere else None)
    if section == "headers":
        check_header(HeaderSpec(name, source, injected.encoding, injected.unencodable))
    else:
        check_cookie(CookieSpec(name, source, injected.encoding, injected.unencodable))


def _mapped(model: AppFile, folder: Folder) -> set[str] | None:
    """The attributes that the listed providers map; None where a provider file cannot be told."""
    by_name = {provider.written("provider"): provider.model for provider in folder.providers}
    listed = [by_name.get(name) for name in model.providers]
    if any(provider is None for provider in listed):
        return None
    return {attribute for provider in listed if provider is not None for attribute in provider.sources()}


def _unmapped(document: YamlDocument, model: AppFile, mapped: set[str]) -> Iterator[Problem]:
    for path, attribute in attributes_used(model):
        if attribute not in mapped:
            message = f"no provider of this application maps an attribute {attribute}"
            yield Problem(document.place(path), key_path(path), message, did_you_mean(attribute, mapped))


def attributes_used(model: AppFile) -> Iterator[tuple[Path, str]]:
    """What of a person the application is told, and where its file says so."""
    for section, entries in (("headers", model.translate.headers), ("cookies", model.translate.cookies)):
        for name, injected in entries.items():
            if injected.source is not None and injected.source not in _ALWAYS_KNOWN:
                yield ("translate", section, name, "from"), injected.source
