"""policies/apps/*.yaml: an application, its access rules and the values about a person that it receives."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.account import AccountSection
from gateway.config.schema.app_api import AppApiSection
from gateway.config.schema.conditions import WrittenCondition
from gateway.config.schema.cookies import CookiesSection
from gateway.config.schema.exchange_limits import AppLimitsSection, AppTimeoutsSection
from gateway.config.schema.fence import ByDirectories, ByHeaders, ByHosts, ByProviders, ByUpstreams, Own
from gateway.config.schema.form_login import FormLoginSection
from gateway.config.schema.forward_auth import FrontName
from gateway.config.schema.posts import KeepPostsSection
from gateway.config.schema.rewrite import AddedName, LineValue, RewriteSection
from gateway.config.schema.translate import TranslateSection
from gateway.config.schema.types import (
    Grace,
    HostName,
    HostPattern,
    Label,
    LogoutLink,
    Maybe,
    MethodName,
    Name,
    NamedMethod,
    Origin,
    ParameterName,
    PathPattern,
    Seconds,
    Strict,
    Text,
    TextByLanguage,
    Version,
    WholeSeconds,
    checked,
    wrong,
)
from gateway.config.schema.upstream import UpstreamSection
from gateway.config.schema.values import ApplicationTarget, CookieName, ListedHeader, PathPrefix
from gateway.model.errors import GatewayError
from gateway.model.names import fold
from gateway.translation.render import check_header
from gateway.translation.specs import Constant, HeaderSpec
from gateway.wire.response_guard import HSTS, ends_hsts
from gateway.wire.target import PathLeniency


class PublicSection(Strict):
    scheme: Maybe[Literal["http", "https"]] = None
    port: Maybe[int] = Field(default=None, ge=1, le=65535)


class PathsSection(Strict):
    """The leniencies of this application when it reads paths. The gateway tolerates only the listed leniencies."""

    parameters: list[ParameterName] = Field(default=[], max_length=20)
    """Path parameters that the application cuts off, such as jsessionid."""
    case: Literal["sensitive", "insensitive"] = "sensitive"
    """`insensitive`: the application may be a Windows server, so alternative names of a file are refused: `a~1`,
    `a.`."""
    windows: bool = False
    """With `case: insensitive`: dots and blanks at the end of a name are removed instead of refused."""
    merge_slashes: bool = False
    encoding: Literal["utf8", "latin1"] = "utf8"
    """The charset of the application's links. `latin1` is windows-1252, as in browsers."""
    escaped: list[Literal["?", "#"]] = Field(default=[], max_length=2)
    """The characters of these two that occur in names of the application's pages. A server that decodes twice would cut
    there."""
    cookieless: bool = False
    """The application is ASP.NET with sessions in the path: one segment `(S(...))` is removed."""
    mangled: bool = False
    """The application is SAP with settings in the path, `/sap(bD1kZQ==)/bc/`: the part in parentheses is removed."""

    semicolon: Literal["refuse", "literal"] = "refuse"
    """`literal`: a `;` (or `%3B`) is part of a name, as in MediaWiki, Redmine, Trac and JupyterLab. Not for Java
    servers, which cut there."""
    encoded_slash: Literal["refuse", "keep"] = "refuse"
    """`keep`: the application reads `%2F` as part of a name, as RabbitMQ and MediaWiki's REST do. Rules are written
    with `%2F` and compared with `%2F`."""
    encoded_backslash: Literal["refuse", "keep"] = "refuse"
    """`keep`: likewise for `%5C`. Not for Windows servers, which read `%5C` as a slash."""
    encoded_percent: Literal["refuse", "literal"] = "refuse"
    """`literal`: names may look like escapes (`%2541`, the name `%41`), because no server decodes them twice. Names
    that would contain a separator after a second decoding stay refused."""

    def leniency(self) -> PathLeniency:
        return PathLeniency(
            frozenset(self.parameters),
            self.case == "insensitive",
            self.merge_slashes,
            "latin-1" if self.encoding == "latin1" else "utf-8",
            frozenset((*self.escaped, ";")) if self.semicolon == "literal" else frozenset(self.escaped),
            self.cookieless,
            self.windows,
            self.mangled,
            frozenset(
                escape
                for escape, said in (("%2F", self.encoded_slash), ("%5C", self.encoded_backslash))
                if said == "keep"
            ),
            self.encoded_percent == "literal",
        )

    @model_validator(mode="after")
    def _windows(self) -> "PathsSection":
        if self.windows and self.case == "sensitive":
            raise wrong("a Windows server knows no case", "write case: insensitive too, or leave windows out")
        return self

    @model_validator(mode="after")
    def _one_reading(self) -> "PathsSection":
        """Refuses combined leniencies under which policy would decide on a path that the application never maps."""
        kept = [key for key in ("encoded_slash", "encoded_backslash") if getattr(self, key) == "keep"]
        if self.semicolon == "literal" and self.parameters:
            raise wrong("an application that cuts at ; has no ; in names", "leave semicolon or parameters out")
        if kept and self.case == "insensitive":
            raise wrong(f"a Windows server would read {kept[0]} as a slash", f"leave {kept[0]} or case out")
        return self


