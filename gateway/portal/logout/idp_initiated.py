"""IdP-initiated logout: sessions end in every worker before the provider is answered, whatever protocol it speaks."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.model.codes import Code
from gateway.model.errors import GatewayError
from gateway.model.scim import ScimClient
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.flow.proven import proven_may_wait
from gateway.portal.http.request import PortalRequest
from gateway.portal.services import PortalServices
from gateway.stores.told_forms import SeenPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleUse:
    """A message that works once, by its `id`, until `until`; `issued`: when its sender wrote it (Unix seconds), by a
    clock that may be ahead by `skew` seconds.

    `replayed`: the code by which a second one is refused; `called`: the message in that refusal's detail.
    """

    kind: str
    id: str
    issued: int
    skew: int
    until: int
    replayed: Code
    called: str


@dataclass(frozen=True, slots=True)
class LogoutNotice:
    """What a provider's message ends, once it is verified: the sessions named by `sids`, or all of `subject`.

    `message` None: a message without an id, which can be repeated and then ends nothing more.
    """

    issuer: str
    sids: tuple[str, ...]
    subject: str | None
    message: SingleUse | None


@dataclass(frozen=True, slots=True)
class IdpInitiatedLogout:
    services: PortalServices

    async def carry_out(self, request: PortalRequest, notice: LogoutNotice) -> None:
        """Raises GatewayError: the code of `replayed`, or STORE_UNREACHABLE: then what could be found has ended in this
        gateway all the same, and the provider may say it again."""
        if proven_may_wait(request.snapshot):
            await self._mark(notice)
        # A provider tells so of a session that is over by time, too: what the person sends now can be kept.
        ended = await self._ended(await self._meant(notice), notice, buried=keeps_posts(request.snapshot))
        # Invariant 12: in force in every worker before this is answered. What had ended already is no error.
        await self.services.revoker.revoked(ended)
        self.services.report.ended_by_provider(request, len(ended))
        self.services.sessions.unwritten.require_written(ended)

    async def end_people(self, request: PortalRequest, people: Iterable[SeenPerson], client: ScimClient) -> None:
        """A directory says that they are not active any more: every session of theirs that it speaks of ends. That
        nobody comes in by what was proven before is said by the mark that is written already. Raises
        GatewayError(STORE_UNREACHABLE)."""
        ids: list[str] = []
        for person in people:
            found = await self.services.sessions.of_subject(person.issuer, person.subject)
            ids += [session.id for session in found if client.speaks_of(session.provider, session.tenant)]
        ended = await self.services.sessions.end(ids)
        # Invariant 12, as above.
        await self.services.revoker.revoked(ended)
        self.services.report.ended_by_provider(request, len(ended))
        self.services.sessions.unwritten.require_written(ended)

    async def _ended(self, meant: tuple[str, ...], notice: LogoutNotice, *, buried: bool) -> tuple[str, ...]:
        message = notice.message
        if message is None:
            return await self.services.sessions.end(meant, buried=buried)
        # Invariant 6. A message that ended nothing, because the store failed, may be sent again.
        once = (message.kind, notice.issuer, message.id)
        ends = self.services.sessions.end_once
        issued, skew, until = message.issued, message.skew, message.until
        if not await ends(meant, *once, issued=issued, skew=skew, until=until, buried=buried):
            raise GatewayError(message.replayed, f"{message.called} used before, or older than the session store")
        return meant

    async def _mark(self, notice: LogoutNotice) -> None:
        """Nor is anybody signed in by what was proven before."""
        ends, by = self.services.transactions.sign_in_ends, f"ends by {notice.issuer}"
        if notice.subject is not None:
            await ends.mark(by, "subject", notice.issuer, notice.subject)
        for sid in notice.sids:
            await ends.mark(by, "sid", notice.issuer, sid)

    async def _meant(self, notice: LogoutNotice) -> tuple[str, ...]:
        if notice.subject is not None:
            return await self.services.sessions.ids_of_subject(notice.issuer, notice.subject)
        found: list[str] = []
        for sid in notice.sids:
            found += await self.services.sessions.ids_of_sid(notice.issuer, sid)
        return tuple(found)
