"""How strongly, by which methods and how recently the person signed in: three conditions, and the ladder of levels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from gateway.model.codes import policy_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.levels import Need, ProviderLevels, StepUpRequest
from gateway.policy.facts import Facts
from gateway.policy.truth import Truth, truth_of
from gateway.policy.values import check_members, check_text

# The levels of ProConnect, the weakest first. An operator's own ladder replaces all of them.
USUAL_LADDER = ("eidas0", "eidas0-mfa", "eidas1", "eidas1-mfa", "eidas2", "eidas3")


class Ladder:
    """`names`: the levels, the weakest first.
    `providers`: by provider name, the levels that a provider can state, in its own words.
    """

    __slots__ = ("_providers", "_ranks", "names")

    def __init__(self, names: Iterable[str], providers: Mapping[str, ProviderLevels]) -> None:
        self.names = tuple(names)
        self._ranks = {name: rank for rank, name in enumerate(self.names)}
        self._providers = providers
        if not self.names or len(self._ranks) != len(self.names):
            raise GatewayError(policy_codes.CONDITION, "a ladder has at least one level, and each once")

    def rank(self, level: str) -> int:
        """The position of a level. Raises GatewayError(policy_codes.CONDITION) if the ladder does not have it."""
        if level not in self._ranks:
            raise GatewayError(policy_codes.CONDITION, f"no level `{level}`: there are {', '.join(self.names)}")
        return self._ranks[level]

    def of_provider(self, provider: str) -> ProviderLevels:
        return self._providers.get(provider, _NOTHING)

    def rank_of(self, identity: Identity) -> int | None:
        """The rank of the strongest level that the provider's file derives from the assertion, or None."""
        said = self.of_provider(identity.provider)
        found = [self._level(said, identity.acr)] if "acr" in said.can and identity.acr is not None else []
        if "amr" in said.can:
            found += [said.amr.get(method) for method in identity.amr]
        ranks = [self._ranks[level] for level in found if level in self._ranks]
        return max(ranks, default=None)

    def level_of(self, identity: Identity) -> str:
        """The name of the strongest level; empty where the provider states no level."""
        rank = self.rank_of(identity)
        return "" if rank is None else self.names[rank]

    def asked_as(self, provider: str, level: str) -> tuple[str, ...]:
        """The provider's own values of acr that reach the level, the weakest first."""
        said, least = self.of_provider(provider), self._ranks.get(level)
        if "acr" not in said.can or least is None:
            return ()
        words = {name: name for name in self.names} if said.acr is None else said.acr
        reaching = [(self._ranks[name], word) for word, name in words.items() if self._ranks.get(name, -1) >= least]
        return tuple(word for _, word in sorted(reaching))

    def askable(self, provider: str, need: Need) -> Need:
        """The part of a need that the provider supports."""
        can = self.of_provider(provider).can
        return Need(
            level=need.level if self.asked_as(provider, need.level) else "",
            max_age=need.max_age if "fresh_login" in can else None,
            amr=need.amr if {"amr", "fresh_login"} <= can else (),
        )

    def asking(self, provider: str, need: Need) -> StepUpRequest:
        """The need in the provider's words."""
        return StepUpRequest(self.asked_as(provider, need.level) if need.level else (), need.max_age, need.amr)

    def meets(self, identity: Identity, need: Need, now: float) -> bool:
        """Whether a sign-in meets a need. `now`: Unix seconds."""
        if need.level:
            rank = self.rank_of(identity)
            if need.level not in self.names or rank is None or rank < self.rank(need.level):
                return False
        authenticated_at = identity.authenticated_at
        if need.max_age is not None and (authenticated_at == 0 or now > authenticated_at + need.max_age):
            return False
        return not need.amr or not set(need.amr).isdisjoint(identity.amr)

    def _level(self, said: ProviderLevels, acr: str) -> str | None:
        return acr if said.acr is None else said.acr.get(acr)


_NOTHING = ProviderLevels()


@dataclass(frozen=True, slots=True)
class AcrMin:
    """The person signed in at this level or a stronger one. Unknown if the provider states no level that is mapped."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    level: str
    ladder: Ladder = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        self.ladder.rank(self.level)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None or not facts.afford(30 * len(identity.amr)):
            return Truth.UNKNOWN
        rank = self.ladder.rank_of(identity)
        return Truth.UNKNOWN if rank is None else truth_of(rank >= self.ladder.rank(self.level))


@dataclass(frozen=True, slots=True)
class Amr:
    """The person signed in by one of these methods (RFC 8176), in the provider's own words."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = False
    methods: frozenset[str]
    ladder: Ladder = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        check_members(self.methods)
        for method in self.methods:
            check_text(method)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None or not identity.amr or "amr" not in self.ladder.of_provider(identity.provider).can:
            return Truth.UNKNOWN
        if not facts.afford(5 * len(identity.amr)):
            return Truth.UNKNOWN
        return truth_of(not self.methods.isdisjoint(identity.amr))


@dataclass(frozen=True, slots=True)
class MaxAge:
    """The person signed in within the last `seconds`. True becomes false with time, so no decision on it is kept."""

    of_identity: ClassVar[bool] = True
    of_request: ClassVar[bool] = True
    seconds: int
    ladder: Ladder = field(repr=False, compare=False)

    def truth(self, identity: Identity | None, facts: Facts) -> Truth:
        if identity is None or identity.authenticated_at == 0 or facts.asked is None:
            return Truth.UNKNOWN
        return truth_of(facts.asked.now <= identity.authenticated_at + self.seconds)
