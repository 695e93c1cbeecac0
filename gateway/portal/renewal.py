"""Keeps sessions true at their providers: asked ahead of time, by one caller at a time across all workers.

No request waits for it. A session ends where its provider says that it has; a provider that cannot be asked ends none.
"""

import asyncio
from collections.abc import Callable

from gateway.config.snapshot import Snapshot
from gateway.model.codes import OIDC_REFRESH_ENDED, OIDC_REFRESH_SUBJECT
from gateway.model.errors import GatewayError
from gateway.model.ports import Counters, Log, Revoker, Sessions, Transactions
from gateway.model.provider import OidcProvider
from gateway.model.session import Seat, Session, Tokens
from gateway.oidc.token import Grant
from gateway.portal.ports import Federation

# At most this long (s) before the end of what was given last, and at least a quarter of its life before.
_AHEAD = 60
# One caller has so long (s): then another may try with the same token.
_HELD = 20


class Renewal:
    """`snapshot`: the one that is live; `now`: Unix seconds; `monotonic`: the clock of Seat.refresh_at."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        federation: Federation,
        revoker: Revoker,
        counters: Counters,
        log: Log,
        snapshot: Callable[[], Snapshot],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._transactions = transactions
        self._federation = federation
        self._revoker = revoker
        self._counters = counters
        self._log = log
        self._snapshot = snapshot
        self._now = now
        self._monotonic = monotonic
        self._tasks: set[asyncio.Task[None]] = set()

    def due(self, seat: Seat) -> None:
        """From the data plane, in passing."""
        task = asyncio.get_running_loop().create_task(self.renew(seat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """What is under way is finished: a token that was used up and not written would end the session."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def renew(self, seat: Seat) -> None:
        try:
            session = await self._sessions.opened(seat.host, seat.cookie)
            if session is not None:
                await self._renew(seat, session)
        except GatewayError as error:
            # The store cannot say: the next use of the seat tries again.
            self._failed(seat.identity.provider, error)

    async def _renew(self, seat: Seat, session: Session) -> None:
        tokens = session.tokens
        provider = self._snapshot().providers.get(session.identity.provider)
        if tokens is None or not isinstance(provider, OidcProvider) or not provider.refresh:
            seat.refresh_at = float("inf")
            return
        if tokens.refresh_at > self._now():
            # Another seat, or another worker, has done it: its result is this one.
            self._next(seat, tokens)
            return
        until = int(self._now()) + _HELD
        if not await self._transactions.first_use("refresh", session.id, str(tokens.number), until=until):
            return
        await self._ask(seat, session, tokens, provider)

    async def _ask(self, seat: Seat, session: Session, tokens: Tokens, provider: OidcProvider) -> None:
        try:
            renewed = await self._federation.refresh(
                provider, tokens.refresh_token, session.identity.subject, self._now()
            )
        except GatewayError as error:
            if _ends(error):
                await self._end(session, error)
            else:
                self._failed(provider.name, error)
            return
        newer = _tokens(renewed.grant, self._now(), tokens.number + 1)
        if await self._sessions.renew(seat.host, seat.cookie, session, newer, renewed.id_token):
            self._counters.add("ecluse_auth_refreshes_total", provider.name, "success", "")
        self._next(seat, newer)

    async def _end(self, session: Session, error: GatewayError) -> None:
        provider = session.identity.provider
        self._counters.add("ecluse_auth_refreshes_total", provider, "ended", error.code.id)
        self._log.event("refresh.ended", provider=provider, code=error.code.id, detail=error.detail)
        await self._revoker.revoked(await self._sessions.end([session.id]))

    def _failed(self, provider: str, error: GatewayError) -> None:
        self._counters.add("ecluse_auth_refreshes_total", provider, "failed", error.code.id)
        self._log.event("refresh.failed", provider=provider, code=error.code.id, detail=error.detail)

    def _next(self, seat: Seat, tokens: Tokens) -> None:
        seat.refresh_at = self._monotonic() + tokens.refresh_at - self._now()


def first_tokens(grant: Grant | None, now: float) -> Tokens | None:
    """Of a sign-in."""
    return None if grant is None else _tokens(grant, now, 0)


def _tokens(grant: Grant, now: float, number: int) -> Tokens:
    ahead = min(_AHEAD, grant.expires_in // 4)
    return Tokens(grant.refresh_token, int(now) + grant.expires_in - ahead, number)


def _ends(error: GatewayError) -> bool:
    """What the provider said of this very session: that it is over, or that it is another person's."""
    return error.code in (OIDC_REFRESH_ENDED, OIDC_REFRESH_SUBJECT) or error.code.id.startswith("oidc.id_token.")
