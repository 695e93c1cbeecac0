"""A whole portal on a real socket: real stores in memory, a real federation, two providers, hosts under .localhost."""

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from gateway.accounts.asking import AccountAsking
from gateway.accounts.book import AccountBook
from gateway.accounts.file import links_path
from gateway.accounts.linking import AccountLinking
from gateway.accounts.request_file import requests_path
from gateway.config.exchange_limits import Timeouts
from gateway.config.host_applications import HostApplications
from gateway.config.snapshot import App, Gateway, Limits, Snapshot
from gateway.config.upstream_settings import Upstream
from gateway.directories.lookups import Directories
from gateway.directories.orders import LookUpOrders
from gateway.federation.applications import Applications
from gateway.federation.federation import Federation
from gateway.federation.saml import SamlFederation
from gateway.federation.standings import Standings
from gateway.model.account import AccountSettings
from gateway.model.codes import form_login_codes, login_codes, store_codes
from gateway.model.credential import Credential
from gateway.model.errors import GatewayError
from gateway.model.levels import Need, ProviderLevels
from gateway.model.provider import AttributeSource, OidcProvider, Perimeter, Provider, SamlProvider
from gateway.model.scim import ScimClient, ScimDirectories
from gateway.model.session import Seat, SeatLimits
from gateway.ops.counters import Counters
from gateway.ops.log import Log
from gateway.organisations.search import OrganisationSearch
from gateway.policy.conditions import SignedIn
from gateway.policy.routes import RouteTable
from gateway.portal.app import Portal
from gateway.portal.flow.active_people import ActivePeople
from gateway.portal.flow.establish import next_due_at
from gateway.portal.flow.look_again import LookAgain
from gateway.portal.http.pages import Pages
from gateway.portal.logout.applications import SignOuts, TellingRevoker
from gateway.portal.openid.renewal import Renewal
from gateway.portal.report import Report
from gateway.portal.services import PortalServices
from gateway.saml.parties import IdpMetadata
from gateway.stores.applications.cookie_jars import CookieJars
from gateway.stores.applications.login_tries import LoginTries
from gateway.stores.applications.sign_out_notes import SignOutNotes
from gateway.stores.people.last_findings import LastFindings
from gateway.stores.people.told_people import ToldPeople
from gateway.stores.sealing import StoreKeys
from gateway.stores.sessions.session_limit import SessionLimit
from gateway.stores.sessions.sessions import Sessions
from gateway.stores.tickets.tickets import Transactions
from gateway.translation.render import Translation
from gateway.translation.specs import Constant, CookieSpec, FromAttribute, HeaderSpec
from gateway.wire.target import STRICT
from tests.ops.foreseen import missed
from tests.patience import PATIENCE
from tests.policy.short import rule, table
from tests.portal.browser import Browser
from tests.portal.listener import Connection
from tests.portal.op import Op
from tests.stores.sharded import Sharded

PORTAL, PERMIS, ACTES, ELECTIONS = "portail.localhost", "permis.localhost", "actes.localhost", "elections.localhost"
KEYS = (("k1", b"k" * 32),)


pages = cache(Pages)


@dataclass
class Clock:
    """The real one, moved forward by `ahead` seconds."""

    ahead: float = 0.0

    def now(self) -> float:
        return time.time() + self.ahead

    def seconds(self) -> int:
        return int(self.now())

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


@dataclass
class Revoked:
    """ports.Revoker for one worker, which remembers what it was told."""

    sessions: Sessions
    told: list[tuple[str, ...]] = field(default_factory=list)

    async def revoked(self, session_ids: tuple[str, ...]) -> None:
        self.sessions.revoke(session_ids)
        self.told.append(session_ids)


class NoRefresher:
    async def refresh_metadata(self, source_id: str) -> None: ...


