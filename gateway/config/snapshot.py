"""The compiled policy folder: immutable, read once per request, swapped by one assignment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal

from gateway.config.api import Api
from gateway.config.compile.cel import Tally
from gateway.config.exchange_limits import BufferSettings, PathLimits, RequestRates, Timeouts
from gateway.config.host_applications import HostApplications
from gateway.config.path_translations import PathTranslations
from gateway.config.upstream_settings import Upstream
from gateway.formlogin.spec import FormLogin
from gateway.identity.acting import acts_for
from gateway.identity.perimeter import is_inside
from gateway.model.account import AccountSettings
from gateway.model.codec import NOT_CARRIED
from gateway.model.codes import wire_codes
from gateway.model.directory import Directory
from gateway.model.errors import GatewayError
from gateway.model.forward_auth import ForwardAuth
from gateway.model.identity import Identity
from gateway.model.kept_post import KeepPosts, PostsSettings
from gateway.model.names import fold
from gateway.model.organisations import OrganisationTable
from gateway.model.provider import Provider
from gateway.model.redirects import Redirects
from gateway.model.scim import ScimDirectories
from gateway.model.session import Seat, SeatLimits, Session
from gateway.model.store_server import StoreServer
from gateway.model.theme import ByLanguage, DesignFile, Theme
from gateway.policy.levels import USUAL_LADDER, Ladder
from gateway.policy.links import QueryLinks
from gateway.policy.routes import NO_PATHS, PathSet, RouteTable
from gateway.saml.parties import SecondOpinion, ServiceProvider
from gateway.tokens.basic import HEADER
from gateway.tokens.making import folded_names
from gateway.tokens.spec import BasicSpec, SigningKey, TokenSpec
from gateway.translation.render import Translation
from gateway.wire.mounts import Mount
from gateway.wire.response_edits import UNCHANGED, ResponseEdits
from gateway.wire.response_guard import STRICT, ResponseLeniency
from gateway.wire.target import PathLeniency, Target


@dataclass(frozen=True, slots=True)
class ListenerCertificate:
    """A certificate of a listener with its private key."""

    certificate: bytes
    """PEM."""
    key: bytes = field(repr=False)
    """PEM."""
    names: tuple[str, ...] = ()
    """The names in the certificate, in lower case, with wildcards."""
    ends: float = 0.0
    """Unix seconds: the first end of the certificate and of the authorities in its file."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An address for clients."""

    address: tuple[str, int]
    """Host and port."""
    certificates: tuple[ListenerCertificate, ...] = ()
    """Empty without TLS. The first is shown to a client that asks for an unknown name."""
    redirects: Redirects = "nothing"
    """The requests that are redirected to https."""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """The networks of the proxies that send PROXY protocol; no other client may connect. Empty: clients connect
    directly."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and counts."""

    url: int = 8192
    headers_bytes: int = 32768
    headers_count: int = 100
    body: int = 1 << 30
    """0: no limit."""
    connections: int = 20000
    connections_per_client: int = 2000
    networks: tuple[tuple[IPv4Network | IPv6Network, int], ...] = ()
    """Connections of each address in a network, the most specific network first."""
    transactions: int = 100000
    transactions_per_network: int = 1000
    cached_seats: int = 20000
    sessions_per_person: int | None = None
    requests: RequestRates | None = None
    """None: requests are not counted."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """gateway.yaml, compiled."""

    portal_url: str
    """The origin of the portal, without a path."""
    portal_host: str
    """Canonical, without the port."""
    listeners: tuple[Listener, ...]
    admin: str
    state_folder: str
    store: str
    """"sqlite", "redis" or "memory"."""
    store_keys: tuple[tuple[str, bytes], ...]
    """(id, key): the first key seals, every key opens."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    timeouts: Timeouts
    limits: Limits
    access_log: bool
    development: bool
    workers: int
    """0: one per core."""
    levels: tuple[str, ...] = USUAL_LADDER
    """The levels of sign-in, the weakest first."""
    watch: bool = False
    hsts: int | None = None
    """Seconds, as in Strict-Transport-Security."""
    service_provider: ServiceProvider | None = None
    """The gateway's own SAML entity; None without keys for it."""
    token_keys: tuple[SigningKey, ...] = ()
    """The gateway publishes every key, and signs with the first key of each algorithm."""
    token_rotation: int = 0
    """The age in seconds at which the supervisor replaces a key; 0 where the file gives the keys."""
    second_opinion: SecondOpinion | None = None
    """The second library that checks SAML responses; None without one."""
    link_keys: tuple[tuple[str, bytes], ...] = ()
    """Keys of the account links, as `store_keys`; empty without `accounts`."""
    store_server: StoreServer | None = None
    """For the store "redis" only."""
    posts: PostsSettings = field(default_factory=PostsSettings)
    buffers: BufferSettings = field(default_factory=BufferSettings)
    forward_auth: ForwardAuth | None = None
    """None where no front server sends authorization requests."""
    theme: Theme = field(default_factory=Theme)
    store_grace: float = 10.0
    """Seconds for which sessions continue without the store."""
    scim: ScimDirectories = field(default_factory=ScimDirectories)


