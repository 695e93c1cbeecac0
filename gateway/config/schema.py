"""The three kinds of file, as they are written. What one file alone can tell is checked here.

The texts below the keys are the reference documentation: `json_schema` puts them into the schemas for editors.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.files import STATE
from gateway.config.presets import PresetName
from gateway.config.saml_attributes import COMMON
from gateway.config.scalars import host_name
from gateway.config.schema_api import AppApi
from gateway.config.schema_conditions import Condition
from gateway.config.schema_levels import CanList, Ladder, Levels
from gateway.config.schema_limits import GatewayLimits
from gateway.config.schema_logout import AppLogout, ProviderLogout
from gateway.config.schema_oidc import Oidc
from gateway.config.schema_paths import Paths
from gateway.config.schema_saml import Saml, SamlNames, SamlSelf
from gateway.config.schema_teams import Team
from gateway.config.schema_types import (
    AdminAddress,
    AttributeName,
    ClaimPath,
    FixedText,
    HostPattern,
    Label,
    Maybe,
    Method,
    Name,
    NetworkText,
    Origin,
    PathPattern,
    Place,
    PortalUrl,
    Seconds,
    Secret,
    SizeOrUnlimited,
    SocketAddress,
    Strict,
    Text,
    Version,
    WholeSeconds,
    checked,
    wrong,
)
from gateway.identity.mapping import RESERVED_ATTRIBUTES
from gateway.identity.perimeter import is_siret
from gateway.model.mail import mail_domain
from gateway.policy.levels import USUAL_LADDER


class Tls(Strict):
    certificate: Place
    """PEM: the certificate, then those that lead to its authority."""
    key: Secret
    """PEM: its private key, without a passphrase."""


class Listen(Strict):
    address: SocketAddress
    """IP address and port."""
    tls: Maybe[Tls] = None
    redirect: Maybe[Literal["https"]] = None
    """Every request is led to the same address by https; nothing is served here."""

    @model_validator(mode="after")
    def _either(self) -> "Listen":
        if self.redirect is not None and self.tls is not None:
            raise wrong("who is here speaks https already", "leave redirect or tls out")
        return self


class StoreKey(Strict):
    id: Name
    """Written beside what the key seals."""
    secret: Secret
    """At least 32 bytes of chance; a line end after them does not count."""


class Store(Strict):
    type: Literal["sqlite", "memory"]
    """`sqlite`: a file in the state folder. `memory`: gone when the process ends, and one worker only."""
    keys: list[StoreKey] = Field(min_length=1, max_length=16)
    """The first seals, all of them open."""


class Timeouts(Strict):
    request_head: Seconds = 15.0
    """From the first byte of a request to the end of its headers."""
    idle: Seconds = 75.0
    """An open connection without a request."""
    body: Seconds = 30.0
    """Between two pieces of a body, either way."""
    connect: Seconds = 5.0
    """To open a connection to an application."""
    first_byte: Seconds = 60.0
    """From the request to the first byte of the application's answer."""
    total: Seconds = 3600.0
    """A whole exchange, however slowly a body or an answer goes on."""
    drain: Seconds = 30.0
    """To finish what is under way when the gateway is asked to end."""


class GatewayFile(Strict):
    """policies/gateway.yaml: what is said once."""

    version: Version
    portal: PortalUrl
    """The public address of the portal, the one that the providers know: `https://portail.example.org`."""
    listen: list[Listen] = Field(min_length=1, max_length=64)
    admin: AdminAddress = "127.0.0.1:8081"
    """Where /livez, /readyz and /metrics answer: a loopback address or `unix:/path`."""
    state: str = Field(default=STATE, min_length=1)
    """The folder that the gateway writes to; a relative one starts from the policy folder."""
    store: Store
    trusted_proxies: list[NetworkText] = Field(default=[], max_length=256)
    """The proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    timeouts: Timeouts = Timeouts()
    limits: GatewayLimits = GatewayLimits()
    hsts: Maybe[WholeSeconds] = None
    """How long browsers are to ask for our hosts by https alone (RFC 6797): told with our own answers."""
    access_log: bool = False
    """One line for each request."""
    development: bool = False
    """For one's own machine: http providers and portal, secrets written in these files."""
    watch: bool = False
    """The files are looked at every other second, and a change is taken as `ecluse reload` would."""
    workers: Maybe[int] = Field(default=None, ge=1, le=256)
    """Processes that serve; where this is left out, one for each core, which keeps to it."""
    levels: Ladder = Field(default=list(USUAL_LADDER))
    """Every level of sign-in, the weakest first."""
    teams: dict[Name, Team] = Field(default={}, max_length=1000)
    """Teams that own their files: apps/TEAM/ may use what is listed here, and no more."""
    saml: Maybe[SamlSelf] = None
    """Who we are to SAML providers; needed as soon as there is one."""


def _siret(text: str) -> str:
    if not is_siret(text):
        raise wrong("this is not a SIRET", "14 digits, the last of which checks the others")
    return text