class ResponsesSection(Strict):
    """How the application's responses are changed on their way to the browser."""

    cache: Literal["private", "no-store", "unchanged"] = "private"
    """The `Cache-Control` that is added to a response for a signed-in person if the application sent none. `private`:
    shared caches keep no copy. `no-store`: browsers keep no copy either. `unchanged`: adds none."""
    clear_site_data: bool = False
    """Lets the application clear all cookies of the domain in the browser (`Clear-Site-Data: "cookies"`), the gateway's
    cookies included. Refused in a team's file."""
    end_hsts: bool = False
    """Lets the application allow http again in browsers (`Strict-Transport-Security` of under 1000 s)."""
    front_orders: bool = False
    """Lets the application give orders to a server in front of the gateway (`X-Accel-Redirect`, `X-Sendfile`,
    `X-Reproxy-URL` and similar headers). `X-Accel-Buffering`, which concerns only the response, always passes. Refused
    in a team's file."""
    banners: bool = True
    """Whether browsers receive the headers that name the application's server, language and framework with their
    versions (`Server`, `X-Powered-By`, `X-AspNet-Version` and similar headers)."""
    add: dict[AddedName, LineValue] = Field(default={}, max_length=20)
    """Headers that are added to a response if the application did not send them: `X-Content-Type-Options: nosniff`. A
    team's file may not write `includeSubDomains`."""
    replace: dict[AddedName, LineValue] = Field(default={}, max_length=20)
    """Headers that replace the application's headers of the same name. A header that the application did not send is
    not added."""

    @model_validator(mode="after")
    def _each_once(self) -> "ResponsesSection":
        if twice := self.add.keys() & self.replace.keys():
            raise wrong(f"{min(twice)} stands in add and in replace", "leave it in one of them")
        hsts = {**self.add, **self.replace}.get(HSTS, "")
        if not self.end_hsts and ends_hsts(hsts.encode("ascii")):
            raise wrong("this Strict-Transport-Security would have browsers use http again", "write end_hsts: true too")
        return self


class AppSessionSection(Strict):
    """Shorter limits than the session's own, for this application."""

    idle: Maybe[WholeSeconds] = None
    absolute: Maybe[WholeSeconds] = None
    then: ByProviders[Literal["resume", "sign_in"]] = "resume"
    """What happens when a limit is reached. `resume`: the person goes on if the portal's session is alive. `sign_in`:
    the person signs in again at the provider, whose file needs `can: [fresh_login]`."""
    streams: Literal["end", "last"] = "end"
    """What happens at the idle limit to a request that still carries data in either direction: an upload, a download, a
    stream, a WebSocket. `end`: only new requests extend the limit, and the exchange ends at the limit. `last`: data in
    either direction also extends the limit. The absolute limit always ends the exchange."""
    grace: Maybe[Grace] = None
    """How long people keep access to this application while the session store is unreachable, if `store.grace` in
    gateway.yaml is too long."""


def _call_header(name: str) -> str:
    """A header name that `translate` could inject. Excludes names that identify the caller."""
    try:
        check_header(HeaderSpec(name, Constant("x")))
    except GatewayError as error:
        raise wrong(error.detail) from None
    if fold(name.encode("ascii")) in _OF_PERSONS:
        raise wrong("this header says who calls", "write it into translate, which the call carries too")
    return name


_OF_PERSONS: Final = frozenset({fold(b"Authorization"), fold(b"Cookie")})
CallHeader = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(checked(_call_header))]
CallField = Annotated[str, Field(min_length=1, max_length=200)]
CallValue = Annotated[str, Field(max_length=1000)]


