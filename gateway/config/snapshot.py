"""Everything compiled from the policy folder: immutable, read once per request, swapped by one assignment."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Literal

from gateway.config.compile.cel import Tally
from gateway.config.exchange_limits import BufferSettings, PathLimits, RequestRates, Timeouts
from gateway.config.host_applications import HostApplications
from gateway.config.path_translations import PathTranslations
from gateway.config.upstream_settings import Upstream
from gateway.formlogin.spec import FormLogin
from gateway.identity.acting import acts_for
from gateway.identity.perimeter import is_inside
from gateway.model.account import AccountSettings
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
from gateway.policy.routes import RouteTable
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
    """`certificate`, `key`: PEM contents. `names`: what it holds, in lower case, wildcards as they are. `ends`: Unix
    seconds, of it or of one of its authorities' that stand beside it."""

    certificate: bytes
    key: bytes = field(repr=False)
    names: tuple[str, ...] = ()
    ends: float = 0.0


@dataclass(frozen=True, slots=True)
class Listener:
    """`address`: (host, port). `certificates`: none without TLS; the first one is shown to who asks for a name of none.
    `redirects`: what it leads to https. `proxies`: those who say whose connection it is, of whom alone it takes any;
    none where clients come themselves."""

    address: tuple[str, int]
    certificates: tuple[ListenerCertificate, ...] = ()
    redirects: Redirects = "nothing"
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes and counts. `body` 0: no limit. `networks`: connections of each address in one, the most specific first.
    `requests`: None where nobody is bounded by how often they ask."""

    url: int = 8192
    headers_bytes: int = 32768
    headers_count: int = 100
    body: int = 1 << 30
    connections: int = 20000
    connections_per_client: int = 2000
    networks: tuple[tuple[IPv4Network | IPv6Network, int], ...] = ()
    transactions: int = 100000
    transactions_per_network: int = 1000
    cached_seats: int = 20000
    sessions_per_person: int | None = None
    requests: RequestRates | None = None


@dataclass(frozen=True, slots=True)
class Gateway:
    """gateway.yaml, compiled. `portal_url`: origin without a path; `portal_host`: canonical, without port.

    `store`: "sqlite", "redis" or "memory"; `store_server`: of "redis" alone; `store_keys`: (id, key), the first seals,
    all open. `workers` 0: one per core. `service_provider`: who we are to SAML providers, None where the file has no
    keys for it. `hsts`: seconds, as Strict-Transport-Security says it. `levels`: of sign-in, the weakest first.
    `token_keys`: all are published, of each algorithm the first signs. `token_rotation`: seconds, of keys that the
    supervisor makes; 0 where the file gives them. `second_opinion`: on SAML responses; None where nobody is asked.
    `link_keys`: of account links, as `store_keys`; none without `accounts`. `forward_auth`: None where no server in
    front asks. `store_grace`: seconds that sessions go on without the store. `scim`: none by default."""

    portal_url: str
    portal_host: str
    listeners: tuple[Listener, ...]
    admin: str
    state_folder: str
    store: str
    store_keys: tuple[tuple[str, bytes], ...]
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    timeouts: Timeouts
    limits: Limits
    access_log: bool
    development: bool
    workers: int
    levels: tuple[str, ...] = USUAL_LADDER
    watch: bool = False
    hsts: int | None = None
    service_provider: ServiceProvider | None = None
    token_keys: tuple[SigningKey, ...] = ()
    token_rotation: int = 0
    second_opinion: SecondOpinion | None = None
    link_keys: tuple[tuple[str, bytes], ...] = ()
    store_server: StoreServer | None = None
    posts: PostsSettings = field(default_factory=PostsSettings)
    buffers: BufferSettings = field(default_factory=BufferSettings)
    forward_auth: ForwardAuth | None = None
    theme: Theme = field(default_factory=Theme)
    store_grace: float = 10.0
    scim: ScimDirectories = field(default_factory=ScimDirectories)


@dataclass(frozen=True, slots=True)
class LogoutSettings:
    """`cookies`: (name, path) of the application's own, which are cleared, by the names that browsers know; with
    `all_cookies` all that they bring to a sign-out, with `all_left` all that they bring when the session has ended in
    another way, for `cookie_paths`; each without a Domain and for `cookie_domains`. `url`: its path that is called,
    with `told_cookies`, by the application's names, `method`, further `headers` and a `form`; `login`: the header or
    cookie that says who the person is where no browser is there, empty for the first that does."""

    scope: Literal["local", "global"] = "local"
    cookies: tuple[tuple[str, str], ...] = ()
    url: str | None = None
    login: str = ""
    method: Literal["get", "post"] = "get"
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    told_cookies: tuple[str, ...] = ()
    all_cookies: bool = True
    all_left: bool = True
    cookie_paths: tuple[str, ...] = ("/",)
    cookie_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logout(LogoutSettings):
    """`links`: the application's paths that mean to sign out. `query_links`: those told by their query, if any."""

    links: RouteTable = field(default_factory=lambda: RouteTable.build((), False))
    query_links: QueryLinks | None = None


