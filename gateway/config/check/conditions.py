"""Checks the names in conditions: shared conditions, lists, providers, attributes, levels.

If a shared condition is wrong for a single application, the problem shows the rule of the application, and beside it
the place in shared/."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from gateway.config.compile.cel import Cel, Tally, variables
from gateway.config.problems import Path, Place, Problem, did_you_mean
from gateway.config.schema.app import AppFile
from gateway.config.schema.conditions import (
    AcrMinIs,
    AllOf,
    AmrIs,
    AnyOf,
    ClaimIs,
    GroupIs,
    HeaderIs,
    MandateIs,
    MandateTest,
    MaxAgeIs,
    NetworkIs,
    NotThis,
    ProviderIs,
    QueryIs,
    SharedIs,
    TenantIs,
    TimeIs,
    UserIs,
    WhenIs,
    WrittenCondition,
    leaves,
)
from gateway.config.schema.load import AnyProviderFile, Folder, Loaded
from gateway.config.schema.provider import ProviderBase
from gateway.config.schema.values import WrittenTest, texts
from gateway.config.yaml.reader import YamlDocument
from gateway.model.errors import GatewayError
from gateway.model.levels import ProviderLevels
from gateway.model.mandate import MANDATE_ORGANISATIONS, MANDATES
from gateway.model.names import fold
from gateway.policy.budget import MOST_STEPS
from gateway.policy.conditions import DEEPEST, GROUPS, PART_STEPS, When
from gateway.policy.hours import steps_of_time
from gateway.policy.levels import USUAL_LADDER, Ladder
from gateway.policy.request_conditions import steps_of_networks
from gateway.policy.values import Exists, Matches, Suffix, ValueTest, steps_of

MOST_PARTS = 2000
"""The most parts of one rule's condition, with all that it refers to: evaluating stays short."""

_USUAL_VALUE: Final = "x" * 64
_USUAL_VALUES: Final = (_USUAL_VALUE,) * 30
_HEADER_STEPS: Final = 5_000
_QUERY_STEPS: Final = 15_000
"""Steps (policy.budget) of finding a header among 30 lines, a parameter among 15."""

_SAID_BY: Final = {
    "acr_min": "in the provider's file: can: [acr], and levels that reach it",
    "amr": "in the provider's file: can: [amr]",
    "max_age": "in the provider's file: can: [fresh_login]",
}


class SharedAt(NamedTuple):
    """A shared condition, and where it stands."""

    document: YamlDocument
    path: Path
    condition: WrittenCondition

    @property
    def place(self) -> Place:
        return self.document.place(self.path, key=True)


class Use(NamedTuple):
    """A condition without parts, and its place.

    `via`: the shared condition that contains it; None if the rule itself contains it."""

    document: YamlDocument
    path: Path
    leaf: WrittenCondition
    via: SharedAt | None

    def problem(self, step: str, message: str, hint: str = "") -> Problem:
        """`step`: the key of the leaf, or the path of a key below."""
        if self.via is not None:
            return self.document.problem(self.path, message, hint, others=(("in", self.via.place),))
        return self.document.problem((*self.path, *step.split(".")), message, hint)


