"""The composition root of a worker: makes the services and joins them, by hand."""

import asyncio
import resource
import secrets
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvloop

from gateway.access.preparation import Preparation
from gateway.accounts.asking import AccountAsking
from gateway.accounts.book import AccountBook
from gateway.accounts.credentials import LinkedAccounts
from gateway.accounts.file import links_path
from gateway.accounts.linking import AccountLinking
from gateway.accounts.request_file import requests_path
from gateway.config.snapshot import App, Gateway, Snapshot
from gateway.directories.lookups import Directories
from gateway.directories.orders import LookUpOrders
from gateway.federation.applications import Applications
from gateway.federation.federation import Federation
from gateway.federation.form_exchange import FormExchange
from gateway.federation.form_logins import FormLogins, TrustedAccounts
from gateway.federation.provider_standing import ProviderVerdict, SignInNews
from gateway.federation.saml import SamlFederation
from gateway.federation.standings import Standings
from gateway.model.credential import CredentialSource
from gateway.model.session import Seat
from gateway.ops.counters import STORE_GRACE, STORE_UNREACHABLE, Counters
from gateway.ops.log import Log
from gateway.organisations.search import OrganisationSearch
from gateway.portal.app import Portal
from gateway.portal.flow.active_people import ActivePeople
from gateway.portal.flow.establish import next_due_at
from gateway.portal.flow.kept_posts import keeps_posts
from gateway.portal.flow.look_again import LookAgain
from gateway.portal.http.pages import Pages
from gateway.portal.logout.applications import SignOuts, TellingRevoker
from gateway.portal.openid.programs import Programs
from gateway.portal.openid.renewal import Renewal
from gateway.portal.organisation_names import name_organisations
from gateway.portal.report import Report
from gateway.portal.services import PortalServices
from gateway.proxy.dataplane import DataPlane
from gateway.server import garbage
from gateway.server.acceptors import Acceptors
from gateway.server.faults import into_log
from gateway.server.loop_stalls import LoopStalls
from gateway.server.own_addresses import OwnAddresses
from gateway.server.state import directories_folder, metadata_folder, organisations_folder
from gateway.server.worker import Candidate, WorkerControl
from gateway.stores.applications.application_sessions import ApplicationSessions
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.applications.login_tries import LoginTries
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.housekeeping import Housekeeping
from gateway.stores.opening import store_of
from gateway.stores.people.last_findings import LastFindings
from gateway.stores.people.told_people import ToldPeople
from gateway.stores.posts.kept_posts import KeptPosts
from gateway.stores.provider_words import ProviderWords
from gateway.stores.revocation.unwritten_ends import UnwrittenEnds
from gateway.stores.sealing import StoreKeys
from gateway.stores.sessions.oversight import SessionOversight
from gateway.stores.sessions.session_limit import SessionLimit
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import Transactions

_CLOSED_WITHIN = 2.0
# Seconds. The loop releases the interpreter lock at each read of the store. While a thread validates SAML, the loop
# would regain the lock only after Python's usual 5 ms.
_SWITCH_INTERVAL = 0.0005


