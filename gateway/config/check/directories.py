"""Checks files of directories/ against the providers, the other directories and the applications."""

from collections.abc import Iterator, Mapping

from gateway.config.check.directory_servers import check_server
from gateway.config.problems import Place, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.directory import DirectoryFile, GivenSection
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.yaml.reader import YamlDocument
from gateway.model.directory import ISSUER, SUBJECT, TENANT
from gateway.model.mandate import MANDATE_ORGANISATIONS, MANDATES_IN_FULL

ProvidersByName = Mapping[str, Loaded[AnyProviderFile]]


def check_directories(folder: Folder, providers: ProvidersByName, *, all_providers: bool) -> Iterator[Problem]:
    """`all_providers`: the name of every provider is known."""
    for loaded in folder.directories:
        if loaded.model is not None:
            yield from _key(loaded.document, loaded.model, providers, all_providers=all_providers)
            yield from _wins(loaded.document, loaded.model, providers)
            development = folder.gateway_file is not None and folder.gateway_file.development
            yield from check_server(loaded.document, loaded.model, development=development)
    yield from _given_twice(folder, providers)


def _key(
    document: YamlDocument, model: DirectoryFile, providers: ProvidersByName, *, all_providers: bool
) -> Iterator[Problem]:
    for column, part in model.key.items():
        for index, name in enumerate(part.providers or ()):
            at = ("key", column, "providers", index)
            if name not in providers:
                if all_providers:
                    hint = did_you_mean(name, providers) or f"known: {', '.join(sorted(providers)[:10]) or 'none'}"
                    yield document.problem(at, "no file in providers/ has this name", hint)
                continue
            provider = providers[name].model
            if provider is None:
                continue
            if part.from_ == TENANT and provider.tenant is None:
                yield document.problem(at, f"{name} names no tenant", "add tenant: to its file, or leave it out here")
            elif part.from_ not in (SUBJECT, ISSUER, TENANT) and part.from_ not in provider.sources():
                hint = did_you_mean(part.from_, provider.sources())
                yield document.problem(at, f"{name} maps no attribute {part.from_}", hint)


def taking(model: DirectoryFile, providers: ProvidersByName) -> set[str]:
    """The providers from which the directory accepts every part of its key."""
    found = set(providers)
    for part in model.key.values():
        if part.providers is not None:
            found &= set(part.providers)
    return found


def _wins(document: YamlDocument, model: DirectoryFile, providers: ProvidersByName) -> Iterator[Problem]:
    known = {name: one for name in taking(model, providers) if (one := providers[name].model) is not None}
    for name, given in model.gives.items():
        both = sorted(provider for provider, one in known.items() if name in one.sources())
        if both and given.wins is None:
            message = f"{both[0]} has an attribute {name} too, and this file does not say whose word counts"
            place = providers[both[0]].document.place(("attributes", name), key=True)
            hint = "add wins: directory or wins: provider, or give it another name"
            yield document.problem(("gives", name), message, hint, key=True, others=(("and", place),))
        elif given.wins is not None and not both and len(known) == len(taking(model, providers)):
            if given.wins == "directory" and _says(providers, name):
                continue
            message = f"no provider of its key has an attribute {name}: this has no effect"
            yield document.problem(("gives", name, "wins"), message, "leave it out")


def _says(providers: ProvidersByName, name: str) -> bool:
    """Whether a provider may have an attribute of this name. If a directory decides on the attribute and does not take
    the provider's word, the attribute is unknown."""
    return any(one.model is None or name in one.model.sources() for one in providers.values())


def _given_twice(folder: Folder, providers: ProvidersByName) -> Iterator[Problem]:
    """Refuses two directories that give the same attribute to people of the same provider."""
    first: dict[tuple[str, str], tuple[str, Place]] = {}
    for loaded in folder.directories:
        if loaded.model is None:
            continue
        for name in loaded.model.gives:
            place = loaded.document.place(("gives", name), key=True)
            told = False
            for provider in sorted(taking(loaded.model, providers)):
                other = first.setdefault((provider, name), (loaded.path, place))
                if other[0] != loaded.path and not told:
                    told = True
                    message = f"another directory gives {name} to people of {provider} too"
                    yield loaded.document.problem(
                        ("gives", name), message, "give it another name", key=True, others=(("first at", other[1]),)
                    )


def check_listed(app: Loaded[AppFile], model: AppFile, folder: Folder, providers: ProvidersByName) -> Iterator[Problem]:
    """Checks the directories that an application lists."""
    known = {name: one for one in folder.directories if (name := one.written("directory")) is not None}
    whole = folder.complete and len(known) == len(folder.directories)
    for index, name in enumerate(model.directories):
        at = ("directories", index)
        if name in model.directories[:index]:
            yield app.document.problem(at, "this is here twice")
        elif name not in known:
            if whole:
                hint = did_you_mean(name, known) or f"known: {', '.join(sorted(known)[:10]) or 'none'}"
                yield app.document.problem(at, "no file in directories/ has this name", hint)
        elif (directory := known[name].model) is not None and not taking(directory, providers) & set(model.providers):
            message = f"{name} takes the word of none of this application's providers"
            yield app.document.problem(at, message, "it would say nothing of anybody here")


def secrets_given_by(model: AppFile, folder: Folder) -> set[str]:
    """The secrets of people that the directories of an application give."""
    models = [
        one.model for one in folder.directories if one.model is not None and one.model.directory in model.directories
    ]
    return {name for one in models for name, given in one.gives.items() if given.secret}


def sections_given_by(model: AppFile, folder: Folder) -> dict[str, list[GivenSection]]:
    """How the directories of an application give each attribute, by attribute name, secrets included. Two directories
    may give an attribute to people of two providers."""
    found: dict[str, list[GivenSection]] = {}
    for one in folder.directories:
        if one.model is not None and one.model.directory in model.directories:
            for name, given in one.model.gives.items():
                found.setdefault(name, []).append(given)
    return found


def given_by(model: AppFile, folder: Folder) -> set[str]:
    """The attributes that the directories of an application give."""
    models = [one.model for one in folder.directories if one.model is not None]
    listed = [given for one in models if one.directory in model.directories for given in one.gives.items()]
    with_organisation = {MANDATE_ORGANISATIONS, MANDATES_IN_FULL}
    told = {name for name, given in listed if not given.secret}
    return told | (with_organisation if any(given.mandate for _, given in listed) else set())
