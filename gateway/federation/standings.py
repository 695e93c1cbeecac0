"""What a worker knows of providers that do not answer: what the supervisor's looks have found (`provider_looks`), and
what other nodes say through the store. And what it tells the supervisor: who was sent where, and who came back."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.model.errors import GatewayError

# Seconds for which a look of this node outweighs what another node says.
OWN_LOOK_COUNTS = 60.0
# Seconds for which what was read of other nodes is not read again.
_READ_AGAIN_AFTER = 2.0
# Of one page.
_MOST_READ = 50


class OtherNodes(Protocol):
    """Both raise GatewayError where the store cannot say."""

    async def tell(self, provider: str, *, away: bool) -> None: ...

    async def away(self, providers: Iterable[str]) -> frozenset[str]:
        """Those of these providers that the last word of any node calls away."""


class Standings:
    """`clock`: monotonic seconds. `others`: None where no other node shares the store."""

    def __init__(self, clock: Callable[[], float], others: OtherNodes | None = None) -> None:
        self._clock = clock
        self._others = others
        # Whether there may be anything to ask `is_away` about.
        self.may_know = others is not None
        self._news: dict[str, SignInNews] = {}
        # By provider, with the time at which it was told or read.
        self._own: dict[str, tuple[ProviderVerdict, float]] = {}
        self._read: dict[str, tuple[bool, float]] = {}

    # --- what the portal asks and tells

    def is_away(self, provider: str) -> bool:
        verdict, told_at = self._own.get(provider, ("unknown", 0.0))
        if verdict == "away":
            return True
        if verdict == "up" and self._clock() < told_at + OWN_LOOK_COUNTS:
            return False
        return self._read.get(provider, (False, 0.0))[0]

    async def learn(self, providers: Iterable[str]) -> None:
        """Reads what other nodes say of these, so that `is_away` can tell. Never raises: a store that cannot say knows
        of nobody that is away."""
        if self._others is None:
            return
        now = self._clock()
        wanted = [name for name in dict.fromkeys(providers) if self._is_old(name, now)][:_MOST_READ]
        if not wanted:
            return
        try:
            away = await self._others.away(wanted)
        except GatewayError:
            away = frozenset()
        self._read.update({name: (name in away, now) for name in wanted})

    def sent(self, provider: str, address: str) -> None:
        """A person was sent there, to sign in at `address`; empty where nobody could be: it did not answer us."""
        news = self._news.setdefault(provider, {})
        news["sent"] = news.get("sent", 0) + 1
        if address:
            news["address"] = address

    def came_back(self, provider: str) -> None:
        """With an answer that was verified: whoever was sent before counts as answered, too."""
        news = self._news.setdefault(provider, {})
        news["back"], news["sent"] = True, 0

    def wanted(self, provider: str) -> None:
        """Somebody was shown that it is away."""
        self._news.setdefault(provider, {})["wanted"] = True

    # --- with the supervisor

    def news(self) -> dict[str, SignInNews]:
        """What happened since this was last asked, by provider."""
        news, self._news = self._news, {}
        return news

    def told(self, provider: str, verdict: ProviderVerdict) -> bool:
        """Whether it was away and is up."""
        before, _ = self._own.get(provider, ("unknown", 0.0))
        self._own[provider] = verdict, self._clock()
        self.may_know = self._others is not None or any(one == "away" for one, _ in self._own.values())
        return (before, verdict) == ("away", "up")

    async def tell_other_nodes(self, provider: str, verdict: ProviderVerdict) -> None:
        """The supervisor has one worker do so."""
        if self._others is None or verdict == "unknown":
            return
        # Where the store cannot take it, it is told again after the next look.
        with suppress(GatewayError):
            await self._others.tell(provider, away=verdict == "away")

    def _is_old(self, provider: str, now: float) -> bool:
        found = self._read.get(provider)
        return found is None or now >= found[1] + _READ_AGAIN_AFTER
