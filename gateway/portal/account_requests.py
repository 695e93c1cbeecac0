"""The page where a person asks for their account in an application, and reads the answer. It is on the portal's
host, like the form that links an account. The person's details come from their session; no field of the form names a
person."""

from gateway.accounts.request import AccountRequest
from gateway.model.codes import account_codes
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.account_pages import (
    AskedAccount,
    asked_account,
    other_account,
    owner_of,
    require_own_page,
    require_owner,
)
from gateway.portal.http.lines import AskedAccess
from gateway.portal.http.request import PortalRequest
from gateway.portal.http.responses import encoded
from gateway.portal.services import PortalServices


class AccountRequestPages:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def page(self, request: PortalRequest) -> Page:
        asked = await asked_account(self._services, request, request.parameters(), "request")
        if await self._is_linked(asked):
            return self._onward(request, asked)
        return self._page(request, asked, await self._services.asking.found(asked.app, asked.seat))

    async def ask(self, request: PortalRequest) -> Page:
        fields = request.form()
        require_own_page(request)
        asked = await asked_account(self._services, request, fields, "request")
        if await self._is_linked(asked):
            return self._onward(request, asked)
        text = fields.get("text", "")
        try:
            require_owner(fields, asked.seat.identity)
            found, is_new = await self._services.asking.ask(asked.app, asked.seat, text)
        except GatewayError as error:
            self._services.report.account_not_asked(request, error)
            # Never shows the text of another person.
            written = "" if error.code is account_codes.OTHER_PERSON else text
            return self._page(request, asked, None, text=written, refused=error)
        if is_new:
            self._services.report.account_asked(request, asked.seat.identity, found.reference)
        return self._page(request, asked, found, sent=is_new)

    async def _is_linked(self, asked: AskedAccount) -> bool:
        """An operator may have answered meanwhile."""
        return bool(await self._services.linking.login(asked.app, asked.seat.identity))

    def _onward(self, request: PortalRequest, asked: AskedAccount) -> Page:
        return self._services.pages.linked(request.reader, encoded(asked.app.origin(asked.host) + asked.target))

    def _page(
        self,
        request: PortalRequest,
        asked: AskedAccount,
        found: AccountRequest | None,
        *,
        sent: bool = False,
        text: str = "",
        refused: GatewayError | None = None,
    ) -> Page:
        assert asked.app.account is not None
        another = other_account(request)
        owner = owner_of(asked.seat.identity)
        shown = AskedAccess(asked.host, asked.target, owner, found, sent, asked.app.account.words, text, another)
        if refused is None:
            return self._services.pages.account_request(request.reader, shown)
        return self._services.pages.account_request(
            request.reader, shown, refused=refused.code, reference=request.request_id
        )
