"""Where SAML metadata are fetched from. Providers of one federation share one document, fetched and indexed once."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from gateway.model.provider import MetadataUrl, SamlProvider
from gateway.oidc.call import Call


@dataclass(frozen=True)
class Source:
    """`entity_id`: the only entity that is read; empty for an aggregate. `keys`, `ca`: base64, as they go to a helper.

    `id` names what is kept of it on disk. Whatever decides what would be believed is in it, so that a copy that was
    verified under other keys is not found any more.
    """

    url: str
    kind: Literal["entity", "aggregate", "mdq"]
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

    def call(self) -> Call:
        url = self.url
        if self.kind == "mdq":
            # Metadata Query Protocol 3.2.1: the identifier, percent-encoded, under /entities
            url = f"{url.removesuffix('/')}/entities/{quote(self.entity_id, safe='')}"
        return Call("metadata", "GET", url, (("Accept", "application/samlmetadata+xml, application/xml, text/xml"),))


def source_of(provider: SamlProvider) -> Source | None:
    """None where the operator gave the metadata as a file."""
    where = provider.metadata
    if not isinstance(where, MetadataUrl):
        return None
    return Source(
        url=where.url,
        kind=where.kind,
        keys=tuple(b64encode(key).decode("ascii") for key in where.keys),
        entity_id="" if where.kind == "aggregate" else provider.issuer,
        ca=b64encode(provider.ca or b"").decode("ascii"),
        private_addresses=provider.private_addresses or provider.development,
        development=provider.development,
    )


def sources_of(providers: Iterable[SamlProvider]) -> dict[Source, tuple[str, ...]]:
    """Each source once, with the names of the providers that live on it."""
    users: dict[Source, tuple[str, ...]] = {}
    for provider in providers:
        source = source_of(provider)
        if source is not None:
            users[source] = (*users.get(source, ()), provider.name)
    return users
