"""A worker's knowledge of providers that do not answer.

Sources: the looks of the supervisor (`provider_looks`), and the reports of other nodes through the store. The worker
reports to the supervisor which people were sent to a provider, and which people came back.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.model.errors import GatewayError

# Seconds for which this node's look outweighs the reports of other nodes.
OWN_LOOK_COUNTS = 60.0
# Seconds for which a read report of other nodes is not read again.
_READ_AGAIN_AFTER = 2.0
# Providers read for one page.
_MOST_READ = 50


class OtherNodes(Protocol):
    """The reports of other nodes, through the store. Both methods raise GatewayError if the store cannot answer."""

    async def tell(self, provider: str, *, away: bool) -> None: ...

    async def away(self, providers: Iterable[str]) -> frozenset[str]:
        """Returns the subset of `providers` whose latest report, by any node, says away."""


class Standings:
    """A worker's knowledge of all providers.

    `clock`: monotonic seconds.
    `others`: the other nodes; None: no other node shares the store.
    """

    def __init__(self, clock: Callable[[], float], others: OtherNodes | None = None) -> None:
        self._clock = clock
        self._others = others
        # Whether `is_away` may have an answer other than False.
        self.may_know = others is not None
        self._news: dict[str, SignInNews] = {}
        # By provider: the verdict, and when it was told or read (monotonic seconds).
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
        """Reads the other nodes' reports on `providers`, for `is_away`. Never raises: without an answer of the
        store, no node calls a provider away.
        """
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
        """Notes that a person was sent to sign in at `address`. Empty: the provider did not answer, so the person
        stayed.
        """
        news = self._news.setdefault(provider, {})
        news["sent"] = news.get("sent", 0) + 1
        if address:
            news["address"] = address

    def came_back(self, provider: str, age: float = 0.0) -> None:
        """Notes a person's return with a verified answer: every person sent earlier counts as answered, too.

        `age`: seconds since the provider was asked for the answer.
        """
        news = self._news.setdefault(provider, {})
        asked_at = self._clock() - age
        news["back"], news["sent"] = max(asked_at, news.get("back", asked_at)), 0

    def wanted(self, provider: str) -> None:
        """Notes that a page told a person that the provider is away."""
        self._news.setdefault(provider, {})["wanted"] = True

    # --- with the supervisor

    def news(self) -> dict[str, SignInNews]:
        """Returns the news since the last call, by provider."""
        news, self._news = self._news, {}
        return news

    def told(self, provider: str, verdict: ProviderVerdict) -> bool:
        """Takes the supervisor's verdict. Returns whether the provider was away and is up again."""
        before, _ = self._own.get(provider, ("unknown", 0.0))
        self._own[provider] = verdict, self._clock()
        self.may_know = self._others is not None or any(one == "away" for one, _ in self._own.values())
        return (before, verdict) == ("away", "up")

    async def tell_other_nodes(self, provider: str, verdict: ProviderVerdict) -> None:
        """Reports the verdict to other nodes. The supervisor asks a single worker to report."""
        if self._others is None or verdict == "unknown":
            return
        # If the store fails, the next look leads to a new report.
        with suppress(GatewayError):
            await self._others.tell(provider, away=verdict == "away")

    def _is_old(self, provider: str, now: float) -> bool:
        found = self._read.get(provider)
        return found is None or now >= found[1] + _READ_AGAIN_AFTER
