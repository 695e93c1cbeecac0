"""Step-up: the weakest sign-in at the same provider with which the rules would let the person in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gateway.model.codes import policy_codes
from gateway.model.decision import Allow, Deny
from gateway.model.identity import Identity
from gateway.model.levels import NO_NEED, Need
from gateway.policy.conditions import All, Any_, Condition, Not, Settled, SignedIn, leaves
from gateway.policy.decide import decide
from gateway.policy.facts import Facts
from gateway.policy.levels import AcrMin, Amr, Ladder, MaxAge
from gateway.policy.routes import Match
from gateway.policy.rules import Rule
from gateway.policy.truth import TRUE, UNKNOWN, truth_of

_COMBINED: Final = 2000
"""Steps (policy.budget) of one combination of level, age and method, before the rules are asked."""
_TRIED: Final = 1000
"""Steps (policy.budget) of one part of the rules, for each sign-in that is tried: the rules are built anew for it."""


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
    wanted = _wanted(match, method)
    if wanted is None:
        return None
    for need in _needs(wanted, identity.provider, facts):
        stronger = _stronger(wanted.ladder, identity, need, facts)
        if isinstance(decide(match, method, stronger, facts), Allow):
            return need
    return None


def required(match: Match, method: str, facts: Facts) -> Need:
    """The sign-in that the rules demand of every person. Requesting it at once saves a second sign-in.

    A method (`amr`) is requested only when the session is known to lack the method. Where trying takes too many steps,
    the first sign-in that could not be tried is requested: the rules decide once the person has signed in.
    """
    wanted = _wanted(match, method)
    if wanted is None:
        return NO_NEED
    parts = _parts(match)
    for level in ("", *wanted.levels):
        for age in (None, *wanted.ages):
            need = Need(level, age)
            if not facts.afford(_TRIED * parts) or not _is_refused(match, method, need, wanted.ladder, facts):
                return need
    return NO_NEED


def _wanted(match: Match, method: str) -> _Wanted | None:
    found: list[AcrMin | Amr | MaxAge] = [
        leaf
        for condition in _conditions(match, method)
        for leaf in leaves(condition)
        if isinstance(leaf, AcrMin | Amr | MaxAge)
    ]
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


def _conditions(match: Match, method: str) -> Iterator[Condition]:
    for rule in (*match.rules, *match.denies):
        if rule.covers(method):
            yield from (condition for condition in (rule.allow, rule.deny) if condition is not None)


def _parts(match: Match) -> int:
    return sum(
        1
        for rule in (*match.rules, *match.denies)
        for condition in (rule.allow, rule.deny)
        if condition is not None
        for _ in leaves(condition)
    )


def _needs(wanted: _Wanted, provider: str, facts: Facts) -> Iterator[Need]:
    """The combinations that the provider can be asked for, ordered by the effort for the person, within the budget."""
    for amr in ((), wanted.amr) if wanted.amr else ((),):
        for level in ("", *wanted.levels):
            for age in (None, *wanted.ages):
                if not facts.afford(_COMBINED):
                    return
                need = Need(level, age, amr)
                if need != NO_NEED and need == wanted.ladder.askable(provider, need):
                    yield need


def _is_refused(match: Match, method: str, need: Need, ladder: Ladder, facts: Facts) -> bool:
    """Whether the rules refuse every person with this sign-in, whatever the attributes."""

    def told(rule: Rule) -> Rule:
        allow = None if rule.allow is None else _told(rule.allow, need, ladder)
        deny = None if rule.deny is None else _told(rule.deny, need, ladder)
        return replace(rule, allow=allow, deny=deny)

    supposed = Match(match.pattern, tuple(map(told, match.rules)), tuple(map(told, match.denies)))
    decision = decide(supposed, method, None, facts)
    return isinstance(decision, Deny) and decision.reason in (policy_codes.DENIED, policy_codes.NOT_ALLOWED)


def _told(condition: Condition, need: Need, ladder: Ladder) -> Condition:
    match condition:
        case All() | Any_():
            return type(condition)(tuple(_told(part, need, ladder) for part in condition.conditions))
        case Not():
            return Not(_told(condition.condition, need, ladder))
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
