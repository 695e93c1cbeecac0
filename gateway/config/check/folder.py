"""What no file can tell alone, and what one file says twice: collisions are shown with both places."""

import re
from collections.abc import Container, Hashable, Iterable, Iterator
from typing import TypeVar

from pydantic import BaseModel

from gateway.config.check.app import check_app
from gateway.config.check.levels import check_provider_levels
from gateway.config.check.saml import check_saml_provider
from gateway.config.check.shadows import check_shadows
from gateway.config.check.shared import Index, check_shared
from gateway.config.check.teams import check_teams, teams_of
from gateway.config.compile.gateway import workers_of
from gateway.config.folder.files import team_of, within
from gateway.config.problems import Path, Place, Problem, did_you_mean, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.gateway import GatewayFile
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.schema.provider import SamlProviderFile
from gateway.config.schema.scalars import Wrong, host_pattern, socket_address
from gateway.config.schema.types import NAME
from gateway.config.yaml.reader import YamlDocument
from gateway.identity.address_names import is_scoped, may_hold_an_address
from gateway.identity.perimeter import is_siren_name, is_siret_name
from gateway.wire.addresses import parse_address

_Model = TypeVar("_Model", bound=BaseModel)
Key = TypeVar("Key", bound=Hashable)


def check_folder(folder: Folder, unchanged: Container[str] = ()) -> list[Problem]:
    """Of the files that are valid each by itself; names, hosts and providers that are listed of the others, too.

    `unchanged`: app files that are served as they are.
    """
    found: list[Problem] = []
    if folder.gateway is not None and folder.gateway.model is not None:
        found += _gateway(folder.gateway.document, folder.gateway.model)
    found += _same_name(folder.providers, "provider")
    apps = _by_claim(folder.apps, unchanged)
    found += _same_name(apps, "app")
    for provider in folder.providers:
        if provider.model is not None:
            found += _provider(provider.document, provider.model, folder)
            found += check_provider_levels(provider.document, provider.model, folder)
    found += _same_entity(folder)
    found += _same_host(folder, apps)
    index = Index.of(folder)
    found += check_shared(folder, index)
    found += check_teams(folder)
    found += check_shadows(folder)
    for app in (*folder.apps, *folder.shadows):
        if app.model is not None:
            found += check_app(app, app.model, folder, index)
        found += _unknown_providers(app, folder)
    return found


def collisions(
    named: Iterable[tuple[Key, YamlDocument, Path]], message: str, *, at_key: bool = False
) -> Iterator[Problem]:
    """`named`: what has to be different, and where it stands."""
    first: dict[Key, Place] = {}
    for name, document, path in named:
        place = document.place(path, key=at_key)
        if name in first:
            yield Problem(place, key_path(path), message, "", (("first at", first[name]),))
        else:
            first[name] = place


def _same_name(loaded: Iterable[Loaded[_Model]], key: str) -> Iterator[Problem]:
    named = ((name, one.document, (key,)) for one in loaded if (name := one.written(key)) is not None)
    return collisions(named, f"two files name this {key}")


def _by_claim(apps: Iterable[Loaded[AppFile]], unchanged: Container[str]) -> list[Loaded[AppFile]]:
    """What two files name is the second's mistake: no team takes a name from the operator's own files, nor from another
    team's that is served under it."""
    return sorted(apps, key=lambda app: (bool(team_of(app.path)), app.path not in unchanged))


def _same_host(folder: Folder, apps: Iterable[Loaded[AppFile]]) -> Iterator[Problem]:
    teams = teams_of(folder)
    # What a team may not name takes nothing from those who may; what it may is held against the others' first.
    hosts = (
        (host, app.document, ("hosts", index))
        for app in apps
        for index, written in app.listed("hosts")
        if (host := _canonical(written)) is not None
        and ((team := teams.get(team_of(app.path))) is None or within(host, team.hosts))
    )
    return collisions(hosts, "this host is named twice: nobody could say which application it is")


def _canonical(written: str) -> str | None:
    """None for what is no host, which is a problem of its file."""
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


def _unknown_providers(app: Loaded[AppFile], folder: Folder) -> Iterator[Problem]:
    known = [name for provider in folder.providers if (name := provider.written("provider")) is not None]
    if len(known) < len(folder.providers) or not folder.complete:
        return  # a file that cannot be read may be the one
    for index, name in app.listed("providers"):
        if name not in known and re.fullmatch(NAME, name):
            path = ("providers", index)
            hint = did_you_mean(name, known) or f"known: {', '.join(sorted(known)[:10]) or 'none'}"
            yield Problem(app.document.place(path), key_path(path), "no file in providers/ has this name", hint)