@dataclass(frozen=True, slots=True)
class Logout:
    """What happens at an application when a session ends."""

    scope: Literal["local", "global"] = "local"
    cookies: tuple[tuple[str, str], ...] = ()
    """(name, path) of cookies to clear, by the names that browsers know."""
    url: str | None = None
    """The path of the application that is called."""
    login: str = ""
    """The header or cookie of the call that names the person where no browser is present; empty: the first that
    does."""
    method: Literal["get", "post"] = "get"
    """The method of the call."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of the call."""
    form: tuple[tuple[str, str], ...] = ()
    """The form that the call sends."""
    told_cookies: tuple[str, ...] = ()
    """Cookies that the call carries, by the names that the application knows."""
    all_cookies: bool = True
    """A sign-out clears every cookie that the browser sends."""
    all_left: bool = True
    """Any other end of the session clears every cookie that the browser sends."""
    cookie_paths: tuple[str, ...] = ("/",)
    """The paths for which every cookie is cleared."""
    cookie_domains: tuple[str, ...] = ()
    """The domains for which every cookie is cleared, beside cookies without a Domain."""
    links: PathSet = NO_PATHS
    """The application's own sign-out addresses."""
    query_links: QueryLinks | None = None
    """Sign-out addresses that have parameters, if any."""


