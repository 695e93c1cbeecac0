"""Refreshes the tokens of sessions ahead of time, with one caller at a time per session across the workers.

No request waits for a refresh. A session ends when its provider declares the end. An unreachable provider ends no
session.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gateway.config.snapshot import Snapshot
from gateway.identity.acting import acts_for, in_the_name_of, named_by
from gateway.identity.directories import key_of, left_from, looked_up_again
from gateway.identity.mapping import map_claims
from gateway.model.codes import directory_codes, login_codes, oidc_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.provider import OidcProvider
from gateway.model.session import Seat, Session, Tokens
from gateway.oidc.refresh import Held, Renewed
from gateway.portal.flow.establish import renewed
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.flow.look_again import LookAgain
from gateway.portal.flow.source import openid_provider_of
from gateway.portal.openid.source import tokens_of
from gateway.portal.services import PortalServices

# Seconds for a caller, before another caller may try with the same token. A slow provider may need them (documents,
# keys again, token, userinfo: 10 s each), and a provider that sees a token twice ends the session.
_HELD = 60
# Seconds until further callers look for the result in the store.
_LOOKED_AGAIN = 2.0
_ENDS = (
    oidc_codes.REFRESH_ENDED,
    oidc_codes.REFRESH_SUBJECT,
    oidc_codes.USERINFO_SUBJECT,
    login_codes.MAPPING,
    login_codes.OUTSIDE_PERIMETER,
    directory_codes.GONE,
    directory_codes.ORGANISATION,
    login_codes.DEACTIVATED,
)


class Renewal:
    """`snapshot`: returns the live snapshot. `look_again`: asks directories when no token is due."""

    def __init__(self, services: PortalServices, *, snapshot: Callable[[], Snapshot], look_again: LookAgain) -> None:
        self._services = services
        self._snapshot = snapshot
        self._look_again = look_again
        self._tasks: set[asyncio.Task[None]] = set()

    def due(self, seat: Seat) -> None:
        """Called by the data plane in passing."""
        task = asyncio.get_running_loop().create_task(self.renew(seat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits for refreshes under way: a token that was used up and not written would end the session."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def renew(self, seat: Seat) -> None:
        try:
            session = await self._services.sessions.opened(seat.host, seat.cookie)
            if session is not None:
                await self._renew(seat, session)
        except GatewayError as error:
            # The store cannot say: the next use of the seat tries again.
            self._services.report.refresh_failed(seat.identity.provider, error)

    async def _renew(self, seat: Seat, session: Session) -> None:
        tokens = session.tokens
        # If the file now names another issuer, the token of the first issuer must not be shown to the second.
        provider = openid_provider_of(self._snapshot(), session)
        if tokens is None or provider is None or not provider.refresh or tokens.refresh_at > self._services.now():
            # No token is due, or another seat or worker has refreshed it, and the result serves this seat too.
            await self._look_again.look(seat, session)
            return
        until = int(self._services.now()) + _HELD
        if await self._services.transactions.first_use("refresh", session.id, str(tokens.number), until=until):
            await self._ask(seat, session, tokens, provider)
        else:
            seat.refresh_at = self._services.monotonic() + _LOOKED_AGAIN

    async def _ask(self, seat: Seat, session: Session, tokens: Tokens, provider: OidcProvider) -> None:
        newest = tokens.refresh_token
        try:
            held = Held(session.identity.subject, session.id_token or "")
            now = self._services.now()
            response = await self._services.federation.refresh(provider, tokens.refresh_token, held, now)
            newest = response.grant.refresh_token
            identity = await self._identity(provider, session, response)
            newer = tokens_of(response.grant, self._services.now(), tokens.number + 1)
            named = named_by(session.identity, self._snapshot().directories.values(), now)
            after = renewed(session, provider, identity, newer, response.id_token, named)
            if identity is not None:
                after = replace(after, identity=await self._looked_up(session, after))
            if self._snapshot().gateway.scim.clients:
                # Also covers people who signed in before a directory was listed, and new values of the provider.
                await self._services.active_people.require(after.identity, after.tenant)
        except GatewayError as error:
            if _ends(error):
                await self._end(session, error)
                # A token that the provider no longer knows needs no revocation.
                if error.code is not oidc_codes.REFRESH_ENDED:
                    self._services.federation.revoke(provider, newest, self._services.now())
            else:
                self._services.report.refresh_failed(provider.name, error)
            return
        if await self._services.sessions.renew(seat.host, seat.cookie, session, after):
            self._services.report.refreshed(provider.name)
        elif await self._services.sessions.opened(seat.host, seat.cookie) is None:
            # The session ended while the provider was asked: the newer token is revoked.
            self._services.federation.revoke(provider, newest, self._services.now())
        self._look_again.adopt(seat, after)

    async def _looked_up(self, before: Session, after: Session) -> Identity:
        """Looks the person up again, because the attributes that find the person in a directory may have changed.
        Raises GatewayError: directory_codes.GONE, directory_codes.ORGANISATION."""
        directories = tuple(self._snapshot().directories.values())
        asked = await self._services.directories.look_up(directories, after.identity, after.tenant)
        left = left_from(before.identity, asked, directories)
        if left is not None:
            raise GatewayError(directory_codes.GONE, f"directory {left.name} no longer has this person")
        same = [
            one
            for one in directories
            if key_of(one, before.identity, before.tenant) == key_of(one, after.identity, after.tenant)
        ]
        known, now = looked_up_again(before.identity, asked, same, self._services.now()), self._services.now()
        provider = self._snapshot().providers.get(known.provider)
        if provider is not None and not acts_for(provider, known, after.tenant, directories, now):
            raise GatewayError(directory_codes.ORGANISATION, f"no directory lets the person act for {after.tenant}")
        return in_the_name_of(after.tenant, known, directories)

    async def _identity(self, provider: OidcProvider, session: Session, response: Renewed) -> Identity | None:
        """The person by present userinfo, if the file asks for userinfo again; acr, amr and time stay. None: unchanged.

        An unreachable provider changes nothing: the new tokens are kept, and would otherwise be lost.
        """
        known = session.identity
        if not provider.refresh_userinfo:
            return None
        now = self._services.now()
        try:
            claims = await self._services.federation.userinfo_again(provider, response, known.subject, now)
        except GatewayError as error:
            if _ends(error):
                raise
            self._services.report.refresh_failed(provider.name, error)
            return None
        return map_claims(provider, claims, known.acr, known.amr, known.authenticated_at, int(now))

    async def _end(self, session: Session, error: GatewayError) -> None:
        """Ends the session in every worker before the log line. The person has not signed out, so a form sent now can
        be kept."""
        buried = error.code is oidc_codes.REFRESH_ENDED and keeps_posts(self._snapshot())
        try:
            await self._services.revoker.revoked(await self._services.sessions.end([session.id], buried=buried))
        finally:
            self._services.report.refresh_ended(session.identity, error)


def _ends(error: GatewayError) -> bool:
    """Whether the provider's response ends this session: the provider's session is over, belongs to another person, or
    would no longer be admitted. A key not yet published or not fetched decides nothing about the session.
    """
    about_token = error.code.id.startswith("oidc.id_token.") and error.code is not oidc_codes.ID_TOKEN_KEY
    return error.code in _ENDS or about_token
