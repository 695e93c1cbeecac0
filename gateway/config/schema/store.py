"""`store`: where sessions are kept, and the keys that seal them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.config.schema.types import (
    Count,
    Grace,
    Maybe,
    Name,
    PublicReference,
    Seconds,
    Secret,
    ServerAddress,
    Strict,
    wrong,
)


class StoreKeySection(Strict):
    id: Name
    """The name of the key, written beside everything that it seals."""
    secret: Secret
    """At least 32 random bytes; a line end after them does not count."""


class StoreTlsSection(Strict):
    ca: Maybe[PublicReference] = None
    """PEM: the authorities that may vouch for the server; where this is left out, those of the system."""


class StoreSentinelsSection(Strict):
    """The Sentinels, which name the primary server."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
    """Of the group of servers, as `sentinel monitor` has it."""
    addresses: list[ServerAddress] = Field(min_length=1, max_length=16)
    """Of each Sentinel: name or IP address, and port."""
    username: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = "default"
    """The ACL user at the Sentinels."""
    password: Maybe[Secret] = None


class StoreServerSection(Strict):
    """A Valkey or Redis that every node of the gateway reaches: `address`, `sentinel` or `cluster`."""

    address: Maybe[ServerAddress] = None
    """Name or IP address, and port. The certificate is for this name."""
    sentinel: Maybe[StoreSentinelsSection] = None
    """Where a replica takes the primary's place by itself. With `tls`, the Sentinels speak it too, and the certificates
    of the servers are for what the Sentinels call them."""
    cluster: list[ServerAddress] = Field(default=[], max_length=64)
    """Some nodes of a cluster, who know the others. With `tls`, the certificates are for what they call each other."""
    replicas: Annotated[Count, Field(le=16)] = 0
    """How many replicas have a sign-in, a sign-out and what works once before it counts as done; where fewer say so in
    time, it is refused."""
    prefix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9:._-]+$")] = "ecluse:"
    """What every key and channel there begins with. Gateways of one prefix share their sessions."""
    username: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = "default"
    """The ACL user."""
    password: Maybe[Secret] = None
    tls: Maybe[StoreTlsSection] = None
    """`tls: {}` for TLS with the system's authorities; where this is left out, everything goes in the clear."""
    connections: Annotated[Count, Field(ge=4, le=1024)] = 16
    """The most connections of each worker; one of them hears of ended sessions."""
    timeout: Annotated[Seconds, Field(ge=0.1, le=10)] = 1.0
    """The longest wait for each answer. After it the store is away."""
    lacks: Literal["warn", "refuse"] = "warn"
    """What follows at the start where the server may forget sessions (`maxmemory-policy`, `appendonly`,
    `min-replicas-to-write`): a warning in the log, or no start."""

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """What it is reached by, as far as the file tells."""
        if self.sentinel is not None:
            return tuple(self.sentinel.addresses)
        return tuple(self.cluster) if self.address is None else (self.address,)


class StoreSection(Strict):
    type: Literal["sqlite", "redis", "memory"]
    """`sqlite`: a file in the state folder. `redis`: a Valkey or Redis, for gateways on several machines. `memory`:
    gone when the process ends, and one worker only."""
    server: Maybe[StoreServerSection] = None
    """Where `type: redis` keeps what it keeps."""
    grace: Grace = 10.0
    """How long people whom a worker holds go on while the store is away. Meanwhile nobody signs in or out, and a
    session that was ended elsewhere may last for so long. `0s`: nobody goes on for longer than a second."""
    keys: list[StoreKeySection] = Field(default=[], max_length=16)
    """The first key seals; all of them open. A new key is listed second until every gateway has taken the file, then
    first."""
    keyring: Maybe[PublicReference] = None
    """In the place of `keys`: a file of `ecluse key new store`, whose keys change by their dates."""

    @model_validator(mode="after")
    def _has_keys(self) -> "StoreSection":
        if bool(self.keys) == (self.keyring is not None):
            raise wrong("what seals sessions stands in keys or in keyring", "keyring: {file: ../certs/store.keyring}")
        return self
