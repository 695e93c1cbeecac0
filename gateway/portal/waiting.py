"""Shows a page after two seconds if a provider, a directory or the store is slow. The page leads by itself to the
result of the request, whichever worker answers.

The request is served once, to its end. Its result is kept for a minute under an id that only this browser has.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from gateway.model.codes import login_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import SendOn
from gateway.model.ports import Page
from gateway.model.transaction import WaitedPage
from gateway.portal.flow.chooser import is_silent
from gateway.portal.http.choices import Choice
from gateway.portal.http.request import PREFIX, PortalRequest, portal_home
from gateway.portal.http.responses import redirect, with_cookies
from gateway.portal.services import PortalServices
from gateway.stores.tickets.tickets import PARKED_LIFE

PATH: Final = f"{PREFIX}wait"
_FOR: Final = "for"
# Seconds: how long a request waits, and the time between two looks at the store.
_HELD, _LOOK = 8.0, 0.5
# How often the page is shown: for over a minute together, longer than the gateway waits for a provider.
_MOST = 9


def _is_old(shown: int, seconds: float) -> bool:
    """Whether the link was bookmarked or left open: `shown` is the number of pages shown, `seconds` the time since
    the first. A waiting browser comes every few seconds, and the result is kept for a minute more."""
    return seconds > shown * _HELD + PARKED_LIFE


class WaitingPages:
    """`lead_home`: leads a signed-in person to the home page; raises the error for other people."""

    def __init__(
        self, services: PortalServices, lead_home: Callable[[PortalRequest, GatewayError], Awaitable[Page]]
    ) -> None:
        self._services = services
        self._lead_home = lead_home
        self._keeping: dict[str, asyncio.Task[None]] = {}
        # The last look by id: the browser has abandoned earlier looks.
        self._looks: dict[str, object] = {}

    def begin(self, request: PortalRequest, task: asyncio.Task[Page | SendOn]) -> Page:
        """The page, while `task` serves the request."""
        id = self._services.transactions.waiting_id()
        binding = request.binding_made(self._services.token_urlsafe)
        # Until the store has the result, only this worker finds the id.
        self._keeping[id] = keeping = asyncio.create_task(self._keep(request, id, binding, task))
        keeping.add_done_callback(lambda _: self._keeping.pop(id, None))
        return with_cookies(self._page(request, id, 1, request.provider), request.cookies_to_set)

    async def look(self, request: PortalRequest) -> Page:
        """Answers `/_ecluse/wait?id=&shown=&for=` with the result of the request; after some seconds without a result,
        with the page again. Raises GatewayError(login_codes.TRANSACTION_GONE, login_codes.PROVIDER_UNREACHABLE)."""
        id, shown, binding = request.parameter("id"), request.parameter("shown"), request.binding()
        if binding is None or shown not in {str(times) for times in range(1, _MOST + 1)}:
            raise GatewayError(login_codes.TRANSACTION_GONE, "no request of this browser is under way")
        since = self._services.transactions.waiting_since(id)
        if since is None:
            # Holding a request costs memory, so an invented id is refused at once.
            raise GatewayError(login_codes.TRANSACTION_GONE, "an id that the gateway did not give")
        is_old = _is_old(int(shown), self._services.now() - since)
        self._looks[id] = look = object()
        try:
            found = await self._come(id, look, 0.0 if is_old else _HELD)
        finally:
            if self._looks.get(id) is look:
                del self._looks[id]
        if found is not None:
            return await self._shown(request, id, found)
        if is_old:
            return await self._lead_home(
                request, GatewayError(login_codes.TRANSACTION_GONE, "an old link to the waiting page")
            )
        if int(shown) == _MOST:
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, "a sign-in had no result within a minute")
        return self._page(request, id, int(shown) + 1, request.parameter(_FOR))

    async def _shown(self, request: PortalRequest, id: str, found: WaitedPage) -> Page:
        """Shows the result once, only in the waiting browser: the result may set the cookie of a session."""
        waited = self._services.transactions.waited
        if not request.holds(found.binding) or await waited.take(id) is None:
            raise GatewayError(login_codes.TRANSACTION_GONE, "another browser waits for it, or it was shown just now")
        # Back or reload requests the id again.
        home = redirect(f"{request.snapshot.gateway.portal_url}{portal_home(request)}")
        await waited.put(replace(found, page=home), request.network, id)
        return found.page

    async def _come(self, id: str, look: object, held: float) -> WaitedPage | None:
        """Waits for the result. None: no result within `held` seconds, or the browser has asked again meanwhile."""
        until = self._services.monotonic() + held
        while True:
            keeping = self._keeping.get(id)
            if keeping is None and (found := await self._services.transactions.waited.peek(id)) is not None:
                return found
            if self._services.monotonic() >= until or self._looks.get(id) is not look:
                return None
            await (asyncio.sleep(_LOOK) if keeping is None else asyncio.wait((keeping,), timeout=_LOOK))

    @property
    def under_way(self) -> tuple[asyncio.Task[None], ...]:
        """The tasks of requests whose people read the page."""
        return tuple(self._keeping.values())

    async def _keep(self, request: PortalRequest, id: str, binding: str, task: asyncio.Task[Page | SendOn]) -> None:
        page = await task
        try:
            if isinstance(page, Page):
                await self._services.transactions.waited.put(WaitedPage(binding, page), request.network, id)
        except GatewayError as error:
            # The waiting page reports the failure within a minute.
            self._services.report.refused(request, error)

    def _page(self, request: PortalRequest, id: str, shown: int, provider_name: str) -> Page:
        """Returns the page that waits. `provider_name`: the provider that is asked; empty or unknown: not shown."""
        provider = request.snapshot.providers.get(provider_name)
        url = f"{request.snapshot.gateway.portal_url}{PATH}?id={quote(id, safe='')}&shown={shown}"
        slow = None
        if provider is not None:
            url += f"&{_FOR}={provider.name}"
            slow = Choice(provider.label, provider.labels, url, is_silent(self._services, provider))
        return self._services.pages.waiting(request.reader, url, slow)
