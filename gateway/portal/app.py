"""The portal: a closed table of its own paths, the dispatcher of the flow, and the one edge for errors.

What it is asked comes from the data plane, read: there is no second reading of a request here.
"""

import asyncio
from collections.abc import Callable, Mapping

from gateway.config.lanes import PortalCall
from gateway.model.codes import GATEWAY_FAULT, PATH_RESERVED, WIRE_METHOD
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker
from gateway.portal.answers import with_cookies, with_headers
from gateway.portal.backchannel import BackChannel
from gateway.portal.body import require_form
from gateway.portal.callback import Callback
from gateway.portal.challenge import Challenge
from gateway.portal.client_keys import client_keys
from gateway.portal.enter import Enter
from gateway.portal.flow.establish import SignIns
from gateway.portal.frontchannel import FrontChannel
from gateway.portal.leaving import Leaving
from gateway.portal.login import Login
from gateway.portal.logout import Logout
from gateway.portal.outcomes import Ask, Begin, GoOn, Outcome, Step, TellProvider
from gateway.portal.pages import Pages
from gateway.portal.ports import Federation
from gateway.portal.report import Report, where
from gateway.portal.saml.endpoints import Saml
from gateway.portal.saml.login import has_saml
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.session_page import SessionPages
from gateway.portal.sign_outs import SignOuts
from gateway.portal.start import Start
from gateway.portal.visit import PREFIX, Visit
from gateway.stores.saml_transactions import SamlTransactions
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions

_CALLBACK = "callback"
_BACKCHANNEL = "oidc/backchannel"
_FRONTCHANNEL = "oidc/frontchannel"

# Path below /_ecluse/ to method to step; HEAD is answered like GET.
Table = Mapping[str, Mapping[str, Step]]


