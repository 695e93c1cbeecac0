"""The sources of SAML metadata and of the logos that metadata name. The providers of a federation share one
document, fetched and indexed once.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal
from urllib.parse import quote, urlsplit

from gateway.model.provider import MetadataUrl, SamlProvider
from gateway.oidc.documents import Call
from gateway.saml.parties import IdpMetadata


@dataclass(frozen=True, slots=True)
class Validators:
    """RFC 9110 8.8: the validators that distinguish versions of a document, as the server wrote them; empty: absent."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> tuple[tuple[str, str], ...]:
        # RFC 9110 13.1.3: a server that supports If-None-Match ignores If-Modified-Since.
        both = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in both if value)


NO_VALIDATORS = Validators()
_ETAG = re.compile(r'(?:W/)?"[!#-~]{0,250}"')
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def validators(etag: str, last_modified: str) -> Validators:
    """Reads validators from the headers of a response. Leaves out a malformed value."""
    return Validators(etag if _ETAG.fullmatch(etag) else "", last_modified if _DATE.fullmatch(last_modified) else "")


@dataclass(frozen=True)
class MetadataSource:
    """An address to fetch from, with the keys and rules that decide what the gateway believes.

    `keys`, `ca`: base64, the form in which a helper receives them.
    `entity_id`: the only entity to read; empty: an aggregate or a logo.
    `id`: names the copy on disk, a hash of every field. Other keys give another `id`, so a copy verified under the old
    keys is no longer found.
    """

    url: str
    kind: Literal["entity", "aggregate", "mdq", "mdq_sha1", "logo"]
    keys: tuple[str, ...]
    entity_id: str
    ca: str
    private_addresses: bool
    development: bool

    @cached_property
    def id(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]

    @property
    def key_bytes(self) -> tuple[bytes, ...]:
        return tuple(map(b64decode, self.keys))

    @property
    def ca_bytes(self) -> bytes | None:
        return b64decode(self.ca) or None

    def call(self, known: Validators = NO_VALIDATORS) -> Call:
        """The request for the document. `known`: validators of the copy on disk, which the server need not send
        again.
        """
        url = self.url
        if self.kind in ("mdq", "mdq_sha1"):
            # Metadata Query Protocol 3.2.1: the identifier, percent-encoded, under /entities
            url = f"{url.removesuffix('/')}/entities/{quote(self._identifier, safe='')}"
        if self.kind == "logo":
            return Call("logo", "GET", url, (("Accept", "image/png, image/*"),))
        headers = (("Accept", "application/samlmetadata+xml, application/xml, text/xml"), *known.headers())
        return Call("metadata", "GET", url, headers)

    @property
    def _identifier(self) -> str:
        if self.kind != "mdq_sha1":
            return self.entity_id
        # SAML Profile for the Metadata Query Protocol 2.2: SHA-1 serves as a name, not as a proof; the document names
        # its entity.
        return "{sha1}" + hashlib.sha1(self.entity_id.encode(), usedforsecurity=False).hexdigest()


def source_of(provider: SamlProvider) -> MetadataSource | None:
    """The source of a provider's metadata. None: the operator supplied the metadata as a file."""
    where = provider.metadata
    if not isinstance(where, MetadataUrl):
        return None
    return MetadataSource(
        url=where.url,
        kind=where.kind,
        keys=tuple(b64encode(key).decode("ascii") for key in where.keys),
        entity_id="" if where.kind == "aggregate" else provider.issuer,
        ca=b64encode(provider.ca or b"").decode("ascii"),
        private_addresses=provider.private_addresses or provider.development,
        development=provider.development,
    )


def logo_source(provider: SamlProvider, metadata: IdpMetadata) -> MetadataSource | None:
    """The source of the logo named by the provider's metadata; None: the metadata name no logo.

    SS01: the author of the metadata, in a federation every member, chooses the logo's address. Permission to reach a
    private network covers the server of the metadata, and no further server on the network.
    """
    if not metadata.logo:
        return None
    where = provider.metadata
    at_home = isinstance(where, MetadataUrl) and same_server(metadata.logo, where.url)
    return MetadataSource(
        url=metadata.logo,
        kind="logo",
        keys=(),
        entity_id="",
        ca=b64encode(provider.ca or b"").decode("ascii"),
        private_addresses=(provider.private_addresses and at_home) or provider.development,
        development=provider.development,
    )


def same_server(address: str, other: str) -> bool:
    """Compares scheme and authority letter by letter, so that no second parser finds a different host in `address`."""
    there = urlsplit(other)
    server = f"{there.scheme}://{there.netloc}/".lower()
    return address[: len(server)].lower() == server


def sources_of(providers: Iterable[SamlProvider]) -> dict[MetadataSource, tuple[str, ...]]:
    """Returns each source once, with the names of the providers that share the source."""
    users: dict[MetadataSource, tuple[str, ...]] = {}
    for provider in providers:
        source = source_of(provider)
        if source is not None:
            users[source] = (*users.get(source, ()), provider.name)
    return users
