"""Checks across the files of a folder. A problem with a name that two files use shows both places."""

import re
from collections.abc import Container, Hashable, Iterable, Iterator
from typing import TypeVar

from pydantic import BaseModel

from gateway.config.check.app import check_app
from gateway.config.check.conditions import Index, check_shared, known_level
from gateway.config.check.cookies import check_prefixes
from gateway.config.check.directories import check_directories
from gateway.config.check.divided_hosts import check_divided_hosts
from gateway.config.check.extras import check_extra, check_library
from gateway.config.check.fronts import check_forward_auth
from gateway.config.check.scim import check_scim
from gateway.config.check.shadows import check_shadows
from gateway.config.check.teams import check_teams
from gateway.config.check.tokens import check_audiences
from gateway.config.compile.frozen import Material
from gateway.config.compile.gateway import workers_of
from gateway.config.folder.files import Begin, team_of, within
from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.schema.provider import SamlProviderFile
from gateway.config.schema.saml import MetadataFromSection
from gateway.config.schema.scalars import Wrong, host_pattern, socket_address
from gateway.config.schema.types import NAME
from gateway.config.yaml.reader import YamlDocument
from gateway.identity.perimeter import is_scoped, is_siren_name, is_siret_name, may_hold_an_address
from gateway.wire.addresses import parse_address

_Model = TypeVar("_Model", bound=BaseModel)
Key = TypeVar("Key", bound=Hashable)


def check_folder(
    folder: Folder, material: Material, unchanged: Container[str] = (), begin: Begin = lambda _: None
) -> list[Problem]:
    """Checks valid files against each other. Names, hosts and listed providers are taken from invalid files too.

    `material`: the contents of the references that could be read.
    `unchanged`: app files that are served in their present form.
    `begin`: called with the path of each file before its checks."""
    index = Index.of(folder)
    apps = _by_claim(folder.apps, unchanged)
    found = [
        *_same_names(folder, apps),
        *_same_host(folder, apps),
        *_divided(apps),
        *_same_entity(folder),
        *check_shared(index),
    ]
    if [app for app in apps if app.model is not None and app.model.cookies.prefix]:
        found += check_prefixes(apps)
    if [app for app in folder.apps if app.model is not None and app.model.translate.has_tokens]:
        found += check_audiences(folder)
    if folder.gateway is not None and folder.gateway.model is not None:
        begin(folder.gateway.path)
        found += _gateway(folder, folder.gateway.document, folder.gateway.model)
    for provider in folder.providers:
        if provider.model is not None:
            begin(provider.path)
            found += _provider(provider.document, provider.model, folder.gateway_file, index)
    begin("")
    if folder.directories:
        found += check_directories(folder, index.providers, all_providers=index.all_providers)
    if folder.teams:
        found += check_teams(folder)
    if folder.shadows:
        found += check_shadows(folder)
    for app in (*folder.apps, *folder.shadows):
        begin(app.path)
        if app.model is not None:
            found += check_app(app, app.model, index, material)
        if index.all_providers:
            found += _unknown_providers(app, index)
    begin("")
    return found


# --- what occurs twice ----------------------------------------------------------------------------------------------


def collisions(
    named: Iterable[tuple[Key, YamlDocument, Path]], message: str, *, at_key: bool = False
) -> Iterator[Problem]:
    """Yields a problem for each name that occurs again.

    `named`: names that have to differ, each with its document and key path."""
    first: dict[Key, tuple[YamlDocument, Path]] = {}
    for name, document, path in named:
        if name in first:
            earlier, at = first[name]
            place = earlier.place(at, key=at_key)
            yield document.problem(path, message, key=at_key, others=(("first at", place),))
        else:
            first[name] = document, path


def _same_names(folder: Folder, apps: Iterable[Loaded[AppFile]]) -> Iterator[Problem]:
    yield from _same_name(folder.providers, "provider", "two files name this provider")
    yield from _same_name(apps, "app", "two files name this app")
    yield from _same_name(folder.directories, "directory", "two files name this directory")
    yield from _same_name(folder.organisations, "organisations", "two files have this name")
    shared = (
        (name, loaded.document, ("conditions", name))
        for loaded in folder.shared
        if loaded.model is not None
        for name in loaded.model.conditions
    )
    yield from collisions(shared, "two shared conditions have this name", at_key=True)
    lists = ((loaded.model.list, loaded.document, ("list",)) for loaded in folder.lists if loaded.model is not None)
    yield from collisions(lists, "two lists have this name")


def _same_name(loaded: Iterable[Loaded[_Model]], key: str, message: str) -> Iterator[Problem]:
    named = ((name, one.document, (key,)) for one in loaded if (name := one.written(key)) is not None)
    return collisions(named, message)


def _by_claim(apps: Iterable[Loaded[AppFile]], unchanged: Container[str]) -> list[Loaded[AppFile]]:
    """The app files in the order in which they may claim a name. Of two files with one name, the second is wrong: so no
    team takes a name from the operator's own files, nor from another team's file that is served under it."""
    return sorted(apps, key=lambda app: (bool(team_of(app.path)), app.path not in unchanged))


