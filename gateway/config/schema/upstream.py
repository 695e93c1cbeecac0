"""How the gateway reaches an application: addresses, TLS, division of requests among several addresses, and tolerated
faults in responses."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.fence import BySecrets, BySockets
from gateway.config.schema.scalars import Url, host_name, server_name
from gateway.config.schema.types import (
    ApplicationOrigin,
    ApplicationUrl,
    Count,
    Maybe,
    PlainPath,
    PublicReference,
    Seconds,
    Size,
    Strict,
    checked,
    wrong,
)
from gateway.config.schema.values import ApplicationTarget
from gateway.wire.lenient_heads import AcceptedFault


def _said(text: str) -> str:
    return text if text == "none" else host_name(text)


class ShownCertificateSection(Strict):
    certificate: PublicReference
    """PEM: the certificate by which the application recognises us."""
    key: PublicReference
    """PEM: the private key of the certificate, without a passphrase."""


class UpstreamTlsSection(Strict):
    """TLS towards an application, for requests, health checks, `logout.url` and `form_login`."""

    name: Maybe[Annotated[str, AfterValidator(checked(host_name))]] = None
    """The name that the application's certificate must contain. Default: the host of the URL."""
    sni: Maybe[Annotated[str, AfterValidator(checked(_said))]] = None
    """The name in the TLS handshake (SNI), by which some servers choose a certificate. `none` sends no name. Default:
    `name`."""
    pins: BySecrets[list[PublicReference]] = Field(default=[], max_length=8)
    """PEM, one certificate each. The application must present one of them. Its dates are checked; its names and issuer
    are not."""
    minimum: Literal["tls1.2", "tls1.3"] = "tls1.2"
    """The oldest accepted TLS version."""
    client_certificate: BySecrets[Maybe[ShownCertificateSection]] = None
    """The client certificate, sent if the application requests one."""
    legacy: Maybe[Literal["tls1.0"]] = None
    """For a server without TLS 1.2: accepts TLS 1.0 and later, with old ciphers, SHA-1 and short keys. Attackers on the
    network may break such a connection; lint (EC347) and the log (`upstream.deviation`) report it."""

    @model_validator(mode="after")
    def _agrees(self) -> "UpstreamTlsSection":
        if self.pins and self.name is not None:
            raise wrong("a certificate that is pinned is asked for no name", "leave name or pins out")
        if self.legacy is not None and self.minimum != "tls1.2":
            raise wrong("legacy is for servers that know no TLS 1.3", "leave minimum or legacy out")
        return self


class HealthSection(Strict):
    """A page that each worker requests from each address regularly, from the first request on. An address without the
    expected answer gets no requests until the answer comes."""

    path: ApplicationTarget
    """The page that is requested. Choose a cheap page that needs no sign-in."""
    status: list[Annotated[int, Field(ge=200, le=599)]] = Field(default=[200], min_length=1, max_length=20)
    """The statuses of a healthy address."""
    every: Seconds = 5.0
    """The time between two checks, at least a second. Each wait varies by up to a tenth."""
    within: Seconds = 2.0
    """The longest wait for the response."""
    failures: Annotated[int, Field(ge=1, le=100)] = 2
    """An address is left out after this many failed checks in a row, until a check succeeds."""

    @model_validator(mode="after")
    def _ends(self) -> "HealthSection":
        if self.every < 1:
            raise wrong("an address is asked once a second at most", "write every: 1s, or more")
        if self.within > self.every:
            raise wrong("the next check would begin before this one has ended", "write a shorter within")
        return self


class CircuitSection(Strict):
    """When an address gets no requests for a while. A refused connection always counts. A connection that breaks off
    unanswered, or a timeout, counts only while the application has another address."""

    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """An address is left out after this many failures in a row."""
    pause: Seconds = 10.0
    """How long the address is left out before one request tries it. The time doubles after each further failure, up to
    two minutes."""


class BufferSection(Strict):
    """Bodies that wait in the gateway, so that a slow client does not hold the application: 256 KB of each in memory at
    most, the rest on the disk (`buffers` of gateway.yaml), encrypted."""

    requests: Maybe[Size] = None
    """Request bodies up to this size are gathered before the request is sent to the application, with their length.
    Larger bodies are streamed. Default: no body is gathered."""
    responses: Maybe[Size] = None
    """How much of a response waits for a client that reads slowly. The application is free once its whole response is
    received; a larger response makes it wait. Default: 0."""

    @model_validator(mode="after")
    def _buffers(self) -> "BufferSection":
        if not self.requests and not self.responses:
            raise wrong("nothing is buffered", "write requests or responses, or leave buffer out")
        return self


def _upstream_host(text: str) -> str:
    return text if text in ("keep", "upstream") else server_name(text)


