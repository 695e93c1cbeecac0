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
    """Its private key."""


class TlsSection(Strict):
    certificate: PublicReference
    """PEM: the certificate, then the certificates that lead to its authority."""
    key: Secret
    """PEM: its private key, without a passphrase."""
    others: list[OtherCertificateSection] = Field(default=[], max_length=200)
    """Further certificates of this listener. A browser is shown the first one that holds the name that it asks for, and
    `certificate` where none does."""


class ListenSection(Strict):
    address: SocketAddress
    """IP address and port."""
    tls: Maybe[TlsSection] = None
    redirect: Maybe[Literal["https", "none"]] = None
    """`https`: every request is redirected to the same address by https; nothing is served here. Where this is left
    out, a listener without TLS beside one with TLS does so for what is public by https, if the portal is, no proxy is
    trusted, and its address is none of the machine's own alone (127.0.0.1). `none`: it serves by http."""
    proxy_protocol: list[NetworkText] = Field(default=[], max_length=256)
    """Addresses and networks of the servers in front, which begin each connection with a header of PROXY protocol v2:
    who the client is, before TLS. Connections from elsewhere, and without such a header, are closed."""

    @model_validator(mode="after")
    def _either(self) -> "ListenSection":
        if self.redirect == "https" and self.tls is not None:
            raise wrong("a listener that redirects to https has no TLS of its own", "leave redirect or tls out")
        return self


class AccountsSection(Strict):
    """Account links (`account:` of an application's file): which person owns which login of an application. The links
    are in `links.sqlite` in the state folder. Back up the file together with these keys."""

    keys: list[StoreKeySection] = Field(min_length=1, max_length=16)
    """Keys of their own, which open nothing else. The first key seals; all of them open."""


class TimeoutsSection(Strict):
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
    """The whole exchange, however slowly a body or a response goes on."""
    drain: Seconds = 30.0
    """To finish what is under way when the gateway is asked to end."""


def _no_longer_than_64(network: IpNetwork) -> IpNetwork:
    if network.version == 6 and network.prefixlen > 64:
        raise wrong("an IPv6 client is counted by its /64", "write a network of 64 bits at most")
    return network


class NetworkLimitSection(Strict):
    network: Annotated[NetworkText, AfterValidator(_no_longer_than_64)]
    """An address, or a network in CIDR form; where several hold an address, the most specific counts."""
    connections: Count
    """The limit of each address in it (IPv6: each /64), instead of `connections_per_client`."""


class GatewayLimitsSection(Strict):
    url: Size = 8192
    headers: Size = 32768
    """All headers of a request together."""
    header_count: Count = 100
    body: SizeOrUnlimited = 1 << 30
    connections: Count = 20000
    """Connections of clients, in each worker, from accept on: handshakes count. The last eighth is kept for addresses
    from which somebody who is signed in was seen in the last ten minutes. Each takes three descriptors
    (`LimitNOFILE`)."""
    connections_per_client: Count = 2000
    """Connections of one address (IPv6: one /64), in each worker; listed proxies are not bounded by it."""
    networks: list[NetworkLimitSection] = Field(default=[], max_length=256)
    """Networks whose addresses have a limit of their own: many people behind one address, a front, a guest network."""
    requests: Maybe[RequestRatesSection] = None
    """How often anybody may ask, of all hosts together, the portal's among them."""
    transactions: Count = 100000
    """Sign-ins under way."""
    transactions_per_network: Count = 1000
    cached_seats: Count = 20000
    """Signed-in people that one worker keeps in memory, and 8 KB for each of them in all: where many have more
    attributes than that, it keeps fewer."""
    sessions_per_person: Maybe[Count] = None
    """In how many browsers the same person, by issuer and subject, may be signed in at once: a sign-in in one more ends
    what they have in the one where they signed in longest ago, whose next page says why. Where this is left out, in any
    number."""