@dataclass
class KnownMetadata(SamlFederation):
    """Metadata by provider; `newer`: what is found when they are fetched anew."""

    known: dict[str, IdpMetadata] = field(default_factory=dict)
    newer: dict[str, IdpMetadata] = field(default_factory=dict)
    refetches: int = 0

    def __post_init__(self) -> None:
        super().__init__(Path("nowhere"), NoRefresher(), time.time)

    async def idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        if provider.name not in self.known:
            raise GatewayError(login_codes.PROVIDER_UNREACHABLE, "no metadata in this test")
        return self.known[provider.name]

    async def newer_idp_metadata(self, provider: SamlProvider) -> IdpMetadata:
        self.refetches += 1
        return self.newer.get(provider.name) or await self.idp_metadata(provider)


_CUT = frozenset({"peek_ticket", "perform", "perform_until", "take_ticket", "take_with_seat", "read_seat"})


class OutOfReach(Sharded):
    """A store that can be cut off."""

    cut = False

    def __getattribute__(self, name: str) -> Any:
        if type(self).cut and name in _CUT:
            raise GatewayError(store_codes.UNREACHABLE, "cut off by the test")
        return super().__getattribute__(name)


@dataclass
class Installation:
    snapshot: Snapshot
    clock: Clock
    store: Sharded
    sessions: Sessions
    transactions: Transactions
    revoker: Revoked
    counters: Counters
    metropole: Op
    departement: Op
    log: Log
    log_file: Any
    portal: Portal
    federation: Federation
    saml_metadata: "KnownMetadata"
    standings: Standings
    accounts: AccountBook
    state: str
    sign_outs: SignOuts
    told: ToldPeople
    active_people: ActivePeople
    browsers: list[Browser] = field(default_factory=list)
    needs: dict[str, Need] = field(default_factory=dict)
    renewal: Renewal | None = None
    look_again: LookAgain | None = None
    orders: LookUpOrders | None = None
    changed: list[Seat] = field(default_factory=list)
    port: int = 0

    def url(self, host: str, target: str = "/") -> str:
        return f"http://{host}:{self.port}{target}"

    def browser(self, user: str = "alice") -> Browser:
        browser = Browser(jar={"127.0.0.1": {"op": user}})
        self.browsers.append(browser)
        return browser

    def change(self, name: str, *, providers: tuple[str, ...] | None = None, **changes: Any) -> None:
        """Another snapshot, in which the file of one app says something else."""
        if providers is not None:
            known = self.snapshot.providers
            changes["listed"] = {each: known.get(each, replace(known["metropole"], name=each)) for each in providers}
        app = replace(self.snapshot.apps[name], **changes)
        apps = {**self.snapshot.apps, name: app}
        self.snapshot = replace(self.snapshot, apps=apps, exact_hosts=_hosts(apps))

    def link_accounts(self, name: str, settings: AccountSettings) -> None:
        """At an application that lets in whoever is signed in."""
        self.change(name, account=settings, routes=table(rule("/**", SignedIn())))
        self.snapshot = replace(self.snapshot, gateway=replace(self.snapshot.gateway, link_keys=KEYS))

    def lists(self, *clients: ScimClient) -> None:
        """These directories tell of people by themselves."""
        gateway = replace(self.snapshot.gateway, scim=ScimDirectories(clients, (("s1", b"s" * 32),)))
        self.snapshot = replace(self.snapshot, gateway=gateway)

    def change_provider(self, name: str, **changes: Any) -> None:
        provider = replace(self.snapshot.providers[name], **changes)
        self.snapshot = replace(self.snapshot, providers={**self.snapshot.providers, name: provider})
        for app in self.snapshot.apps.values():
            if name in app.listed:
                self.change(app.name, listed={**app.listed, name: provider})

    def logged(self) -> list[dict[str, Any]]:
        """Every event up to now; the log is closed by it."""
        self.log.close(PATIENCE)
        self.log_file.seek(0)
        return [json.loads(line) for line in self.log_file.read().splitlines()]

    def codes(self) -> list[str]:
        return [event["code"] for event in self.logged() if "code" in event]


