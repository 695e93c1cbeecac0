"""OIDC Back-Channel Logout 1.0: a provider tells that sessions have ended. In force everywhere before the answer."""

import json
from collections.abc import Callable

from gateway.model.codes import (
    LOGIN_PROVIDER_UNREACHABLE,
    OIDC_LOGOUT_TOKEN,
    OIDC_LOGOUT_TOKEN_REPLAYED,
    STORE_UNREACHABLE,
)
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker
from gateway.oidc.logout_token import LogoutToken
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import BARE
from gateway.portal.openid.login import provider_of
from gateway.portal.ports import Federation
from gateway.portal.report import Report
from gateway.stores.sessions import Sessions

PATH = f"{PREFIX}oidc/backchannel/"
# Not that the token is wrong but that we cannot say: the provider may send it again.
_CANNOT_SAY = (STORE_UNREACHABLE, LOGIN_PROVIDER_UNREACHABLE)


class BackChannel:
    def __init__(
        self,
        *,
        sessions: Sessions,
        federation: Federation,
        revoker: Revoker,
        report: Report,
        now: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._federation = federation
        self._revoker = revoker
        self._report = report
        self._now = now

    async def logout(self, request: PortalRequest) -> Page:
        """`/_ecluse/oidc/backchannel/NAME`. No browser comes here: who asks is told by the token alone."""
        try:
            token = await self._token(request)
            ended = await self._end(token)
        except GatewayError as error:
            self._report.logout_refused(request, error)
            return _refusal(error)
        # Invariant 12: in force in every worker before this answer is sent. A session that had ended already is no
        # error (2.7).
        await self._revoker.revoked(ended)
        self._report.ended_by_provider(request, len(ended))
        return Page(200, BARE, b"")

    async def _token(self, request: PortalRequest) -> LogoutToken:
        provider = provider_of(request.snapshot, request.path.removeprefix(PATH))
        request.provider = provider.name
        # 2.5: in a form, in the field `logout_token`; other fields are not looked at
        raw = request.form().get("logout_token", "")
        if not raw:
            raise GatewayError(OIDC_LOGOUT_TOKEN, "no logout_token in the form")
        return await self._federation.logout_token(provider, raw, self._now())

    async def _end(self, token: LogoutToken) -> tuple[str, ...]:
        meant = await self._meant(token)
        # 2.6 (8); invariant 6. A token that ended nothing, because the store failed, may be sent again.
        once = ("logout_token", token.issuer, token.jti)
        if not await self._sessions.end_once(meant, *once, issued=token.issued, until=token.until):
            raise GatewayError(
                OIDC_LOGOUT_TOKEN_REPLAYED, "a logout token used before, or older than the session store"
            )
        return meant

    async def _meant(self, token: LogoutToken) -> tuple[str, ...]:
        if token.sid is not None:
            return await self._sessions.ids_of_sid(token.issuer, token.sid)
        assert token.subject is not None
        return await self._sessions.ids_of_subject(token.issuer, token.subject)


def _refusal(error: GatewayError) -> Page:
    """2.8: 400 with a JSON object. What was wrong in detail is for our log alone."""
    cannot_say = error.code in _CANNOT_SAY
    told = {"error": "temporarily_unavailable" if cannot_say else "invalid_request", "error_description": error.code.id}
    headers = (*BARE, (b"Content-Type", b"application/json"))
    return Page(503 if cannot_say else 400, headers, json.dumps(told).encode())