def _domain(text: str) -> str:
    if mail_domain(f"a@{text}") != text:
        raise wrong("this is not the domain of an e-mail address", "write it as example.org, in lower case")
    return text


def _not_reserved(name: str) -> str:
    # CVE-2024-29892 in another product: a mapping that overwrote what the gateway itself knows of a person.
    if name in RESERVED_ATTRIBUTES:
        raise wrong(f"{name} is the gateway's own name", "choose another name for this attribute")
    return name


def _ten_minutes(seconds: int) -> int:
    if seconds > 600:
        raise wrong("this is at most 10m")
    return seconds


class Asserts(Strict):
    siret: Maybe[list[Annotated[str, AfterValidator(_siret)]]] = None
    """The organisations that this provider speaks for; a SIREN is that of one of them."""
    email_domains: Maybe[list[Annotated[str, AfterValidator(_domain)]]] = None
    """The domains of the addresses that it may give, under whatever name, and in the identifier as well."""
    scopes: Maybe[list[Annotated[str, AfterValidator(_domain)]]] = None
    """What may stand after the @ of scoped attributes (eppn, scoped_affiliation, subject_id, pairwise_id), and of what
    only looks like an address; `email_domains` where it is left out. What the metadata state (shibmd:Scope) narrows it
    further, and never widens it."""
    attributes: Maybe[dict[AttributeName, list[Text]]] = None
    """For an attribute, the only values that this provider may give it."""


class ProviderSession(Strict):
    idle: WholeSeconds = 1800
    """Without a request for so long, the session ends."""
    absolute: WholeSeconds = 43200
    """And after so long in any case."""


class ProviderBase(Strict):
    """One identity provider, and what it may say about people, whatever it speaks."""

    version: Version
    provider: Name
    """Its name in the other files, in addresses and in logs."""
    label: Maybe[Label] = None
    """What people choose it by: a text, or one for each language."""
    tenant: Maybe[AttributeName] = None
    """The attribute that names the organisation in whose name the person acts."""
    asserts: Asserts = Asserts()
    """What this provider may say; a sign-in that says anything else is refused. What is not listed is not bounded."""
    session: ProviderSession = ProviderSession()
    can: CanList = Field(default=[])
    """What it does and is believed in: `fresh_login`, it asks people anew when it is told to and says when they last
    proved who they are; `acr`, `amr`, it says how strongly and by what."""
    levels: Levels = Levels()


