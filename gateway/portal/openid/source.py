"""OpenID Connect as an identity source: a person is sent to a provider, and what comes back is validated in full."""

import json
from urllib.parse import quote

from gateway.federation.registration import CALLBACK, registration
from gateway.identity.mapping import map_claims
from gateway.model.codes import login_codes, logout_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import OidcProvider
from gateway.model.session import Session, Tokens
from gateway.model.transaction import OidcLogin, ParkedResponse, SignOut
from gateway.oidc.authorization import Parameters, response_state, unverified_parameters
from gateway.oidc.client_keys import jwk_set
from gateway.oidc.end_session import end_session_request
from gateway.oidc.token import Grant
from gateway.portal.flow.source import openid_provider, openid_provider_of, openid_providers, requested_of, served_by
from gateway.portal.flow.steps import Authentication, BeginSignIn, Handlers, NextStep, NotifyProvider, SignInSeenAgain
from gateway.portal.http.request import SECRET_BYTES, PortalRequest
from gateway.portal.http.responses import BARE, redirect
from gateway.portal.logout.signed_out import to_signed_out
from gateway.portal.openid.provider_logout import OpenidProviderLogout
from gateway.portal.services import PortalServices

_CALLBACK, _BACKCHANNEL, _FRONTCHANNEL = "callback", "oidc/backchannel", "oidc/frontchannel"
_PARKED = "parked"
# An id that stores neither give nor look for.
_NOT_KEPT = ""
# Seconds. A provider that caches our keys for longer would learn of a new key too late.
_KEYS_FRESH = 600
# Seconds before the end of a token at which it is refreshed, but after at most three quarters of its life.
_REFRESH_AHEAD = 60


class OpenidSource:
    """flow.source.IdentitySource"""

    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._provider_logout = OpenidProviderLogout(services)

    def handlers(self, path: str) -> Handlers | None:
        """Most paths end with the name of a provider."""
        match path.rpartition("/"):
            case (_, _, ""):
                return None
            case (kind, _, _) if kind == _CALLBACK:
                return {"GET": self._complete, "POST": self._park}
            case (kind, _, _) if kind == _FRONTCHANNEL:
                return {"GET": self._provider_logout.by_frame}
            case (kind, _, _) if kind == _BACKCHANNEL:
                return {"POST": self._provider_logout.by_back_channel}
            case ("oidc", _, "jwks"):
                return {"GET": _client_keys}
            case ("", _, "logged-out"):
                return {"GET": self._logged_out}
        return None

    def close(self) -> None: ...

    # --- the way there

    async def begin(self, request: PortalRequest, step: BeginSignIn) -> Page:
        services, snapshot = self._services, request.snapshot
        provider = openid_provider(snapshot, step.provider)
        request.provider = provider.name
        serves, asked = requested_of(snapshot, provider, step.pending)
        ages = [age for age in (provider.request.max_age, asked.max_age) if age is not None]
        login = OidcLogin(
            provider=provider.name,
            nonce=services.token_urlsafe(SECRET_BYTES),
            code_verifier=services.token_urlsafe(SECRET_BYTES),
            # One address per provider, from the configuration, never from the request.
            redirect_uri=registration(snapshot.gateway.portal_url, provider.name).redirect_uri,
            binding=request.binding_made(services.token_urlsafe),
            serves=serves,
            created_at=int(services.now()),
            # OIDC Core 3.1.2.1: 0 asks for an authentication made now
            max_age=min(ages, default=None),
            asking=asked,
            issuer=provider.issuer,
        )
        state = services.token_urlsafe(SECRET_BYTES)
        try:
            url = await services.federation.authorization_url(provider, login, state, step.hints, services.now())
        except GatewayError as error:
            if error.code is login_codes.PROVIDER_UNREACHABLE:
                services.standings.sent(provider.name, "")
            raise
        await services.transactions.openid_logins.put(login, request.network, state)
        services.standings.sent(provider.name, url.partition("?")[0])
        services.report.login_started(request)
        return redirect(url)

    # --- the way back

    async def _complete(self, request: PortalRequest) -> NextStep:
        """Answers `GET /_ecluse/callback/NAME`. Takes the sign-in by its `state` first: a failure uses it up."""
        services = self._services
        parameters = await self._parameters(request)
        login = None
        if parameters is not None:
            login = await services.transactions.openid_logins.take(response_state(unverified_parameters(parameters)))
        if parameters is None or login is None:
            return SignInSeenAgain("a callback whose state is unknown, used, or too old")
        provider, browser = _provider_asked(request, login)
        # Finds the purpose of the sign-in before the first call to the provider.
        found = served_by(request, login.serves, provider.name)
        code = await services.federation.authorization_code(provider, login, parameters, services.now())
        token, claims = await services.federation.sign_in(provider, code, login, services.now())
        return Authentication(
            provider=provider,
            identity=map_claims(provider, claims, token.acr, token.amr, token.auth_time, int(services.now())),
            pending=found,
            browser=browser,
            id_token=token.raw,
            sid=token.sid,
            issued_at=token.issued_at,
            tokens=None if token.grant is None else tokens_of(token.grant, services.now(), 0),
        )

    async def _park(self, request: PortalRequest) -> Page:
        """Keeps a response that the provider's page posted (`form_post`), for a minute: a POST from another site brings
        no cookie of ours, and the following GET does. Neither asks the provider nor takes the sign-in, because any
        stranger may post here."""
        provider = openid_provider(request.snapshot, request.path.removeprefix(CALLBACK))
        if not (provider.request.response_mode or "").startswith("form_post"):
            raise GatewayError(oidc_codes.RESPONSE_PARAMETER, "a response by POST, which was not requested")
        response = ParkedResponse(tuple(request.form().items()))
        state = response_state(unverified_parameters(response.parameters))
        # Invariant 15: a response without a request is not kept. The GET then says whether the person is signed in.
        known = await self._services.transactions.openid_logins.peek(state) is not None
        id = await self._services.transactions.openid_responses.put(response, state) if known else _NOT_KEPT
        return redirect(f"{request.snapshot.gateway.portal_url}{request.path}?{_PARKED}={quote(id, safe='')}")

    async def _parameters(self, request: PortalRequest) -> Parameters | None:
        """The response's parameters; None for a parked response that was taken or is too old."""
        parameters = request.parameters()
        if parameters.keys() != {_PARKED}:
            return parameters.items()
        parked = await self._services.transactions.openid_responses.take(parameters[_PARKED])
        return None if parked is None else parked.parameters

    # --- logout begun here

    async def log_out(self, request: PortalRequest, step: NotifyProvider) -> Page | None:
        """RP-Initiated Logout 2."""
        services, session = self._services, step.session
        provider = openid_provider_of(request.snapshot, session)
        if provider is None:
            return None
        request.provider = provider.name
        state, portal_url = services.token_urlsafe(SECRET_BYTES), request.snapshot.gateway.portal_url
        back = registration(portal_url, provider.name).post_logout_redirect_uri
        try:
            metadata = await services.federation.metadata(provider)
            asked = end_session_request(provider, metadata, session.id_token, state, back)
            if asked is None:
                return None
            await services.transactions.openid_logouts.put(SignOut(provider.name, step.home), request.network, state)
        except GatewayError as error:
            services.report.refused(request, error)
            return None
        if asked.goes_by_address(provider):
            return services.pages.onward(request.reader, asked.as_address)
        return services.pages.post(request.reader, asked.url, asked.fields, portal_url=portal_url)

    async def _logged_out(self, request: PortalRequest) -> Page:
        """`/_ecluse/logged-out?state=`: the return from the provider's sign-out. Changes nothing."""
        sign_out = await self._services.transactions.openid_logouts.take(request.parameter("state"))
        # RP-Initiated Logout 3: the state must be the sent state, and works once
        if sign_out is None:
            raise GatewayError(logout_codes.STATE, "a return from a provider whose state is unknown, used, or too old")
        request.provider = sign_out.provider
        # 3: a provider that has no session, or found none, sends the browser back in just the same way
        return to_signed_out(request, "asked", sign_out.home)

    def forget(self, request: PortalRequest, session: Session) -> None:
        """Revokes the refresh token at the provider with the end of its session."""
        provider = openid_provider_of(request.snapshot, session)
        if provider is not None and session.tokens is not None:
            self._services.federation.revoke(provider, session.tokens.refresh_token, self._services.now())


