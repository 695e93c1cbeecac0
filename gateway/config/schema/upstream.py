"""How an application is reached: what is asked of its TLS, and how requests are divided among several addresses."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema.scalars import host_name
from gateway.config.schema.types import Maybe, PublicReference, Seconds, Strict, checked, wrong
from gateway.config.schema.values import ApplicationTarget


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
    pins: list[PublicReference] = Field(default=[], max_length=8)
    """PEM, one certificate each. The application has to show one of them; its names and who signed it do not matter
    then, its dates do."""
    minimum: Literal["tls1.2", "tls1.3"] = "tls1.2"
    """The oldest version that is spoken."""
    client_certificate: Maybe[ShownCertificateSection] = None
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
    """A page that each worker asks each address for, again and again from the first request on; an address that does
    not answer as it should gets nothing until it does."""

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
    """When an address gets no more requests for a while. One that accepts no connection counts in any case; one that
    breaks off unanswered, or says nothing within the timeout, only while there is another."""

    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """An address is left out after so many failures in a row."""
    pause: Seconds = 10.0
    """How long it is left out before one request tries it. Each time that this fails too, it is left out for twice as
    long, two minutes at most."""