class UpstreamSection(Strict):
    url: ApplicationUrl
    """The address of the application, `http://host:port`, with a path if its pages are below one."""
    others: list[ApplicationOrigin] = Field(default=[], max_length=63)
    """Further addresses of the same application, over which requests are balanced: `http://host:port`."""
    socket: BySockets[Maybe[PlainPath]] = None
    """The Unix socket on which the application listens, in a folder that gateway.yaml lists (`sockets`). `url` then
    gives the name, path and scheme for requests: `http://localhost`."""
    balance: Literal["round_robin", "least_connections", "seat"] = "round_robin"
    """How the address of a request is chosen: each in turn; the address with the fewest open requests; or always the
    same address for one session (`seat`; without a session, for one client address), for applications that keep
    sessions in memory."""
    circuit: Maybe[CircuitSection] = None
    """When an address is left out for a while. By default an application with a single address has no circuit."""
    health: Maybe[HealthSection] = None
    """Health checks. Default: none."""
    slow_start: Maybe[Seconds] = None
    """With several addresses: an address that returns gets a tenth of its share at first, and more over this time, so
    that a server with cold caches is not overloaded."""
    retries: Annotated[int, Field(ge=0, le=100)] = 10
    """With several addresses: how many of a hundred requests may be retried at another address if the retry is safe. A
    retry is safe if no connection could be opened, and for an unanswered GET, HEAD, OPTIONS, PUT or DELETE without a
    body."""
    concurrency: Maybe[Count] = None
    """The most open requests at each address, in each worker. Further requests wait, at most for the time of
    `timeouts.connect`."""
    queue: Maybe[Annotated[int, Field(ge=0, le=100_000)]] = None
    """With `concurrency`: the most requests that wait. Beyond it, people see that the application is busy. Default: the
    number of `concurrency`."""
    timeout: Maybe[Seconds] = None
    """The longest wait for the first byte of a response. Default: the value in gateway.yaml."""
    host: Annotated[str, AfterValidator(checked(_upstream_host))] = "keep"
    """The Host that the application receives: `keep` for the browser's, `upstream` for that of the URL, or a name."""
    ca: BySecrets[Maybe[PublicReference]] = None
    """PEM: the authority that signed the application's TLS certificate."""
    tls: Maybe[UpstreamTlsSection] = None
    proxy_protocol: Maybe[Literal["v2"]] = None
    """Begins each connection with a PROXY protocol header, which gives the client's address before TLS. Each request
    then has its own connection."""
    buffer: Maybe[BufferSection] = None
    """The bodies that wait in the gateway for a slow client."""
    accept: list[AcceptedFault] = Field(default=[], max_length=7)
    """Accepted faults in the responses of an old server, each by name: header lines that end with a bare LF, blanks
    after the size of a chunk, chunks in HTTP/1.0, a status from 600 to 999 (browsers get 500), a length such as `0042`,
    lines without a colon (dropped), and headers of up to 256 KB (default 64 KB). All except `odd_status` and
    `long_headers` affect where a response ends: the connection is closed after such a response, and lint (EC348) and
    the log (`upstream.deviation`) report it."""

    @model_validator(mode="after")
    def _agrees(self) -> "UpstreamSection":
        if self.ca is not None and self.url.scheme != "https":
            raise wrong("ca has no effect on http", "write https in url, or leave ca out")
        if self.tls is not None:
            self._secured(self.tls)
        if self.queue is not None and self.concurrency is None:
            raise wrong("nobody waits where there is no limit", "write concurrency too, or leave queue out")
        if self.others:
            self._several()
        elif self.model_fields_set & {"balance", "retries", "slow_start"}:
            raise wrong("there is one address, so nothing is divided", "add others: [...], or leave this out")
        return self

    def _secured(self, tls: UpstreamTlsSection) -> None:
        if self.url.scheme != "https":
            raise wrong("tls has no effect on http", "write https in url, or leave tls out")
        if tls.pins and self.ca is not None:
            raise wrong("a certificate that is pinned is asked for no authority", "leave ca or tls.pins out")

    def _several(self) -> None:
        if self.socket is not None:
            raise wrong("an application on a socket has no other addresses", "leave socket or others out")
        if any(other.scheme != self.url.scheme for other in self.others):
            raise wrong("all addresses of an application have one scheme", f"write {self.url.scheme} in others, too")
        if self.slow_start is not None and self.balance == "seat":
            raise wrong("each person stays at one address, so none gets a share", "leave slow_start or balance out")
        places = [(url.host, url.effective_port) for url in self.urls]
        if len(set(places)) < len(places):
            raise wrong("an address stands here twice", "leave it out once")

    @property
    def urls(self) -> tuple[Url, ...]:
        """Every address, in the order of the file."""
        return self.url, *self.others
