"""Where a person links their own account of an application, and takes the link back. On the portal's host: a script of
the application cannot send these forms."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import quote

from gateway.access.virtual_host import host_of
from gateway.config.snapshot import App
from gateway.model.codes import account_codes, form_login_codes, route_codes, session_codes
from gateway.model.codes.code import Code
from gateway.model.errors import GatewayError
from gateway.model.identity import Identity
from gateway.model.ports import Page
from gateway.model.session import Seat
from gateway.portal.http.lines import OtherAccount
from gateway.portal.http.request import (
    PREFIX,
    PortalRequest,
    WayBack,
    app_here,
    of_another_organisation,
    return_target,
)
from gateway.portal.http.responses import encoded, redirect
from gateway.portal.let_in import require_let_in
from gateway.portal.services import PortalServices
from gateway.wire.cookies import presented_seat
from gateway.wire.navigation import is_same_origin

# The text for a person who has just sent the form.
_SAID: Final = {
    form_login_codes.REFUSED: account_codes.REFUSED,
    form_login_codes.LOOP: account_codes.REFUSED,
    account_codes.TABLE: account_codes.LOGIN,
}


@dataclass(frozen=True, slots=True)
class AskedAccount:
    """The application, its host, and the page that the person wanted."""

    app: App
    host: str
    target: str
    seat: Seat


class AccountPages:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def lead(self, request: PortalRequest) -> Page:
        """`/_ecluse/account` of an application's host leads to the portal's."""
        target = return_target(app_here(request, request.parameter("to")), request.parameter("to"))
        app = request.snapshot.find_app(request.host, target)
        asks = app is not None and app.account is not None and app.account.missing == "request"
        query = f"host={quote(request.host, safe='')}&to={quote(target, safe='/')}"
        return redirect(f"{request.snapshot.gateway.portal_url}{PREFIX}account{'/request' if asks else ''}?{query}")

    async def form(self, request: PortalRequest) -> Page:
        asked = await asked_account(self._services, request, request.parameters(), "link")
        known = await self._services.linking.login(asked.app, asked.seat.identity)
        return self._page(request, asked, known, known=bool(known))

    async def link(self, request: PortalRequest) -> Page:
        fields = request.form()
        require_own_page(request)
        asked = await asked_account(self._services, request, fields, "link")
        login, password = fields.get("login", ""), fields.get("password", "")
        try:
            require_owner(fields, asked.seat.identity)
            await self._services.linking.link(asked.app, asked.host, asked.seat.identity, login, password)
        except GatewayError as error:
            self._services.report.refused(request, error)
            # Never shows the text of another person.
            written = "" if error.code is account_codes.OTHER_PERSON else login
            return self._page(request, asked, written, refused=_SAID.get(error.code, error.code))
        self._services.report.account_linked(request, asked.seat.identity)
        return self._services.pages.linked(request.reader, encoded(asked.app.origin(asked.host) + asked.target))

    async def remove(self, request: PortalRequest) -> Page:
        """By the page of sessions."""
        require_own_page(request)
        asked = await asked_account(self._services, request, request.form(), "link", is_end=True)
        require_owner(request.form(), asked.seat.identity)
        if await self._services.linking.remove(asked.app, asked.seat.identity):
            self._services.report.account_unlinked(request, asked.seat.identity)
        return redirect(f"{request.snapshot.gateway.portal_url}{PREFIX}sessions")

    def _page(
        self,
        request: PortalRequest,
        asked: AskedAccount,
        login: str,
        *,
        known: bool = False,
        refused: Code | None = None,
    ) -> Page:
        return self._services.pages.account(
            request.reader,
            host=asked.host,
            to=asked.target,
            owner=owner_of(asked.seat.identity),
            login=login,
            known=known,
            another=other_account(request),
            refused=refused,
            reference=request.request_id if refused else "",
        )


async def asked_account(
    services: PortalServices,
    request: PortalRequest,
    told: dict[str, str],
    missing: Literal["link", "request"],
    *,
    is_end: bool = False,
) -> AskedAccount:
    """The application, host and page of the request. Raises GatewayError if no such application exists, or if it does
    not admit the person.

    `missing`: the way to an account that the application's file offers.
    `is_end`: a removal, allowed even to people whom rules now keep out.
    """
    host = host_of((told.get("host") or request.host).encode("ascii", "replace"), request.snapshot)
    app = request.snapshot.find_app(host, told.get("to", ""))
    if app is None or app.account is None or app.account.missing != missing:
        raise GatewayError(route_codes.RESERVED, f"the application there does not let people {missing} accounts")
    request.app_name = app.name
    target = return_target(app, told.get("to", ""))
    request.way_back = back = WayBack(app, host, target)
    cookie = presented_seat(request.cookie_line)
    seat = None if cookie is None else await services.sessions.load(request.host, cookie)
    if seat is None or not app.accepts(seat.identity):
        raise GatewayError(session_codes.NONE, "no session that this application accepts")
    request.identity = seat.identity
    if not is_end:
        await require_let_in(request, back, seat, services.now())
    return AskedAccount(app, host, target, seat)


def other_account(request: PortalRequest) -> OtherAccount:
    """Returns the link back to the page of the application that the person wanted."""
    link = request.other_account_link
    return OtherAccount(link, of_another_organisation(link) if request.has_others else "")


def owner_of(identity: Identity) -> str:
    """Returns the value by which a form names the person of its page."""
    return sha256(f"form\0{identity.issuer}\0{identity.subject}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def require_owner(fields: dict[str, str], identity: Identity) -> None:
    """Refuses the form of a page that another person opened in the same browser (invariant 12). Raises
    GatewayError(account_codes.OTHER_PERSON)."""
    if fields.get("owner", "") != owner_of(identity):
        raise GatewayError(
            account_codes.OTHER_PERSON, "the page of the form was shown to another person, or without a session"
        )


def require_own_page(request: PortalRequest) -> None:
    """Raises GatewayError(account_codes.CROSS_SITE) for a form that was not on a page of the portal."""
    origin, site = request.inbound.headers.get(b"origin"), request.inbound.headers.get(b"sec-fetch-site")
    if not is_same_origin(origin, site, request.snapshot.gateway.portal_url.encode("ascii")):
        raise GatewayError(account_codes.CROSS_SITE, "sent by a page that is not ours")
