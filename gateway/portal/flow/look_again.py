"""Asks directories again about people who are signed in: ahead of the end of what was said, apart from requests, and
only while they are here.

What has changed is judged at once. One caller asks for a session at a time, over all workers; the others take what came
of it.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.config.snapshot import Snapshot
from gateway.identity.directories import left_from, looked_up_again
from gateway.model.directory_codes import DIRECTORY_GONE
from gateway.model.errors import GatewayError
from gateway.model.session import Seat, Session
from gateway.portal.flow.establish import asked_at, looked_up_at
from gateway.portal.services import PortalServices

# Seconds. One caller has so long; a directory is waited for ten at most.
_HELD = 20
# And the others look again after so long for what has come of it.
_LOOKED_AGAIN = 2.0
# What cannot be looked up for whatever reason is not asked for more often.
_SHORTEST = 5.0


class LookAgain:
    """`changed` is called with a seat whose identity has changed."""

    def __init__(
        self, services: PortalServices, *, snapshot: Callable[[], Snapshot], changed: Callable[[Seat], None]
    ) -> None:
        self._services = services
        self._snapshot = snapshot
        self._changed = changed

    async def look(self, seat: Seat, session: Session) -> None:
        """Nothing where it is not due. Raises GatewayError where the store cannot say."""
        services, now = self._services, self._services.now()
        if looked_up_at(self._snapshot(), session) > now:
            # Another seat, or another worker, has asked.
            self.adopt(seat, session)
            return
        stamp = str(max((finding.at for finding in session.identity.findings), default=0))
        if not await services.transactions.first_use("directories", session.id, stamp, until=int(now) + _HELD):
            seat.refresh_at = services.monotonic() + _LOOKED_AGAIN
            return
        directories = tuple(self._snapshot().directories.values())
        asked = await services.directories.asked(directories, session.identity, session.tenant)
        left = left_from(session.identity, asked, directories)
        if left is not None:
            await self._end(session, f"directory {left.name} no longer has this person")
            return
        after = replace(session, identity=looked_up_again(session.identity, asked, directories, services.now()))
        if await services.sessions.renew(seat.host, seat.cookie, session, after):
            self.adopt(seat, after)
        else:
            seat.refresh_at = services.monotonic() + _LOOKED_AGAIN

    def adopt(self, seat: Seat, session: Session) -> None:
        """The seat is of the session as it is now."""
        services = self._services
        seat.refresh_at = services.monotonic() + max(_SHORTEST, asked_at(self._snapshot(), session) - services.now())
        if seat.identity != session.identity:
            seat.identity = session.identity
            seat.outcomes.clear()
            self._changed(seat)

    async def _end(self, session: Session, detail: str) -> None:
        """In force in every worker before it is told."""
        try:
            await self._services.revoker.revoked(await self._services.sessions.end([session.id]))
        finally:
            self._services.report.refresh_ended(session.identity, GatewayError(DIRECTORY_GONE, detail))
