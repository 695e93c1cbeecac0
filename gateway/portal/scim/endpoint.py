"""`/_ecluse/scim/v2`: recognises the directory by its token, then dispatches the request. A caller without a valid
token does not learn which resources exist."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from gateway.model.codes import scim_codes, store_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.scim import ScimClient, client_of, token_shown
from gateway.portal.flow.steps import Handlers
from gateway.portal.http.request import SCIM, PortalRequest, is_scim
from gateway.portal.http.responses import BARE, with_headers
from gateway.portal.scim.users import ScimUsers
from gateway.portal.services import PortalServices
from gateway.scim.discovery import resource_type, resource_types, schemas, service_provider_config, user_schema
from gateway.scim.document import ScimObject, read_object
from gateway.scim.errors import error_document
from gateway.scim.patch import ends_access, patched
from gateway.scim.projection import Projection, read_projection
from gateway.scim.query import UserQuery, list_response, read_query, read_search
from gateway.scim.user import USER, ToldUser, UserState, read_user, resource, says_inactive

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
# RFC 7644 3.1. Okta and Entra send either type.
_MEDIA_TYPES: Final = ("application/scim+json", "application/json")
_CONTENT_TYPE: Final = (b"Content-Type", b"application/scim+json")
_USER_ID: Final = re.compile(r"/Users/([1-9][0-9]{0,11})", re.ASCII)
_DISCOVERY: Final[Mapping[str, Callable[[str], dict[str, object]]]] = {
    "/ServiceProviderConfig": service_provider_config,
    "/ResourceTypes": resource_types,
    "/ResourceTypes/User": resource_type,
    "/Schemas": schemas,
    f"/Schemas/{USER}": user_schema,
}
_RETRY_AFTER: Final = b"5"


class _Asked(NamedTuple):
    """`id`: of a user; empty: no user.
    `base`: the address of the SCIM service.
    """

    request: PortalRequest
    client: ScimClient
    id: str
    base: str

    def shows(self) -> Projection:
        """The attributes of a user to return. Raises GatewayError(scim_codes.VALUE)."""
        return read_projection(self.request.parameters())

    def body(self) -> ScimObject:
        kind = (self.request.header(b"content-type") or "").partition(";")[0].strip(" \t").lower()
        if kind not in _MEDIA_TYPES:
            raise GatewayError(
                scim_codes.MEDIA_TYPE, "a body that is neither application/scim+json nor application/json"
            )
        return read_object(self.request.body)

    def readable(self) -> ScimObject:
        """Returns the body, of any type; empty: unreadable."""
        try:
            return read_object(self.request.body)
        except GatewayError:
            return {}

    def page(self, status: int, user: ToldUser, shows: Projection) -> Page:
        return _page(status, shows.of(resource(user, self.base)))


_Steps = Mapping[str, Callable[[_Asked], Awaitable[Page]]]


class ScimEndpoint:
    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._users = users = ScimUsers(services)
        self._told = services.told
        self._get_user = users.get
        self._of_all: Mapping[str, _Steps] = {
            "/Users": {"GET": self._list, "POST": self._create},
            # RFC 7644 3.4.3: with a single kind of resource, this search covers every resource.
            "/Users/.search": {"POST": self._search},
            "/.search": {"POST": self._search},
        }
        self._of_user: _Steps = {
            "GET": self._show,
            "PUT": self._replace,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        self._handlers: Handlers = dict.fromkeys(_METHODS, self._answer)

    def handlers(self, request: PortalRequest) -> Handlers | None:
        """Returns None if no directory is listed (SCIM is off), or for another address."""
        return self._handlers if is_scim(request) else None

    async def _answer(self, request: PortalRequest) -> Page:
        try:
            client = self._client(request)
            request.provider = client.provider
            return await self._answered(request, client)
        except GatewayError as error:
            self._services.report.scim_refused(request, error)
            return _refusal(request, error)

    def _client(self, request: PortalRequest) -> ScimClient:
        """Raises GatewayError(scim_codes.TOKEN)."""
        token = token_shown(request.inbound.headers.get(b"authorization", b""))
        client = None if token is None else client_of(request.snapshot.gateway.scim.clients, token)
        if client is None:
            raise GatewayError(scim_codes.TOKEN, "no token" if token is None else "a token of no directory")
        return client

    async def _answered(self, request: PortalRequest, client: ScimClient) -> Page:
        path, base = request.path.removeprefix(SCIM), f"{request.snapshot.gateway.portal_url}{SCIM}"
        if path in _DISCOVERY:
            _require(request, ("GET",))
            return _page(200, _DISCOVERY[path](base))
        user = _USER_ID.fullmatch(path)
        if user is None and path not in self._of_all:
            raise GatewayError(scim_codes.ADDRESS, "no such address")
        steps = self._of_all[path] if user is None else self._of_user
        _require(request, tuple(steps))
        return await steps[request.method](_Asked(request, client, "" if user is None else user[1], base))

    # --- users

    async def _list(self, asked: _Asked) -> Page:
        return await self._found(asked, read_query(asked.request.parameters()))

    async def _search(self, asked: _Asked) -> Page:
        return await self._found(asked, read_search(asked.body()))

    async def _found(self, asked: _Asked, query: UserQuery) -> Page:
        if query.filter is None:
            users, total = await self._told.page(asked.client, query.start, query.count)
        else:
            found = await self._told.find(asked.client, query.filter.attribute, query.filter.value)
            all_users = [] if found is None else [found]
            users, total = all_users[query.start - 1 :][: query.count], len(all_users)
        self._services.report.scim_read()
        shown = [query.shows.of(resource(user, asked.base)) for user in users]
        return _page(200, list_response(shown, total=total, start=query.start))

    async def _show(self, asked: _Asked) -> Page:
        shows, user = asked.shows(), await self._get_user(asked.client, asked.id)
        self._services.report.scim_read()
        return asked.page(200, user, shows)

    async def _create(self, asked: _Asked) -> Page:
        shows = asked.shows()
        user = await self._users.create(asked.request, asked.client, read_user(asked.body()))
        await self._tell(asked, user, "created" if user.state.active else "deactivated")
        location = f"{asked.base}/Users/{user.id}".encode("ascii")
        return with_headers(asked.page(201, user, shows), {b"Location": location})

    async def _replace(self, asked: _Asked) -> Page:
        return await self._changed(asked, read_user, says_inactive)

    async def _patch(self, asked: _Asked) -> Page:
        return await self._changed(asked, patched, ends_access)

    async def _changed(
        self, asked: _Asked, read: Callable[[ScimObject, UserState], UserState], ends: Callable[[ScimObject], bool]
    ) -> Page:
        """Ends the person's access first, if the message says so, then refuses the message for other faults: in the
        query, the media type, the body. A client may leave attributes out (RFC 7644 3.5.1), and would send the same
        message again."""
        user = await self._get_user(asked.client, asked.id)
        is_ended = ends(asked.readable()) and await self._users.deactivate(asked.request, asked.client, user)
        try:
            shows, state = asked.shows(), read(asked.body(), user.state)
            user = await self._users.change(asked.request, asked.client, user, state, is_ended=is_ended)
        except GatewayError:
            if is_ended:
                await self._tell(asked, user, "deactivated")
            raise
        await self._tell(asked, user, "changed" if user.state.active else "deactivated")
        return asked.page(200, user, shows)

    async def _delete(self, asked: _Asked) -> Page:
        user = await self._get_user(asked.client, asked.id)
        await self._users.delete(asked.request, asked.client, user)
        await self._tell(asked, user, "deleted")
        return Page(204, BARE, b"")

    async def _tell(self, asked: _Asked, user: ToldUser, what: str) -> None:
        people = [(one.issuer, one.subject) for one in await self._users.people(asked.request, asked.client, user)]
        self._services.report.scim_told(asked.request, asked.client.name, what, user.id, people)


def _require(request: PortalRequest, methods: tuple[str, ...]) -> None:
    if request.method not in methods:
        raise _NotAllowed(methods)


class _NotAllowed(GatewayError):
    def __init__(self, methods: tuple[str, ...]) -> None:
        super().__init__(scim_codes.METHOD, f"here are {', '.join(methods)}")
        self.methods = methods


def _page(status: int, document: Mapping[str, object]) -> Page:
    return Page(status, (*BARE, _CONTENT_TYPE), json.dumps(document, ensure_ascii=False).encode())


def _refusal(request: PortalRequest, error: GatewayError) -> Page:
    page = _page(error.code.status, error_document(error, request.request_id))
    if error.code is scim_codes.TOKEN:
        # RFC 9110 15.5.2
        return with_headers(page, {b"WWW-Authenticate": b'Bearer realm="scim"'})
    if isinstance(error, _NotAllowed):
        return with_headers(page, {b"Allow": ", ".join(error.methods).encode("ascii")})
    return with_headers(page, {b"Retry-After": _RETRY_AFTER}) if error.code is store_codes.UNREACHABLE else page
