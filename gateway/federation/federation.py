"""The back channel to OpenID providers: their documents, and the calls of a sign-in, a refresh and a logout."""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from gateway.federation.addresses import Resolver
from gateway.federation.cached import CachedDocument
from gateway.federation.client import AWAY, Circuit, ProviderClient
from gateway.model.codes import api_codes, login_codes, oidc_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, ClientCertificate, OidcProvider
from gateway.model.quoting import unechoed
from gateway.model.transaction import OidcLogin
from gateway.oidc.access_token import (
    AccessToken,
    introspection_request,
    is_jwt,
    process_introspection_jwt,
    process_introspection_response,
    validate_access_token,
)
from gateway.oidc.authorization import (
    AuthorizationCode,
    Parameters,
    authorization_parameters,
    authorization_url,
    is_signed,
    process_authorization_response,
    process_pushed_response,
    pushed_request,
    signed_request,
    verified_parameters,
)
from gateway.oidc.client_authentication import Fresh
from gateway.oidc.discovery import ProviderMetadata, discovery_request, process_discovery_response
from gateway.oidc.documents import Call, ProviderResponse, carried
from gateway.oidc.id_token import IdToken, validate_id_token
from gateway.oidc.jws import JsonWebKeySet, jwks_request, process_jwks_response
from gateway.oidc.logout_token import LogoutToken, validate_logout_token
from gateway.oidc.refresh import Held, Renewed, process_refresh_response, refresh_request, validate_refreshed
from gateway.oidc.revocation import process_revocation_response, revocation_request
from gateway.oidc.token import TokenResponse, process_token_response, token_request
from gateway.oidc.userinfo import merge_claims, process_userinfo_response, userinfo_request
from gateway.ops.log import Log

T = TypeVar("T")

