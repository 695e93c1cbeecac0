"""How an application is reached: where, by which TLS, how requests are divided among several addresses, and which
faults of its responses are let through."""

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
    """PEM: the certificate that the application knows us by."""
    key: PublicReference
    """Where its private key stands, PEM, without a passphrase."""


class UpstreamTlsSection(Strict):
    """What is asked of the TLS of an application; requests, health checks, `logout.url` and `form_login` go by it."""

    name: Maybe[Annotated[str, AfterValidator(checked(host_name))]] = None
    """The name that its certificate has to hold; the host of the URL where this is left out."""
    sni: Maybe[Annotated[str, AfterValidator(checked(_said))]] = None
    """The name that is said in the handshake, by which some servers choose a certificate; `none` says nothing. `name`
    where this is left out."""
    pins: BySecrets[list[PublicReference]] = Field(default=[], max_length=8)
    """PEM, one certificate each. The application has to show one of them; its names and who signed it do not matter
    then, its dates do."""
    minimum: Literal["tls1.2", "tls1.3"] = "tls1.2"
    """The oldest version that is spoken."""
    client_certificate: BySecrets[Maybe[ShownCertificateSection]] = None
    """What we show where the application asks for a certificate."""
    legacy: Maybe[Literal["tls1.0"]] = None
    """For a server that knows nothing newer: TLS 1.0 and up, with old ciphers, SHA-1 and short keys. Others on the way
    may break it; lint (EC347) and the log (`upstream.deviation`) say so."""

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
    """The page that is asked for. It is cheap, and nobody has to sign in for it."""
    status: list[Annotated[int, Field(ge=200, le=599)]] = Field(default=[200], min_length=1, max_length=20)
    """The statuses of a healthy address."""
    every: Seconds = 5.0
    """The time between two checks, a second at least. Each wait is up to a tenth longer or shorter."""
    within: Seconds = 2.0
    """The longest wait for the answer."""
    failures: Annotated[int, Field(ge=1, le=100)] = 2
    """An address is left out after so many failed checks in a row, until one succeeds."""

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
    """An address is left out after so many failures in a row."""
    pause: Seconds = 10.0
    """How long it is left out before one request tries it. Each time that this fails too, it is left out for twice as
    long, two minutes at most."""


class BufferSection(Strict):
    """Bodies that wait in the gateway, so that a slow client does not hold the application: 256 KB of each in memory at
    most, the rest on the disk (`buffers` of gateway.yaml), encrypted."""

    requests: Maybe[Size] = None
    """A request's body of up to this size is gathered before the application is asked, which gets it with its length.
    A larger one is sent on as it comes. No body is gathered where this is left out."""
    responses: Maybe[Size] = None
    """Of a response that its client reads slowly, so much waits. The application is free as soon as it has said all; of
    a larger response it has to wait. None waits where this is left out."""

    @model_validator(mode="after")
    def _buffers(self) -> "BufferSection":
        if not self.requests and not self.responses:
            raise wrong("nothing is buffered", "write requests or responses, or leave buffer out")
        return self


def _upstream_host(text: str) -> str:
    return text if text in ("keep", "upstream") else server_name(text)


class UpstreamSection(Strict):
    url: ApplicationUrl
    """Where it listens, `http://host:port`, and perhaps the path where it has its pages."""
    others: list[ApplicationOrigin] = Field(default=[], max_length=63)
    """Further addresses of the same application, among which requests are divided: `http://host:port`."""
    socket: BySockets[Maybe[PlainPath]] = None
    """The Unix socket where it listens, in a folder that gateway.yaml lists (`sockets`); `url` says then by what name,
    path and scheme it is known: `http://localhost`."""
    balance: Literal["round_robin", "least_connections", "seat"] = "round_robin"
    """Which address a request goes to: one after the other, the one with the fewest requests under way, or always the
    same for one person's session (`seat`; for who has none, for one client's address), which applications need that
    keep their sessions in memory."""
    circuit: Maybe[CircuitSection] = None
    """When an address is left out for a while. An application with one address has no circuit where this is left
    out."""
    health: Maybe[HealthSection] = None
    """Health checks; none where this is left out."""
    slow_start: Maybe[Seconds] = None
    """Where there are several addresses: one that was out, and is in again, gets a tenth of what it would get, and over
    this time ever more, so that a server with cold caches is not asked for everything at once."""
    retries: Annotated[int, Field(ge=0, le=100)] = 10
    """Where there are several addresses: for a hundred requests, so many may be sent to another one, if that can do no
    harm. That is so where no connection could be opened, and for a GET, HEAD, OPTIONS, PUT or DELETE without a body
    that was not answered."""
    concurrency: Maybe[Count] = None
    """The most requests under way at each address, in each worker. Others wait for their turn, as long as a connection
    may take (`timeouts.connect`)."""
    queue: Maybe[Annotated[int, Field(ge=0, le=100_000)]] = None
    """With `concurrency`: so many wait at each address, and people are told that the application is busy beyond; as
    many as `concurrency` where it is left out."""
    timeout: Maybe[Seconds] = None
    """The longest wait for the first byte of a response; that of gateway.yaml where it is left out."""
    host: Annotated[str, AfterValidator(checked(_upstream_host))] = "keep"
    """The Host that the application sees: `keep` for the browser's, `upstream` for that of the URL, or a name."""
    ca: BySecrets[Maybe[PublicReference]] = None
    """PEM: the authority that signed the application's TLS certificate."""
    tls: Maybe[UpstreamTlsSection] = None
    proxy_protocol: Maybe[Literal["v2"]] = None
    """Each connection to it begins with a header of PROXY protocol, which tells the client's address before TLS. A
    connection is one client's then: each request has one of its own."""
    buffer: Maybe[BufferSection] = None
    """Which bodies wait here for a slow client."""
    accept: list[AcceptedFault] = Field(default=[], max_length=7)
    """Faults of an old server's responses that are let through, each by name: lines of a head that end with a bare LF,
    blanks behind the size of a chunk, chunks in HTTP/1.0, a status from 600 to 999 (browsers get 500), a length such as
    `0042`, lines without a colon (left out), and heads of up to 256 KB (64 KB without it). All but `odd_status` and
    `long_headers` concern where a response ends: its connection is closed behind it, and lint (EC348) and the log
    (`upstream.deviation`) say so."""

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