ValuesOf = Callable[[bytes], Set[bytes]]


@dataclass(frozen=True, slots=True)
class OpaqueTokens:
    """Which opaque tokens (those that are no JWT) are introspected at one provider: all of this has to be true of them.
    `prefix`: how they begin. `header`: name in lower case, and value."""

    provider: str
    prefix: bytes = b""
    paths: RouteTable | None = None
    header: tuple[bytes, bytes] | None = None

    def hold(self, token: bytes, segments: tuple[str, ...], values_of: ValuesOf) -> bool:
        if not token.startswith(self.prefix) or (self.paths is not None and self.paths.find(segments) is None):
            return False
        if self.header is None:
            return True
        name, value = self.header
        # A header that comes twice has to say the same twice.
        return values_of(name) == {value}


@dataclass(frozen=True, slots=True)
class Api:
    """Programs that bring an access token of one of `providers` to one of `paths`. `forward`: it goes further.
    `opaque`: one for each provider that is asked about tokens."""

    providers: tuple[str, ...]
    paths: RouteTable
    forward: bool = False
    opaque: tuple[OpaqueTokens, ...] = ()

    def introspected_at(self, token: bytes, segments: tuple[str, ...], values_of: ValuesOf) -> str:
        """Invariant 7: the one provider that such a token is shown to; empty if it fits none, or two.

        `values_of`: those that the request has for a header, its name in lower case."""
        # A token with the prefix of a provider can only be of that provider, wherever it is brought.
        by_form = [one for one in self.opaque if one.prefix and token.startswith(one.prefix)]
        found = [one.provider for one in by_form or self.opaque if one.hold(token, segments, values_of)]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class TunnelSettings:
    """Which lasting connections an application takes. `origins`: of other sites, whose pages may open one. `idle`:
    seconds without a byte either way. `keeps_session`: what a client sends is use of its session."""

    protocols: tuple[str, ...]
    origins: tuple[str, ...] = ()
    idle: float = 600.0
    keeps_session: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSettings:
    """One legacy application, as its file says. `scheme`, `port` (None: the scheme's own): what browsers use for it.

    `file`: as RuleRef names it. `seat_then`: what follows the end of a seat. `body_limit`: bytes, 0 for none.
    `method_override`: the method that a POST names is the one that it does. `methods`, `client_headers`: what its file
    names. `streams_last`: what streams is use, as requests are. `responses`, `edits`: what its responses may say, and
    what is changed in their heads. `tokens`: what it is sent beside its translation, made anew before it ends; `basic`:
    and what never ends. `tunnel`: None where it takes no upgrade. `form_login`: by which people are signed in at it,
    None where it has no need. `account`: a person's login there, without which nobody comes in. `keep_posts`: None
    where no form is kept for it across a sign-in. `label`: what people call it, by language. `front`: the kind of
    server that asks about its requests and passes them on, None where none does. `path`: below which it answers on its
    hosts, where others do beside it; empty for all. `start`: target of the page that people begin with, empty for `/`.
    `mount`: None where its pages are there. `grace`: as `store_grace`. `request_rates`: None where not bounded.
    `embedded_by`: origins of the same site, in whose frames people are signed in."""

    name: str
    file: str
    hosts: tuple[str, ...]
    scheme: str
    port: int | None
    leniency: PathLeniency
    seat_limits: SeatLimits
    seat_then: Literal["resume", "sign_in"]
    body_limit: int
    method_override: bool = False
    methods: tuple[str, ...] = ()
    client_headers: tuple[str, ...] = ()
    streams_last: bool = False
    grace: float | None = None
    responses: ResponseLeniency = STRICT
    edits: ResponseEdits = UNCHANGED
    tokens: tuple[TokenSpec, ...] = ()
    basic: BasicSpec | None = None
    tunnel: TunnelSettings | None = None
    form_login: FormLogin | None = None
    account: AccountSettings | None = None
    keep_posts: KeepPosts | None = None
    label: ByLanguage = field(default_factory=dict)
    front: str | None = None
    path: str = ""
    start: str = ""
    mount: Mount | None = None
    request_rates: RequestRates | None = None
    embedded_by: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        return self.start or f"{self.path}/"

    @property
    def labels(self) -> ByLanguage:
        """What people call it; its name where the file does not say."""
        return self.label or {"": self.name}


