"""The portal: a closed table of its own paths, the dispatcher of the flow, and the one edge for errors.

The data plane has already read each request; the portal parses no request a second time.
"""

import asyncio

from gateway.access.inbound import InboundRequest
from gateway.model.codes import gateway_codes, route_codes, session_codes, wire_codes
from gateway.model.errors import GatewayError
from gateway.model.kept_post import SendOn
from gateway.model.ports import Page
from gateway.model.transaction import OTHER_ACCOUNT, OTHER_ORGANISATION
from gateway.portal.account_pages import AccountPages
from gateway.portal.account_requests import AccountRequestPages
from gateway.portal.design import DESIGN, DesignFiles
from gateway.portal.flow.acting import ActingFor, choose_anew
from gateway.portal.flow.app_host import AppHost
from gateway.portal.flow.away import AwayProviders
from gateway.portal.flow.chooser import Chooser
from gateway.portal.flow.establish import SignIns
from gateway.portal.flow.kept_posts import KeptPostPages
from gateway.portal.flow.source import IdentitySources
from gateway.portal.flow.start import Start
from gateway.portal.flow.steps import (
    Authentication,
    BeginSignIn,
    BeginTransaction,
    Continue,
    Handlers,
    NextStep,
    NotifyProvider,
    SignInSeenAgain,
)
from gateway.portal.home_page import HomePage
from gateway.portal.http.error_page import is_for_another, may_choose, way_of
from gateway.portal.http.form_answers import leads_elsewhere, leads_to_application
from gateway.portal.http.request import KEPT, PREFIX, PortalRequest, is_scim, require_form
from gateway.portal.http.responses import NO_ICON, framed, with_cookies, with_headers
from gateway.portal.jwks import application_keys
from gateway.portal.language_page import LanguagePage
from gateway.portal.logout.sign_out import BrowserSignOut
from gateway.portal.logout.signed_out import SignedOutPage
from gateway.portal.openid.source import OpenidSource
from gateway.portal.report import where
from gateway.portal.saml.source import SamlSource
from gateway.portal.scim.endpoint import ScimEndpoint
from gateway.portal.services import PortalServices
from gateway.portal.session_page import SessionPages
from gateway.portal.waiting import WaitingPages

_NONE: Handlers = {}
# Seconds that a browser keeps the old page, before a page says which provider has not answered.
_PATIENCE = 2.0


