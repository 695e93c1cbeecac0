"""Lists and shared conditions to their part of the plan."""

from collections.abc import Iterator
from typing import cast

from gateway.config.compile.plan import ORGANISATIONS_IN_A_LINE, ListPlan, SharedPlan
from gateway.config.schema.conditions import Condition, SharedIs, leaves
from gateway.config.schema.load import Folder


def plan_lists(folder: Folder) -> list[ListPlan]:
    """A few lines for a long list, so that each is a short step."""
    lists = sorted((loaded.model for loaded in folder.lists if loaded.model is not None), key=lambda model: model.list)
    return [
        {
            "name": model.list,
            "organisations": [
                (one["number"], one["insee"]) for one in model.organisations[start : start + ORGANISATIONS_IN_A_LINE]
            ],
        }
        for model in lists
        for start in range(0, len(model.organisations), ORGANISATIONS_IN_A_LINE)
    ]


def plan_shared(folder: Folder) -> list[SharedPlan]:
    """As they are written; what is referred to comes first."""
    written: dict[str, object] = {}
    models: dict[str, Condition] = {}
    for loaded in folder.shared:
        if loaded.model is not None:
            written |= cast(dict[str, dict[str, object]], loaded.document.data)["conditions"]
            models |= loaded.model.conditions
    ordered: dict[str, None] = {}
    for name in sorted(models):
        _after_its_own(name, models, ordered)
    return [{"name": name, "condition": written[name]} for name in ordered]


def _after_its_own(name: str, models: dict[str, Condition], ordered: dict[str, None]) -> None:
    if name not in ordered:
        for reference in references(models[name]):
            _after_its_own(reference, models, ordered)
        ordered[name] = None


def references(condition: Condition) -> Iterator[str]:
    return (leaf.shared for _, leaf in leaves(condition, ()) if isinstance(leaf, SharedIs))