@dataclass(frozen=True, slots=True, kw_only=True)
class App(AppSettings):
    """An application with what is compiled of its file. `listed`: the providers that the file lists, in its order.
    `directories`: those that it listens to. `naming`: all that name organisations. `path_translations`: None where
    `translation` is for all paths. `shadows`: it under other rules, whose decisions are compared and never enforced."""

    upstream: Upstream
    listed: Mapping[str, Provider]
    routes: RouteTable
    translation: Translation
    path_translations: PathTranslations | None = None
    logout: Logout = field(default_factory=Logout)
    api: Api | None = None
    path_limits: PathLimits | None = None
    shadows: "tuple[App, ...]" = ()
    directories: tuple[Directory, ...] = ()
    naming: tuple[Directory, ...] = ()

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(self.listed)

    @property
    def header_folds(self) -> frozenset[bytes]:
        """Invariant 3: folded names of all headers that are injected, whether or not there is a value."""
        folds, basic = self.translation.header_folds, frozenset({fold(HEADER.encode())} if self.basic else ())
        if self.path_translations is not None:
            folds = folds.union(*(there.header_folds for there in self.path_translations.by_pattern.values()))
        return folds | folded_names(self.tokens, "header") | basic

    @property
    def cookie_names(self) -> frozenset[bytes]:
        """Likewise of cookies, those of the application's session where the gateway keeps it among them."""
        kept = () if self.form_login is None else self.form_login.not_brought
        names = self.translation.cookie_names | folded_names(self.tokens, "cookie")
        return names.union(fold(name.encode()) for name in kept)

    def translation_at(self, segments: tuple[str, ...]) -> Translation:
        """The one for a path, as rules meet it."""
        there = None if self.path_translations is None else self.path_translations.find(segments)
        return self.translation if there is None else there

    def accepts(self, identity: Identity) -> bool:
        """Invariant 5: only the providers that its file lists, and of each only what its own file says now: an
        identity of another issuer, or outside the perimeter, is not accepted, also if it was before."""
        provider = self.listed.get(identity.provider)
        return provider is not None and provider.issuer == identity.issuer and is_inside(provider, identity)

    def tenant_of(self, seat: Seat | Session, wall: float) -> str | None:
        """In whose name they act, while the provider or a directory of this folder says so. `wall`: Unix seconds."""
        provider = self.listed.get(seat.identity.provider)
        if provider is None or not acts_for(provider, seat.identity, seat.tenant, self.naming, wall):
            return None
        return seat.tenant

    def check_readings(self, target: Target) -> None:
        """Invariant 2: of a target with two readings, either has to meet the same rules, whatever these ask of a
        request but its path. Raises GatewayError."""
        if target.other is None:
            return
        sign_outs = self.logout.query_links
        tables = [self.routes, self.logout.links, *(() if sign_outs is None else sign_outs.tables)]
        if self.path_translations is not None:
            tables.append(self.path_translations.table)
        if self.path_limits is not None:
            tables.append(self.path_limits.table)
        if self.api is not None:
            tables += [self.api.paths, *(one.paths for one in self.api.opaque if one.paths is not None)]
        for table in tables:
            match = table.find(target.segments)
            if match is not table.find(target.other) or (match is not None and match.turns_on_request):
                said = f"/{'/'.join(target.segments)} or, in UTF-8, /{'/'.join(target.other)}"
                raise GatewayError(wire_codes.TARGET, f"{said}: the rules tell one from the other")

    def origin(self, host: str) -> str:
        """The origin that browsers use for one canonical host of this app."""
        return f"{self.scheme}://{host}" if self.port is None else f"{self.scheme}://{host}:{self.port}"