class Portal:
    """`now`: Unix seconds; `monotonic`: seconds; `token_urlsafe`: as `secrets.token_urlsafe`.

    To be made inside the running loop that it serves.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        transactions: Transactions,
        saml_transactions: SamlTransactions,
        federation: Federation,
        sign_outs: SignOuts,
        saml_federation: SamlFederation,
        revoker: Revoker,
        pages: Pages,
        report: Report,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        token_urlsafe: Callable[[int], str],
    ) -> None:
        self._pages = pages
        self._report = report
        self._challenge = Challenge(
            sessions=sessions, transactions=transactions, report=report, now=now, token_urlsafe=token_urlsafe
        )
        self._start = Start(sessions=sessions, transactions=transactions, pages=pages, report=report, now=now)
        self._login = Login(
            transactions=transactions, federation=federation, report=report, now=now, token_urlsafe=token_urlsafe
        )
        sign_ins = SignIns(sessions=sessions, pages=pages, report=report, now=now)
        self._callback = Callback(transactions=transactions, federation=federation, sign_ins=sign_ins, now=now)
        enter = Enter(sessions=sessions, transactions=transactions, report=report, token_urlsafe=token_urlsafe)
        leaving = Leaving(
            transactions=transactions,
            federation=federation,
            sign_outs=sign_outs,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        self._logout = Logout(
            sessions=sessions, transactions=transactions, revoker=revoker, leaving=leaving, pages=pages, report=report
        )
        self._frontchannel = FrontChannel(sessions=sessions, revoker=revoker, report=report)
        self._backchannel = BackChannel(
            sessions=sessions, federation=federation, revoker=revoker, report=report, now=now
        )
        self._saml = Saml(
            sessions=sessions,
            transactions=transactions,
            saml_transactions=saml_transactions,
            federation=saml_federation,
            sign_ins=sign_ins,
            revoker=revoker,
            pages=pages,
            report=report,
            now=now,
            token_urlsafe=token_urlsafe,
        )
        own = SessionPages(sessions=sessions, pages=pages, monotonic=monotonic)
        self._app_table, self._portal_table = self._tables(enter, own)
        self._asked: set[asyncio.Task[Page]] = set()

    def _tables(self, enter: Enter, own: SessionPages) -> tuple[Table, Table]:
        """Of an application's host, and of the portal's."""
        logout = self._logout
        both: Table = {"login": {"GET": self._begin_or_ask}, "logout": {"GET": logout.form, "POST": logout.sign_out}}
        app_table = {**both, "enter": {"GET": enter.enter}, "session": {"GET": own.session}}
        portal_table: Table = {
            **both,
            "start": {"GET": self._start.start},
            "sessions": {"GET": own.sessions},
            "oidc/jwks": {"GET": client_keys},
            "logged-out": {"GET": logout.back},
            **self._saml.table,
        }
        return app_table, portal_table

    def ask(self, call: PortalCall, body: bytes) -> asyncio.Task[Page]:
        """The page for one request. Whoever asked may go: what was begun goes on to its end."""
        task = asyncio.get_running_loop().create_task(self._answer(call, body))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return task

    async def close(self, within: float) -> None:
        """What is being answered has at most `within` seconds."""
        if self._asked:
            await asyncio.wait(self._asked, timeout=within)
        for task in self._asked:
            task.cancel()
        self._saml.close()

    async def _answer(self, call: PortalCall, body: bytes) -> Page:
        visit = Visit(call, body)
        try:
            page = await self._run(visit)
        except GatewayError as error:
            self._report.refused(visit, error)
            page = self._refusal(visit, error)
        except Exception as fault:  # noqa: BLE001 - the one edge: a fault of ours ends this request alone
            self._report.fault(visit, where(fault))
            page = self._refusal(visit, GatewayError(GATEWAY_FAULT))
        return with_cookies(page, visit.cookies_to_set)

    async def _run(self, visit: Visit) -> Page:
        """Steps say what comes next and never call each other."""
        outcome: Outcome = await self._first(visit)
        while not isinstance(outcome, Page):
            match outcome:
                case Begin():
                    outcome = await self._challenge.begin(visit, outcome)
                case GoOn():
                    outcome = await self._start.go_on(visit, outcome)
                case Ask() if has_saml(visit.call.snapshot, outcome.provider):
                    outcome = await self._saml.ask(visit, outcome)
                case Ask():
                    outcome = await self._login.ask(visit, outcome)
                case TellProvider():
                    outcome = await self._saml.tell(visit, outcome)
        return outcome

    async def _first(self, visit: Visit) -> Outcome:
        if visit.call.purpose == "challenge":
            return await self._challenge.arrived(visit)
        if visit.call.purpose == "logout":
            return await self._logout.link(visit)
        steps = self._find(visit)
        if not steps:
            raise GatewayError(PATH_RESERVED, "no such page of ours on this host")
        step = steps.get(visit.method)
        if step is None:
            return self._not_allowed(visit, steps)
        require_form(visit)
        return await step(visit)

    def _find(self, visit: Visit) -> Mapping[str, Step]:
        """The paths are compared as received: there is one way to write each."""
        path = visit.path.removeprefix(PREFIX)
        found: Mapping[str, Step] = {}
        if visit.call.app is not None:
            found = self._app_table.get(path, found)
        if visit.on_portal_host and not found:
            found = self._of_provider(path) or self._portal_table.get(path, found)
        return found

    def _of_provider(self, path: str) -> Mapping[str, Step]:
        """What has the name of a provider at its end, and nothing after it."""
        kind, _, name = path.rpartition("/")
        if not name:
            return {}
        if kind == _CALLBACK:
            return {"GET": self._callback.callback, "POST": self._callback.park}
        if kind == _FRONTCHANNEL:
            return {"GET": self._frontchannel.logout}
        return {"POST": self._backchannel.logout} if kind == _BACKCHANNEL else {}

    async def _begin_or_ask(self, visit: Visit) -> Outcome:
        """`login` is one path with two meanings: on the portal a provider was chosen, on an app host none yet."""
        if visit.on_portal_host and (visit.call.app is None or visit.parameter("provider")):
            return await self._login.login(visit)
        return await self._challenge.login(visit)

    def _not_allowed(self, visit: Visit, steps: Mapping[str, Step]) -> Page:
        error = GatewayError(WIRE_METHOD, f"{visit.method} is not for this page")
        self._report.refused(visit, error)
        # RFC 9110 15.5.6
        allowed = ", ".join(method for method in ("GET", "HEAD", "POST") if method.replace("HEAD", "GET") in steps)
        return with_headers(self._refusal(visit, error), {b"Allow": allowed.encode()})

    def _refusal(self, visit: Visit, error: GatewayError) -> Page:
        return self._pages.render(
            error.code,
            kind=visit.kind,
            language=visit.language,
            reference=visit.call.request_id,
            login_url=visit.way_back,
            refusal=error.shown,
        )