@dataclass
class Index:
    """The names that the files of the folder define.

    `whole`: every file of shared/ and lists/ could be read.
    `all_providers`: the name of every provider is known. If False, an unreadable file may define a name that is
    missing.
    `ladder`: the levels of sign-in, the weakest first."""

    folder: Folder
    shared: Mapping[str, SharedAt]
    lists: frozenset[str]
    communes: frozenset[str]
    providers: Mapping[str, Loaded[AnyProviderFile]]
    all_providers: bool
    ladder: tuple[str, ...]
    whole: bool
    circles: set[str] = field(default_factory=set)
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    _cels: dict[frozenset[str], Cel] = field(default_factory=dict)
    _expressions: dict[tuple[frozenset[str], str], When | GatewayError] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Folder) -> "Index":
        shared: dict[str, SharedAt] = {}
        for file in folder.shared:
            for name, condition in ({} if file.model is None else file.model.conditions).items():
                shared.setdefault(name, SharedAt(file.document, ("conditions", name), condition))
        lists = [file.model for file in folder.lists if file.model is not None]
        return cls(
            folder,
            shared,
            frozenset(model.list for model in lists),
            frozenset(one["insee"] for model in lists for one in model.organisations if one["insee"]),
            {named: loaded for loaded in folder.providers if (named := loaded.written("provider")) is not None},
            folder.complete and all(loaded.written("provider") is not None for loaded in folder.providers),
            USUAL_LADDER if folder.gateway_file is None else tuple(folder.gateway_file.levels),
            folder.complete
            and all(file.model is not None for file in folder.shared)
            and all(file.model is not None for file in folder.lists),
        )

    def listed(self, model: AppFile) -> list[Loaded[AnyProviderFile]] | None:
        """The providers that the application lists; None if the file of a provider is missing or wrong."""
        found = [self.providers.get(name) for name in model.providers]
        valid = [provider for provider in found if provider is not None and provider.model is not None]
        return valid if len(valid) == len(found) else None

    def compiled(self, source: str, attributes: frozenset[str]) -> When | GatewayError:
        """The expression, or the error that refuses it. `attributes`: those that a person can have."""
        found = self._expressions.get((attributes, source))
        if found is None:
            try:
                if attributes not in self._cels:
                    self._cels[attributes] = Cel(attributes, Tally())
                found = self._cels[attributes].compile(source)
            except GatewayError as error:
                found = error
            self._expressions[attributes, source] = found
        return found

    def steps(self, condition: WrittenCondition, attributes: frozenset[str]) -> int:
        """The most steps (policy.budget) of the condition for usual values, shared conditions included."""
        match condition:
            case AnyOf(any=parts) | AllOf(all=parts):
                return sum(PART_STEPS + self.steps(part, attributes) for part in parts)
            case NotThis():
                return PART_STEPS + self.steps(condition.this, attributes)
            case SharedIs(shared=name) if name in self.shared and name not in self.circles:
                return self.steps(self.shared[name].condition, attributes)
            case WhenIs():
                found = self.compiled(condition.when, attributes)
                return found.expression.usual_steps if isinstance(found, When) else 0
            case ClaimIs(claim=test):
                return steps_of(_test_of(test), _USUAL_VALUES)
            case HeaderIs(header=test):
                return _HEADER_STEPS + steps_of(_test_of(test), (_USUAL_VALUE,))
            case QueryIs(query=test):
                return _QUERY_STEPS + steps_of(_test_of(test), (_USUAL_VALUE,))
            case NetworkIs(network=networks):
                return steps_of_networks(len(texts(networks) or ()))
            case TimeIs(time=time):
                return steps_of_time(len(texts(time.hours) or ()) + len(texts(time.dates) or ()))
            case _:
                return 0

    def size(self, condition: WrittenCondition) -> tuple[int, int]:
        """(number of parts, depth), shared conditions included; circles are cut."""
        match condition:
            case AnyOf() | AllOf():
                sizes = [self.size(part) for part in (condition.any if isinstance(condition, AnyOf) else condition.all)]
                return 1 + sum(size for size, _ in sizes), 1 + max(depth for _, depth in sizes)
            case NotThis():
                size, depth = self.size(condition.this)
                return 1 + size, 1 + depth
            case SharedIs(shared=name) if name in self.shared and name not in self.circles:
                if name not in self._sizes:
                    self._sizes[name] = self.size(self.shared[name].condition)
                return self._sizes[name]
            case _:
                return 1, 1


def _test_of(written: WrittenTest) -> ValueTest:
    """A test with the same number of steps."""
    if written.matches is not None:
        return Matches(written.matches)
    return Exists() if written.suffix is None else Suffix(written.suffix)


def check_shared(index: Index) -> Iterator[Problem]:
    """Problems of shared/ by itself."""
    yield from _circles(index)
    for shared_at in index.shared.values():
        yield from check_condition(shared_at.document, shared_at.path, shared_at.condition, index)


def check_condition(document: YamlDocument, path: Path, condition: WrittenCondition, index: Index) -> Iterator[Problem]:
    """Yields a problem for each unknown name in the condition, and a problem if it is too large or too deep."""
    for where, leaf in leaves(condition, path):
        yield from (document.problem(at, message, hint) for at, message, hint in _unknown(leaf, where, index))
    size, depth = index.size(condition)
    if size > MOST_PARTS or depth > DEEPEST:
        message = f"with all that it refers to, this has over {MOST_PARTS} parts or is nested over {DEEPEST} deep"
        yield document.problem(path, message)


