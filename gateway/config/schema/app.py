"""policies/apps/*.yaml: one application, its access rules and its view of a person."""

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
    """The leniencies of this application when it reads paths. Only listed leniencies are let through."""

    parameters: list[ParameterName] = Field(default=[], max_length=20)
    """Path parameters that it cuts off, such as jsessionid."""
    case: Literal["sensitive", "insensitive"] = "sensitive"
    """`insensitive`: the application may be a Windows server, so other names of one file are refused: `a~1`, `a.`."""
    windows: bool = False
    """With `case: insensitive`: dots and blanks at the end of a name are taken off instead of refused."""
    merge_slashes: bool = False
    encoding: Literal["utf8", "latin1"] = "utf8"
    """The charset of its links. `latin1` is windows-1252, as browsers read it."""
    escaped: list[Literal["?", "#"]] = Field(default=[], max_length=2)
    """Which of these two characters the names of its pages hold. A server that decodes once more would cut there."""
    cookieless: bool = False
    """The application is ASP.NET with sessions in the path: one segment `(S(...))` is taken off."""
    mangled: bool = False
    """The application is SAP with settings in the path, `/sap(bD1kZQ==)/bc/`: this part in parentheses is taken off."""

    semicolon: Literal["refuse", "literal"] = "refuse"
    """`literal`: a `;` (or `%3B`) is a letter of a name, as in MediaWiki, Redmine, Trac and JupyterLab. Not for Java
    servers, which cut there."""
    encoded_slash: Literal["refuse", "keep"] = "refuse"
    """`keep`: the application takes `%2F` for a part of a name, as RabbitMQ and MediaWiki's REST do. Rules see, and
    write, `%2F`."""
    encoded_backslash: Literal["refuse", "keep"] = "refuse"
    """`keep`: likewise for `%5C`. Not for Windows servers, to which it is a slash."""
    encoded_percent: Literal["refuse", "literal"] = "refuse"
    """`literal`: names may look like escapes (`%2541`, the name `%41`), because nothing decodes them twice. What would
    then be a separator stays refused."""

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
    """The `Cache-Control` that a response to a signed-in person is given if it has none: with `private` no
    shared cache keeps it, with `no-store` no browser either. `unchanged` adds none."""
    clear_site_data: bool = False
    """Lets the application clear the cookies of the whole domain in the browser (`Clear-Site-Data: "cookies"`), ours
    too. Refused in a team's file."""
    end_hsts: bool = False
    """Lets the application have browsers use http again (`Strict-Transport-Security` of under 1000 s)."""
    front_orders: bool = False
    """Lets the application tell a server in front of the gateway what to send (`X-Accel-Redirect`, `X-Sendfile`,
    `X-Reproxy-URL` and their like). `X-Accel-Buffering`, which concerns the response itself, passes in any case.
    Refused in a team's file."""
    banners: bool = True
    """Whether browsers are told its server, language and framework, with their versions (`Server`, `X-Powered-By`,
    `X-AspNet-Version` and their like)."""
    add: dict[AddedName, LineValue] = Field(default={}, max_length=20)
    """Headers that browsers get where the application sends none of the name: `X-Content-Type-Options: nosniff`. A
    team's file may not write `includeSubDomains`."""
    replace: dict[AddedName, LineValue] = Field(default={}, max_length=20)
    """Headers that browsers get in the place of what the application sends, if it sends any."""

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
    """What follows the end of a limit: `resume` if the portal's session lives, or `sign_in` at the provider anew, which
    has to be one that `can: [fresh_login]`."""
    streams: Literal["end", "last"] = "end"
    """What happens at the idle limit to a request that still carries data in either direction: an upload, a download,
    a stream, a WebSocket. With `end`, only new requests move the limit, and the exchange ends with it. With `last`,
    data in either direction moves the limit too. The absolute limit ends the exchange in any case."""
    grace: Maybe[Grace] = None
    """How long people go on here while the session store is away, where `store.grace` in gateway.yaml is too long."""


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
    """The calls and redirects when people sign out of this application, or their session ends in another way."""

    scope: ByProviders[Literal["local", "global"]] = "local"
    """`local`: signs out of every application behind the gateway, in this browser. `global`: at the provider as
    well."""
    cookies: list[CookieName] = Field(default=[], max_length=20)
    """The application's own cookies, which are cleared."""
    cookie_paths: Maybe[list[ApplicationTarget]] = Field(default=None, min_length=1, max_length=5)
    """The paths that the application sets its cookies for. Where this is left out: `/`, the application's `path`, and
    the first folder of `url`."""
    cookie_domains: list[HostName] = Field(default=[], max_length=5)
    """What it writes into the `Domain` of its cookies: one of its hosts, or a domain that one of them is in. A cookie
    that has a `Domain` is cleared under it alone."""
    all_cookies: Maybe[bool] = None
    """Clears every cookie of the application that the browser brings, but for those in cookies.visible; with
    cookies.prefix, those that begin with it. Where this is left out, and `cookies` too: at a sign-out, and after
    another end of the session unless keep_posts is there."""
    url: ByUpstreams[Maybe[ApplicationTarget]] = None
    """A path of the application that is called at every end of a person's session, so that it ends its own."""
    method: ByUpstreams[Literal["get", "post"]] = "get"
    """The method of this call."""
    form: ByUpstreams[dict[CallField, CallValue]] = Field(default={}, max_length=20)
    """With `method: post`: the fields that this call sends, as a form would: `action: logout`."""
    headers: ByHeaders[dict[CallHeader, LineValue]] = Field(default={}, max_length=20)
    """Headers of this call beside those of translate: `X-Requested-With: XMLHttpRequest`."""
    login: ByHeaders[Maybe[Text]] = None
    """The header or cookie of translate that this call carries where no browser is there, with the cookies named above
    as last seen and the constants of translate. Where this is left out, the first header or cookie that comes from an
    attribute of the person."""
    links: list[LogoutLink] = Field(default=[], max_length=50)
    """The application's own addresses for signing out: a person who follows one signs out here. A path pattern, or one
    with parameters that the query has, among others: `/doku.php?do=logout`."""