class ProviderFile(ProviderBase):
    """policies/providers/*.yaml with `oidc`: a provider that speaks OpenID Connect."""

    preset: Maybe[PresetName] = None
    """What is known of a common provider. Whatever this file says counts before it: `ecluse provider show`."""
    oidc: Oidc
    logout: ProviderLogout = ProviderLogout()
    attributes: dict[Annotated[AttributeName, AfterValidator(_not_reserved)], ClaimPath] = Field(
        default={}, max_length=200
    )
    """Our name for an attribute, and the provider's claim that it comes from; `null` takes one of the preset away."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 60
    """How far its clock may be from ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Each mapped attribute with the names that say what it holds."""
        return {name: claim[-1:] for name, claim in self.attributes.items()}


class SamlProviderFile(ProviderBase):
    """policies/providers/*.yaml with `saml`: a provider that speaks SAML 2.0."""

    saml: Saml
    attributes: dict[Annotated[AttributeName, AfterValidator(_not_reserved)], SamlNames] = Field(
        default={}, max_length=200
    )
    """Our name for an attribute, and the names that the provider may give it; `NameID` is the subject's own."""
    skew: Annotated[WholeSeconds, AfterValidator(_ten_minutes)] = 180
    """How far its clock may be from ours."""

    def sources(self) -> dict[str, tuple[str, ...]]:
        """Each mapped attribute with the names that it may have; what the file maps itself is not common."""
        return {name: COMMON[name] for name in self.saml.common} | self.attributes


class Public(Strict):
    scheme: Maybe[Literal["http", "https"]] = None
    port: Maybe[int] = Field(default=None, ge=1, le=65535)


def _upstream_host(text: str) -> str:
    return text if text in ("keep", "upstream") else host_name(text)


class Upstream(Strict):
    url: Origin
    """Where the application listens: `http://host:port`."""
    timeout: Maybe[Seconds] = None
    """The longest wait for the first byte of an answer; that of gateway.yaml where it is left out."""
    host: Annotated[str, AfterValidator(checked(_upstream_host))] = "keep"
    """The Host that the application sees: `keep` the browser's, `upstream` for that of the URL, or a name."""
    ca: Maybe[Place] = None
    """PEM: the authority that signed the application's TLS certificate."""

    @model_validator(mode="after")
    def _tls(self) -> "Upstream":
        if self.ca is not None and self.url.scheme != "https":
            raise wrong("ca has no effect on http", "write https in url, or leave ca out")
        return self


class Responses(Strict):
    """What becomes of the application's answers on their way to the browser."""

    cache: Literal["private", "no-store", "unchanged"] = "private"
    """The `Cache-Control` of an answer to somebody who is signed in that has none, nor `Expires` or `Pragma`: with
    `private` no shared cache keeps it, with `no-store` no browser either. `unchanged` adds none."""
    clear_site_data: bool = False
    """Lets it clear the cookies of the whole domain in the browser (`Clear-Site-Data: "cookies"`), ours too."""
    end_hsts: bool = False
    """Lets it have browsers use http again (`Strict-Transport-Security` of under 1000 s)."""


class AppLimits(Strict):
    body: Maybe[SizeOrUnlimited] = None


class AppSession(Strict):
    """Shorter limits than the session's own, for this application."""

    idle: Maybe[WholeSeconds] = None
    absolute: Maybe[WholeSeconds] = None
    then: Literal["resume", "sign_in"] = "resume"
    """At their end: `resume` if the portal's session lives, or `sign_in` at the provider anew, which has
    to be one that `can: [fresh_login]`."""
    streams: Literal["end", "last"] = "end"
    """What is still being sent at the idle limit: `end`, only requests move the limit, and what streams ends with it;
    `last`, what is sent moves it as requests do. The absolute limit ends it in any case."""


class Injected(Strict):
    source: Maybe[AttributeName] = Field(default=None, alias="from")
    """An attribute of the person, or subject, provider, issuer. Where there is none, nothing is sent."""
    value: Maybe[FixedText] = None
    """A fixed text, sent for everyone who is signed in. A secret stands elsewhere, but in development: `{file: path}`,
    `{env: NAME}` or `{credential: name}`, of which a team's file may write `{file: ...}` alone, below its `secrets`."""
    join: Maybe[str] = Field(default=None, min_length=1, max_length=8)
    """Put between several values; without it, several values are refused."""
    encoding: Literal["utf8", "latin1", "percent", "base64"] = "utf8"
    unencodable: Literal["refuse", "transliterate"] = "refuse"
    """What `encoding: latin1` does with a letter that it does not have."""

    @model_validator(mode="after")
    def _one_source(self) -> "Injected":
        if (self.source is None) == (self.value is None):
            raise wrong("this comes from one place", "write {from: attribute} or {value: text}")
        if self.join is not None and self.source is None:
            raise wrong("join has no effect on a fixed value")
        if self.unencodable != "refuse" and self.encoding != "latin1":
            raise wrong("unencodable has an effect with encoding: latin1 only", "leave it out")
        return self


class Translate(Strict):
    headers: dict[str, Injected] = Field(default={}, max_length=200)
    cookies: dict[str, Injected] = Field(default={}, max_length=50)


class Rule(Strict):
    path: PathPattern
    """Whole segments: a name, `*` for any one, `~expression` (RE2), and last `**` for all below."""
    methods: Maybe[list[Method]] = Field(default=None, min_length=1)
    """All methods where this is left out; GET includes HEAD."""
    allow: Maybe[Condition] = None
    deny: Maybe[Condition] = None
    """Refuses here and on every narrower path, whatever their rules allow."""
    refusal: Maybe[Text] = None
    """What a person who is refused reads."""
    shadow: bool = False
    """Evaluated beside the live rules, in the place of those on its path and methods; differences are logged."""

    @model_validator(mode="after")
    def _says_something(self) -> "Rule":
        if self.allow is None and self.deny is None:
            raise wrong("this rule neither allows nor denies", "add allow: or deny:")
        return self


class AppFile(Strict):
    """policies/apps/*.yaml: one application, who may use it, and what it is told about them."""

    version: Version
    app: Name
    shadow: bool = False
    """This file stands beside the live one of the same application: its decisions are compared, never enforced."""
    hosts: list[HostPattern] = Field(min_length=1, max_length=200)
    """The names that browsers know it by; `*.example.org` stands for any one label."""
    public: Maybe[Public] = None
    """Scheme and port that browsers use for it, where they are not those of the portal."""
    upstream: Upstream
    providers: list[Name] = Field(min_length=1, max_length=10000)
    """The providers whose people it listens to."""
    paths: Paths = Paths()
    method_override: bool = False
    """It does what `X-HTTP-Method-Override`, its relatives or `_method` in a query name: rules are asked about the PUT,
    PATCH or DELETE that a POST names. Otherwise such a request is refused."""
    responses: Responses = Responses()
    limits: AppLimits = AppLimits()
    session: AppSession = AppSession()
    logout: AppLogout = AppLogout()
    api: Maybe[AppApi] = None
    """Programs that bring an access token."""
    translate: Translate = Translate()
    """What it is told about a signed-in person, in headers and cookies."""
    access: list[Rule] = Field(min_length=1, max_length=100_000)
    """Who may pass where. The order says nothing: the most specific path that has a rule decides."""

    @model_validator(mode="after")
    def _one_shadow(self) -> "AppFile":
        if self.shadow and any(rule.shadow for rule in self.access):
            raise wrong("in a file that is a shadow, every rule is", "leave shadow out of its rules")
        return self
