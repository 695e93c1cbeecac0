"""A provider's LogoutRequest, carried out: in force in every worker before anybody is told."""

from collections.abc import Callable

from gateway.identity.assertion_mapping import subject_of
from gateway.model.codes import SAML_REPLAYED
from gateway.model.errors import GatewayError
from gateway.model.ports import Revoker
from gateway.portal.http.request import PortalRequest
from gateway.portal.report import Report
from gateway.portal.saml.crypto_thread import CryptoThread
from gateway.portal.saml.incoming import Verified
from gateway.portal.saml.known import service_provider
from gateway.portal.saml.sids import sid_of
from gateway.saml.logout import LogoutRequest, validate_logout_request
from gateway.stores.sessions import Sessions


class Ending:
    def __init__(
        self,
        *,
        sessions: Sessions,
        revoker: Revoker,
        crypto_thread: CryptoThread,
        report: Report,
        now: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._revoker = revoker
        self._crypto_thread = crypto_thread
        self._report = report
        self._now = now

    async def carry_out(self, request: PortalRequest, verified: Verified, location: str) -> LogoutRequest:
        """`location`: our endpoint that it was brought to."""
        sp, now = service_provider(request.snapshot), int(self._now())
        logout_request = await self._crypto_thread.do(
            lambda: validate_logout_request(
                verified.message,
                provider=verified.provider,
                metadata=verified.metadata,
                sp=sp,
                location=location,
                now=now,
            )
        )
        ended = await self._meant(logout_request, sp.entity_id)
        # Invariant 6. A request that ended nothing, because the store failed, may be sent again.
        once = ("logout_request", logout_request.issuer, logout_request.id)
        if not await self._sessions.end_once(ended, *once, issued=logout_request.issued, until=logout_request.expires):
            raise GatewayError(SAML_REPLAYED, "a LogoutRequest used before, or older than the session store")
        # Invariant 12: in force in every worker before this is answered. What had ended already is no error.
        await self._revoker.revoked(ended)
        self._report.ended_by_provider(request, len(ended))
        return logout_request

    async def _meant(self, logout_request: LogoutRequest, audience: str) -> tuple[str, ...]:
        # Core 3.7.3.2: those of the session indexes, or every session of that person
        subject = subject_of(logout_request.name_id, issuer=logout_request.issuer, audience=audience)
        if not logout_request.session_indexes:
            return await self._sessions.ids_of_subject(logout_request.issuer, subject)
        found: list[str] = []
        for index in logout_request.session_indexes:
            found += await self._sessions.ids_of_sid(logout_request.issuer, sid_of(subject, index))
        return tuple(found)