@dataclass(frozen=True, slots=True)
class TunnelSettings:
    """The lasting connections that an application accepts."""

    protocols: tuple[str, ...]
    origins: tuple[str, ...] = ()
    """Other sites whose pages may open a connection."""
    idle: float = 600.0
    """Seconds without a byte in either direction."""
    keeps_session: bool = False
    """Data from the client counts as use of the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A legacy application, compiled from its file. `build` adds the last fields, which a plan does not carry."""

    name: str
    file: str
    """As RuleRef names it."""
    hosts: tuple[str, ...]
    scheme: str
    """The scheme that browsers use."""
    port: int | None
    """The port that browsers use; None: the usual port of the scheme."""
    leniency: PathLeniency
    seat_limits: SeatLimits
    seat_then: Literal["resume", "sign_in"]
    """The calls and redirects at the end of a seat."""
    body_limit: int
    """Bytes; 0: no limit."""
    upstream: Upstream
    translation: Translation
    """The translation on paths without a translation of their own."""
    path_translations: PathTranslations | None = None
    logout: Logout = Logout()
    api: Api | None = None
    path_limits: PathLimits | None = None
    method_override: bool = False
    """Policy judges a POST by the method that its header or query names."""
    methods: tuple[str, ...] = ()
    """Accepted beside the usual methods."""
    client_headers: tuple[str, ...] = ()
    """Exact names of client headers that the application receives. For other applications the headers are dropped."""
    streams_last: bool = False
    """A running stream counts as use of the seat, as requests do."""
    grace: float | None = None
    """Seconds, in place of `Gateway.store_grace`; None: `Gateway.store_grace` applies."""
    responses: ResponseLeniency = STRICT
    """What responses may say."""
    edits: ResponseEdits = UNCHANGED
    """Changes to responses."""
    tokens: tuple[TokenSpec, ...] = ()
    """Tokens beside the translation, renewed before they end."""
    basic: BasicSpec | None = None
    """HTTP Basic, sent beside the translation."""
    tunnel: TunnelSettings | None = None
    """None: an upgrade is refused."""
    form_login: FormLogin | None = None
    """The login form at which the gateway signs people in."""
    account: AccountSettings | None = None
    """How a person's account at the application is found; a person without one is refused."""
    keep_posts: KeepPosts | None = None
    """None: no form is kept across a sign-in."""
    label: ByLanguage = field(default_factory=dict)
    """The name that people know, by language."""
    front: str | None = None
    """The kind of front server that sends authorization requests and passes requests on itself."""
    path: str = ""
    """The path prefix of the application on its hosts; empty: the whole host."""
    start: str = ""
    """The target of the page that people begin with; empty: `/`."""
    mount: Mount | None = None
    """None where the application has its pages at the public path."""
    request_rates: RequestRates | None = None
    """None: requests are not counted."""
    embedded_by: tuple[str, ...] = ()
    """Origins of the same site in whose frames people may be signed in."""

    routes: RouteTable = field(default_factory=lambda: RouteTable.build((), False), metadata=NOT_CARRIED)
    """The access rules; without any, every request is refused."""
    listed: Mapping[str, Provider] = field(default_factory=dict, metadata=NOT_CARRIED)
    """The providers that the file lists, in its order."""
    directories: tuple[Directory, ...] = field(default=(), metadata=NOT_CARRIED)
    """The directories that the file lists."""
    naming: tuple[Directory, ...] = field(default=(), metadata=NOT_CARRIED)
    """The directories of the folder that name organisations."""
    shadows: "tuple[App, ...]" = field(default=(), metadata=NOT_CARRIED)
    """The application under other rules: their decisions are compared and never enforced."""

    @property
    def home(self) -> str:
        return self.start or f"{self.path}/"

    @property
    def labels(self) -> ByLanguage:
        """The label, or the application's name if its file gives no label."""
        return self.label or {"": self.name}

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(self.listed)

    @property
    def header_folds(self) -> frozenset[bytes]:
        """Invariant 3: folded names of all injected headers, with or without a value."""
        folds, basic = self.translation.header_folds, frozenset({fold(HEADER.encode())} if self.basic else ())
        if self.path_translations is not None:
            folds = folds.union(*(there.header_folds for there in self.path_translations.by_pattern.values()))
        return folds | folded_names(self.tokens, "header") | basic

    @property
    def cookie_names(self) -> frozenset[bytes]:
        """Invariant 3: folded names of injected cookies, and of the session cookies that the gateway keeps."""
        kept = () if self.form_login is None else self.form_login.not_brought
        names = self.translation.cookie_names | folded_names(self.tokens, "cookie")
        return names.union(fold(name.encode()) for name in kept)

    def translation_at(self, segments: tuple[str, ...]) -> Translation:
        """The translation for a path. `segments`: the path as rules meet it."""
        there = None if self.path_translations is None else self.path_translations.find(segments)
        return self.translation if there is None else there

    def accepts(self, identity: Identity) -> bool:
        """Invariant 5: accepts only the providers that the file lists, under their present files. Refuses an identity
        of another issuer or outside the perimeter, even if an earlier file accepted the identity."""
        provider = self.listed.get(identity.provider)
        return provider is not None and provider.issuer == identity.issuer and is_inside(provider, identity)

    def tenant_of(self, seat: Seat | Session, wall: float) -> str | None:
        """The tenant that the person acts for, if a provider or directory still confirms it. `wall`: Unix seconds."""
        provider = self.listed.get(seat.identity.provider)
        if provider is None or not acts_for(provider, seat.identity, seat.tenant, self.naming, wall):
            return None
        return seat.tenant

    def check_readings(self, target: Target) -> None:
        """Invariant 2: if a target has two readings, both have to meet the same rules, whatever the rules ask of the
        rest of the request. Raises GatewayError."""
        if target.other is None:
            return
        for table in self._tables():
            match = table.find(target.segments)
            if match is not table.find(target.other) or (match is not None and match.turns_on_request):
                said = f"/{'/'.join(target.segments)} or, in UTF-8, /{'/'.join(target.other)}"
                raise GatewayError(wire_codes.TARGET, f"{said}: the rules tell one from the other")

    def _tables(self) -> Iterator[RouteTable | PathSet]:
        """Every table that a path of a request is looked up in."""
        yield self.routes
        paths = [self.logout.links]
        if self.logout.query_links is not None:
            paths += (one for one, _ in self.logout.query_links.links)
        if self.path_translations is not None:
            paths.append(self.path_translations.paths)
        if self.path_limits is not None:
            paths.append(self.path_limits.paths)
        if self.api is not None:
            paths += [self.api.paths, *(one.paths for one in self.api.opaque if one.paths is not None)]
        yield from paths

    def origin(self, host: str) -> str:
        """The origin that browsers use for a canonical host of the application."""
        return f"{self.scheme}://{host}" if self.port is None else f"{self.scheme}://{host}:{self.port}"