def check_steps(
    document: YamlDocument, path: Path, condition: WrittenCondition, mapped: frozenset[str], index: Index
) -> Iterator[Problem]:
    """Yields a problem for a condition that would refuse people with usual values, because it takes too many steps.

    `mapped`: the attributes that a person can have."""
    # A condition of too many parts is a problem of its own, and adding up could take long.
    if index.size(condition)[0] <= MOST_PARTS and (steps := index.steps(condition, mapped)) > MOST_STEPS:
        message = (
            f"with all that it refers to, this could take {steps:,} steps (at most {MOST_STEPS:,}) for usual values"
        )
        yield document.problem(
            path, message, "write fewer conditions: one `in` for several values, cheaper expressions"
        )


def uses(document: YamlDocument, path: Path, condition: WrittenCondition, index: Index) -> Iterator[Use]:
    """Yields every leaf of the condition and of the shared conditions below. Each shared condition is visited once."""
    seen: set[str] = set()
    # Each entry: the place in the rule, the condition, and the shared condition that contains it.
    todo: list[tuple[Path, WrittenCondition, SharedAt | None]] = [(path, condition, None)]
    while todo:
        use_path, one, via = todo.pop(0)
        for where, leaf in leaves(one, use_path if via is None else via.path):
            yield Use(document, where if via is None else use_path, leaf, via)
            if isinstance(leaf, SharedIs) and leaf.shared in index.shared and leaf.shared not in seen:
                seen.add(leaf.shared)
                todo.append(
                    (where if via is None else use_path, index.shared[leaf.shared].condition, index.shared[leaf.shared])
                )


def check_use(
    use: Use, providers: Iterable[str], mapped: frozenset[str] | None, injected: frozenset[bytes], index: Index
) -> Iterator[Problem]:
    """Yields a problem for a condition on a fact that this application never learns.

    `mapped`: the attributes that a person can have; None if unknown."""
    leaf = use.leaf
    match leaf:
        case ProviderIs():
            for name in texts(leaf.provider) or ():
                if use.via is None and name in index.providers and name not in providers:
                    yield use.problem("provider", f"this application does not listen to {name}", "add it to providers")
        case HeaderIs() if fold(leaf.header.name.encode()) in injected:
            yield use.problem("header", "the application is told this by us: what a client sends is dropped")
        case WhenIs() if mapped is not None:
            yield from _expression(use, leaf.when, mapped, index)
        case _ if mapped is not None:
            for step, attribute in _attribute(leaf):
                if attribute not in mapped:
                    yield use.problem(step, *not_mapped(attribute, mapped))


def not_mapped(attribute: str, mapped: Iterable[str]) -> tuple[str, str]:
    """The message and the hint for an attribute that no provider of the application maps."""
    if attribute == MANDATE_ORGANISATIONS:
        return (
            "no directory of this application says of which organisation a mandate is",
            "list one under directories whose file gives mandates with the type mandates",
        )
    hint = did_you_mean(attribute, mapped) or f"write {attribute}: under attributes of a provider's file"
    return f"no provider of this application maps an attribute {attribute}", hint


def _attribute(leaf: WrittenCondition) -> Iterator[tuple[str, str]]:
    match leaf:
        case GroupIs():
            yield "group", GROUPS
        case MandateIs(mandate=MandateTest(of="tenant")):
            yield "mandate.of", MANDATE_ORGANISATIONS
        case MandateIs():
            yield "mandate", MANDATES
        case ClaimIs():
            yield "claim.name", leaf.claim.name


def _expression(use: Use, source: str, mapped: frozenset[str], index: Index) -> Iterator[Problem]:
    error = index.compiled(source, mapped)
    if isinstance(error, GatewayError):
        _, undeclared, rest = error.detail.partition("undeclared reference to '")
        known = variables(mapped)
        hint = did_you_mean(rest.partition("'")[0], known) or f"known: {', '.join(sorted(known))}"
        yield use.problem("when", error.detail, hint if undeclared else "")


