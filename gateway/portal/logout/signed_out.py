"""The page with the result of a sign-out. Its address is separate, so Back, a reload or a change of language does not
repeat the sign-out. A cookie of some minutes carries the result; the address names only the application that the person
left."""

import re
from typing import Final, get_args
from urllib.parse import quote, unquote

from gateway.access.virtual_host import host_of
from gateway.config.snapshot import App
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.portal.http.lines import SignedOut
from gateway.portal.http.request import PREFIX, PortalRequest, WayBack, own_origin, portal_home
from gateway.portal.http.responses import redirect, with_cookies
from gateway.portal.services import PortalServices
from gateway.wire.cookies import presented_seat

_PATH: Final = f"{PREFIX}signed-out"
_LOGIN: Final = re.compile(rf"{PREFIX}login\?to=([^&#]*)")
# The prefix of our cookies keeps it from applications.
_COOKIE: Final = "__Host-ecluse-out"
_LASTS: Final = 600
_VALUES: Final = re.compile(rb"(?:^|;)[ \t]*+%b=([^;]*+)" % _COOKIE.encode())
_HOW: Final[dict[bytes, SignedOut]] = {how.encode(): how for how in get_args(SignedOut)}


def to_signed_out(request: PortalRequest, how: SignedOut, home: str = "") -> Page:
    """Redirects (303) to the page with the result. `home`: the home page of the application that the person leaves."""
    query = f"?back={quote(home, safe='')}" if home else ""
    cookie = f"{_COOKIE}={how}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={_LASTS}"
    return with_cookies(redirect(own_origin(request) + _PATH + query), (cookie,))


class SignedOutPage:
    def __init__(self, services: PortalServices) -> None:
        self._services = services

    async def page(self, request: PortalRequest) -> Page:
        """Answers `GET /_ecluse/signed-out`. Without a recent result, or with a new session, it leads on."""
        how, cookie = _told(request.cookie_line), presented_seat(request.cookie_line)
        seat = None if cookie is None else await self._services.sessions.load(request.host, cookie)
        if how is None or (seat is not None and seat.live):
            # Invariant 11: only to addresses of ours, not to an address in the query.
            return redirect(home_of(request) or own_origin(request) + portal_home(request))
        home = _home_named(request) or home_of(request)
        return self._services.pages.signed_out(request.reader, how, elsewhere=elsewhere(request), home=home)


def _told(cookies: bytes) -> SignedOut | None:
    """Reads the cookie; None if the browser sent no such cookie, or several with different values."""
    values = {value.rstrip(b" \t") for value in _VALUES.findall(cookies)}
    return _HOW.get(values.pop()) if len(values) == 1 else None


def _home_named(request: PortalRequest) -> str:
    """The home page of the application that `back` names. The rest of `back` is ignored (invariant 11)."""
    way_back(request, request.parameter("back"))
    left = request.way_back
    return "" if left is None else left.app.origin(left.host) + left.app.home


def way_back(request: PortalRequest, link: str) -> str:
    """Returns the link of the page if it leads to a page of ours on this host, or into a known application, whose
    name is then shown (invariant 11)."""
    if link.startswith(PREFIX):
        return link
    try:
        host = host_of(link.partition("//")[2].partition("/")[0].encode("ascii", "replace"), request.snapshot)
    except GatewayError:
        return ""
    path = f"/{link.partition('//')[2].partition('/')[2]}"
    # On a divided host, a sign-in belongs to the application to which it leads.
    login = _LOGIN.match(path)
    app = request.snapshot.find_app(host, path if login is None else unquote(login[1]))
    if app is None or not link.startswith(f"{app.origin(host)}/"):
        return ""
    request.way_back = WayBack(app, host, "/")
    return link


def left_application(request: PortalRequest) -> App | None:
    """Returns the application that the person leaves. On a divided host, the address or the previous page names the
    application; else an application of the host."""
    app, there = request.app, request.snapshot.applications(request.host)
    if app is None or not there.below or request.purpose == "logout":
        return app
    page = request.header(b"referer") or ""
    try:
        said = request.parameter("to") or page.removeprefix(own_origin(request))
    except GatewayError:
        # Nobody stays signed in for the sake of a link.
        return app
    return (there.at(said.partition("?")[0]) if said.startswith("/") else None) or app


def home_of(request: PortalRequest) -> str:
    """Of the application that the person leaves; empty on the portal's own host."""
    app = left_application(request)
    return "" if app is None else app.origin(request.host) + app.home


def elsewhere(request: PortalRequest) -> str:
    """Where this host's seat had ended already, only the portal can find the browser's sessions."""
    return "" if request.on_portal_host else f"{request.snapshot.gateway.portal_url}{PREFIX}logout"