_NONE_THERE: Final[HostApplications[App]] = HostApplications(None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The compiled gateway, applications, providers and directories that serve requests."""

    revision: str
    """The hash of the plan."""
    gateway: Gateway
    providers: Mapping[str, Provider]
    apps: Mapping[str, App]
    exact_hosts: Mapping[str, HostApplications[App]]
    """The applications by host name."""
    wildcards: Mapping[str, HostApplications[App]] = field(default_factory=dict)
    """The applications of patterns `*.SUFFIX`, by the suffix; `*` stands for one label."""
    tally: Tally = field(default_factory=Tally)
    """How often an expression could not be evaluated."""
    ladder: Ladder = field(default_factory=lambda: Ladder(USUAL_LADDER, {}))
    closed: Mapping[str, str] = field(default_factory=dict)
    """As ClosedHosts of the plan."""
    directories: Mapping[str, Directory] = field(default_factory=dict)
    unread: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    """As ClosedHosts of the plan."""
    organisations: tuple[OrganisationTable, ...] = ()
    design: Mapping[str, DesignFile] = field(default_factory=dict)
    """The files of the design system, by name."""

    def applications(self, host: str) -> HostApplications[App]:
        """A canonical host's applications. An exact name precedes a wildcard; no wildcard covers the portal's host."""
        found = self.exact_hosts.get(host)
        if found is None and self.wildcards and host != self.gateway.portal_host and not self.closed_by(host):
            found = self.wildcards.get(host.partition(".")[2])
        return _NONE_THERE if found is None else found

    def find_app(self, host: str, path: str = "/") -> App | None:
        """The application that answers at this host and path. `path`: as sent, with or without a query."""
        there = self.exact_hosts.get(host) or self.applications(host)
        return there.at(path.partition("?")[0]) if there.below else there.whole

    def find_named(self, host: str, name: str) -> App | None:
        """The application `name`, if it answers at `host`."""
        there = self.exact_hosts.get(host) or self.applications(host)
        whole = there.whole
        return whole if whole is not None and whole.name == name else there.named(name) if there.below else None

    def closed_by(self, host: str) -> str:
        """The wrong file that closes a canonical host (no wildcard answers at a closed host); empty if the host is
        open."""
        if not self.closed or host in self.exact_hosts:
            return ""
        wildcard = f"*.{host.partition('.')[2]}"
        return self.closed.get(host) or self.closed.get(wildcard) or next(iter(self.closed_below(host).values()), "")

    def closed_below(self, host: str) -> dict[str, str]:
        """Closed paths of a canonical host, with their files. Patterns count where no file names the host."""
        names = (host,) if host in self.exact_hosts else (host, f"*.{host.partition('.')[2]}")
        divided = ((*at.partition("/"), file) for at, file in self.closed.items() if "/" in at)
        return {f"/{path}": file for name, _, path, file in divided if name in names}