class AppLogoutSection(Strict):
    """The calls and redirects at the end of a session: a sign-out from this application, an expiry, a revocation."""

    scope: ByProviders[Literal["local", "global"]] = "local"
    """`local`: signs the person out of every application behind the gateway, in this browser. `global`: at the provider
    as well."""
    cookies: list[CookieName] = Field(default=[], max_length=20)
    """The application's own cookies that are cleared."""
    cookie_paths: Maybe[list[ApplicationTarget]] = Field(default=None, min_length=1, max_length=5)
    """The paths of the application's cookies. Default: `/`, the application's `path`, and the first folder of `url`."""
    cookie_domains: list[HostName] = Field(default=[], max_length=5)
    """The `Domain` of the application's cookies: one of the application's hosts, or a parent domain of one. A cookie
    that was set with a `Domain` is cleared only under that domain."""
    all_cookies: Maybe[bool] = None
    """Clears all cookies of the application that the browser sends, except those in `cookies.visible`; with
    `cookies.prefix`, only cookies with this prefix. If neither this key nor `cookies` is written, the gateway clears
    all at a sign-out, and also at any other end of the session unless `keep_posts` is written."""
    url: ByUpstreams[Maybe[ApplicationTarget]] = None
    """A path of the application that is called at every end of a person's session, so that the application ends its own
    session."""
    method: ByUpstreams[Literal["get", "post"]] = "get"
    """The method of the call."""
    form: ByUpstreams[dict[CallField, CallValue]] = Field(default={}, max_length=20)
    """With `method: post`: the form fields that the call sends: `action: logout`."""
    headers: ByHeaders[dict[CallHeader, LineValue]] = Field(default={}, max_length=20)
    """Headers of the call beside those of `translate`: `X-Requested-With: XMLHttpRequest`."""
    login: ByHeaders[Maybe[Text]] = None
    """The header or cookie of `translate` that the call carries when no browser takes part. The call also carries the
    last known values of the cookies above and the constants of `translate`. Default: the first header or cookie that
    comes from an attribute of the person."""
    links: list[LogoutLink] = Field(default=[], max_length=50)
    """The application's own sign-out addresses: a person who opens one signs out of the gateway. A path pattern, or a
    path with parameters that the query must contain: `/doku.php?do=logout`."""


class TunnelSection(Strict):
    """Lasting connections. Without this key an upgrade is refused."""

    protocols: list[Literal["websocket"]] = Field(min_length=1, max_length=1)
    """The protocols that the application accepts. `h2c` and TLS are never carried."""
    origins: ByHosts[list[Origin]] = Field(default=[], max_length=100)
    """Other sites whose pages may open a connection. Pages of the application's own hosts always may."""
    idle: Own[Seconds] = 600.0
    """The connection ends after this time without a byte in either direction. Pings count as bytes."""
    keeps_session: Own[bool] = False
    """What the person sends counts as use of the session, as a request does. Pings and what the application sends do
    not count."""


class RuleSection(Strict):
    path: PathPattern
    """Whole segments: a name, `*` for any segment, `~expression` (RE2); `**` at the end for all paths below."""
    methods: Maybe[list[MethodName]] = Field(default=None, min_length=1)
    """Default: all methods. GET includes HEAD."""
    allow: Maybe[WrittenCondition] = None
    deny: Maybe[WrittenCondition] = None
    """Refuses on this path and all narrower paths, even if the rules of those paths allow."""
    refusal: Maybe[TextByLanguage] = None
    """The text for a person who is refused: one text, or one by language (`{fr: ..., en: ...}`)."""
    shadow: bool = False
    """In a second evaluation, which is never enforced, this rule replaces the live rules of its path and methods.
    Differences are logged."""

    @model_validator(mode="after")
    def _says_something(self) -> "RuleSection":
        if self.allow is None and self.deny is None:
            raise wrong("this rule neither allows nor denies", "add allow: or deny:")
        return self


