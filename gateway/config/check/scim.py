"""Checks `scim` of gateway.yaml against the providers: a directory speaks only of its own people."""

from collections.abc import Iterator, Sequence

from gateway.config.problems import Path, Problem, did_you_mean
from gateway.config.schema.load import AnyProviderFile, Loaded
from gateway.config.schema.scim import ScimClientSection, ScimSection
from gateway.config.yaml.reader import YamlDocument
from gateway.model.account import SUBJECT


def check_scim(
    document: YamlDocument, scim: ScimSection, providers: Sequence[Loaded[AnyProviderFile]]
) -> Iterator[Problem]:
    # Of files that are wrong only the names count.
    written = {name: one.model for one in providers if isinstance(name := one.written("provider"), str)}
    first: dict[str, int] = {}
    for index, client in enumerate(scim.clients):
        at: Path = ("scim", "clients", index)
        if first.setdefault(client.name, index) != index:
            yield document.problem((*at, "name"), "this name is here twice")
        if client.provider not in written:
            hint = did_you_mean(client.provider, written)
            yield document.problem((*at, "provider"), "no file of providers/ has this name", hint)
        elif (model := written[client.provider]) is not None:
            yield from _against(document, at, client, model)
        yield from _overlap(document, at, client, scim.clients[:index])


def _against(
    document: YamlDocument, at: Path, client: ScimClientSection, provider: AnyProviderFile
) -> Iterator[Problem]:
    mapped, asserted = provider.sources(), provider.asserts.siret
    if client.person != SUBJECT and client.person not in mapped:
        hint = did_you_mean(client.person, mapped) or f"write {client.person}: under attributes of its file"
        yield document.problem((*at, "person"), "the provider maps no attribute of this name", hint)
    if client.siret and provider.tenant is None:
        message = "nobody signs in by this provider in the name of an organisation"
        yield document.problem((*at, "siret"), message, "tenant: siret in the provider's file, or leave siret out")
    if not client.siret and provider.tenant is not None and (asserted is None or len(asserted) > 1):
        message = "the provider signs in people of several organisations: it has to be said whose directory this is"
        yield document.problem(at, message, "siret: [...]")
    for number, siret in enumerate(client.siret):
        if asserted is not None and siret not in asserted:
            yield document.problem((*at, "siret", number), "the provider may not assert this number")


def _overlap(
    document: YamlDocument, at: Path, client: ScimClientSection, before: Sequence[ScimClientSection]
) -> Iterator[Problem]:
    """Refuses two directories that speak of the same person: their statements could differ."""
    for other in before:
        same = other.provider == client.provider
        if same and (not other.siret or not client.siret or set(other.siret) & set(client.siret)):
            message = f"{other.name} speaks of the same people already"
            yield document.problem((*at, "siret" if client.siret else "provider"), message, "siret: others for each")
            return
