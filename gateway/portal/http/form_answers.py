"""Where the answer to a form of ours may lead the browser.

Our pages allow `form-action` for their own origin alone. Chromium and Safari check `form-action` against every redirect
after the form (Content Security Policy 3, 6.4.1). A redirect to another origin, at once or later, is blocked, and the
page does nothing. A page that goes on by itself is not checked.
"""

from typing import Final

from gateway.model.ports import Page
from gateway.portal.http.request import PREFIX, PortalRequest, own_origin
from gateway.portal.http.responses import location_of

# Pages of ours whose GET is answered with a page or a refusal, and with no redirect to another origin.
_ON_EVERY_HOST: Final = frozenset({f"{PREFIX}logout", f"{PREFIX}signed-out"})
_ON_PORTAL: Final = _ON_EVERY_HOST | {
    f"{PREFIX}{name}" for name in ("account", "account/request", "acting", "organisation", "sessions")
}
_SEE_OTHER: Final = 303


def leads_elsewhere(request: PortalRequest, page: Page) -> str:
    """The address to which `page`, the answer to a form, redirects the browser, if the redirect may leave the origin;
    else empty.
    """
    if page.status != _SEE_OTHER:
        return ""
    location = location_of(page)
    return "" if _stays(request, location) else location


def _stays(request: PortalRequest, location: str) -> bool:
    ours = own_origin(request)
    if not location.startswith(f"{ours}/"):
        return False
    path, asked, _ = location.removeprefix(ours).partition("?")
    if not request.on_portal_host:
        return path in _ON_EVERY_HOST
    # With a parameter the home page may begin a sign-in.
    is_home = path == f"{PREFIX}home" or (path == "/" and request.app is None)
    return path in _ON_PORTAL or (is_home and not asked)


def leads_to_application(request: PortalRequest, location: str) -> bool:
    """Whether `location` is an address of the application that the page is about."""
    back = request.way_back
    if back is not None:
        return location.startswith(f"{back.app.origin(back.host)}/")
    return request.app is not None and location.startswith(f"{request.app.origin(request.host)}/")