async def accepted(app: App, host: str, credential: Credential) -> None:
    """What an application says of a login and its password."""
    if credential.secret != "right":
        raise GatewayError(form_login_codes.REFUSED, "it is another one")


@asynccontextmanager
async def installed(*, one_host: bool = False, store: Any = None) -> AsyncIterator[Installation]:
    """`store`: another than the one of the tests, which does no more in one step than it has to."""
    clock = Clock()
    metropole, departement = Op(clock.now), Op(clock.now)
    runners = [await metropole.start(), await departement.start()]
    store = Sharded() if store is None else store
    sessions = Sessions(store, KEYS, now=clock.seconds, monotonic=clock.monotonic)
    revoker, counters = Revoked(sessions), Counters()
    own = ("127.0.0.1", 8081)
    applications = Applications(lambda address, port: (str(address), port) == own, clock=clock.monotonic)
    with tempfile.TemporaryFile() as file, tempfile.TemporaryDirectory() as state:
        log = Log(file.fileno(), strict=True, now=clock.now)
        federation = Federation(clock.monotonic, log)
        transactions = Transactions(store, KEYS, now=clock.seconds)
        saml_metadata, standings = KnownMetadata(), Standings(clock.monotonic)
        sign_outs = SignOuts(
            notes=SignOutNotes(store, KEYS, now=clock.seconds, monotonic=clock.monotonic),
            applications=applications,
            counters=counters,
            log=log,
            snapshot=lambda: here.snapshot,
        )
        accounts = AccountBook(
            links_path(state),
            keys=lambda: here.snapshot.gateway.link_keys,
            changed=lambda seat: None,
            log=log,
        )
        asking = AccountAsking(requests_path(state), keys=lambda: here.snapshot.gateway.link_keys)
        linking = AccountLinking(accounts, accepted, LoginTries(store, KEYS, now=clock.seconds))
        organisations = OrganisationSearch(Path(state), log=log)
        kept = LastFindings(store, KEYS, log=log, now=clock.seconds)
        directories = Directories(Path(state) / "directories", log=log, now=clock.now, kept=kept)
        telling = TellingRevoker(revoker, sign_outs.due)
        told = ToldPeople(store, lambda: here.snapshot.gateway.scim.keys, log=log, now=clock.seconds)
        active_people = ActivePeople(told, sessions, telling, snapshot=lambda: here.snapshot)
        services = PortalServices(
            sessions=sessions,
            session_limit=SessionLimit(store, sessions, StoreKeys(KEYS), now=clock.seconds),
            transactions=transactions,
            posts=None,
            jars=CookieJars(store, sessions, KEYS, now=clock.seconds),
            federation=federation,
            sign_outs=sign_outs,
            saml_federation=saml_metadata,
            standings=standings,
            accounts=accounts,
            directories=directories,
            organisations=organisations,
            linking=linking,
            asking=asking,
            revoker=telling,
            told=told,
            active_people=active_people,
            pages=pages(),
            report=Report(counters=counters, log=log, log_name=StoreKeys(KEYS).log_name),
            now=clock.now,
            monotonic=clock.monotonic,
            token_urlsafe=secrets.token_urlsafe,
        )
        portal = Portal(services)
        here = Installation(
            snapshot=_EMPTY,
            clock=clock,
            store=store,
            sessions=sessions,
            transactions=transactions,
            revoker=revoker,
            counters=counters,
            metropole=metropole,
            departement=departement,
            log=log,
            log_file=file,
            portal=portal,
            federation=federation,
            saml_metadata=saml_metadata,
            standings=standings,
            sign_outs=sign_outs,
            accounts=accounts,
            state=state,
            told=told,
            active_people=active_people,
        )
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(lambda: here.snapshot, portal, sessions, here.needs, sign_outs), "127.0.0.1", 0
        )
        orders = here.orders = LookUpOrders(Path(state))
        look_again = LookAgain(services, snapshot=lambda: here.snapshot, changed=here.changed.append, orders=orders)
        here.look_again = look_again
        here.renewal = Renewal(services, snapshot=lambda: here.snapshot, look_again=look_again)
        sessions.when_due(here.renewal.due, lambda session: next_due_at(here.snapshot, session, orders))
        sessions.use_known_of_people(look_again)
        here.port = server.sockets[0].getsockname()[1]
        here.snapshot = _snapshot(here.port, metropole, departement, PERMIS if one_host else PORTAL)
        try:
            yield here
        finally:
            server.close()
            await directories.close()
            await portal.close(1.0)
            await accounts.close()
            asking.close()
            await organisations.close()
            await sign_outs.close(1.0)
            await federation.close()
            await applications.close()
            await saml_metadata.close()
            for browser in here.browsers:
                await browser.close()
            for runner in runners:
                await runner.cleanup()
            log.close()
        assert not (unseen := missed(counters.values, here.snapshot)), unseen