class TunnelSection(Strict):
    """Lasting connections. Without this key an upgrade is refused."""

    protocols: list[Literal["websocket"]] = Field(min_length=1, max_length=1)
    """What the application takes. `h2c` and TLS are never carried."""
    origins: ByHosts[list[Origin]] = Field(default=[], max_length=100)
    """Other sites whose pages may open one; pages of the application's own hosts always may."""
    idle: Own[Seconds] = 600.0
    """Without a byte either way, pings included, it ends."""
    keeps_session: Own[bool] = False
    """What the person sends in one is use of the session, as requests are; pings and what the application sends are
    not."""


class RuleSection(Strict):
    path: PathPattern
    """Whole segments: a name, `*` for any one, `~expression` (RE2), and last `**` for all below."""
    methods: Maybe[list[MethodName]] = Field(default=None, min_length=1)
    """All methods where this is left out; GET includes HEAD."""
    allow: Maybe[WrittenCondition] = None
    deny: Maybe[WrittenCondition] = None
    """Refuses here and on every narrower path, whatever their rules allow."""
    refusal: Maybe[TextByLanguage] = None
    """What a person who is refused reads: a text, or one by language (`{fr: ..., en: ...}`)."""
    shadow: bool = False
    """The rule is evaluated beside the live rules, instead of those on its path and methods; differences are logged."""

    @model_validator(mode="after")
    def _says_something(self) -> "RuleSection":
        if self.allow is None and self.deny is None:
            raise wrong("this rule neither allows nor denies", "add allow: or deny:")
        return self


