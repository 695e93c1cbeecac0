"""Programs that send an access token: identified by the token alone, and remembered for a short time."""

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar

from gateway.access.shared_work import SharedWork
from gateway.config.snapshot import App, Snapshot
from gateway.directories.lookups import Directories
from gateway.federation.federation import Federation
from gateway.identity.acting import in_the_name_of
from gateway.identity.mapping import map_claims
from gateway.model.codes import api_codes, login_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.provider import ApiAccess, OidcProvider
from gateway.model.session import Seat
from gateway.oidc.access_token import AccessToken, is_jwt, issuer_of
from gateway.portal.flow.active_people import ActivePeople
from gateway.portal.flow.establish import program_seat
from gateway.portal.flow.source import openid_providers
from gateway.wire.addresses import client_key

# Seconds for which the verdict on a token is kept, within the token's life: accepted by signature, accepted by
# introspection, refused. A signature cannot be recalled, so its verdict is kept longest.
_SIGNED_KEPT, _ASKED_KEPT, _REFUSED_KEPT = 300, 30, 5
_KEPT = 4096
# Seconds for a whole look. The single requests to the provider have their own limits.
_LOOK_SECONDS = 60.0
# Introspections at once for a provider: a flood of tokens must leave connections for sign-ins. `_KNOWN_BESIDE`: further
# introspections for addresses of which a token was accepted in the last `_KNOWN_FOR` seconds.
_ASKED_AT_ONCE, _KNOWN_BESIDE, _KNOWN_FOR = 16, 8, 600
_LONGEST = 8192
# RFC 6750 2.1: b64token
_TOKEN = re.compile(rb"[A-Za-z0-9._~+/-]+=*")

_Key = tuple[str, str, str, bytes]
_Of = TypeVar("_Of")
_Kept = TypeVar("_Kept")


class Programs:
    """ports.Callers. `snapshot`: returns the live snapshot. `now`: Unix seconds. `monotonic`: the clock of
    Seat.deadline."""

    def __init__(
        self,
        *,
        federation: Federation,
        directories: Directories,
        active_people: ActivePeople,
        snapshot: Callable[[], Snapshot],
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._federation = federation
        self._directories = directories
        self._active_people = active_people
        self._snapshot = snapshot
        self._now = now
        self._monotonic = monotonic
        self._seats: dict[_Key, Seat] = {}
        # The code and detail, not the error: a traceback would keep the objects of its frames.
        self._refused: dict[_Key, tuple[float, Code, str]] = {}
        self._looks = SharedWork[Seat](_LOOK_SECONDS, login_codes.PROVIDER_UNREACHABLE)
        # Introspections under way, by provider and by whether the caller is known.
        self._asking: dict[tuple[str, bool], int] = {}
        # Where accepted tokens came from, and until when that counts.
        self._known: dict[str, float] = {}

    def cached(self, app: str, token: bytes, owner: str) -> Seat | None:
        seat = self._seats.get(self._key(app, token, owner))
        return seat if seat is not None and self._monotonic() < seat.deadline else None

    async def identify(self, app: str, host: str, token: bytes, owner: str, client: str) -> Seat:
        key = self._key(app, token, owner)
        refused = self._refused.get(key)
        if refused is not None and self._monotonic() < refused[0]:
            raise GatewayError(*refused[1:])
        # A program's first calls come together, and share a look.
        return await self._looks.done(key, lambda: self._look(key, host, token, client))

    async def _look(self, key: _Key, host: str, token: bytes, client: str) -> Seat:
        _, app, owner, _ = key
        origin = client_key(client)
        is_known = key in self._seats or self._monotonic() < self._known.get(origin, 0.0)
        try:
            seat = await self._identified(self._snapshot(), app, host, token, owner, is_known=is_known)
        except GatewayError as error:
            if error.code is not login_codes.PROVIDER_UNREACHABLE:
                _keep(self._refused, key, (self._monotonic() + _REFUSED_KEPT, error.code, error.detail))
            raise
        _keep(self._seats, key, seat)
        _keep(self._known, origin, self._monotonic() + _KNOWN_FOR)
        return seat

    async def _accepted(self, provider: OidcProvider, api: ApiAccess, token: str, *, is_known: bool) -> AccessToken:
        if is_jwt(token):
            return await self._federation.access_token(provider, api, token, self._now())
        room = provider.name, is_known
        asking, most = self._asking.get(room, 0), _KNOWN_BESIDE if is_known else _ASKED_AT_ONCE
        if asking >= most:
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, f"{asking} tokens are already being introspected")
        self._asking[room] = asking + 1
        try:
            return await self._federation.access_token(provider, api, token, self._now())
        finally:
            self._asking[room] -= 1

    async def _identified(
        self, snapshot: Snapshot, name: str, host: str, raw: bytes, owner: str, *, is_known: bool
    ) -> Seat:
        if len(raw) > _LONGEST or not _TOKEN.fullmatch(raw):
            raise GatewayError(api_codes.TOKEN, f"not a token of 1 to {_LONGEST} characters that it may have")
        token = raw.decode("ascii")
        provider, api = _provider(snapshot, snapshot.apps[name], token, owner)
        accepted = await self._accepted(provider, api, token, is_known=is_known)
        now = int(self._now())
        identity = map_claims(provider, accepted.claims, accepted.acr, accepted.amr, accepted.auth_time, now)
        kept = min(accepted.expires_at - now, _SIGNED_KEPT if is_jwt(token) else _ASKED_KEPT)
        # The verdict is renewed before the token ends. A stream may continue until the end of the token.
        deadline, end = (self._monotonic() + max(0, seconds) for seconds in (kept, accepted.expires_at - now))
        seat = program_seat(provider, identity, host, deadline=deadline, end=end, tenant_optional=api.without_tenant)
        await self._active_people.require_of_program(seat, of_client=accepted.of_client)
        directories = snapshot.apps[name].directories
        known = await self._directories.look_up(directories, seat.identity, seat.tenant)
        seat.identity = in_the_name_of(seat.tenant, known, directories)
        return seat

    def _key(self, app: str, token: bytes, owner: str) -> _Key:
        # The hash of the token: the worker's memory then contains no token. With `owner`: a provider's token is no
        # other's.
        return self._snapshot().revision, app, owner, hashlib.sha256(token).digest()


def _provider(snapshot: Snapshot, app: App, token: str, owner: str) -> tuple[OidcProvider, ApiAccess]:
    """The provider of a token: for a JWT by its issuer. An opaque token belongs to `owner`, and is sent to no other
    provider.
    """
    by_issuer = is_jwt(token)
    issuer = issuer_of(token) if by_issuer else None
    names = () if app.api is None else app.api.providers
    for provider in openid_providers(snapshot.providers.get(name) for name in names):
        is_its_own = provider.issuer == issuer if by_issuer else provider.name == owner
        if provider.api is not None and is_its_own:
            return provider, provider.api
    if not by_issuer and not owner:
        raise GatewayError(api_codes.TOKEN, "not a JWT, and it fits no provider, or several of them")
    raise GatewayError(api_codes.TOKEN, "a token of no provider whose tokens this application accepts")


def _keep(kept: dict[_Of, _Kept], key: _Of, value: _Kept) -> None:
    if len(kept) >= _KEPT:
        kept.clear()
    kept[key] = value