class AppFile(Strict):
    """policies/apps/*.yaml: an application, its access rules, and the values about a person that it receives."""

    version: Own[Version]
    app: Own[Name]
    label: ByHosts[Label] = Field(default={})
    """The name of the application on the gateway's pages: `{fr: ..., en: ...}`."""
    shadow: ByHosts[bool] = False
    """This file stands beside the live file of the same application: its decisions are compared, never enforced."""
    hosts: ByHosts[list[HostPattern]] = Field(min_length=1, max_length=200)
    """The application's host names in browsers. `*.example.org` covers any one label without `_`. A name with `_` is
    written out."""
    path: ByHosts[Maybe[PathPrefix]] = None
    """The path of its hosts below which the application answers, beside other applications: `/wiki`. Paths in this file
    include this prefix."""
    start: ByHosts[Maybe[ApplicationTarget]] = None
    """The first page for people, if it is not `/`: `/accueil?page=1`. The portal lists the application for people whom
    the rules allow to open this page, and links to it."""
    public: ByHosts[Maybe[PublicSection]] = None
    """The scheme and port of the application in browsers, if they differ from the portal's."""
    upstream: ByUpstreams[UpstreamSection]
    front: ByHosts[Maybe[FrontName]] = None
    """The server in front that forwards this application's requests and asks the gateway about each request first
    (`forward_auth` of gateway.yaml). `oauth2-proxy`: an nginx that was configured for oauth2-proxy; the gateway then
    owns the paths below `/oauth2/`."""
    providers: ByProviders[list[Name]] = Field(min_length=1, max_length=10000)
    """The providers whose people may use the application."""
    directories: ByDirectories[list[Name]] = Field(default=[], max_length=100)
    """The directories whose attributes the application may receive and its rules may use."""
    paths: Own[PathsSection] = PathsSection()
    methods: ByHosts[list[NamedMethod]] = Field(default=[], max_length=20)
    """Methods that the application accepts beside the usual ones: those of WebDAV, CalDAV and Subversion. Rules then
    have to allow everything that a request reaches: the paths below its path, and the path of `Destination`."""
    client_headers: ByHeaders[list[ListedHeader]] = Field(default=[], max_length=20)
    """Headers that the application's own scripts and programs send and that are otherwise dropped: names with `_`, each
    by its exact name, `X-Auth-Token`, `X-Auth-Key`, `X-Access-Token`, `X-User-Id`, `X-User-Email`, `X-Hasura-Role` and
    `X-Scope-OrgID`."""
    method_override: ByHosts[bool] = False
    """The application obeys `X-HTTP-Method-Override`, similar headers or `_method` in a query: rules decide on the PUT,
    PATCH or DELETE that a POST names. By default such a request is refused."""
    responses: ByHosts[ResponsesSection] = ResponsesSection()
    rewrite: ByHosts[RewriteSection] = RewriteSection()
    """Replaces internal addresses in the application's responses with public ones: `rewrite: {headers: true}`."""
    cookies: ByHosts[CookiesSection] = CookiesSection()
    """The application's own cookies: hidden from browsers, renamed, or kept to one host."""
    limits: Own[AppLimitsSection] = AppLimitsSection()
    timeouts: Own[AppTimeoutsSection] = AppTimeoutsSection()
    session: Own[AppSessionSection] = AppSessionSection()
    logout: ByHosts[AppLogoutSection] = AppLogoutSection()
    tunnel: ByUpstreams[Maybe[TunnelSection]] = None
    """WebSocket. The connection ends when the person signs out or loses access: `tunnel: {protocols: [websocket]}`."""
    embedded_by: ByHosts[list[HostName]] = Field(default=[], max_length=100)
    """Hosts of the same site whose pages show the application in a frame. A person with a session at the portal is
    signed in inside the frame. The gateway never asks for a sign-in inside a frame."""
    keep_posts: Own[Maybe[KeepPostsSection]] = None
    """Keeps forms and uploads that are sent after the session has ended, so that they are not lost: `keep_posts: {}`.
    Without this key the person fills the form in again."""
    api: ByProviders[Maybe[AppApiSection]] = None
    """Programs that send an access token."""
    account: Own[Maybe[AccountSection]] = None
    """The application has its own accounts: the gateway looks up the person's login, and refuses people without a
    login."""
    translate: Own[TranslateSection] = TranslateSection()
    """What the application receives about a signed-in person, in headers and cookies."""
    form_login: ByUpstreams[Maybe[FormLoginSection]] = None
    """The login form of an application that accepts neither headers nor tokens."""
    access: ByHosts[list[RuleSection]] = Field(min_length=1, max_length=100_000)
    """The access rules, by path. Their order does not matter: the most specific path with a rule decides."""

    @model_validator(mode="after")
    def _agrees(self) -> "AppFile":
        if self.shadow and any(rule.shadow for rule in self.access):
            raise wrong("every rule of a shadow file is a shadow", "leave shadow out of its rules")
        if self.upstream.timeout is not None and self.timeouts.first_byte is not None:
            raise wrong("upstream.timeout and timeouts.first_byte are the same", "leave one of them out")
        if self.start and self.path and not self.start.partition("?")[0].startswith(f"{self.path}/"):
            raise wrong("start is no page of this application", f"write it as {self.path}/page, or leave it out")
        return self