def _gateway(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    def problem(path: Path, message: str, hint: str = "") -> Problem:
        return Problem(document.place(path), key_path(path), message, hint)

    if model.store.type == "memory" and workers_of(model) > 1:
        yield problem(("workers",), "a store in memory is not shared: it takes one worker", "workers: 1, or sqlite")
    yield from collisions(
        ((key.id, document, ("store", "keys", index, "id")) for index, key in enumerate(model.store.keys)),
        "this id is here twice",
    )
    if not model.development:
        if model.portal.scheme != "https":
            yield problem(("portal",), "browsers keep our cookies over https only", "https, or development: true")
        elif not model.trusted_proxies and not any(listen.tls for listen in model.listen):
            hint = "give a listener tls, or list the proxy that does TLS in trusted_proxies"
            yield problem(("portal",), "the portal is https, and nothing here speaks TLS", hint)
    yield from (
        collisions(
            ((key.id, document, ("saml", "keys", index, "id")) for index, key in enumerate(model.saml.keys)),
            "this id is here twice",
        )
        if model.saml is not None
        else ()
    )
    yield from _listeners(document, model)


def _listeners(document: YamlDocument, model: GatewayFile) -> Iterator[Problem]:
    """An address of all interfaces takes its port from every other."""
    named: list[tuple[tuple[str, int], Path]] = [
        (listen.address, ("listen", index, "address")) for index, listen in enumerate(model.listen)
    ]
    if not model.admin.startswith("unix:"):
        named.append((socket_address(model.admin), ("admin",)))
    taken: list[tuple[tuple[str, int], Place]] = []
    for address, path in named:
        place = document.place(path)
        first = next((other_place for other, other_place in taken if _collide(address, other)), None)
        if first is not None:
            yield Problem(place, key_path(path), "this address is taken already", "", (("by", first),))
        taken.append((address, place))


def _collide(one: tuple[str, int], other: tuple[str, int]) -> bool:
    same_port = one[1] == other[1] != 0
    return same_port and (one[0] == other[0] or _is_any(one[0]) or _is_any(other[0]))


def _is_any(host: str) -> bool:
    address = parse_address(host)
    return address is not None and address.is_unspecified


def _provider(document: YamlDocument, model: AnyProviderFile, folder: Folder) -> Iterator[Problem]:
    def problem(path: Path, message: str, hint: str = "", *, key: bool = False) -> Problem:
        return Problem(document.place(path, key=key), key_path(path), message, hint)

    gateway = folder.gateway.model if folder.gateway is not None else None
    if isinstance(model, SamlProviderFile):
        yield from check_saml_provider(document, model, gateway)
    elif model.oidc.issuer.startswith("http:") and gateway is not None and not gateway.development:
        yield problem(("oidc", "issuer"), "an issuer is https", "or development: true in gateway.yaml")
    if model.session.idle > model.session.absolute:
        yield problem(("session", "idle"), "the session would end before it is idle for so long", "idle below absolute")
    sources = model.sources()
    known = set(sources)
    if model.tenant is not None and model.tenant not in known:
        yield problem(("tenant",), "no attribute has this name", did_you_mean(model.tenant, known))
    for name in model.asserts.attributes or {}:
        if name not in known:
            path = ("asserts", "attributes", name)
            yield problem(path, "no attribute has this name", did_you_mean(name, known), key=True)
    # A bound on what is not mapped would bound nothing.
    last = {source for names in sources.values() for source in names} | known
    organisation = any(is_siret_name(name) or is_siren_name(name) for name in last)
    if model.asserts.siret is not None and model.tenant is None and not organisation:
        yield problem(("asserts", "siret"), "this bounds nothing: no attribute is mapped from siret, nor is a tenant")
    if model.asserts.email_domains is not None and not any(map(may_hold_an_address, last)):
        yield problem(("asserts", "email_domains"), "this bounds nothing: no attribute is mapped from email")
    if model.asserts.scopes is not None and model.asserts.email_domains is None and not any(map(is_scoped, last)):
        yield problem(("asserts", "scopes"), "this bounds nothing: no attribute is mapped from a scoped one")
