"""What every sign-in ends with, whatever the provider speaks."""

from gateway.config.snapshot import App
from gateway.model.codes import LOGIN_TRANSACTION_GONE
from gateway.model.errors import GatewayError
from gateway.model.ports import Page
from gateway.model.session import SeatLimits
from gateway.portal import cookies
from gateway.portal.pages import Pages
from gateway.portal.report import Report
from gateway.portal.visit import PREFIX, Visit
from gateway.stores.sessions import NewSession, Sessions


class ComeAgain:
    """Back, reload, sent twice, or somebody else's: nothing is asked of any provider."""

    def __init__(self, *, sessions: Sessions, pages: Pages, report: Report) -> None:
        self._sessions = sessions
        self._pages = pages
        self._report = report

    async def page(self, visit: Visit, detail: str) -> Page:
        """Raises GatewayError(LOGIN_TRANSACTION_GONE) where nobody is signed in."""
        error = GatewayError(LOGIN_TRANSACTION_GONE, detail)
        cookie = visit.seat_cookie()
        if cookie is None or await self._sessions.load(visit.call.host, cookie) is None:
            raise error
        self._report.refused(visit, error)
        return self._pages.signed_in(visit.language, home(visit), again=True)


def give_seat(visit: Visit, made: NewSession, report: Report) -> None:
    """The store has the session: its cookie goes to the browser."""
    visit.cookies_to_set.append(cookies.set_seat(made.cookie))
    report.signed_in(visit, made.session.identity)


def limits_of(app: App | None) -> SeatLimits:
    """Where one host serves portal and app, the portal's seat is the app's."""
    return SeatLimits() if app is None else app.seat_limits


def home(visit: Visit) -> str:
    return "/" if visit.call.app is not None else f"{PREFIX}sessions"