class AppFile(Strict):
    """policies/apps/*.yaml: one application, who may use it, and which values about a person it receives."""

    version: Own[Version]
    app: Own[Name]
    label: ByHosts[Label] = Field(default={})
    """The name that people know it by, on our pages: `{fr: ..., en: ...}`."""
    shadow: ByHosts[bool] = False
    """This file stands beside the live one of the same application: its decisions are compared, never enforced."""
    hosts: ByHosts[list[HostPattern]] = Field(min_length=1, max_length=200)
    """The names that browsers know it by; `*.example.org` stands for any one label, but for one with `_`: a name that
    has one is written as it stands."""
    path: ByHosts[Maybe[PathPrefix]] = None
    """Below which path of its hosts it answers, beside other applications: `/wiki`. Paths in the file stay whole."""
    start: ByHosts[Maybe[ApplicationTarget]] = None
    """The page that people begin with, where it is not `/`: `/accueil?page=1`. The portal lists the application for
    those whom the rules let into this page, and leads them there."""
    public: ByHosts[Maybe[PublicSection]] = None
    """Scheme and port that browsers use for it, where they are not those of the portal."""
    upstream: ByUpstreams[UpstreamSection]
    front: ByHosts[Maybe[FrontName]] = None
    """The server that passes its requests on, and asks here about each (`forward_auth` of gateway.yaml).
    `oauth2-proxy`: an nginx that was set up for that; paths below `/oauth2/` are Écluse's then."""
    providers: ByProviders[list[Name]] = Field(min_length=1, max_length=10000)
    """The providers whose people it listens to."""
    directories: ByDirectories[list[Name]] = Field(default=[], max_length=100)
    """The directories whose word it is told, and its rules may ask for."""
    paths: Own[PathsSection] = PathsSection()
    methods: ByHosts[list[NamedMethod]] = Field(default=[], max_length=20)
    """What it takes beside the usual methods: those of WebDAV, CalDAV and Subversion. Rules are then asked about all
    that a request reaches: what lies below its path, and the path of `Destination`."""
    client_headers: ByHeaders[list[ListedHeader]] = Field(default=[], max_length=20)
    """Headers that its own scripts and programs send, and that are dropped elsewhere: names with `_`, each by its exact
    name, `X-Auth-Token`, `X-Auth-Key`, `X-Access-Token`, `X-User-Id`, `X-User-Email`, `X-Hasura-Role` and
    `X-Scope-OrgID`."""
    method_override: ByHosts[bool] = False
    """The application obeys `X-HTTP-Method-Override`, its relatives or `_method` in a query: rules are asked about the
    PUT, PATCH or DELETE that a POST names. Otherwise such a request is refused."""
    responses: ByHosts[ResponsesSection] = ResponsesSection()
    rewrite: ByHosts[RewriteSection] = RewriteSection()
    """Addresses in its answers that lead to where only the gateway can go, made public: `rewrite: {headers: true}`."""
    cookies: ByHosts[CookiesSection] = CookiesSection()
    """Its own cookies: hidden from browsers, renamed, or kept to one host."""
    limits: Own[AppLimitsSection] = AppLimitsSection()
    timeouts: Own[AppTimeoutsSection] = AppTimeoutsSection()
    session: Own[AppSessionSection] = AppSessionSection()
    logout: ByHosts[AppLogoutSection] = AppLogoutSection()
    tunnel: ByUpstreams[Maybe[TunnelSection]] = None
    """WebSocket, which ends when the person signs out or may no longer be there: `tunnel: {protocols: [websocket]}`."""
    embedded_by: ByHosts[list[HostName]] = Field(default=[], max_length=100)
    """Hosts of the same site whose pages show it in a frame. A person whom the portal knows is signed in there without
    a visit; nobody is asked to sign in within a frame."""
    keep_posts: Own[Maybe[KeepPostsSection]] = None
    """Keeps forms and uploads that are sent when the session has ended, so that they are not lost: `keep_posts: {}`.
    Where this is left out, a person whose session has ended fills the form in again."""
    api: ByProviders[Maybe[AppApiSection]] = None
    """Programs that bring an access token."""
    account: Own[Maybe[AccountSection]] = None
    """It has accounts of its own: a person's login is looked up, and nobody comes in without one."""
    translate: Own[TranslateSection] = TranslateSection()
    """What it is told about a signed-in person, in headers and cookies."""
    form_login: ByUpstreams[Maybe[FormLoginSection]] = None
    """The login form of an application that has nothing else."""
    access: ByHosts[list[RuleSection]] = Field(min_length=1, max_length=100_000)
    """The rules of access, by path. Their order does not matter: the most specific path that has a rule decides."""

    @model_validator(mode="after")
    def _agrees(self) -> "AppFile":
        if self.shadow and any(rule.shadow for rule in self.access):
            raise wrong("every rule of a shadow file is a shadow", "leave shadow out of its rules")
        if self.upstream.timeout is not None and self.timeouts.first_byte is not None:
            raise wrong("upstream.timeout and timeouts.first_byte are the same", "leave one of them out")
        if self.start and self.path and not self.start.partition("?")[0].startswith(f"{self.path}/"):
            raise wrong("start is no page of this application", f"write it as {self.path}/page, or leave it out")
        return self