def _snapshot(port: int, metropole: Op, departement: Op, portal_host: str) -> Snapshot:
    one: dict[str, Provider] = {"metropole": _provider("metropole", metropole, "Métropole", {"en": "Metropolis"})}
    other: dict[str, Provider] = {"departement": _provider("departement", departement, "Département", {})}
    apps = {
        "permis": _app("permis", PERMIS, port, one | other),
        "actes": _app("actes", ACTES, port, one),
        "elections": _app("elections", ELECTIONS, port, other),
    }
    return Snapshot(
        revision="1",
        gateway=replace(_GATEWAY, portal_url=f"http://{portal_host}:{port}", portal_host=portal_host),
        providers=one | other,
        apps=apps,
        exact_hosts=_hosts(apps),
    )


def _hosts(apps: Mapping[str, App]) -> dict[str, HostApplications[App]]:
    return {host: HostApplications(app) for app in apps.values() for host in app.hosts}


def _app(
    name: str, host: str, port: int, listed: Mapping[str, Provider], then: Literal["resume", "sign_in"] = "resume"
) -> App:
    return App(
        name=name,
        file=f"policies/apps/{name}.yaml",
        hosts=(host,),
        scheme="http",
        port=port,
        upstream=Upstream(scheme="http", host="127.0.0.1", port=9, timeouts=Timeouts()),
        listed=listed,
        leniency=STRICT,
        routes=RouteTable.build((), False),
        translation=Translation.compile(
            (HeaderSpec("X-Remote-User", FromAttribute("uid")), HeaderSpec("X-Gateway", Constant("ecluse"))),
            (CookieSpec("CTSESSION", Constant("present")),),
        ),
        seat_limits=SeatLimits(),
        seat_then=then,
        body_limit=0,
    )


def _provider(name: str, op: Op, label: str, labels: Mapping[str, str]) -> OidcProvider:
    return OidcProvider(
        name=name,
        label=label,
        labels=labels,
        issuer=op.issuer,
        client_id="ecluse",
        client_secret=None,
        client_authentication="none",
        scopes=("openid",),
        algorithms=frozenset({"RS256"}),
        userinfo=False,
        attributes={"uid": AttributeSource(("preferred_username",))},
        tenant_attribute=None,
        perimeter=Perimeter(),
        skew=5,
        session_idle=1800,
        session_absolute=43200,
        development=True,
        levels=ProviderLevels(frozenset({"fresh_login"})),
    )


_GATEWAY = Gateway(
    portal_url="",
    portal_host="",
    listeners=(),
    admin="",
    state_folder="",
    store="memory",
    store_keys=KEYS,
    trusted_proxies=(),
    timeouts=Timeouts(),
    limits=Limits(),
    access_log=False,
    development=True,
    workers=1,
)
_EMPTY = Snapshot("0", _GATEWAY, {}, {}, {})
