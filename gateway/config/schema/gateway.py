"""policies/gateway.yaml: what is said once.

The texts below the keys are the reference documentation: `json_schema` puts them into the schemas for editors.
"""

from ipaddress import ip_address
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.folder.files import STATE
from gateway.config.schema.app_tokens import TokensSection
from gateway.config.schema.forward_auth import ForwardAuthSection
from gateway.config.schema.posts import BuffersSection, PostsSection
from gateway.config.schema.rates import RequestRatesSection
from gateway.config.schema.saml import SamlSelfSection
from gateway.config.schema.scim import ScimSection
from gateway.config.schema.store import StoreKeySection, StoreSection
from gateway.config.schema.theme import ThemeSection
from gateway.config.schema.types import (
    AdminAddress,
    AttributeName,
    Count,
    HostPattern,
    LadderNames,
    Maybe,
    Name,
    NetworkText,
    PlainPath,
    PortalUrl,
    PublicReference,
    Seconds,
    Secret,
    Size,
    SizeOrUnlimited,
    SocketAddress,
    Strict,
    UpstreamPlace,
    Version,
    WholeSecondsOrNone,
    Word,
    wrong,
)
from gateway.model.redirects import Redirects
from gateway.policy.levels import USUAL_LADDER
from gateway.wire.addresses import IpNetwork

# Less is little kept: testssl.sh takes it for a weakness.
USUAL_HSTS: Final = 180 * 86400


class OtherCertificateSection(Strict):
    certificate: PublicReference
    """As `tls.certificate`."""
    key: Secret
    """The private key of this certificate."""


class TlsSection(Strict):
    certificate: PublicReference
    """PEM: the certificate, followed by its intermediate certificates."""
    key: Secret
    """PEM: the private key of the certificate, without a passphrase."""
    others: list[OtherCertificateSection] = Field(default=[], max_length=200)
    """Further certificates of this listener. A browser gets the first certificate that contains the requested name. If
    no certificate does, it gets `certificate`."""


class ListenSection(Strict):
    address: SocketAddress
    """IP address and port."""
    tls: Maybe[TlsSection] = None
    redirect: Maybe[Literal["https", "none"]] = None
    """`https`: every request is redirected to the same address with https; nothing is served here. `none`: requests are
    served over http. Default: a listener without TLS redirects hosts that are public by https, if another listener has
    TLS, the portal is https, no proxy is trusted and the listener's address is not a loopback address."""
    proxy_protocol: list[NetworkText] = Field(default=[], max_length=256)
    """Addresses and networks of servers in front that begin each connection with a PROXY protocol v2 header, which
    gives the client's address before TLS. Other connections, and connections without the header, are closed."""

    @model_validator(mode="after")
    def _either(self) -> "ListenSection":
        if self.redirect == "https" and self.tls is not None:
            raise wrong("a listener that redirects to https has no TLS of its own", "leave redirect or tls out")
        return self


class AccountsSection(Strict):
    """Account links (`account:` of an application's file): which person owns which login of an application. The links
    are in `links.sqlite` in the state folder. Back up the file together with these keys."""

    keys: list[StoreKeySection] = Field(min_length=1, max_length=16)
    """Keys that are used for nothing else. The first key encrypts; all keys decrypt."""


class TimeoutsSection(Strict):
    request_head: Seconds = 15.0
    """From the first byte of a request to the end of its headers."""
    idle: Seconds = 75.0
    """An open connection without a request."""
    body: Seconds = 30.0
    """Between two pieces of a body, in either direction."""
    connect: Seconds = 5.0
    """To open a connection to an application."""
    first_byte: Seconds = 60.0
    """From the request to the first byte of the application's response."""
    total: Seconds = 3600.0
    """The whole exchange, however slowly a body or a response continues."""
    drain: Seconds = 30.0
    """The time for open exchanges to finish when the gateway stops."""


def _no_longer_than_64(network: IpNetwork) -> IpNetwork:
    if network.version == 6 and network.prefixlen > 64:
        raise wrong("an IPv6 client is counted by its /64", "write a network of 64 bits at most")
    return network


class NetworkLimitSection(Strict):
    network: Annotated[NetworkText, AfterValidator(_no_longer_than_64)]
    """An address, or a network in CIDR form. If several contain an address, the most specific counts."""
    connections: Count
    """The limit for each address in the network (IPv6: each /64), instead of `connections_per_client`."""


class GatewayLimitsSection(Strict):
    url: Size = 8192
    headers: Size = 32768
    """All headers of a request together."""
    header_count: Count = 100
    body: SizeOrUnlimited = 1 << 30
    connections: Count = 20000
    """Client connections of each worker, counted from accept, handshakes included. The last eighth is reserved for
    addresses from which a signed-in person sent a request in the last ten minutes. Each connection takes three
    descriptors (`LimitNOFILE`)."""
    connections_per_client: Count = 2000
    """Connections of one address (IPv6: one /64), in each worker. Listed proxies are exempt."""
    networks: list[NetworkLimitSection] = Field(default=[], max_length=256)
    """Networks whose addresses have their own limit: many people behind one address, a front, a guest network."""
    requests: Maybe[RequestRatesSection] = None
    """Limits on the rate of requests, over all hosts together, the portal included."""
    transactions: Count = 100000
    """Sign-ins in progress."""
    transactions_per_network: Count = 1000
    cached_seats: Count = 20000
    """Signed-in people that one worker keeps in memory. The memory limit is 8 KB for each: if many people have more
    attributes, the worker keeps fewer people."""
    sessions_per_person: Maybe[Count] = None
    """In how many browsers the same person, by issuer and subject, may be signed in at once. A further sign-in ends the
    oldest session, and the next page in that browser says why. Default: no limit."""