class TeamSection(Strict):
    """The fence around apps/TEAM/. A file that reaches beyond the fence is refused."""

    hosts: list[HostPattern] = Field(min_length=1, max_length=1000)
    """`*.example.org` covers every host of one label more."""
    providers: list[Name] = Field(min_length=1, max_length=10_000)
    upstreams: list[UpstreamPlace] = Field(min_length=1, max_length=1000)
    """Where its applications may listen: networks and addresses, which bound every name that leads there; and names
    (`*.example.org` covers one label more), which are believed wherever they lead. An address or a name may have a
    port. The address is judged at every connect."""
    sockets: list[PlainPath] = Field(default=[], max_length=100)
    """Folders of Unix sockets where its applications may listen, instead of those of the operator's applications."""
    secrets: list[str] = Field(default=[], max_length=100)
    """Folders, relative to the policy folder: the team's files may name secrets and certificates below them, as `{file:
    path}`. No link is followed there."""
    headers: list[Word] = Field(default=[], max_length=200)
    """The only headers in which its applications may be told something."""
    cookies: list[Word] = Field(default=[], max_length=200)
    """The only cookies in which its applications may be told something."""
    attributes: Maybe[list[AttributeName]] = Field(default=None, max_length=200)
    """The only attributes of people that its applications may be told; where this is left out, all that its providers
    assert and its directories give."""
    directories: list[Name] = Field(default=[], max_length=1000)
    """The directories of directories/ that its applications may list."""


class GatewayFile(Strict):
    """policies/gateway.yaml: what is said once."""

    version: Version
    portal: PortalUrl
    """The public address of the portal, the one that the providers know: `https://portail.example.org`."""
    listen: list[ListenSection] = Field(min_length=1, max_length=64)
    admin: AdminAddress = "127.0.0.1:8081"
    """Where /livez, /readyz and /metrics answer: a loopback address or `unix:/path`."""
    state: str = Field(default=STATE, min_length=1)
    """The folder that the gateway writes to; a relative one starts from the policy folder."""
    sockets: list[PlainPath] = Field(default=[], max_length=100)
    """Folders of Unix sockets where applications listen (`upstream.socket`). No link is followed below them, and none
    of the gateway's own sockets is connected to."""
    store: StoreSection
    accounts: Maybe[AccountsSection] = None
    scim: Maybe[ScimSection] = None
    trusted_proxies: list[NetworkText] = Field(default=[], max_length=256)
    """The proxies in front of the gateway, whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    forward_auth: Maybe[ForwardAuthSection] = None
    timeouts: TimeoutsSection = TimeoutsSection()
    limits: GatewayLimitsSection = GatewayLimitsSection()
    hsts: Maybe[WholeSecondsOrNone] = None
    """How long browsers are to use https alone for a host (RFC 6797): sent with our own responses for hosts that are
    public by https, but of applications with `responses: {end_hsts: true}`. Where this is left out, 180 days if the
    portal is https; `0s` has browsers forget it."""
    access_log: bool = False
    """Writes one log line for each request."""
    development: bool = False
    """For a developer's own machine: http providers and portal, and secrets written in these files."""
    watch: bool = False
    """The gateway looks at the files every other second, and takes a change as `ecluse reload` would."""
    workers: Maybe[int] = Field(default=None, ge=1, le=256)
    """The number of processes that serve; where this is left out, one for each core, to which it is bound."""
    levels: LadderNames = Field(default=list(USUAL_LADDER))
    """Every level of sign-in, the weakest first."""
    posts: PostsSection = PostsSection()
    """Where forms and uploads are kept across a sign-in, and how much of them."""
    buffers: BuffersSection = BuffersSection()
    """Where bodies wait for slow clients (`upstream.buffer` of an application's file), and how much of them."""
    theme: ThemeSection = ThemeSection()
    teams: dict[Name, TeamSection] = Field(default={}, max_length=1000)
    """Teams that own their files: files of apps/TEAM/ may use what is listed here, and no more."""
    tokens: Maybe[TokensSection] = None
    """The keys of the tokens that applications are sent (`translate.jwt`)."""
    saml: Maybe[SamlSelfSection] = None
    """Our own side towards SAML providers; needed as soon as there is one."""

    @property
    def kept_to_https(self) -> int | None:
        """The seconds of HSTS, by `hsts` or its default."""
        return USUAL_HSTS if self.hsts is None and self.portal.scheme == "https" else self.hsts

    def redirects(self, listen: ListenSection) -> Redirects:
        """The requests that this listener redirects to https."""
        if listen.redirect is not None or listen.tls is not None:
            return "all" if listen.redirect == "https" else "nothing"
        beside = self.portal.scheme == "https" and any(other.tls for other in self.listen)
        own = ip_address(listen.address[0]).is_loopback
        fronted = self.trusted_proxies or listen.proxy_protocol
        return "https" if beside and not own and not fronted else "nothing"
