"""Whether a person is still active, as far as directories have told: asked at each sign-in."""

from collections.abc import Callable

from gateway.config.snapshot import Snapshot
from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Revoker
from gateway.model.scim import ScimClient
from gateway.model.session import Seat
from gateway.stores.people.told_forms import SeenPerson
from gateway.stores.people.told_people import ToldPeople
from gateway.stores.sessions.new_session import NewSession
from gateway.stores.sessions.sessions import Sessions


class ActivePeople:
    """Knows from directories which people are active. `snapshot`: the live one. Raises GatewayError:
    login_codes.DEACTIVATED, store_codes.UNREACHABLE, and login_codes.MAPPING if the person cannot be found in the
    directory."""

    def __init__(
        self, told: ToldPeople, sessions: Sessions, revoker: Revoker, *, snapshot: Callable[[], Snapshot]
    ) -> None:
        self._told = told
        self._sessions = sessions
        self._revoker = revoker
        self._snapshot = snapshot

    async def require(self, identity: Identity, tenant: str | None) -> None:
        """Notes the person before the session is made: a directory that speaks later ends the session. `tenant`: the
        organisation for which the person acts."""
        for client in self._snapshot().gateway.scim.clients:
            if not client.speaks_of(identity.provider, tenant):
                continue
            names = client.names_of(identity)
            if not names:
                detail = (
                    f"directory {client.name} identifies people by {client.person}, which the provider does not send"
                )
                raise GatewayError(login_codes.MAPPING, detail)
            person = SeenPerson(identity.issuer, identity.subject)
            await self._told.saw_as(client, person, names)
            for name in names:
                await self._told.saw(client, name, person)
                await self._require_active(client, name)

    async def require_of_program(self, seat: Seat, *, of_client: bool) -> None:
        """Refuses a program's token if a directory declares its person inactive. If the token lacks the directory's key
        for the person, uses the names from the last sign-in with the token's issuer and subject. Raises GatewayError.

        `of_client`: the token belongs to the program itself, which need not have a name in a directory.
        """
        identity = seat.identity
        if seat.tenant is None:
            await self._require_some_active(identity)
        for client in self._snapshot().gateway.scim.clients:
            if not client.speaks_of(identity.provider, seat.tenant):
                continue
            names = client.names_of(identity) or await self._seen_as(client, identity)
            if not names and not of_client:
                detail = f"directory {client.name} identifies people by {client.person}, which this token lacks"
                raise GatewayError(login_codes.MAPPING, f"{detail}, and no person has signed in with its subject")
            for name in names:
                await self._require_active(client, name)

    async def _require_some_active(self, identity: Identity) -> None:
        """Refuses a token without an organisation, if directories of single organisations have seen the person sign
        in and all of them declare the person inactive."""
        deactivated = None
        for client in self._snapshot().gateway.scim.clients:
            if client.tenants is None or client.provider != identity.provider:
                continue
            names = await self._seen_as(client, identity)
            if names and not any([await self._told.is_inactive(client, name) for name in names]):
                return
            deactivated = client if names else deactivated
        if deactivated is not None:
            raise _deactivated(deactivated)

    async def _seen_as(self, client: ScimClient, identity: Identity) -> tuple[str, ...]:
        return await self._told.seen_as(client, SeenPerson(identity.issuer, identity.subject))

    async def confirm(self, made: NewSession) -> None:
        """Checks the person again after the session is written and before a browser has it, because a directory's
        message since the first check found no session to end."""
        session = made.session
        try:
            await self.require(session.identity, session.tenant)
        except GatewayError:
            await self._revoker.revoked(await self._sessions.end((session.id,)))
            raise

    async def _require_active(self, client: ScimClient, name: str) -> None:
        if await self._told.is_inactive(client, name):
            raise _deactivated(client)


def _deactivated(client: ScimClient) -> GatewayError:
    return GatewayError(login_codes.DEACTIVATED, f"directory {client.name} has deactivated the person")