Claims = Mapping[str, object]
_JTI_BYTES = 32
# Seconds that revocations still under way may take when the process ends.
_ERRANDS_WITHIN = 1.0
# Certificate authority, the gateway's client certificate, whether private addresses are allowed.
_Reached = tuple[bytes | None, ClientCertificate | None, bool]


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents fetched for one provider. `provider`: the settings used for the fetch."""

    provider: OidcProvider
    metadata: CachedDocument[ProviderMetadata]
    keys: CachedDocument[JsonWebKeySet]


class Federation:
    """Makes every call to OpenID providers. Calls no provider before a user of the provider signs in.

    `clock`: monotonic seconds.

    Raises, in every coroutine, GatewayError: login_codes.PROVIDER_UNREACHABLE, or the oidc code of the check that
    failed.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        log: Log | None = None,
        token_urlsafe: Callable[[int], str] = secrets.token_urlsafe,
    ) -> None:
        self._clock = clock
        self._log = log
        self._token_urlsafe = token_urlsafe
        self._key_thread = ThreadPoolExecutor(1, "own-keys")
        self._clients: dict[_Reached, ProviderClient] = {}
        self._documents: dict[str, _Documents] = {}
        self._circuits: dict[str, Circuit] = {}
        self._errands: set[asyncio.Task[None]] = set()

    async def metadata(self, provider: OidcProvider) -> ProviderMetadata:
        return await self._documents_of(provider).metadata.get()

    async def keys(self, provider: OidcProvider) -> JsonWebKeySet:
        return await self._documents_of(provider).keys.get()

    async def refetched_keys(self, provider: OidcProvider) -> JsonWebKeySet:
        """Fetches the keys again, at most once in 30 s, for a token signed by an unknown key."""
        return await self._documents_of(provider).keys.refetched()

    async def authorization_url(
        self, provider: OidcProvider, login: OidcLogin, state: str, hints: Mapping[str, str], now: float
    ) -> str:
        """Returns the URL to redirect the browser to. With `pushed` in the provider file, first pushes the request
        (PAR).
        """
        metadata = await self.metadata(provider)
        parameters = authorization_parameters(provider, login, state, hints, selects_account=metadata.selects_account)
        if provider.request.signed:
            made = partial(signed_request, provider, metadata, parameters, self._fresh(now))
            parameters = await self._with_own_keys(provider, made)
        if provider.request.pushed:
            pushed = partial(pushed_request, provider, metadata, parameters, self._fresh(now))
            request = await self._with_own_keys(provider, pushed)
            response = await self._carry(provider, request)
            try:
                parameters = process_pushed_response(provider, response)
            except GatewayError as error:
                raise _unechoed(error, provider, request) from None
        return authorization_url(metadata, parameters)

    async def authorization_code(
        self, provider: OidcProvider, login: OidcLogin, parameters: Parameters, now: float
    ) -> AuthorizationCode:
        """Checks the parameters of the browser's return. `now`: Unix seconds."""
        metadata = await self.metadata(provider)
        if is_signed(provider):
            parameters = await self._with_keys(
                provider, lambda keys: verified_parameters(provider, keys, parameters, now)
            )
        return process_authorization_response(provider, metadata, login, parameters)

    async def sign_in(
        self, provider: OidcProvider, code: AuthorizationCode, login: OidcLogin, now: float
    ) -> tuple[IdToken, Claims]:
        """Exchanges the code for tokens. Returns the verified ID token, and its claims merged with those of
        userinfo. `now`: Unix seconds.
        """
        started = self._clock()
        metadata = await self.metadata(provider)
        request = await self._with_own_keys(
            provider, partial(token_request, provider, metadata, code, login, self._fresh(now))
        )
        response = await self._carry(provider, request)
        try:
            tokens = process_token_response(provider, response)
            id_token = await self._validated(provider, tokens, login, now - started, code)
        except GatewayError as error:
            raise _unechoed(error, provider, request) from None
        if not provider.userinfo:
            return id_token, id_token.claims
        told = await self._userinfo(provider, metadata, tokens.access_token, id_token.subject, now - started)
        return id_token, merge_claims(id_token.claims, told)

    async def refresh(self, provider: OidcProvider, refresh_token: str, held: Held, now: float) -> Renewed:
        """Fetches newer tokens for the same person. oidc_codes.REFRESH_ENDED: the provider no longer knows the
        session.
        """
        started = self._clock()
        metadata = await self.metadata(provider)
        # Fetch the keys first: without keys the response could not be verified, and the refresh token would be used up
        # in vain.
        await self.keys(provider)
        asked = partial(refresh_request, provider, metadata, refresh_token, self._fresh(now))
        request = await self._with_own_keys(provider, asked)
        response = await self._carry(provider, request)

        def validate(keys: JsonWebKeySet) -> Renewed:
            return validate_refreshed(provider, keys, refreshed, held, now + self._clock() - started)

        try:
            refreshed = process_refresh_response(provider, refresh_token, response)
            return await self._with_keys(provider, validate)
        except GatewayError as error:
            raise _unechoed(error, provider, request) from None

    def revoke(self, provider: OidcProvider, refresh_token: str, now: float) -> None:
        """Revokes the refresh token at the provider, in the background, unless the provider file turns revocation
        off.
        """
        if provider.logout.revoke:
            self._errand(self._revoke(provider, refresh_token, now))

    async def userinfo_again(self, provider: OidcProvider, renewed: Renewed, subject: str, now: float) -> Claims:
        """Reads userinfo again for the same person and merges the claims of the newer ID token. Claims of an older
        ID token are dropped.
        """
        clock_offset = now - self._clock()
        metadata = await self.metadata(provider)
        told = await self._userinfo(provider, metadata, renewed.access_token, subject, clock_offset)
        return merge_claims(renewed.claims, told)

    async def access_token(self, provider: OidcProvider, api: ApiAccess, token: str, now: float) -> AccessToken:
        """Accepts a program's token meant for this gateway, by signature or by introspection. `now`: Unix seconds."""
        if is_jwt(token):
            return await self._with_keys(provider, lambda keys: validate_access_token(provider, api, keys, token, now))
        if not api.introspection:
            raise GatewayError(api_codes.TOKEN, "not a JWT, and the provider file has no introspection")
        metadata = await self.metadata(provider)
        asked = partial(introspection_request, provider, metadata, token, self._fresh(now))
        request = await self._with_own_keys(provider, asked)
        response = await self._carry(provider, request)
        try:
            if not api.introspection_algorithms:
                return process_introspection_response(provider, api, response, now)
            return await self._with_keys(
                provider, lambda keys: process_introspection_jwt(provider, api, keys, response, now)
            )
        except GatewayError as error:
            raise _unechoed(error, provider, request) from None

    async def logout_token(self, provider: OidcProvider, raw: str) -> LogoutToken:
        """Verifies a logout token posted by a provider. Raises login_codes.PROVIDER_UNREACHABLE also if the token's key
        is unknown and newer keys cannot be had: the token may be genuine.
        """
        return await self._with_keys(
            provider,
            lambda keys: validate_logout_token(provider, keys, raw),
            without_newer=login_codes.PROVIDER_UNREACHABLE,
        )

    async def close(self) -> None:
        if self._errands:
            _, late = await asyncio.wait(self._errands, timeout=_ERRANDS_WITHIN)
            for errand in late:
                errand.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for documents in self._documents.values():
            await documents.metadata.close()
            await documents.keys.close()
        for client in self._clients.values():
            await client.close()
        self._key_thread.shutdown(wait=False)

    async def _revoke(self, provider: OidcProvider, refresh_token: str, now: float) -> None:
        try:
            metadata = await self.metadata(provider)
            asked = partial(revocation_request, provider, metadata, refresh_token, self._fresh(now))
            request = await self._with_own_keys(provider, asked)
            if request is not None:
                process_revocation_response(await self._carry(provider, request))
        except GatewayError as error:
            self._event("tokens.not_revoked", provider, error)

    async def _validated(
        self,
        provider: OidcProvider,
        tokens: TokenResponse,
        login: OidcLogin,
        clock_offset: float,
        code: AuthorizationCode,
    ) -> IdToken:
        """Validates the ID token.

        `clock_offset`: Unix time minus the monotonic clock. The time a provider takes to respond must not count as
        clock skew.
        """

        def validate(keys: JsonWebKeySet) -> IdToken:
            return validate_id_token(provider, keys, tokens, login, self._clock() + clock_offset, code)

        try:
            return await self._with_keys(provider, validate)
        except GatewayError as error:
            raise unechoed(
                error, (tokens.access_token, tokens.grant.refresh_token if tokens.grant else "", login.nonce)
            ) from None

    async def _userinfo(
        self, provider: OidcProvider, metadata: ProviderMetadata, access_token: str, subject: str, clock_offset: float
    ) -> Claims:
        request = userinfo_request(provider, metadata, access_token)
        response = await self._carry(provider, request)

        def process(keys: JsonWebKeySet) -> Claims:
            return process_userinfo_response(provider, keys, subject, response, self._clock() + clock_offset)

        try:
            return await self._with_keys(provider, process)
        except GatewayError as error:
            raise _unechoed(error, provider, request) from None

    async def _with_keys(
        self,
        provider: OidcProvider,
        validate: Callable[[JsonWebKeySet], T],
        *,
        without_newer: Code | None = None,
    ) -> T:
        """Validates with the known keys. If no known key made the signature, fetches newer keys and validates once
        more.

        `without_newer`: the code of the error if no newer keys can be had; None: the code of the failed check.
        """
        keys = await self.keys(provider)
        try:
            return await self._with_own_keys(provider, partial(validate, keys))
        except GatewayError as error:
            if error.code not in (oidc_codes.ID_TOKEN_KEY, oidc_codes.ID_TOKEN_SIGNATURE):
                raise
            newer = await self.refetched_keys(provider)
            if newer is keys:
                detail = f"{error.detail}; no newer keys can be had at this moment"
                raise GatewayError(without_newer or error.code, detail) from error
        # OIDC Core 10.1.1: signing keys rotate; fetch newer keys once for an unknown key.
        return await self._with_own_keys(provider, partial(validate, newer))

    async def _send(self, provider: OidcProvider, call: Call) -> ProviderResponse:
        """Sends a call without a stranger's input: silence proves that the provider is failing."""
        circuit = self._circuit(provider)
        circuit.enter()
        return await self._send_through(provider, circuit, call)

    async def _carry(self, provider: OidcProvider, call: Call) -> ProviderResponse:
        """Sends a call with input from a browser or a program, or with an account's token.

        A stranger's code, or one person's claims, may make the provider hang. A second call, without such input, then
        shows whether the provider is failing.
        """
        client, circuit = self._client(provider), self._circuit(provider)
        circuit.enter()
        try:
            response = await client.send(call)
        except GatewayError as error:
            if error.code is login_codes.PROVIDER_UNREACHABLE and circuit.doubted():
                self._errand(self._probe(provider, circuit, call.url))
            raise
        if response.status in AWAY and circuit.doubted():
            self._errand(self._probe(provider, circuit, call.url))
        elif response.status not in AWAY:
            circuit.answered()
        return response

    async def _probe(self, provider: OidcProvider, circuit: Circuit, url: str) -> None:
        """A response with any status, also a refusal of the method, proves that the provider answers."""
        try:
            await self._send_through(provider, circuit, Call("look", "GET", url))
        except GatewayError as error:
            if error.code is not login_codes.PROVIDER_UNREACHABLE:
                circuit.answered()

    async def _send_through(self, provider: OidcProvider, circuit: Circuit, call: Call) -> ProviderResponse:
        try:
            response = await self._client(provider).send(call)
        except GatewayError as error:
            if error.code is login_codes.PROVIDER_UNREACHABLE:
                circuit.failed()
            raise
        circuit.responded(response)
        return response

    def is_silent(self, provider: OidcProvider) -> bool:
        """Whether the provider lately failed to answer or reported itself unavailable. A person choosing the
        provider will most likely wait in vain.
        """
        circuit = self._circuits.get(provider.name)
        return circuit is not None and circuit.is_silent

    def is_back(self, provider: str) -> None:
        """Resets the circuit of `provider`, a provider's name: the supervisor's looks have reached the provider
        again.
        """
        if provider in self._circuits:
            self._circuits[provider].answered()

    def _circuit(self, provider: OidcProvider) -> Circuit:
        return self._circuits.setdefault(provider.name, Circuit(self._clock))

    def _client(self, provider: OidcProvider) -> ProviderClient:
        key = (provider.ca, provider.client_certificate, provider.development or provider.private_addresses)
        client = self._clients.get(key)
        if client is None:
            client = self._clients[key] = ProviderClient(*key, Resolver())
        return client

    def _errand(self, coroutine: Coroutine[None, None, None]) -> None:
        errand = asyncio.get_running_loop().create_task(coroutine)
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)

    async def _with_own_keys(self, provider: OidcProvider, make: Callable[[], T]) -> T:
        """Invariant 14: signs and decrypts with the gateway's RSA keys in a separate thread, which no look-up
        delays.
        """
        own = provider.client_keys + (provider.encryption.keys if provider.encryption else ())
        if all(key.algorithm in ("ES256", "ECDH-ES") for key in own):
            return make()
        return await asyncio.get_running_loop().run_in_executor(self._key_thread, make)

    def _fresh(self, now: float) -> Fresh:
        return Fresh(self._token_urlsafe(_JTI_BYTES), now)

    def _documents_of(self, provider: OidcProvider) -> _Documents:
        """Returns the provider's documents. A reload that changed an address, or a setting of the fetch, starts a
        new set.
        """
        known = self._documents.get(provider.name)
        if known is None or (known.provider is not provider and _asked(known.provider) != _asked(provider)):
            known = self._documents[provider.name] = _Documents(
                provider,
                CachedDocument(lambda: self._fetch_metadata(provider), self._clock, partial(self._stale, provider)),
                CachedDocument(
                    lambda: self._fetch_keys(provider),
                    self._clock,
                    partial(self._stale, provider),
                    provider.keys_max_age,
                ),
            )
        return known

    def _stale(self, provider: OidcProvider, error: GatewayError) -> None:
        self._event("provider.stale", provider, error)

    def _event(self, event: str, provider: OidcProvider, error: GatewayError) -> None:
        if self._log is not None:
            self._log.event(event, provider=provider.name, code=error.code.id, detail=error.detail)

    async def _fetch_metadata(self, provider: OidcProvider) -> tuple[ProviderMetadata, str]:
        response = await self._send(provider, discovery_request(provider))
        return process_discovery_response(provider, response), response.cache_control

    async def _fetch_keys(self, provider: OidcProvider) -> tuple[JsonWebKeySet, str]:
        response = await self._send(provider, jwks_request(await self.metadata(provider)))
        return process_jwks_response(response), response.cache_control


def _unechoed(error: GatewayError, provider: OidcProvider, request: Call) -> GatewayError:
    """Removes the sent secrets from the text of `error`, because some providers repeat a request in their answer."""
    return unechoed(error, (*carried(request), provider.client_secret or ""))


def _asked(provider: OidcProvider) -> tuple[object, ...]:
    reached = (provider.ca, provider.client_certificate, provider.private_addresses)
    return provider.issuer, provider.development, provider.keys_max_age, *reached