class TeamSection(Strict):
    """The fence around apps/TEAM/. A file that reaches beyond the fence is refused."""

    hosts: list[HostPattern] = Field(min_length=1, max_length=1000)
    """`*.example.org` covers hosts with exactly one more label."""
    providers: list[Name] = Field(min_length=1, max_length=10_000)
    upstreams: list[UpstreamPlace] = Field(min_length=1, max_length=1000)
    """The addresses at which the team's applications may listen. Networks and addresses limit what every name may
    resolve to. Names (`*.example.org` covers one more label) are allowed whatever they resolve to. An address or a name
    may have a port. The resolved address is checked at every connection."""
    sockets: list[PlainPath] = Field(default=[], max_length=100)
    """Folders of Unix sockets for the team's applications, instead of the folders for the operator's applications."""
    secrets: list[str] = Field(default=[], max_length=100)
    """Folders, relative to the policy folder, below which the team's files may name secrets and certificates as `{file:
    path}`. Links are not followed there."""
    headers: list[Word] = Field(default=[], max_length=200)
    """The only headers in which the team's applications may receive values."""
    cookies: list[Word] = Field(default=[], max_length=200)
    """The only cookies in which the team's applications may receive values."""
    attributes: Maybe[list[AttributeName]] = Field(default=None, max_length=200)
    """The only attributes of people that the team's applications may receive. Default: all attributes from its
    providers and directories."""
    directories: list[Name] = Field(default=[], max_length=1000)
    """The directories of directories/ that the team's applications may list."""


class GatewayFile(Strict):
    """policies/gateway.yaml: what is said once."""

    version: Version
    portal: PortalUrl
    """The public address of the portal, as the providers know it: `https://portail.example.org`."""
    listen: list[ListenSection] = Field(min_length=1, max_length=64)
    admin: AdminAddress = "127.0.0.1:8081"
    """The address of /livez, /readyz and /metrics: a loopback address or `unix:/path`."""
    state: str = Field(default=STATE, min_length=1)
    """The folder that the gateway writes to. A relative path starts from the policy folder."""
    sockets: list[PlainPath] = Field(default=[], max_length=100)
    """Folders of Unix sockets where applications listen (`upstream.socket`). Links below them are not followed, and the
    gateway's own sockets are refused."""
    store: StoreSection
    accounts: Maybe[AccountsSection] = None
    scim: Maybe[ScimSection] = None
    trusted_proxies: list[NetworkText] = Field(default=[], max_length=256)
    """The proxies in front of the gateway whose X-Forwarded-For and X-Forwarded-Proto are trusted."""
    forward_auth: Maybe[ForwardAuthSection] = None
    timeouts: TimeoutsSection = TimeoutsSection()
    limits: GatewayLimitsSection = GatewayLimitsSection()
    hsts: Maybe[WholeSecondsOrNone] = None
    """How long browsers use only https for a host (RFC 6797). Sent with the gateway's own responses on hosts that are
    public by https, except hosts of applications with `responses: {end_hsts: true}`. Default: 180 days if the portal is
    https. `0s` makes browsers forget it."""
    access_log: bool = False
    """Writes one log line for each request."""
    development: bool = False
    """For a developer's own machine: allows http for providers and the portal, and secrets inside these files."""
    watch: bool = False
    """Checks the files every two seconds and loads a change as `ecluse reload` does."""
    workers: Maybe[int] = Field(default=None, ge=1, le=256)
    """The number of worker processes. Default: one for each core, bound to it."""
    levels: LadderNames = Field(default=list(USUAL_LADDER))
    """All levels of sign-in, from the weakest to the strongest."""
    posts: PostsSection = PostsSection()
    """Where forms and uploads are kept during a sign-in, and how much of them."""
    buffers: BuffersSection = BuffersSection()
    """Where bodies wait for slow clients (`upstream.buffer` of an application's file), and how much of them."""
    theme: ThemeSection = ThemeSection()
    teams: dict[Name, TeamSection] = Field(default={}, max_length=1000)
    """Teams with their own files: files of apps/TEAM/ may use only what is listed here."""
    tokens: Maybe[TokensSection] = None
    """The keys of the tokens for applications (`translate.jwt`)."""
    saml: Maybe[SamlSelfSection] = None
    """The gateway as a SAML service provider; required with the first SAML provider."""

    @property
    def kept_to_https(self) -> int | None:
        """The seconds of HSTS, by `hsts` or its default."""
        return USUAL_HSTS if self.hsts is None and self.portal.scheme == "https" else self.hsts

    def redirects(self, listen: ListenSection) -> Redirects:
        """The requests that the listener redirects to https."""
        if listen.redirect is not None or listen.tls is not None:
            return "all" if listen.redirect == "https" else "nothing"
        beside = self.portal.scheme == "https" and any(other.tls for other in self.listen)
        own = ip_address(listen.address[0]).is_loopback
        fronted = self.trusted_proxies or listen.proxy_protocol
        return "https" if beside and not own and not fronted else "nothing"
