"""An OpenID provider says that sessions have ended: Back-Channel Logout 1.0 and Front-Channel Logout 1.0."""

import json
from urllib.parse import urlsplit

from gateway.federation.registration import BACK_CHANNEL, FRONT_CHANNEL
from gateway.model.codes import login_codes, logout_codes, oidc_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.flow.source import openid_provider, openid_providers
from gateway.portal.http.request import PortalRequest
from gateway.portal.http.responses import BARE, RETRY_AFTER, security_headers
from gateway.portal.logout.idp_initiated import IdpInitiatedLogout, LogoutNotice
from gateway.portal.services import PortalServices

# The end is not stored, or the token could not be checked: the provider's keys cannot be had. A provider may send a
# logout token again after "potentially recoverable errors" (2.5).
_RECOVERABLE = (
    store_codes.UNREACHABLE,
    *(login_codes.PROVIDER_UNREACHABLE, oidc_codes.ANSWER),
    *(oidc_codes.DISCOVERY, oidc_codes.DISCOVERY_ISSUER, oidc_codes.JWKS),
)


class OpenidProviderLogout:
    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._logout = IdpInitiatedLogout(services)

    async def by_back_channel(self, request: PortalRequest) -> Page:
        """`/_ecluse/oidc/backchannel/NAME`. Called by the provider, not by a browser: the token identifies the
        caller."""
        try:
            await self._logout.carry_out(request, await self._notice(request))
        except GatewayError as error:
            self._services.report.logout_refused(request, error)
            return _refusal(error)
        return Page(200, BARE, b"")

    async def _notice(self, request: PortalRequest) -> LogoutNotice:
        provider = openid_provider(request.snapshot, request.path.removeprefix(BACK_CHANNEL))
        request.provider = provider.name
        # 2.5: in a form, in the field `logout_token`; other fields are not looked at
        raw = request.form().get("logout_token", "")
        if not raw:
            raise GatewayError(oidc_codes.LOGOUT_TOKEN, "no logout_token in the form")
        token = await self._services.federation.logout_token(provider, raw)
        sids = () if token.sid is None else (token.sid,)
        return LogoutNotice(token.issuer, sids, token.subject, token.issued, provider.skew)

    async def by_frame(self, request: PortalRequest) -> Page:
        """`/_ecluse/oidc/frontchannel/NAME?iss=&sid=`. A frame of another site carries no cookie of ours: `sid`, known
        only to the provider and the gateway, names the session.
        """
        name = request.path.removeprefix(FRONT_CHANNEL)
        provider = next(openid_providers([request.snapshot.providers.get(name)]), None)
        if provider is None or not provider.logout.front_channel:
            raise GatewayError(logout_codes.FRONT_CHANNEL, "no provider of this name may end sessions by a frame")
        request.provider = name
        # 2: iss and sid come together or not at all; without them, an image on any site would sign people out
        issuer, sid = request.parameter("iss"), request.parameter("sid")
        if issuer != provider.issuer or not sid:
            raise GatewayError(
                logout_codes.FRONT_CHANNEL, "front-channel logout without sid, or with the iss of another"
            )
        await self._logout.carry_out(request, LogoutNotice(provider.issuer, (sid,), None, None, provider.skew))
        origin = urlsplit(provider.issuer)
        policy = f"default-src 'none'; frame-ancestors {origin.scheme}://{origin.netloc}"
        return Page(200, (*security_headers(policy, framed=True), (b"Content-Type", b"text/html; charset=utf-8")), b"")


def _refusal(error: GatewayError) -> Page:
    """2.8: 400 with a JSON object. What was wrong in detail is for our log alone."""
    recoverable = error.code in _RECOVERABLE
    told = {
        "error": "temporarily_unavailable" if recoverable else "invalid_request",
        "error_description": error.code.id,
    }
    headers = (*BARE, (b"Content-Type", b"application/json"), *((RETRY_AFTER,) if recoverable else ()))
    return Page(503 if recoverable else 400, headers, json.dumps(told).encode())