_NONE_THERE: Final[HostApplications[App]] = HostApplications(None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`revision`: hash of the bytes it was made from. `exact_hosts`, and `wildcards` by the suffix after `*.` (one
    label only): the applications there. `tally`: how often an expression could not be evaluated. `closed`,
    `unread`: as ClosedHosts of the plan has them. `design`: by name."""

    revision: str
    gateway: Gateway
    providers: Mapping[str, Provider]
    apps: Mapping[str, App]
    exact_hosts: Mapping[str, HostApplications[App]]
    wildcards: Mapping[str, HostApplications[App]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    ladder: Ladder = field(default_factory=lambda: Ladder(USUAL_LADDER, {}))
    closed: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, Directory] = field(default_factory=dict)
    unread: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    organisations: tuple[OrganisationTable, ...] = ()
    design: Mapping[str, DesignFile] = field(default_factory=dict)

    def applications(self, host: str) -> HostApplications[App]:
        """Those of a canonical host: exact before one-label wildcard, which never takes the portal's host."""
        found = self.exact_hosts.get(host)
        if found is None and self.wildcards and host != self.gateway.portal_host and not self.closed_by(host):
            found = self.wildcards.get(host.partition(".")[2])
        return _NONE_THERE if found is None else found

    def find_app(self, host: str, path: str = "/") -> App | None:
        """The application that answers at this host and path. `path`: as sent, with or without a query."""
        there = self.exact_hosts.get(host) or self.applications(host)
        return there.at(path.partition("?")[0]) if there.below else there.whole

    def find_named(self, host: str, name: str) -> App | None:
        """The application with this name, if it answers at this host."""
        there = self.exact_hosts.get(host) or self.applications(host)
        whole = there.whole
        return whole if whole is not None and whole.name == name else there.named(name) if there.below else None

    def closed_by(self, host: str) -> str:
        """The wrong file for which this canonical host is closed, so that no wildcard answers; else empty."""
        if not self.closed or host in self.exact_hosts:
            return ""
        wildcard = f"*.{host.partition('.')[2]}"
        return self.closed.get(host) or self.closed.get(wildcard) or next(iter(self.closed_below(host).values()), "")

    def closed_below(self, host: str) -> dict[str, str]:
        """Closed paths of a canonical host, each with its file; those of patterns where no file names the host."""
        names = (host,) if host in self.exact_hosts else (host, f"*.{host.partition('.')[2]}")
        divided = ((*at.partition("/"), file) for at, file in self.closed.items() if "/" in at)
        return {f"/{path}": file for name, _, path, file in divided if name in names}
