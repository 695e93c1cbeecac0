"""The organisation for which a person acts, if provider and directories name several: the person chooses on a page,
and the session has only the chosen organisation. A change ends the person's sessions in this browser, so that two
organisations never mix."""

import re
from typing import Final
from urllib.parse import quote

from gateway.identity.acting import acting_directories, named_by
from gateway.identity.perimeter import check, organisations
from gateway.model.codes import login_codes, session_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.provider import Provider
from gateway.model.session import Seat
from gateway.model.transaction import OTHER_ACCOUNT, ParkedSignIn
from gateway.portal.account_pages import require_own_page
from gateway.portal.flow.proven import ProvenPerson
from gateway.portal.flow.source import pending
from gateway.portal.flow.steps import Authentication
from gateway.portal.http.choices import NamedOrganisation
from gateway.portal.http.request import PREFIX, PortalRequest
from gateway.portal.http.responses import redirect
from gateway.portal.organisation_names import organisation_line, organisation_lines
from gateway.portal.services import PortalServices
from gateway.wire.cookies import clear_seat, presented_seat

PATH: Final = f"{PREFIX}acting"
# The prefix of our cookies keeps it from applications. It has only the organisation's number, and no data of the
# person.
_COOKIE: Final = b"__Host-ecluse-organisation"
_LASTS: Final = 180 * 86400
_VALUES: Final = re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % _COOKIE)
_NUMBER: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")


class ActingFor:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    def find_last_choice(
        self, request: PortalRequest, authentication: Authentication, among: tuple[str, ...]
    ) -> str | None:
        """The organisation that a person chose the last time in this browser, if it is in `among`. A person who wants
        another account chooses again."""
        found = {value.strip(b" \t") for value in _VALUES.findall(request.cookie_line)}
        hints = {} if authentication.pending is None else dict(authentication.pending.transaction.hints)
        if len(found) != 1 or OTHER_ACCOUNT in hints:
            return None
        chosen = found.pop().decode("latin-1")
        return chosen if chosen in among else None

    async def ask(self, request: PortalRequest, authentication: Authentication) -> Page:
        """Leads to the page where the person chooses. The proven sign-in waits for this browser, for ten minutes."""
        parked = ParkedSignIn(
            provider=authentication.provider.name,
            identity=authentication.identity,
            at=int(self._services.now()),
            transaction="" if authentication.pending is None else authentication.pending.id,
            browser=authentication.browser,
            sid=authentication.sid,
            id_token=authentication.id_token,
            name_id=authentication.name_id,
            tokens=authentication.tokens,
            ends_at=authentication.ends_at,
            issued_at=authentication.issued_at,
        )
        id = await self._services.transactions.parked_sign_ins.put(parked, request.network)
        return redirect(f"{request.snapshot.gateway.portal_url}{PATH}?c={quote(id, safe='')}")

    async def page(self, request: PortalRequest) -> Page:
        """`/_ecluse/acting?c=`"""
        id = request.parameter("c")
        _, _, numbers = await self._parked(request, id)
        lines = await organisation_lines(self._services, request, numbers)
        return self._services.pages.acting(request.reader, id, lines)

    async def chosen(self, request: PortalRequest) -> Authentication:
        """Answers `POST /_ecluse/acting`: once, in the browser that got the page. Raises GatewayError."""
        require_own_page(request)
        fields = request.form()
        id, tenant = fields.get("c", ""), fields.get("organisation", "")
        parked, provider, numbers = await self._parked(request, id)
        if tenant not in numbers:
            raise GatewayError(login_codes.MAPPING, "the chosen organisation is not one of the person's")
        if await self._services.transactions.parked_sign_ins.take(id) is None:
            raise GatewayError(login_codes.TRANSACTION_GONE, "chosen by another request at the same time")
        found = None
        if parked.transaction:
            found = await pending(self._services.transactions, request, parked.transaction)
        if _NUMBER.fullmatch(tenant):
            request.cookies_to_set.append(_remember(tenant))
        return Authentication(
            provider=provider,
            identity=parked.identity,
            pending=found,
            browser=parked.browser,
            sid=parked.sid,
            id_token=parked.id_token,
            name_id=parked.name_id,
            tokens=parked.tokens,
            ends_at=parked.ends_at,
            issued_at=parked.issued_at,
            tenant=tenant,
        )

    async def change(self, request: PortalRequest) -> Page:
        """`POST /_ecluse/acting/change`: every session of this browser ends, and the person is asked anew."""
        require_own_page(request)
        cookie = presented_seat(request.cookie_line)
        seat = None if cookie is None else await self._services.sessions.load(request.host, cookie)
        if seat is None or cookie is None or not self.may_change(request, seat):
            raise GatewayError(session_codes.NONE, "no session with a choice of organisations")
        ends = self._services.transactions.sign_in_ends
        await ends.mark(request.network, "subject", seat.identity.issuer, seat.identity.subject)
        ended = await self._services.sessions.end_browser(request.host, cookie)
        # Invariant 12: in force in every worker before this response is sent.
        await self._services.revoker.revoked(ended)
        request.cookies_to_set += [clear_seat(), _forget()]
        self._services.report.signed_out(request, len(ended), seat.identity)
        provider = quote(seat.identity.provider, safe="")
        return redirect(f"{request.snapshot.gateway.portal_url}{PREFIX}login?provider={provider}")

    def may_change(self, request: PortalRequest, seat: Seat) -> bool:
        snapshot, name = request.snapshot, seat.identity.provider
        provider = snapshot.providers.get(name)
        if provider is None or seat.tenant is None:
            return False
        return provider.chooses_tenant or bool(acting_directories(snapshot.directories.values(), name))

    async def line_of(self, request: PortalRequest, seat: Seat) -> NamedOrganisation | None:
        """The organisation for which the person acts; None if the person cannot act for another organisation."""
        if seat.tenant is None or not self.may_change(request, seat):
            return None
        return await organisation_line(self._services, request, seat.tenant)

    async def _parked(self, request: PortalRequest, id: str) -> tuple[ParkedSignIn, Provider, tuple[str, ...]]:
        """The sign-in that waits, its provider, and the organisations among which the person chooses. Takes nothing
        from the store. Raises GatewayError."""
        parked = await self._services.transactions.parked_sign_ins.peek(id)
        if parked is None or not request.holds(parked.browser):
            raise GatewayError(login_codes.TRANSACTION_GONE, "no sign-in of this browser waits for a choice")
        proven = ProvenPerson(parked.identity, parked.at, parked.issued_at, parked.browser, parked.sid)
        await proven.require_no_end(self._services.transactions.sign_in_ends)
        provider = request.snapshot.providers.get(parked.provider)
        if provider is None:
            raise GatewayError(login_codes.UNKNOWN_PROVIDER, f"{parked.provider} is no longer configured")
        check(provider, parked.identity)
        directories = request.snapshot.directories.values()
        named = named_by(parked.identity, directories, self._services.now())
        return parked, provider, organisations(provider, parked.identity, named)


def choose_anew(request: PortalRequest) -> None:
    """Forgets the chosen organisation, because the person wants another account on the portal itself, without a
    transaction."""
    if _COOKIE in request.cookie_line:
        request.cookies_to_set.append(_forget())


def _remember(tenant: str) -> str:
    return f"{_COOKIE.decode()}={tenant}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={_LASTS}"


def _forget() -> str:
    return f"{_COOKIE.decode()}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"
