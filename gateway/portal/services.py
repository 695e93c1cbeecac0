"""The services of the portal, given by the composition root."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.accounts.asking import AccountAsking
from gateway.accounts.book import AccountBook
from gateway.accounts.linking import AccountLinking
from gateway.directories.lookups import Directories
from gateway.federation.federation import Federation
from gateway.federation.saml import SamlFederation
from gateway.federation.standings import Standings
from gateway.model.ports import Revoker
from gateway.organisations.search import OrganisationSearch
from gateway.portal.flow.active_people import ActivePeople
from gateway.portal.http.pages import Pages
from gateway.portal.logout.applications import SignOuts
from gateway.portal.report import Report
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.people.told_people import ToldPeople
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.stores.sessions.session_limit import SessionLimit
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import Transactions


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalServices:
    """`now`: Unix seconds; `monotonic`: seconds, the clock of Seat.deadline; `token_urlsafe`: as in `secrets`."""

    sessions: Sessions
    session_limit: SessionLimit
    transactions: Transactions
    posts: KeptPosts | None
    jars: CookieJars
    federation: Federation
    saml_federation: SamlFederation
    standings: Standings
    sign_outs: SignOuts
    accounts: AccountBook
    directories: Directories
    organisations: OrganisationSearch
    linking: AccountLinking
    asking: AccountAsking
    revoker: Revoker
    told: ToldPeople
    active_people: ActivePeople
    pages: Pages
    report: Report
    now: Callable[[], float]
    monotonic: Callable[[], float]
    token_urlsafe: Callable[[int], str]
