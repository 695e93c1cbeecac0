"""The portal: a closed table of its own paths, the dispatcher of the flow, and the one edge for errors.

What it is asked comes from the data plane, read: there is no second reading of a request here.
"""

import asyncio
from collections.abc import Callable, Mapping

from gateway.config.lanes import InboundRequest
from gateway.model.codes import GATEWAY_FAULT, PATH_RESERVED, WIRE_METHOD
from gateway.model.errors import GatewayError
from gateway.model.ports import Page, Revoker
from gateway.portal.flow.challenge import Challenge
from gateway.portal.flow.enter import Enter
from gateway.portal.flow.establish import SignIns
from gateway.portal.flow.start import Start
from gateway.portal.flow.steps import BeginSignIn, BeginTransaction, Continue, Handler, NextStep, NotifyProvider
from gateway.portal.http.pages import Pages
from gateway.portal.http.request import PREFIX, PortalRequest, require_form
from gateway.portal.http.responses import with_cookies, with_headers
from gateway.portal.logout.applications import SignOuts
from gateway.portal.logout.rp_initiated import Leaving
from gateway.portal.logout.sign_out import Logout
from gateway.portal.openid.backchannel import BackChannel
from gateway.portal.openid.callback import Callback
from gateway.portal.openid.client_keys import client_keys
from gateway.portal.openid.frontchannel import FrontChannel
from gateway.portal.openid.login import Login
from gateway.portal.ports import Federation
from gateway.portal.report import Report, where
from gateway.portal.saml.endpoints import Saml
from gateway.portal.saml.login import has_saml
from gateway.portal.saml.ports import SamlFederation
from gateway.portal.session_page import SessionPages
from gateway.stores.saml_transactions import SamlTransactions
from gateway.stores.sessions import Sessions
from gateway.stores.transactions import Transactions

_CALLBACK = "callback"
_BACKCHANNEL = "oidc/backchannel"
_FRONTCHANNEL = "oidc/frontchannel"

# Path below /_ecluse/ to method to step; HEAD is answered like GET.
Table = Mapping[str, Mapping[str, Handler]]


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

    def ask(self, call: InboundRequest, body: bytes) -> asyncio.Task[Page]:
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

    async def _answer(self, call: InboundRequest, body: bytes) -> Page:
        request = PortalRequest(call, body)
        try:
            page = await self._run(request)
        except GatewayError as error:
            self._report.refused(request, error)
            page = self._refusal(request, error)
        except Exception as fault:  # noqa: BLE001 - the one edge: a fault of ours ends this request alone
            self._report.fault(request, where(fault))
            page = self._refusal(request, GatewayError(GATEWAY_FAULT))
        return with_cookies(page, request.cookies_to_set)

    async def _run(self, request: PortalRequest) -> Page:
        """Steps say what comes next and never call each other."""
        outcome: NextStep = await self._first(request)
        while not isinstance(outcome, Page):
            match outcome:
                case BeginTransaction():
                    outcome = await self._challenge.begin(request, outcome)
                case Continue():
                    outcome = await self._start.go_on(request, outcome)
                case BeginSignIn() if has_saml(request.snapshot, outcome.provider):
                    outcome = await self._saml.ask(request, outcome)
                case BeginSignIn():
                    outcome = await self._login.ask(request, outcome)
                case NotifyProvider():
                    outcome = await self._saml.tell(request, outcome)
        return outcome

    async def _first(self, request: PortalRequest) -> NextStep:
        if request.purpose == "challenge":
            return await self._challenge.arrived(request)
        if request.purpose == "logout":
            return await self._logout.link(request)
        steps = self._find(request)
        if not steps:
            raise GatewayError(PATH_RESERVED, "no such page of ours on this host")
        step = steps.get(request.method)
        if step is None:
            return self._not_allowed(request, steps)
        require_form(request)
        return await step(request)

    def _find(self, request: PortalRequest) -> Mapping[str, Handler]:
        """The paths are compared as received: there is one way to write each."""
        path = request.path.removeprefix(PREFIX)
        found: Mapping[str, Handler] = {}
        if request.app is not None:
            found = self._app_table.get(path, found)
        if request.on_portal_host and not found:
            found = self._of_provider(path) or self._portal_table.get(path, found)
        return found

    def _of_provider(self, path: str) -> Mapping[str, Handler]:
        """What has the name of a provider at its end, and nothing after it."""
        kind, _, name = path.rpartition("/")
        if not name:
            return {}
        if kind == _CALLBACK:
            return {"GET": self._callback.callback, "POST": self._callback.park}
        if kind == _FRONTCHANNEL:
            return {"GET": self._frontchannel.logout}
        return {"POST": self._backchannel.logout} if kind == _BACKCHANNEL else {}

    async def _begin_or_ask(self, request: PortalRequest) -> NextStep:
        """`login` is one path with two meanings: on the portal a provider was chosen, on an app host none yet."""
        if request.on_portal_host and (request.app is None or request.parameter("provider")):
            return await self._login.login(request)
        return await self._challenge.login(request)

    def _not_allowed(self, request: PortalRequest, steps: Mapping[str, Handler]) -> Page:
        error = GatewayError(WIRE_METHOD, f"{request.method} is not for this page")
        self._report.refused(request, error)
        # RFC 9110 15.5.6
        allowed = ", ".join(method for method in ("GET", "HEAD", "POST") if method.replace("HEAD", "GET") in steps)
        return with_headers(self._refusal(request, error), {b"Allow": allowed.encode()})

    def _refusal(self, request: PortalRequest, error: GatewayError) -> Page:
        return self._pages.render(
            error.code,
            kind=request.kind,
            language=request.language,
            reference=request.request_id,
            login_url=request.way_back,
            refusal=error.shown,
        )