def _same_host(folder: Folder, apps: Iterable[Loaded[AppFile]]) -> Iterator[Problem]:
    teams = folder.teams
    # A host outside a team's fence takes no name from the files that may have it.
    hosts = (
        ((host, (app.written("path") if app.model is None else app.model.path) or ""), app.document, ("hosts", index))
        for app in apps
        for index, written in app.listed("hosts")
        if (host := _canonical(written)) is not None
        and ((team := teams.get(team_of(app.path))) is None or within(host, team.hosts))
    )
    return collisions(hosts, "this host is named twice, so it is not clear which application it is")


def _divided(apps: list[Loaded[AppFile]]) -> Iterator[Problem]:
    if any(app.model is not None and app.model.path is not None for app in apps):
        yield from check_divided_hosts(apps)


def _canonical(written: str) -> str | None:
    """The canonical host; None for a text that is not a host, which a check of the file reports."""
    try:
        return host_pattern(written)
    except Wrong:
        return None


def _same_entity(folder: Folder) -> Iterator[Problem]:
    """The entityID alone tells which provider sent a response, so two files may not name the same entity."""
    entities = (
        (provider.model.saml.entity_id, provider.document, ("saml", "entity_id"))
        for provider in folder.providers
        if isinstance(provider.model, SamlProviderFile)
    )
    return collisions(entities, "two files name this entity_id")


def _unknown_providers(app: Loaded[AppFile], index: Index) -> Iterator[Problem]:
    for number, name in app.listed("providers"):
        if name not in index.providers and re.fullmatch(NAME, name):
            hint = did_you_mean(name, index.providers) or f"known: {', '.join(sorted(index.providers)[:10]) or 'none'}"
            yield app.document.problem(("providers", number), "no file in providers/ has this name", hint)


# --- gateway.yaml ---------------------------------------------------------------------------------------------------


