"""What a stronger sign-in at the same provider would have to be to be let in. Nothing where none would be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.model.decision import Allow
from gateway.model.identity import Identity
from gateway.model.levels import Asking, Need
from gateway.policy.conditions import Condition, leaves
from gateway.policy.decide import decide
from gateway.policy.facts import Facts
from gateway.policy.levels import AcrMin, Amr, Ladder, MaxAge
from gateway.policy.routes import Match


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the rules of a match speak of. `levels`: the weakest first; `ages`: the longest first."""

    ladder: Ladder
    levels: tuple[str, ...]
    ages: tuple[int, ...]
    amr: tuple[str, ...]


def needed(match: Match, method: str, identity: Identity, facts: Facts) -> Need | None:
    """The least that would do, tried by deciding about the person as they would then be; None: no sign-in helps.

    So a rule that refuses for another reason too never sends anybody away to sign in for nothing.
    """
    wanted = _wanted(match, method)
    if wanted is None:
        return None
    for need in _needs(wanted, identity.provider):
        stronger = _stronger(wanted.ladder, identity, need, facts)
        if isinstance(decide(match, method, stronger, facts), Allow):
            return need
    return None


def meets(ladder: Ladder, identity: Identity, need: Need, now: float) -> bool:
    """Whether a sign-in is what was needed. `now`: Unix seconds."""
    if need.level:
        rank = ladder.rank_of(identity)
        if need.level not in ladder.names or rank is None or rank < ladder.rank(need.level):
            return False
    if need.max_age is not None and (identity.authenticated_at == 0 or now > identity.authenticated_at + need.max_age):
        return False
    return not need.amr or not set(need.amr).isdisjoint(identity.amr)


def asking(ladder: Ladder, provider: str, need: Need) -> Asking:
    """How this provider is asked for it."""
    return Asking(ladder.asked_as(provider, need.level) if need.level else (), need.max_age, need.amr)


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


def _needs(wanted: _Wanted, provider: str) -> Iterator[Need]:
    """Every combination that this provider can be asked for, what costs the person least first."""
    can = wanted.ladder.of_provider(provider).can
    levels = ("", *(level for level in wanted.levels if wanted.ladder.asked_as(provider, level)))
    ages = (None, *(wanted.ages if "fresh_login" in can else ()))
    methods = ((), *((wanted.amr,) if wanted.amr and {"amr", "fresh_login"} <= can else ()))
    for amr in methods:
        for level in levels:
            for age in ages:
                if need := Need(level, age, amr):
                    yield need


def _stronger(ladder: Ladder, identity: Identity, need: Need, facts: Facts) -> Identity:
    """The same person after such a sign-in: it says what was asked for, and was made this instant."""
    now = identity.authenticated_at if facts.asked is None else int(facts.asked.now)
    acr = ladder.asked_as(identity.provider, need.level)[0] if need.level else identity.acr
    return replace(identity, acr=acr, amr=(*identity.amr, *need.amr), authenticated_at=now)
