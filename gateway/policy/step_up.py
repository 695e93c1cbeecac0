"""Step-up: the weakest sign-in at the same provider with which the rules would let the person in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.model.codes import policy_codes
from gateway.model.decision import Allow, Deny
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need
from gateway.policy.conditions import All, Any_, Condition, Leaf, Not, Settled, SignedIn
from gateway.policy.decide import decide
from gateway.policy.facts import Facts
from gateway.policy.levels import AcrMin, Amr, Ladder, MaxAge
from gateway.policy.routes import Match
from gateway.policy.truth import TRUE, UNKNOWN, truth_of

_TRIED: Final = 5000
"""Steps (policy.budget) of trying a sign-in, the decision excluded."""
_PART: Final = 500
"""Steps of copying a part of a condition."""
_READ: Final = 100
"""Steps of reading a part of a condition."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The levels (the weakest first), ages (the longest first) and methods that the rules of a match name."""

    ladder: Ladder
    levels: tuple[str, ...]
    ages: tuple[int, ...]
    amr: tuple[str, ...]


def needed(match: Match, method: str, identity: Identity, facts: Facts) -> Need | None:
    """The weakest sign-in that the rules accept; None if no sign-in helps.

    Each possible sign-in is tried: the rules decide about the person as if the person had signed in with it. A person
    whom the rules refuse for another reason is therefore not sent to sign in.
    """
    wanted = _wanted(match, method, facts)
    if wanted is None:
        return None
    for need in _needs(wanted, identity.provider):
        if not facts.afford(_TRIED):
            return None
        stronger = _stronger(wanted.ladder, identity, need, facts)
        if isinstance(decide(match, method, stronger, facts), Allow):
            return need
    return None


def required(match: Match, method: str, facts: Facts) -> Need:
    """The sign-in that the rules demand of every person. Requesting it at once saves a second sign-in.

    A method (`amr`) is requested only when the session is known to lack the method. Where trying takes too many steps,
    the first sign-in that could not be tried is requested: the rules decide once the person has signed in.
    """
    wanted = _wanted(match, method, facts)
    if wanted is None:
        return NO_NEED
    for level in ("", *wanted.levels):
        for age in (None, *wanted.ages):
            need = Need(level, age)
            if not _is_refused(match, method, need, wanted.ladder, facts):
                return need
    return NO_NEED


def _wanted(match: Match, method: str, facts: Facts) -> _Wanted | None:
    """None: the rules name no sign-in, or the budget does not cover reading the rules."""
    found: list[AcrMin | Amr | MaxAge] = []
    todo = [condition for rule, condition in match.conditions() if rule.covers(method)]
    while todo:
        if not facts.afford(_READ):
            return None
        match todo.pop():
            case All(parts) | Any_(parts):
                todo += parts
            case Not(part):
                todo.append(part)
            case AcrMin() | Amr() | MaxAge() as leaf:
                found.append(leaf)
    if not found:
        return None
    ladder = found[0].ladder
    levels = {leaf.level for leaf in found if isinstance(leaf, AcrMin)}
    return _Wanted(
        ladder,
        tuple(sorted(levels, key=ladder.rank)),
        tuple(sorted({leaf.seconds for leaf in found if isinstance(leaf, MaxAge)}, reverse=True)),
        tuple(sorted({method for leaf in found if isinstance(leaf, Amr) for method in leaf.methods})),
    )


def _needs(wanted: _Wanted, provider: str) -> Iterator[Need]:
    """The combinations that the provider can be asked for, ordered by the effort for the person."""
    askable = wanted.ladder.askable
    levels = [level for level in wanted.levels if askable(provider, Need(level)).level]
    ages = wanted.ages if askable(provider, Need(max_age=1)).max_age else ()
    methods = [wanted.amr] if askable(provider, Need(amr=wanted.amr)).amr else []
    for amr in ((), *methods):
        for level in ("", *levels):
            for age in (None, *ages):
                need = Need(level, age, amr)
                if need != NO_NEED:
                    yield need


def _is_refused(match: Match, method: str, need: Need, ladder: Ladder, facts: Facts) -> bool:
    """Whether the rules refuse every person with this sign-in, whatever the attributes."""

    def told(condition: Condition) -> Condition:
        # Beyond the budget the condition is unknown, so the rules refuse nobody.
        if not facts.afford(_PART):
            return Settled(UNKNOWN, True)
        match condition:
            case All() | Any_():
                return type(condition)(tuple(map(told, condition.conditions)))
            case Not():
                return Not(told(condition.condition))
            case _:
                return _told(condition, need, ladder)

    rules = tuple(
        replace(rule, allow=told(rule.allow)) if rule.allow is not None and rule.covers(method) else rule
        for rule in match.rules
    )
    denies = tuple(
        replace(rule, deny=told(rule.deny)) for rule in match.denies if rule.deny is not None and rule.covers(method)
    )
    supposed = Match(match.pattern, rules, denies)
    decision = decide(supposed, method, None, facts)
    return isinstance(decision, Deny) and decision.reason in (policy_codes.DENIED, policy_codes.NOT_ALLOWED)


def _told(condition: Leaf, need: Need, ladder: Ladder) -> Leaf:
    match condition:
        case AcrMin():
            reached = bool(need.level) and ladder.rank(need.level) >= ladder.rank(condition.level)
            return Settled(truth_of(reached), True)
        case MaxAge():
            return Settled(truth_of(need.max_age is not None and need.max_age <= condition.seconds), True)
        case SignedIn():
            return Settled(TRUE, True)
        case _:
            return Settled(UNKNOWN, True) if condition.of_identity else condition


def _stronger(ladder: Ladder, identity: Identity, need: Need, facts: Facts) -> Identity:
    """The same person after the sign-in: the provider states the requested level, at this instant."""
    now = identity.authenticated_at if facts.asked is None else int(facts.asked.now)
    acr = ladder.asked_as(identity.provider, need.level)[0] if need.level else identity.acr
    return replace(identity, acr=acr, amr=(*identity.amr, *need.amr), authenticated_at=now)