class Portal:
    """Made inside the running loop."""

    def __init__(self, services: PortalServices) -> None:
        self._services = services
        self._sources = IdentitySources(OpenidSource(services), SamlSource(services))
        self._app_host = AppHost(services)
        chooser = Chooser(services)
        self._start = Start(services, chooser)
        self._away = AwayProviders(services, chooser)
        self._sign_ins = SignIns(services)
        self._sign_out = BrowserSignOut(services, self._sources)
        self._waiting = WaitingPages(services, self._start.lead_home)
        own, language = SessionPages(services), LanguagePage(services)
        # Paths below /_ecluse/, of an application's host and of the portal's; with a leading `/`, as access.own_paths.
        both: dict[str, Handlers] = {
            "login": {"GET": self._begin_or_choose},
            "logout": {"GET": self._sign_out.form, "POST": self._sign_out.sign_out},
            "signed-out": {"GET": SignedOutPage(services).page},
            "app/jwks": {"GET": application_keys},
            "language": {"GET": language.by_link, "POST": language.by_form},
        }
        self._kept_posts = kept = KeptPostPages(services)
        self._of_apps = {
            **both,
            "enter": {"GET": self._app_host.enter},
            "session": {"GET": own.session},
            "kept": {"GET": kept.show},
            # For a front that was set up for oauth2-proxy. The gateway has no further pages below `/oauth2/`.
            "/oauth2/sign_out": {"GET": self._sign_out.form},
        }
        accounts, requests = AccountPages(services), AccountRequestPages(services)
        # Of an application's host that is not the portal's, too.
        self._leads: dict[str, Handlers] = {"account": {"GET": accounts.lead}}
        home, acting_for = HomePage(services, chooser), ActingFor(services)
        acting: Handlers = {"GET": acting_for.page, "POST": acting_for.chosen}
        self._of_portal = {
            **both,
            "/": {"GET": home.home},
            "/favicon.ico": {"GET": _no_icon},
            "start": {"GET": self._start.start},
            "organisation": {"GET": chooser.search},
            "organisation/forget": {"POST": chooser.forget},
            "acting": acting,
            "acting/change": {"POST": acting_for.change},
            "sessions": {"GET": own.sessions},
            "home": {"GET": home.home},
            "sessions/end": {"POST": home.end},
            "account": {"GET": accounts.form, "POST": accounts.link},
            "account/remove": {"POST": accounts.remove},
            "account/request": {"GET": requests.page, "POST": requests.ask},
            "wait": {"GET": self._waiting.look},
        }
        self._scim = ScimEndpoint(services)
        self._design = DesignFiles()
        self._asked: set[asyncio.Task[Page | SendOn]] = set()

    def ask(self, inbound: InboundRequest, body: bytes) -> asyncio.Task[Page | SendOn]:
        """Returns the page of one request. If the caller leaves, the request is still served to its end."""
        task = asyncio.get_running_loop().create_task(self._page_in_time(inbound, body))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return task

    async def close(self, within: float) -> None:
        """Requests that are being served have at most `within` seconds."""
        # If a browser waits for the page, a further task keeps the page.
        under_way = {*self._asked, *self._waiting.under_way}
        if under_way:
            await asyncio.wait(under_way, timeout=within)
        for task in under_way:
            task.cancel()
        self._sources.close()
        await self._kept_posts.close()

    async def _page_in_time(self, inbound: InboundRequest, body: bytes) -> Page | SendOn:
        """Returns the page, or a page that waits for it if a peer has not answered in time."""
        request = PortalRequest(inbound, body)
        if not request.asks_others:
            return await self._page_or_refusal(request)
        task = asyncio.create_task(self._page_or_refusal(request))
        try:
            await asyncio.wait((task,), timeout=_PATIENCE)
        except asyncio.CancelledError:
            task.cancel()
            raise
        return task.result() if task.done() else self._waiting.begin(request, task)

    async def _page_or_refusal(self, request: PortalRequest) -> Page | SendOn:
        """Never raises. The cookies that steps have set go with a refusal, too."""
        try:
            page = await self._page(request)
            if isinstance(page, SendOn):
                return page
            if request.method == "POST" and not request.from_provider:
                page = self._after_form(request, page)
        except GatewayError as error:
            self._services.report.refused(request, error)
            page = self._refusal(request, error)
        except Exception as fault:  # noqa: BLE001 - a fault of ours ends only the request
            self._services.report.fault(request, where(fault))
            page = self._refusal(request, GatewayError(gateway_codes.FAULT))
        return with_cookies(framed(page, request.framed_by) if request.framed_by else page, request.cookies_to_set)

    async def _page(self, request: PortalRequest) -> Page | SendOn:
        """Raises the errors of the steps."""
        try:
            return await self._run_steps(request)
        finally:
            # A sign-in that was refused or continues elsewhere: its parts must not work a second time.
            if request.uses_up:
                await self._services.transactions.use_up(request.uses_up)

    def _after_form(self, request: PortalRequest, page: Page) -> Page:
        """The one place that keeps an answer to a form of ours from redirecting to another origin."""
        url = leads_elsewhere(request, page)
        if not url:
            return page
        return self._services.pages.onward(request.reader, url, to_application=leads_to_application(request, url))

    async def _run_steps(self, request: PortalRequest) -> Page | SendOn:
        """Runs step after step. A step returns the next step and never calls one."""
        step: NextStep = await self._first_step(request)
        while not isinstance(step, Page | SendOn):
            match step:
                case BeginTransaction():
                    step = await self._app_host.begin(request, step)
                case Continue():
                    step = await self._start.go_on(request, step)
                case BeginSignIn():
                    if step.pending is None and OTHER_ACCOUNT in step.hints:
                        choose_anew(request)
                    away = None
                    if self._services.standings.may_know:
                        away = await self._away.instead(request, step)
                    step = away or await self._sources.of(request.snapshot, step.provider).begin(request, step)
                case Authentication():
                    # A choice of the organisation is no sign that the provider answers: the provider answered before.
                    if step.tenant is None:
                        age = 0.0 if step.asked_at is None else max(0.0, self._services.now() - step.asked_at)
                        self._services.standings.came_back(step.provider.name, age)
                    step = await self._sign_ins.complete(request, step)
                case SignInSeenAgain():
                    step = await self._sign_ins.seen_again(request, step)
                case NotifyProvider():
                    page = await self._sources.of_session(step.session).log_out(request, step)
                    step = step.otherwise if page is None else page
        return step

    async def _first_step(self, request: PortalRequest) -> NextStep:
        if request.purpose == "challenge":
            if request.inbound.kept is not None:
                return await self._kept_posts.keep(request)
            return await self._app_host.arrived(request)
        if request.purpose == "logout":
            return await self._sign_out.link(request)
        handlers = self._handlers(request)
        if not handlers:
            raise GatewayError(route_codes.RESERVED, "no such page of ours on this host")
        handler = handlers.get(request.method)
        if handler is None:
            return self._not_allowed(request, handlers)
        if request.body and not request.path.startswith(f"{KEPT}/") and not is_scim(request):
            require_form(request)
        return await handler(request)

    def _handlers(self, request: PortalRequest) -> Handlers:
        """Returns the handlers of a path, by method; empty: unknown path. Paths are compared as received: each has
        one spelling."""
        path = request.path.removeprefix(PREFIX)
        found = _NONE
        if path.startswith(DESIGN):
            return {"GET": self._design.file}
        if request.app is not None:
            found = self._of_apps.get(path, found)
            if path.startswith("kept/"):
                found = {"GET": self._kept_posts.lead_back, "POST": self._kept_posts.send}
        if request.on_portal_host and not found:
            found = self._of_portal.get(path, found)
            if not found and (of_protocol := self._sources.handlers(path)) is not None:
                request.from_provider, found = True, of_protocol
            found = found or self._scim.handlers(request) or _NONE
        return found or (_NONE if request.app is None else self._leads.get(path, _NONE))

    async def _begin_or_choose(self, request: PortalRequest) -> NextStep:
        """`login` has two meanings: on the portal the person chose a provider, on an application's host not yet."""
        if request.on_portal_host and (request.app is None or request.parameter("provider")):
            return await self._start.chosen(request)
        return await self._app_host.login(request)

    def _not_allowed(self, request: PortalRequest, handlers: Handlers) -> Page:
        error = GatewayError(wire_codes.METHOD, f"{request.method} is not for this page")
        self._services.report.refused(request, error)
        # RFC 9110 15.5.6
        allowed = ", ".join(method for method in ("GET", "HEAD", "POST") if method.replace("HEAD", "GET") in handlers)
        return with_headers(self._refusal(request, error), {b"Allow": allowed.encode()})

    def _refusal(self, request: PortalRequest, error: GatewayError) -> Page:
        login_url = request.other_account_link if is_for_another(error.code) else request.login_link
        leads_home = way_of(error.code) == "start" or error.code in (
            session_codes.LIMIT,
            route_codes.RESERVED,
            wire_codes.METHOD,
        )
        # The home page itself shows this error if there are too many providers for a choice.
        leads_home |= error.code is session_codes.NONE and request.path not in ("/", f"{PREFIX}home")
        if not login_url and request.on_portal_host and request.kind == "html":
            # No application is known that the sign-in was for.
            if is_for_another(error.code) and error.code.id.startswith("login."):
                login_url = f"{PREFIX}home?{OTHER_ACCOUNT}={OTHER_ORGANISATION}"
            elif leads_home:
                login_url = f"{PREFIX}home"
        return self._services.pages.render(
            error.code,
            kind=request.kind,
            reader=request.reader,
            reference=request.request_id,
            login_url=login_url,
            refusal=error.shown,
            has_others=may_choose(request, error.code),
        )


async def _no_icon(_: PortalRequest) -> Page:
    return NO_ICON