def _provider_asked(request: PortalRequest, login: OidcLogin) -> tuple[OidcProvider, str]:
    """Invariant 7: the path and the login name one provider, and the response arrived in the requested way, in the
    requesting browser (`binding`). Otherwise the code is sent nowhere.
    """
    name = request.path.removeprefix(CALLBACK)
    request.provider = login.provider
    if name != login.provider:
        raise GatewayError(
            login_codes.OTHER_PROVIDER, f"{login.provider} was asked, and the answer came to another callback"
        )
    browser = request.held(login.binding)
    if browser is None:
        raise GatewayError(login_codes.OTHER_BROWSER, "the sign-in began in another browser")
    provider = openid_provider(request.snapshot, name)
    # What was asked for by a form is not taken from an address, where histories and logs keep it; but an error is.
    by_form = (provider.request.response_mode or "").startswith("form_post")
    if by_form and {"code", "response"} & request.parameters().keys():
        raise GatewayError(oidc_codes.RESPONSE_PARAMETER, "a response in the address, although a form was requested")
    return provider, browser


def tokens_of(grant: Grant, now: float, number: int) -> Tokens:
    """The part of the grant that a session keeps. `number`: the number of refreshes so far."""
    ahead = min(_REFRESH_AHEAD, grant.expires_in // 4)
    return Tokens(grant.refresh_token, int(now) + grant.expires_in - ahead, number)


async def _client_keys(request: PortalRequest) -> Page:
    """`/_ecluse/oidc/jwks`: the public halves of our keys for signing towards providers and for decrypting their
    messages.
    """
    keys = [
        key
        for provider in openid_providers(request.snapshot.providers.values())
        for key in (*provider.client_keys, *(provider.encryption.keys if provider.encryption else ()))
    ]
    body = json.dumps(jwk_set(keys), separators=(",", ":"))
    headers = [(name, value) for name, value in BARE if name != b"Cache-Control"]
    headers += [
        (b"Cache-Control", f"max-age={_KEYS_FRESH}".encode()),
        # RFC 7517 8.5.1
        (b"Content-Type", b"application/jwk-set+json"),
    ]
    return Page(200, tuple(headers), body.encode())
