"""Where SAML metadata, and the logos that they name, are fetched from. Providers of one federation share one document,
fetched and indexed once."""

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
    """RFC 9110 8.8: what tells one version of a document from the next, as its server wrote it; empty for none."""

    etag: str = ""
    last_modified: str = ""

    def headers(self) -> tuple[tuple[str, str], ...]:
        # RFC 9110 13.1.3: a server that knows If-None-Match passes over the other
        both = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return tuple((name, value) for name, value in both if value)


NO_VALIDATORS = Validators()
_ETAG = re.compile(r'(?:W/)?"[!#-~]{0,250}"')
_DATE = re.compile(r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


def validators(etag: str, last_modified: str) -> Validators:
    """Read from the headers of a response; a malformed one is left out."""
    return Validators(etag if _ETAG.fullmatch(etag) else "", last_modified if _DATE.fullmatch(last_modified) else "")


@dataclass(frozen=True)
class MetadataSource:
    """`entity_id`: the only entity that is read; empty for an aggregate or a logo. `keys`, `ca`: base64, as they go to
    a helper.

    `id` names what is kept of it on disk. Whatever decides what would be believed is in it, so that a copy that was
    verified under other keys is not found any more.
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
        """`known`: of the copy that need not be sent again."""
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
        # SAML Profile for the Metadata Query Protocol 2.2: a name, not a proof; the document says whose it is
        return "{sha1}" + hashlib.sha1(self.entity_id.encode(), usedforsecurity=False).hexdigest()


def source_of(provider: SamlProvider) -> MetadataSource | None:
    """None where the operator gave the metadata as a file."""
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
    """Where the logo is that its metadata name; None where they name none.

    SS01: whoever writes metadata, in a federation every member, names an address in them. That the provider may live on
    a private network is said of where its metadata are had from, and of no other server there.
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
    """Letter by letter up to the path, so that nobody who reads the address anew finds another host in it."""
    there = urlsplit(other)
    server = f"{there.scheme}://{there.netloc}/".lower()
    return address[: len(server)].lower() == server


def sources_of(providers: Iterable[SamlProvider]) -> dict[MetadataSource, tuple[str, ...]]:
    """Each source once, with the names of the providers that live on it."""
    users: dict[MetadataSource, tuple[str, ...]] = {}
    for provider in providers:
        source = source_of(provider)
        if source is not None:
            users[source] = (*users.get(source, ()), provider.name)
    return users
