"""Keeps sessions true at their providers: asked ahead of time, by one caller at a time across all workers.

No request waits for it. A session ends where its provider says that it has; a provider that cannot be asked ends none.
"""

import asyncio
from collections.abc import Callable

from gateway.config.snapshot import Snapshot
from gateway.identity.mapping import map_claims
from gateway.model.codes import (
    LOGIN_MAPPING,
    LOGIN_OUTSIDE_PERIMETER,
    OIDC_ID_TOKEN_KEY,
    OIDC_REFRESH_ENDED,
    OIDC_REFRESH_SUBJECT,
    OIDC_USERINFO_SUBJECT,
)
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Revoker
from gateway.model.provider import OidcProvider
from gateway.model.session import Seat, Session, Tokens
from gateway.oidc.refresh import Held, Renewed
from gateway.oidc.token import Grant
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.portal.flow.establish import renewed
from gateway.portal.openid.login import provider_of_session
from gateway.portal.ports import Federation
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions

# At most this long (s) before the end of what was given last, and at least a quarter of its life before.
_AHEAD = 60
# One caller has so long (s): then another may try with the same token. A slow provider can take as much (its documents,
# keys once more, token, userinfo: 10 s each), and one that is shown a token twice ends the session.
_HELD = 60
# And the others look again after so long (s) for what has come of it.
_LOOKED_AGAIN = 2.0
_ENDS = (OIDC_REFRESH_ENDED, OIDC_REFRESH_SUBJECT, OIDC_USERINFO_SUBJECT, LOGIN_MAPPING, LOGIN_OUTSIDE_PERIMETER)


class Renewal:
    """`snapshot`: the one that is live; `now`: Unix seconds; `monotonic`: the clock of Seat.refresh_at;
    `changed` hears of a seat whose person is not who they were; `person`: the name that the log has for somebody."""

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
        changed: Callable[[Seat], None],
        person: Callable[[Identity], str],
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
        self._changed = changed
        self._person = person
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
        # A file that names another issuer since: what this one gave is nothing for the other to see.
        provider = provider_of_session(self._snapshot(), session)
        if tokens is None or provider is None or not provider.refresh:
            seat.refresh_at = float("inf")
            return
        if tokens.refresh_at > self._now():
            # Another seat, or another worker, has done it: its result is this one.
            self._next(seat, session)
            return
        until = int(self._now()) + _HELD
        if await self._transactions.first_use("refresh", session.id, str(tokens.number), until=until):
            await self._ask(seat, session, tokens, provider)
        else:
            seat.refresh_at = self._monotonic() + _LOOKED_AGAIN

    async def _ask(self, seat: Seat, session: Session, tokens: Tokens, provider: OidcProvider) -> None:
        newest = tokens.refresh_token
        try:
            held = Held(session.identity.subject, session.id_token or "")
            answer = await self._federation.refresh(provider, tokens.refresh_token, held, self._now())
            newest = answer.grant.refresh_token
            identity = await self._identity(provider, session, answer)
            newer = _tokens(answer.grant, self._now(), tokens.number + 1)
            after = renewed(session, provider, identity, newer, answer.id_token)
        except GatewayError as error:
            if _ends(error):
                await self._end(session, error)
                # What the provider knows no more is revoked already.
                if error.code is not OIDC_REFRESH_ENDED:
                    self._federation.revoke(provider, newest, self._now())
            else:
                self._failed(provider.name, error)
            return
        if await self._sessions.renew(seat.host, seat.cookie, session, after):
            self._counters.add("ecluse_auth_refreshes_total", provider.name, "success", "")
        elif await self._sessions.opened(seat.host, seat.cookie) is None:
            # Ended while the provider was asked: what it gave is nobody's.
            self._federation.revoke(provider, newest, self._now())
        self._next(seat, after)

    async def _identity(self, provider: OidcProvider, session: Session, answer: Renewed) -> Identity | None:
        """Who the person is now, where the file says that userinfo is asked again; how and when they signed in stays.
        None: as they were.

        A provider that cannot be asked changes nothing: the tokens are newer all the same, and would be lost."""
        known = session.identity
        if not provider.refresh_userinfo:
            return None
        now = self._now()
        try:
            claims = await self._federation.userinfo_again(provider, answer, known.subject, now)
        except GatewayError as error:
            if _ends(error):
                raise
            self._failed(provider.name, error)
            return None
        return map_claims(provider, claims, known.acr, known.amr, known.authenticated_at, int(now))

    async def _end(self, session: Session, error: GatewayError) -> None:
        provider = session.identity.provider
        self._counters.add("ecluse_auth_refreshes_total", provider, "ended", error.code.id)
        person = self._person(session.identity)
        self._log.event("refresh.ended", provider=provider, code=error.code.id, detail=error.detail, person=person)
        await self._revoker.revoked(await self._sessions.end([session.id]))

    def _failed(self, provider: str, error: GatewayError) -> None:
        self._counters.add("ecluse_auth_refreshes_total", provider, "failed", error.code.id)
        self._log.event("refresh.failed", provider=provider, code=error.code.id, detail=error.detail)

    def _next(self, seat: Seat, session: Session) -> None:
        assert session.tokens is not None
        seat.refresh_at = self._monotonic() + session.tokens.refresh_at - self._now()
        if seat.identity != session.identity:
            seat.identity = session.identity
            seat.passages.clear()
            self._changed(seat)


def first_tokens(grant: Grant | None, now: float) -> Tokens | None:
    """Of a sign-in."""
    return None if grant is None else _tokens(grant, now, 0)


def _tokens(grant: Grant, now: float, number: int) -> Tokens:
    ahead = min(_AHEAD, grant.expires_in // 4)
    return Tokens(grant.refresh_token, int(now) + grant.expires_in - ahead, number)


def _ends(error: GatewayError) -> bool:
    """What the provider said of this very session: that it is over, another person's, or of somebody who would not be
    signed in like that. A key that it does not publish yet, or that was not to be had, says nothing of the session."""
    about_token = error.code.id.startswith("oidc.id_token.") and error.code is not OIDC_ID_TOKEN_KEY
    return error.code in _ENDS or about_token