def work(control: int, listening: Sequence[int]) -> int:
    """Until the supervisor says drain, or is gone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sockets = [socket.socket(fileno=descriptor) for descriptor in listening]
    garbage.begin()
    # Collects the imported modules in 20 to 35 ms, before the event loop exists.
    garbage.settle()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    log = Log(sys.stdout.fileno())
    try:
        uvloop.run(_Worker(sockets, log).run(socket.socket(fileno=control)))
    finally:
        log.close()
    return 0


class _Worker:
    """server.worker.Serving. Holds the one mutable reference: the snapshot."""

    snapshot: Snapshot
    _forms: FormLogins
    _tries: LoginTries
    _linking: AccountLinking
    _asking: AccountAsking
    _pages: Pages

    def __init__(self, sockets: Sequence[socket.socket], log: Log) -> None:
        self._sockets = sockets
        self._log = log
        self._counters = Counters()
        self._control = WorkerControl(self, log)
        self._loop_stalls = LoopStalls()
        self._started = False
        # Sessions whose end is not written, learned before the store is open. `UnwrittenEnds` takes them over.
        self._learned: dict[str, None] = {}
        self._unwritten: UnwrittenEnds | None = None

    async def run(self, control: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(into_log(self._log))
        # A service manager may tell every process of the service, not the supervisor alone.
        loop.add_signal_handler(signal.SIGTERM, self._control.leave)
        await self._control.run(control)

    async def prepare(self, candidate: Candidate) -> None:
        if self._started:
            # In a thread: a new theme compiles the templates of the pages for some 200 ms.
            await asyncio.to_thread(deque, self._pages.prepare(candidate.snapshot.gateway.theme), maxlen=0)

    async def take(self, candidate: Candidate) -> None:
        self.snapshot = candidate.snapshot
        if not self._started:
            await self._start(candidate)
            return
        self._allow_grace()
        if retired := self._store_keys.replace(candidate.snapshot.gateway.store_keys):
            self._killed(self._sessions.retire(retired))
        self._acceptors.use(candidate.tls)
        self._plane.snapshot_swapped()

    async def _start(self, candidate: Candidate) -> None:
        self._store, self._now, self._store_servers = store_of(candidate.snapshot.gateway, self._log, self._counters)
        await self._store.open()
        self._unwritten = UnwrittenEnds(self._store, log=self._log, written=self._control.written)
        self._unwritten.learn(self._learned)
        pages = Pages(lambda: self.snapshot.gateway.theme)
        for _ in pages.prepare(candidate.snapshot.gateway.theme):
            await asyncio.sleep(0)
        self._pages = pages
        self._join_services(candidate.snapshot.gateway, pages)
        self._allow_grace()
        await self._housekeeping.start()
        # The worker now hears of revocations, so it may serve sessions.
        self._started = True
        listeners = candidate.snapshot.gateway.listeners
        self._acceptors = Acceptors(
            self._sockets,
            candidate.tls,
            lambda number: self._plane.protocol_factory(
                tls=bool(listeners[number].certificates), redirects=listeners[number].redirects
            ),
            self._plane.admission,
            candidate.snapshot.gateway.timeouts.request_head,
            [listener.proxies for listener in listeners],
        )
        # Collects the objects of the start in some 15 ms, before the first client connects.
        garbage.settle_at_start()
        self._acceptors.open()

    def _allow_grace(self) -> None:
        of_hosts, grace = dict[str, float](), self.snapshot.gateway.store_grace
        for app in self.snapshot.apps.values():
            # Applications may share a host: the shortest grace counts for the seats of the host.
            own = grace if app.grace is None else app.grace
            of_hosts.update({host: min(own, of_hosts.get(host, own)) for host in app.hosts})
        self._sessions.trust.allow(grace, of_hosts)

    def _make_transactions(self, gateway: Gateway) -> Transactions:
        limits = gateway.limits
        return Transactions(
            self._store,
            self._store_keys,
            per_network=limits.transactions_per_network,
            in_all=limits.transactions,
            log=self._log,
            now=self._now,
            unwritten=self._unwritten,
        )

    def _join_services(self, gateway: Gateway, pages: Pages) -> None:
        store, log, counters, limits, now = self._store, self._log, self._counters, gateway.limits, self._now
        self._store_keys = StoreKeys(gateway.store_keys)
        is_ours = OwnAddresses(self._sockets, gateway.admin, gateway.store_server, self._store_servers)
        self._sessions = Sessions(
            store, self._store_keys, cached_seats=limits.cached_seats, log=log, now=now, unwritten=self._unwritten
        )
        self._posts = KeptPosts(store, self._store_keys, settings=lambda: self.snapshot.gateway.posts, log=log, now=now)
        self._posts.start()
        jars = CookieJars(store, self._sessions, self._store_keys, log=log, now=now)
        log_name = self._store_keys.log_name
        self._person = lambda identity: log_name(identity.issuer, identity.subject)
        self._make_federation(gateway)
        self._applications = Applications(is_ours)
        self._sign_outs = self._make_sign_outs(gateway)
        self._revoker = TellingRevoker(self._control, self._sign_outs.due)
        self._make_accounts(gateway)
        self._make_tables(gateway)
        self._make_told()
        services = PortalServices(
            sessions=self._sessions,
            session_limit=SessionLimit(store, self._sessions, self._store_keys, now=now),
            transactions=self._make_transactions(gateway),
            posts=self._posts,
            jars=jars,
            federation=self._federation,
            saml_federation=self._saml_federation,
            standings=self._standings,
            sign_outs=self._sign_outs,
            accounts=self._accounts,
            directories=self._directories,
            organisations=self._organisations,
            linking=self._linking,
            asking=self._asking,
            revoker=self._revoker,
            told=self._told,
            active_people=self._active_people,
            pages=pages,
            report=Report(counters=counters, log=log, log_name=log_name),
            now=time.time,
            monotonic=time.monotonic,
            token_urlsafe=secrets.token_urlsafe,
        )
        self._portal = Portal(services)
        self._make_plane(gateway, pages, jars, is_ours)
        self._renewal = self._renewal_of(services)
        self._oversight = SessionOversight(
            store, self._sessions, self._revoker, services.transactions, issuer_of=self._issuer_of, log=log, now=now
        )
        self._housekeeping = Housekeeping(
            store, self._sessions, self._killed, log=log, now=now, monotonic=time.monotonic,
            buries=lambda: keeps_posts(self.snapshot),
        )  # fmt: skip

    def _make_plane(self, gateway: Gateway, pages: Pages, jars: CookieJars, is_ours: OwnAddresses) -> None:
        preparation = self._preparation(gateway)
        self._plane = DataPlane(
            loop=asyncio.get_running_loop(),
            holder=self,
            sessions=self._sessions,
            portal=self._portal.ask,
            callers=self._programs(),
            pages=pages,
            counters=self._counters,
            log=self._log,
            descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            person=self._person,
            is_ours=is_ours,
            seen=self._sign_outs.seen,
            prepare=preparation,
            preparation=preparation,
            posts=self._posts,
            jars=jars,
            keeps_sessions=lambda: not (self._housekeeping.store_fails or self._sessions.trust.is_away),
        )

    def _renewal_of(self, services: PortalServices) -> Renewal:
        orders = self._orders
        look_again = LookAgain(services, snapshot=lambda: self.snapshot, changed=self._plane.changed, orders=orders)
        renewal = Renewal(services, snapshot=lambda: self.snapshot, look_again=look_again)
        self._sessions.when_due(renewal.due, lambda session: next_due_at(self.snapshot, session, orders))
        self._sessions.use_known_of_people(look_again)
        return renewal

    def _programs(self) -> Programs:
        return Programs(
            federation=self._federation,
            directories=self._directories,
            active_people=self._active_people,
            snapshot=lambda: self.snapshot,
            now=time.time,
            monotonic=time.monotonic,
        )

    def _make_federation(self, gateway: Gateway) -> None:
        self._federation = Federation(log=self._log)
        self._saml_federation = SamlFederation(metadata_folder(gateway), self._control, time.time)
        # Only a store server is shared with other gateways. A file belongs to the workers of one supervisor.
        shares = gateway.store_server is not None
        words = ProviderWords(self._store, self._store_keys, now=self._now) if shares else None
        self._standings = Standings(time.monotonic, words)

    def _make_tables(self, gateway: Gateway) -> None:
        """Services that query tables of the supervisor: directories and the organisation search."""
        self._orders = LookUpOrders(Path(gateway.state_folder))
        self._orders.read()
        kept = LastFindings(self._store, self._store_keys, log=self._log, now=self._now)
        self._directories = Directories(directories_folder(gateway), log=self._log, now=time.time, kept=kept)
        self._organisations = OrganisationSearch(organisations_folder(gateway), log=self._log)

    def _make_told(self) -> None:
        """Services for reports of SCIM directories."""
        self._told = ToldPeople(self._store, lambda: self.snapshot.gateway.scim.keys, log=self._log, now=self._now)
        self._active_people = ActivePeople(self._told, self._sessions, self._revoker, snapshot=lambda: self.snapshot)

    def _make_accounts(self, gateway: Gateway) -> None:
        folder, keys = gateway.state_folder, lambda: self.snapshot.gateway.link_keys
        self._accounts = AccountBook(links_path(folder), keys=keys, changed=self._changed, log=self._log)
        self._asking = AccountAsking(requests_path(folder), keys=keys)
        self._asking.start()
        self._forms = self._form_logins(gateway)
        self._linking = AccountLinking(self._accounts, self._forms.proven, self._tries)

    def _make_sign_outs(self, gateway: Gateway) -> SignOuts:
        return SignOuts(
            notes=SignOutNotes(self._store, self._store_keys, log=self._log, now=self._now),
            applications=self._applications,
            counters=self._counters,
            log=self._log,
            snapshot=lambda: self.snapshot,
        )

    def _preparation(self, gateway: Gateway) -> Preparation:
        # One thread is enough: making a token takes a millisecond at most, without waiting.
        self._signing = thread = ThreadPoolExecutor(1, thread_name_prefix="tokens")
        loop = asyncio.get_running_loop()
        return Preparation(
            keys=lambda: self.snapshot.gateway.token_keys,
            in_thread=lambda work: loop.run_in_executor(thread, work),
            chance=secrets.token_bytes,
            wall=time.time,
            monotonic=time.monotonic,
            forms=self._forms,
            accounts=self._accounts,
        )

    def _form_logins(self, gateway: Gateway) -> FormLogins:
        self._tries = LoginTries(self._store, self._store_keys, now=self._now)
        self._reading = thread = ThreadPoolExecutor(1, thread_name_prefix="forms")
        loop = asyncio.get_running_loop()
        return FormLogins(
            source=self._credentials,
            exchange=FormExchange(self._applications.connected),
            kept=ApplicationSessions(self._store, self._store_keys, self._sessions, log=self._log, now=self._now),
            tries=self._tries,
            in_thread=lambda work: loop.run_in_executor(thread, work),
            counters=self._counters,
            wall=time.time,
        )

    def _credentials(self, app: App) -> CredentialSource:
        assert app.form_login is not None
        trusted = app.form_login.trusted
        return LinkedAccounts(app, self._accounts) if trusted is None else TrustedAccounts(app, trusted)

    def revoke(self, session_ids: tuple[str, ...], unwritten: tuple[str, ...]) -> None:
        if self._unwritten is None:
            self._learned.update(dict.fromkeys(unwritten))
        else:
            self._unwritten.learn(unwritten)
        if self._started:
            self._killed(self._sessions.revoke(session_ids))

    def unwritten(self, session_ids: tuple[str, ...]) -> tuple[str, ...]:
        return () if self._unwritten is None else self._unwritten.among(session_ids)

    def written(self, session_ids: tuple[str, ...]) -> None:
        for id in session_ids:
            self._learned.pop(id, None)
        if self._unwritten is not None:
            self._unwritten.forget(session_ids)

    def look_up(self, session_ids: tuple[str, ...] | None) -> None:
        if self._started:
            self._orders.read()
            self._sessions.due_now(session_ids)

    async def oversee(self, question: dict[str, Any]) -> dict[str, Any]:
        answer = await self._oversight.answer(question)
        if self.snapshot.organisations:
            await name_organisations(self._organisations, answer.get("sessions", ()))
        return answer

    def _issuer_of(self, provider: str) -> str:
        found = self.snapshot.providers.get(provider)
        return "" if found is None else found.issuer

    def _changed(self, seat: Seat) -> None:
        self._plane.changed(seat)

    def _killed(self, seats: tuple[Seat, ...]) -> None:
        self._plane.revoked(seats)

    def counters(self) -> Iterator[bytes]:
        if self._started:
            for _ in self._plane.flushing():
                yield b""
            self._counters.gauge(self._sessions.held, "ecluse_sessions_cached")
            self._counters.gauge(float(self._housekeeping.store_fails), *STORE_UNREACHABLE)
            self._counters.gauge(float(self._sessions.trust.in_grace), *STORE_GRACE)
        self._counters.gauge(self._log.dropped, "ecluse_log_dropped_total")
        self._counters.gauge(self._loop_stalls.longest(time.monotonic()), "ecluse_event_loop_stop_max_seconds")
        yield from self._counters.news()

    def news(self) -> list[str]:
        return self._plane.admission.known.news() if self._started else []

    def heard(self, addresses: list[str]) -> None:
        if self._started:
            self._plane.admission.known.learn(addresses, time.monotonic())

    def sign_ins(self) -> Mapping[str, SignInNews]:
        return self._standings.news() if self._started else {}

    async def looked_at(self, provider: str, verdict: ProviderVerdict, *, tells_nodes: bool) -> None:
        if not self._started:
            return
        if self._standings.told(provider, verdict):
            self._federation.is_back(provider)
        if tells_nodes:
            await self._standings.tell_other_nodes(provider, verdict)

    def loop_stopped(self, seconds: float) -> None:
        self._loop_stalls.add(time.monotonic(), seconds)

    async def drain(self, within: float) -> None:
        if not self._started:
            return
        await self._acceptors.close()
        await self._plane.drain(within)
        await self._plane.hidden_cookies.close(_CLOSED_WITHIN)
        await self._portal.close(_CLOSED_WITHIN)
        await self._renewal.close()
        await self._sign_outs.close(_CLOSED_WITHIN)
        await self._federation.close()
        await self._saml_federation.close()
        await self._applications.close()
        await self._accounts.close()
        self._asking.close()
        await self._directories.close()
        await self._organisations.close()
        self._signing.shutdown(wait=False, cancel_futures=True)
        self._reading.shutdown(wait=False, cancel_futures=True)
        self._posts.close()
        await self._housekeeping.stop()
        await self._store.close()