def _gateway(folder: Folder, document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    problem = document.problem
    if model.store.type == "memory" and workers_of(model) > 1:
        yield problem(("workers",), "a store in memory is not shared: it takes one worker", "workers: 1, or sqlite")
    if model.store.type == "redis" or model.store.server is not None:
        yield from _store_server(document, model)
    if not model.development:
        yield from _gateway_in_production(document, model)
    for section, ids in _key_ids(model):
        named = ((id, document, (section, "keys", index, "id")) for index, id in enumerate(ids))
        yield from collisions(named, "this id is here twice")
    if model.saml is not None:
        yield from check_library(document, ("saml",), "the library xmlsec", "xmlsec")
    if model.scim is not None:
        yield from check_scim(document, model.scim, folder.providers)
    if model.forward_auth is not None:
        yield from check_forward_auth(document, model)
    for level in (name for name in model.theme.levels if name not in model.levels):
        hint = known_level(level, model.levels)
        yield problem(("theme", "levels", level), "this level is not on the ladder", hint, key=True)
    yield from _second_opinion(document, model)
    yield from _listeners(document, model)


def _key_ids(model: GatewayFile) -> Iterator[tuple[str, list[str]]]:
    """Yields each section that has keys, with the ids of the keys."""
    yield "store", [key.id for key in model.store.keys]
    if model.accounts is not None:
        yield "accounts", [key.id for key in model.accounts.keys]
    if model.scim is not None:
        yield "scim", [key.id for key in model.scim.keys]
    if model.saml is not None:
        yield "saml", [key.id for key in model.saml.keys]


def _gateway_in_production(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    """Refuses what only a gateway with `development: true` may do."""
    if model.portal.scheme != "https":
        yield document.problem(("portal",), "browsers keep our cookies over https only", "https, or development: true")
    elif not model.trusted_proxies and not any(listen.tls or listen.proxy_protocol for listen in model.listen):
        hint = "give a listener tls, or list the proxy that does TLS in trusted_proxies"
        yield document.problem(("portal",), "the portal is https, and nothing here speaks TLS", hint)
    if model.saml is not None and (model.saml.discovery or "").startswith("http:"):
        message = "people are sent on by https alone"
        yield document.problem(("saml", "discovery"), message, "https, or development: true")


def _store_server(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    if model.store.type != "redis":
        message = f"a store of type {model.store.type} has no server"
        yield document.problem(("store", "server"), message, "type: redis, or leave server out")
        return
    if model.store.server is None:
        hint = "server: {address: valkey.example.org:6379}"
        yield document.problem(("store", "type"), "a store of type redis has a server", hint)
    elif sum(map(bool, (model.store.server.address, model.store.server.sentinel, model.store.server.cluster))) != 1:
        message = "a server has an address, or Sentinels who know it, or the nodes of a cluster, and one of these alone"
        hint = "address: valkey.example.org:6379, or sentinel: {...}, or cluster: [...]"
        yield document.problem(("store", "server"), message, hint)
    yield from check_extra(document, ("store", "type"), "redis", "redis.asyncio")


def _second_opinion(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    """python3-saml stands on lxml and xmlsec as we do."""
    if model.saml is not None and model.saml.second_opinion is not None:
        path = ("saml", "second_opinion", "by")
        yield from check_extra(document, path, model.saml.second_opinion.by, "onelogin.saml2.response")


def _listeners(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    """Refuses two listeners at one address. An address of all interfaces takes its port on every address."""
    named: list[tuple[tuple[str, int], Path]] = [
        (listen.address, ("listen", index, "address")) for index, listen in enumerate(model.listen)
    ]
    if not model.admin.startswith("unix:"):
        named.append((socket_address(model.admin), ("admin",)))
    for number, (address, path) in enumerate(named):
        first = next((at for other, at in named[:number] if _collide(address, other)), None)
        if first is not None:
            place = document.place(first)
            yield document.problem(path, "this address is taken already", others=(("by", place),))


def _collide(one: tuple[str, int], other: tuple[str, int]) -> bool:
    same_port = one[1] == other[1] != 0
    return same_port and (one[0] == other[0] or _is_any(one[0]) or _is_any(other[0]))


def _is_any(host: str) -> bool:
    address = parse_address(host)
    return address is not None and address.is_unspecified


# --- providers ------------------------------------------------------------------------------------------------------


def _provider(
    document: YamlDocument, model: AnyProviderFile, gateway: GatewayFile | None, index: Index
) -> Iterator[Problem]:
    """`gateway`: None if gateway.yaml has problems."""
    problem = document.problem
    if isinstance(model, SamlProviderFile):
        yield from _saml_provider(document, model, gateway)
    elif model.oidc.issuer.startswith("http:") and gateway is not None and not gateway.development:
        yield problem(("oidc", "issuer"), "an issuer is https", "or development: true in gateway.yaml")
    if model.session.idle > model.session.absolute:
        yield problem(
            ("session", "idle"),
            "idle is longer than absolute: the session would always end before",
            "idle below absolute",
        )
    known = set(model.sources())
    if model.tenant is not None and model.tenant not in known:
        yield problem(("tenant",), "no attribute has this name", did_you_mean(model.tenant, known))
    for name in model.asserts.attributes or {}:
        if name not in known:
            path = ("asserts", "attributes", name)
            yield problem(path, "no attribute has this name", did_you_mean(name, known), key=True)
    yield from _provider_levels(document, model, index)
    yield from _bounds(document, model)


def _bounds(document: YamlDocument, model: AnyProviderFile) -> Iterator[Problem]:
    """Refuses a bound in `asserts` on an attribute that is not mapped: the bound would have no effect."""
    problem, sources = document.problem, model.sources()
    last = {source for names in sources.values() for source in names} | set(sources)
    organisation = any(is_siret_name(name) or is_siren_name(name) for name in last)
    if model.asserts.siret is not None and model.tenant is None and not organisation:
        yield problem(("asserts", "siret"), "this bounds nothing: no attribute is mapped from siret, nor is a tenant")
    if model.asserts.email_domains is not None and not any(map(may_hold_an_address, last)):
        yield problem(("asserts", "email_domains"), "this bounds nothing: no attribute is mapped from email")
    if model.asserts.scopes is not None and model.asserts.email_domains is None and not any(map(is_scoped, last)):
        yield problem(("asserts", "scopes"), "this bounds nothing: no attribute is mapped from a scoped one")


def _provider_levels(document: YamlDocument, model: AnyProviderFile, index: Index) -> Iterator[Problem]:
    for word, mapped in (("acr", model.levels.acr or {}), ("amr", model.levels.amr)):
        for name, level in mapped.items():
            if level not in index.ladder:
                yield document.problem(("levels", word, name), f"no level {level}", known_level(level, index.ladder))
        if mapped and word not in model.can:
            message = f"this has no effect: the provider is not believed in {word}"
            yield document.problem(("levels", word), message, f"add can: [{word}]", key=True)


def _saml_provider(document: YamlDocument, model: SamlProviderFile, gateway: GatewayFile | None) -> Iterator[Problem]:
    problem = document.problem
    subject, known = model.saml.subject_without_name_id, set(model.sources())
    if subject is not None and subject not in known:
        yield problem(("saml", "subject_without_name_id"), "no attribute has this name", did_you_mean(subject, known))
    if gateway is None:
        return
    if gateway.saml is None:
        why = "gateway.yaml has no saml: keys, with which we sign what we ask and open what is encrypted for us"
        yield problem(("saml",), why, "add saml: {keys: [...]} to gateway.yaml", key=True)
    metadata = model.saml.metadata
    if isinstance(metadata, MetadataFromSection) and not gateway.development:
        for name in ("url", "aggregate", "mdq"):
            address: str | None = getattr(metadata, name)
            # Signed metadata need no TLS to be believed, but without TLS the network learns who asks for them.
            if address is not None and address.startswith("http:"):
                yield problem(
                    ("saml", "metadata", name), "metadata are fetched by https", "or development: true in gateway.yaml"
                )
    for index, name in enumerate(model.saml.common):
        if name in model.attributes:
            yield problem(("saml", "common", index), "attributes maps this name already", "leave one of them out")
