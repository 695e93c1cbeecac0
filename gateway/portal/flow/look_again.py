"""Asks directories again about signed-in people: before the earlier answers expire, apart from requests, and only while
the people are active.

A change is judged at once. For each session, only one caller in all workers asks at a time; other callers use the
result.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from math import ceil

from gateway.config.snapshot import Snapshot
from gateway.directories.orders import LookUpOrders
from gateway.identity.acting import acts_for, in_the_name_of
from gateway.identity.directories import counts_until, left_from, looked_up_again, without_the_old
from gateway.model.codes import directory_codes
from gateway.model.codes.code import Code
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.model.session import Seat, Session
from gateway.portal.flow.establish import next_look_up_at, next_refresh_at
from gateway.portal.services import PortalServices

# Seconds for a caller to ask the directories. A directory has ten at most.
_HELD = 20
# Seconds until further callers look for the result in the store; the second number if the look-up is long overdue.
_LOOKED_AGAIN = 2.0
_LOOKED_AGAIN_LATE = 10.0
# Seconds between two looks of a caller that waits for the result.
_STEP = 0.1
# The least and the most seconds between attempts after a failure: the longer the failure lasts, the longer the pause.
_SHORTEST = 5.0
_LONGEST = 60.0


class LookAgain:
    """`changed` is called with a seat whose identity has changed."""

    def __init__(
        self,
        services: PortalServices,
        *,
        snapshot: Callable[[], Snapshot],
        changed: Callable[[Seat], None],
        orders: LookUpOrders,
    ) -> None:
        self._orders = orders
        self._services = services
        self._snapshot = snapshot
        self._changed = changed

    async def look(self, seat: Seat, session: Session) -> None:
        """Asks the directories about the session if the time has come. Raises GatewayError when the store cannot
        answer."""
        if next_look_up_at(self._snapshot(), session, self._orders) > self._services.now():
            # A second seat or worker has asked.
            self.adopt(seat, session)
            return
        after = await self._asked(seat.host, seat.cookie, session)
        if after is session:
            seat.refresh_at = self._again_at(session, _LOOKED_AGAIN, _LOOKED_AGAIN_LATE)
        elif after is not None:
            self.adopt(seat, after)

    def counts_until(self, session: Session) -> float:
        """Until when the directories' answer counts in this session: Unix seconds."""
        return counts_until(session.identity, self._snapshot().directories.values())

    async def anew(self, host: str, cookie: bytes, session: Session) -> Session | None:
        """Asks the directories after the earlier answers expired, while a request waits, for as long as the directories
        of its host may take. Without an answer, the attributes are unknown from now on. Returns None if the session has
        ended. Raises GatewayError when the store cannot answer."""
        services, found, needed = self._services, session, self._needed(host)
        directories = tuple(self._snapshot().directories.values())
        for _ in range(ceil(max((one.timeout for one in directories), default=0.0) / _STEP) + 1):
            after = await self._asked(host, cookie, found, needed)
            if after is not found:
                return after
            # Another caller is asking: the result will be in the store.
            await asyncio.sleep(_STEP)
            again = await services.sessions.opened(host, cookie)
            if again is None or self.counts_until(again) > services.now():
                return again
            found = again
        found = replace(found, identity=without_the_old(found.identity, directories, services.now()))
        return None if await self._acts_no_more(found) else found

    def _needed(self, host: str) -> tuple[Directory, ...] | None:
        """Returns the directories of the host's applications. None: all directories, because the portal leads to
        every application."""
        snapshot = self._snapshot()
        if host == snapshot.gateway.portal_host:
            return None
        there = snapshot.applications(host).all
        return tuple({one.name: one for app in there for one in app.directories}.values())

    async def _asked(
        self, host: str, cookie: bytes, session: Session, needed: tuple[Directory, ...] | None = None
    ) -> Session | None:
        """Returns the session with the new values, or unchanged if another caller is asking. None if the session ended.
        `needed`: the directories to wait for; None for every directory. Raises GatewayError."""
        services = self._services
        stamp = str(max((finding.at for finding in session.identity.findings), default=0))
        until = int(services.now()) + _HELD
        if not await services.transactions.first_use("directories", session.id, stamp, until=until):
            return session
        directories = tuple(self._snapshot().directories.values())
        asked = await services.directories.look_up(directories, session.identity, session.tenant, needed=needed)
        left = left_from(session.identity, asked, directories)
        if left is not None:
            await self._end(session, directory_codes.GONE, f"directory {left.name} no longer has this person")
            return None
        after = replace(session, identity=looked_up_again(session.identity, asked, directories, services.now()))
        if await self._acts_no_more(after):
            return None
        after = replace(after, identity=in_the_name_of(session.tenant, after.identity, directories))
        return after if await services.sessions.renew(host, cookie, session, after) else session

    def adopt(self, seat: Seat, session: Session) -> None:
        """Updates the seat from the session. A changed identity is judged again."""
        services = self._services
        since = services.monotonic() - services.now()
        seat.refresh_at = self._again_at(session, _SHORTEST, _LONGEST)
        if seat.counts_until <= seat.deadline:
            # `counts_until` was the nearest limit. The last use is known only as well as `touched`.
            seat.deadline = max(seat.deadline, min(seat.touched + seat.idle, seat.hard_deadline))
        seat.counts_until = since + self.counts_until(session)
        seat.deadline = min(seat.deadline, seat.counts_until)
        if seat.identity != session.identity:
            seat.identity = session.identity
            seat.outcomes.clear()
            self._changed(seat)

    def _again_at(self, session: Session, shortest: float, longest: float) -> float:
        """When to ask about the session again (monotonic). A directory that does not answer is asked again after a
        quarter of the time of its silence."""
        snapshot, now, monotonic = self._snapshot(), self._services.now(), self._services.monotonic()
        due = next_look_up_at(snapshot, session, self._orders)
        late = now - (due or self._orders.since(session.id) or now)
        looked_up = max(monotonic + min(longest, max(shortest, late / 4)), monotonic + due - now)
        return min(looked_up, max(monotonic + shortest, monotonic + next_refresh_at(snapshot, session) - now))

    async def _acts_no_more(self, session: Session) -> bool:
        """Ends the session, and returns True, if provider and directories no longer give the person its
        organisation, or cannot tell."""
        snapshot, identity = self._snapshot(), session.identity
        provider = snapshot.providers.get(identity.provider)
        directories, now = snapshot.directories.values(), self._services.now()
        if provider is None or acts_for(provider, identity, session.tenant, directories, now):
            return False
        await self._end(session, directory_codes.ORGANISATION, f"no directory lets the person act for {session.tenant}")
        return True

    async def _end(self, session: Session, code: Code, detail: str) -> None:
        """Ends the session in every worker before the log line."""
        try:
            await self._services.revoker.revoked(await self._services.sessions.end([session.id]))
        finally:
            self._services.report.refresh_ended(session.identity, GatewayError(code, detail))