def _unknown(leaf: WrittenCondition, path: Path, index: Index) -> Iterator[tuple[Path, str, str]]:
    match leaf:
        case SharedIs() if leaf.shared not in index.shared and index.whole:
            yield (*path, "shared"), "no file in shared/ has this condition", _hint(leaf.shared, index.shared)
        case TenantIs() if index.whole:
            for name in texts(leaf.tenant.list) or ():
                if name not in index.lists:
                    yield (*path, "tenant", "list"), f"no file in lists/ has the name {name}", _hint(name, index.lists)
            for code in texts(leaf.tenant.insee) or ():
                if code not in index.communes:
                    message = f"no list in lists/ gives an organisation for the commune {code}"
                    yield (*path, "tenant", "insee"), message, "add {siren: ..., insee: ...} to one"
        case ProviderIs() | UserIs() if index.all_providers:
            key, named = ("provider", leaf.provider) if isinstance(leaf, ProviderIs) else ("user", leaf.user)
            for name in (text.partition("/")[0] for text in texts(named) or ()):
                if name not in index.providers:
                    yield (*path, key), f"no file in providers/ has the name {name}", _hint(name, index.providers)


def _hint(name: str, known: Iterable[str]) -> str:
    some = sorted(known)
    return did_you_mean(name, some) or f"known: {', '.join(some[:10]) or 'none'}"


def _circles(index: Index) -> Iterator[Problem]:
    """Yields one problem for each circle, at the reference that closes the circle, with the places on the way."""
    done: set[str] = set()
    for start in index.shared:
        way: list[tuple[str, Iterator[tuple[Path, str]]]] = []
        if start not in done:
            way.append((start, _references(index.shared[start])))
        while way:
            name, rest = way[-1]
            reference = next(rest, None)
            if reference is None:
                done.add(name)
                way.pop()
                continue
            path, other = reference
            on_the_way = [step for step, _ in way]
            if other in on_the_way:
                circle = on_the_way[on_the_way.index(other) :]
                index.circles.update(circle)
                shared_at = index.shared[name]
                others = tuple(("by way of", index.shared[step].place) for step in circle)
                message = f"this goes round in a circle: {' > '.join((*circle, other))}"
                yield shared_at.document.problem(path, message, others=others)
            elif other in index.shared and other not in done:
                way.append((other, _references(index.shared[other])))


def _references(shared_at: SharedAt) -> Iterator[tuple[Path, str]]:
    for path, leaf in leaves(shared_at.condition, shared_at.path):
        if isinstance(leaf, SharedIs):
            yield (*path, "shared"), leaf.shared


# --- levels of sign-in


_OfSignIn = AcrMinIs | AmrIs | MaxAgeIs


def check_use_levels(use: Use, model: AppFile, index: Index) -> Iterator[Problem]:
    """Yields a problem for an unknown level, and for a demand on the sign-in that no provider of the application can
    assert: the rule would lock out every person."""
    names, leaf = index.ladder, use.leaf
    match leaf:
        case AcrMinIs() if leaf.acr_min not in names:
            yield use.problem("acr_min", f"no level {leaf.acr_min}", known_level(leaf.acr_min, names))
        case AcrMinIs() | AmrIs() | MaxAgeIs():
            providers = index.listed(model)
            if providers is not None and not any(_can(leaf, provider.model, names) for provider in providers):
                yield _unsatisfied(use, leaf, providers)
        case _:
            pass


def _can(leaf: _OfSignIn, model: ProviderBase | None, names: Sequence[str]) -> bool:
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


def _unsatisfied(use: Use, leaf: _OfSignIn, providers: Sequence[Loaded[AnyProviderFile]]) -> Problem:
    (word,) = type(leaf).model_fields
    others = tuple(("and", place_of_can(provider)) for provider in providers[:3])
    problem = use.problem(word, "no provider of this application can assert this", _SAID_BY[word])
    return replace(problem, others=(*problem.others, *others))


def place_of_can(provider: Loaded[AnyProviderFile]) -> Place:
    key = "can" if provider.model is not None and provider.model.can else "provider"
    return provider.document.place((key,))


def known_level(level: str, names: Sequence[str]) -> str:
    return did_you_mean(level, names) or f"known: {', '.join(names)}"
