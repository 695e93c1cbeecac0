"""Checks `api` of an app file (access tokens of programs) against the providers of the file."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from gateway.config.check.conditions import Index
from gateway.config.problems import Path, Problem
from gateway.config.schema.app import AppFile
from gateway.config.schema.app_api import AppApiSection, OpaqueTokensSection
from gateway.config.schema.oidc import ApiSection
from gateway.config.schema.provider import ProviderFile
from gateway.config.yaml.reader import YamlDocument

_PLACE: Path = ("api", "providers")


def check_api(document: YamlDocument, model: AppFile, api: AppApiSection, index: Index) -> Iterator[Problem]:
    """Yields the problems of `api`. The application has to list each provider, and the provider's file has to accept
    access tokens."""
    takes: dict[str, ApiSection] = {}
    for number, name in enumerate(api.providers):
        path, loaded = (*_PLACE, number), index.providers.get(name)
        provider = None if loaded is None else loaded.model
        if name not in model.providers:
            message = f"this application does not listen to {name}"
            yield document.problem(path, message, "add it to providers")
        elif provider is not None and (not isinstance(provider, ProviderFile) or provider.oidc.api is None):
            message = f"the file of {name} takes no access tokens"
            yield document.problem(path, message, "in its oidc: api: {audience: [...]}")
        elif isinstance(provider, ProviderFile) and provider.oidc.api is not None:
            takes[name] = provider.oidc.api
    introspected = {name: api for name, api in takes.items() if api.introspection}
    yield from _not_introspected(document, api, takes, introspected)
    yield from _ambiguous(document, api, introspected)


def _not_introspected(
    document: YamlDocument,
    model: AppApiSection,
    takes: Mapping[str, ApiSection],
    introspected: Mapping[str, ApiSection],
) -> Iterator[Problem]:
    for name in model.opaque:
        if name not in model.providers or (name in takes and name not in introspected):
            path: Path = ("api", "opaque", name)
            message = f"{name} is asked about no tokens" if name in takes else f"{name} is not among api: providers"
            hint = "in its file, oidc: api: introspection: true" if name in takes else ""
            yield document.problem(path, message, hint, key=True)


def _ambiguous(
    document: YamlDocument, model: AppApiSection, introspected: Mapping[str, ApiSection]
) -> Iterator[Problem]:
    """Invariant 7: an opaque token is shown to its own provider alone."""
    for one, other in combinations(introspected, 2):
        if not _tell_apart((introspected[one], model.opaque.get(one)), (introspected[other], model.opaque.get(other))):
            path = (*_PLACE, model.providers.index(other))
            message = f"nothing tells whether {one} or {other} is asked about a token that is no JWT"
            hint = "here api: opaque: {NAME: {paths: [...]}} for each, or prefix in oidc: api of each of their files"
            yield document.problem(path, message, hint)


_Recognised = tuple[ApiSection, OpaqueTokensSection | None]


def _tell_apart(one: _Recognised, other: _Recognised) -> bool:
    """Whether the two sections never fit the same token. A token that fits both is shown to neither provider."""
    (an_api, here), (other_api, there) = one, other
    if an_api.prefix and other_api.prefix:
        return not an_api.prefix.startswith(other_api.prefix) and not other_api.prefix.startswith(an_api.prefix)
    if here is None or there is None:
        return False
    if here.header is not None and there.header is not None and here.header.lower() == there.header.lower():
        return here.value != there.value
    if here.paths is None or there.paths is None:
        return False
    return {path.text for path in here.paths}.isdisjoint(path.text for path in there.paths)
