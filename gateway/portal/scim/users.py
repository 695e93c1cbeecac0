"""Carries out a directory's announcements: first the mark, then the end of the person's sessions, then the record.

If the store fails in between, the directory gets an error and repeats the announcement. Meanwhile nobody is admitted.
"""

from collections.abc import Iterable
from dataclasses import replace

from gateway.model.account import SUBJECT
from gateway.model.codes import scim_codes
from gateway.model.errors import GatewayError
from gateway.model.scim import ScimClient
from gateway.portal.http.request import PortalRequest
from gateway.portal.logout.idp_initiated import IdpInitiatedLogout
from gateway.portal.services import PortalServices
from gateway.scim.user import ToldUser, UserState, compared
from gateway.stores.people.told_forms import SeenPerson


class ScimUsers:
    """Every coroutine raises GatewayError: store_codes.UNREACHABLE, or a code of SCIM."""

    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._told = services.told
        self._logout = IdpInitiatedLogout(services)

    async def get(self, client: ScimClient, id: str) -> ToldUser:
        user = await self._told.user(client, id)
        if user is None:
            raise GatewayError(scim_codes.USER, "no user has this id")
        return user

    async def create(self, request: PortalRequest, client: ScimClient, state: UserState) -> ToldUser:
        name = _name(client, state)
        await self._told.require_free(client, None, state)
        if not state.active:
            await self._deactivate(request, client, (name,))
        user = await self._told.add(client, state)
        # Comes last: after a failure, the directory repeats its message, and finds no user yet.
        await self._told.set_active(client, name, active=state.active)
        return user

    async def change(
        self, request: PortalRequest, client: ScimClient, user: ToldUser, state: UserState, *, is_ended: bool = False
    ) -> ToldUser:
        """A message that leaves `active` unchanged does not admit the person: another message may have ended the
        person's access since `user` was read. `is_ended`: `deactivate` was called for this message."""
        name = _name(client, state)
        # Without a name, the user is older than the directory's present `named_by`.
        before = user.state.named(client.named_by) or name
        await self._told.require_free(client, user, state)
        is_renamed = compared(client.named_by, name) != compared(client.named_by, before)
        if is_renamed:
            await self._told.renamed(client, before, name)
            if state.active and user.state.active:
                await self._told.set_active(client, name, active=True)
        if not state.active and (is_renamed or not is_ended):
            await self._deactivate(request, client, (name,) if is_ended else (before, name))
        changed = await self._told.replace(client, user, state)
        if state.active and not user.state.active:
            # Comes last: if the store fails before, the directory repeats its message.
            await self._told.set_active(client, name, active=True)
        elif state.active and await self._told.is_inactive(client, before):
            if is_renamed:
                await self._deactivate(request, client, (name,))
            state = replace(state, active=False)
        return replace(changed, state=state)

    async def deactivate(self, request: PortalRequest, client: ScimClient, user: ToldUser) -> bool:
        """Ends the access of a user under the directory's present name for the person. False: no such name, since the
        directory now identifies people by another attribute.
        """
        name = user.state.named(client.named_by)
        if name is None:
            return False
        await self._deactivate(request, client, (name,))
        return True

    async def delete(self, request: PortalRequest, client: ScimClient, user: ToldUser) -> None:
        """The person becomes active again with the next announcement."""
        await self.deactivate(request, client, user)
        await self._told.remove(client, user)

    async def _deactivate(self, request: PortalRequest, client: ScimClient, names: tuple[str, ...]) -> None:
        marked = [await self._marked(client, name) for name in names]
        await self._logout.end_people(request, await self._people(request, client, names), client)
        # Their sessions end even if a mark is missing: the directory is told so, and sends the change again.
        for error in marked:
            if error is not None:
                raise error

    async def _marked(self, client: ScimClient, name: str) -> GatewayError | None:
        try:
            await self._told.set_active(client, name, active=False)
        except GatewayError as error:
            return error
        return None

    async def people(self, request: PortalRequest, client: ScimClient, user: ToldUser) -> Iterable[SeenPerson]:
        """The people who have signed in under the user's name."""
        name = user.state.named(client.named_by)
        return await self._people(request, client, () if name is None else (name,))

    async def _people(
        self, request: PortalRequest, client: ScimClient, names: tuple[str, ...]
    ) -> dict[SeenPerson, None]:
        people = dict.fromkeys([person for name in names for person in await self._told.seen(client, name)])
        provider = request.snapshot.providers.get(client.provider)
        if client.person == SUBJECT and provider is not None:
            # Also covers people who signed in before the directory was listed.
            people |= dict.fromkeys(SeenPerson(provider.issuer, name) for name in names)
        return people


def _name(client: ScimClient, state: UserState) -> str:
    name = state.named(client.named_by)
    if name is None:
        raise GatewayError(scim_codes.VALUE, f"{client.named_by} is required: it identifies people here")
    return name
