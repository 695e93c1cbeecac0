"""Levels that a provider names and nobody knows, and rules that no provider of the application can satisfy."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from gateway.config.check.shared import Use
from gateway.config.problems import Path, Place, Problem, did_you_mean, key_path
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import AcrMinIs, AmrIs, MaxAgeIs
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.schema.provider import ProviderBase
from gateway.config.yaml.reader import YamlDocument
from gateway.model.levels import ProviderLevels
from gateway.policy.levels import USUAL_LADDER, Ladder

Asks = AcrMinIs | AmrIs | MaxAgeIs

_HINTS = {
    "acr_min": "in the provider's file: can: [acr], and levels that reach it",
    "amr": "in the provider's file: can: [amr]",
    "max_age": "in the provider's file: can: [fresh_login]",
}

_ANEW = "in the provider's file: can: [fresh_login], if it does"


def ladder_of(folder: Folder) -> tuple[str, ...]:
    gateway = folder.gateway.model if folder.gateway is not None else None
    return USUAL_LADDER if gateway is None else tuple(gateway.levels)


def check_provider_levels(document: YamlDocument, model: ProviderBase, folder: Folder) -> Iterator[Problem]:
    ladder = ladder_of(folder)
    for word, mapped in (("acr", model.levels.acr or {}), ("amr", model.levels.amr)):
        for name, level in mapped.items():
            if level not in ladder:
                yield _problem(document, ("levels", word, name), f"no level {level}", _known(level, ladder))
        if mapped and word not in model.can:
            message = f"this has no effect: the provider is not believed in {word}"
            yield _problem(document, ("levels", word), message, f"add can: [{word}]", key=True)


def check_use_levels(use: Use, model: AppFile, folder: Folder) -> Iterator[Problem]:
    """Each of these conditions by itself: what no provider can say would lock everybody out."""
    names, providers, leaf = ladder_of(folder), _listed(model, folder), use.leaf
    match leaf:
        case AcrMinIs() if leaf.acr_min not in names:
            yield use.problem("acr_min", f"no level {leaf.acr_min}", _known(leaf.acr_min, names))
        case AcrMinIs() | AmrIs() | MaxAgeIs():
            if providers is not None and not any(_can(leaf, provider.model, names) for provider in providers):
                yield _unsatisfied(use, leaf, providers)
        case _:
            pass


def check_then(document: YamlDocument, model: AppFile, folder: Folder) -> Iterator[Problem]:
    """`then: sign_in` rests on a provider that asks people anew: after the limit, nobody else's could come back."""
    providers = _listed(model, folder)
    if model.session.then != "sign_in" or providers is None:
        return
    if not any(provider.model is not None and "fresh_login" in provider.model.can for provider in providers):
        problem = _problem(document, ("session", "then"), "no provider of this application asks people anew", _ANEW)
        yield replace(problem, others=tuple(("and", _place_of(provider)) for provider in providers[:3]))


def _can(leaf: Asks, model: ProviderBase | None, names: Sequence[str]) -> bool:
    if model is None:
        return True
    match leaf:
        case AmrIs():
            return "amr" in model.can
        case MaxAgeIs():
            return "fresh_login" in model.can
        case AcrMinIs():
            levels = ProviderLevels(frozenset(model.can), model.levels.acr, model.levels.amr)
            by_amr = [level for level in levels.amr.values() if level in names] if "amr" in levels.can else []
            reached = any(names.index(level) >= names.index(leaf.acr_min) for level in by_amr)
            return reached or bool(Ladder(names, {"": levels}).asked_as("", leaf.acr_min))


def _unsatisfied(use: Use, leaf: Asks, providers: Sequence[Loaded[AnyProviderFile]]) -> Problem:
    (word,) = type(leaf).model_fields
    others = tuple(("and", _place_of(provider)) for provider in providers[:3])
    problem = use.problem(word, "no provider of this application can say so", _HINTS[word])
    return replace(problem, others=(*problem.others, *others))


def _place_of(provider: Loaded[AnyProviderFile]) -> Place:
    key = "can" if provider.model is not None and provider.model.can else "provider"
    return provider.document.place((key,))


def _listed(model: AppFile, folder: Folder) -> list[Loaded[AnyProviderFile]] | None:
    """None where a provider file cannot be told."""
    by_name = {provider.written("provider"): provider for provider in folder.providers}
    listed = [by_name.get(name) for name in model.providers]
    found = [provider for provider in listed if provider is not None and provider.model is not None]
    return [*found] if len(found) == len(listed) else None


def _known(level: str, names: Sequence[str]) -> str:
    return did_you_mean(level, names) or f"known: {', '.join(names)}"


def _problem(document: YamlDocument, path: Path, message: str, hint: str, *, key: bool = False) -> Problem:
    return Problem(document.place(path, key=key), key_path(path), message, hint)
