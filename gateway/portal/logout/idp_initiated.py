"""IdP-initiated logout. Sessions end in every worker before the provider gets an answer, whatever the protocol."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model.scim import ScimClient
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.flow.proven import proven_may_wait
from gateway.portal.http.request import PortalRequest
from gateway.portal.services import PortalServices
from gateway.stores.people.told_forms import SeenPerson
from gateway.stores.records import SessionSummary
from gateway.stores.revocation.sign_in_ends import EndOf


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """A verified logout message. Ends the sessions named by `sids`; without `sids`, all sessions of `subject`.

    `issued`: when the provider wrote the message, Unix seconds by the provider's clock; None: unknown. A repeated or
    late message ends no session that began later.
    `skew`: the clock tolerance of the provider, seconds.
    """

    issuer: str
    sids: tuple[str, ...]
    subject: str | None
    issued: int | None
    skew: int

    def means(self, session: SessionSummary) -> bool:
        """Whether the message ends this session: its ID token or assertion was issued before the message. Both times
        are the provider's, in whole seconds. A session of the same second, or of an unknown time, ends too."""
        return self.issued is None or session.issued_at is None or session.issued_at <= self.issued


@dataclass(frozen=True, slots=True)
class IdpInitiatedLogout:
    services: PortalServices

    async def carry_out(self, request: PortalRequest, notice: LogoutNotice) -> None:
        """Ends the sessions of the notice. Raises GatewayError(store_codes.UNREACHABLE) if an end or a mark is not
        written: the found sessions have ended in this gateway all the same. The provider may send the message again,
        because it was not marked as used (invariant 6)."""
        is_marked = await self._mark(request, notice)
        # Providers also report sessions that have expired: a form that the person sends now can be kept.
        meant = await self._meant(notice)
        ended = await self.services.sessions.end([one.id for one in meant], buried=keeps_posts(request.snapshot))
        # Invariant 12: in force in every worker before the answer. A session that had already ended is no error.
        await self.services.revoker.revoked(ended)
        people = [] if notice.subject is None else [(notice.issuer, notice.subject)]
        self.services.report.ended_by_provider(request, meant, people)
        self.services.sessions.unwritten.require_written(ended, is_marked=is_marked)

    async def end_people(self, request: PortalRequest, people: Iterable[SeenPerson], client: ScimClient) -> None:
        """Ends every session of the people whom a directory declares inactive. The mark in the store, already
        written, refuses sign-ins proven before. Raises GatewayError(store_codes.UNREACHABLE)."""
        meant: list[SessionSummary] = []
        people = tuple(people)
        for person in people:
            found = await self.services.sessions.of_subject(person.issuer, person.subject)
            meant += [session for session in found if client.speaks_of(session.provider, session.tenant)]
        ended = await self.services.sessions.end([session.id for session in meant])
        # Invariant 12, as above.
        await self.services.revoker.revoked(ended)
        named = [(person.issuer, person.subject) for person in people]
        self.services.report.ended_by_provider(request, meant, named)
        self.services.sessions.unwritten.require_written(ended)

    async def _mark(self, request: PortalRequest, notice: LogoutNotice) -> bool:
        """Ends what was proven before the message and has no session yet: the marks are written before sessions are
        searched, and a new session looks for marks after it is written. Returns whether the store has all marks."""
        ends, issuer, now = self.services.transactions.sign_in_ends, notice.issuer, int(self.services.now())
        whose: list[tuple[EndOf, str]] = [("sid", sid) for sid in notice.sids]
        if notice.subject is not None and not notice.sids:
            whose.append(("subject", notice.subject))
        marked: list[bool] = []
        for kind, name in whose:
            if notice.issued is not None:
                # No sign-in whose time is further ahead is accepted. A mark ahead of that would keep the person out.
                issued = notice.issued if notice.issued <= now + notice.skew else now
                marked.append(await ends.mark_by_provider(issued, kind, issuer, name))
            elif proven_may_wait(request.snapshot):
                marked.append(await ends.mark(request.network, kind, issuer, name))
        return all(marked)

    async def _meant(self, notice: LogoutNotice) -> list[SessionSummary]:
        sessions, issuer = self.services.sessions, notice.issuer
        found: list[SessionSummary] = []
        if notice.subject is not None and not notice.sids:
            found += await sessions.of_subject(issuer, notice.subject)
        for sid in notice.sids:
            found += await sessions.of_sid(issuer, sid)
        return [session for session in found if notice.means(session)]
