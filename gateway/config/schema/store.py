"""`store`: the database of the sessions, and the keys that encrypt the records."""

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
    """The name of the key, which is stored beside everything that the key encrypts."""
    secret: Secret
    """At least 32 random bytes. A line end after them is ignored."""


class StoreTlsSection(Strict):
    ca: Maybe[PublicReference] = None
    """PEM: the authorities that are trusted for the server's certificate. Default: the system's."""


class StoreSentinelsSection(Strict):
    """The Sentinels, which name the primary server."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
    """The name of the primary, as in `sentinel monitor`."""
    addresses: list[ServerAddress] = Field(min_length=1, max_length=16)
    """The Sentinels: name or IP address, and port."""
    username: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = "default"
    """The ACL user at the Sentinels."""
    password: Maybe[Secret] = None


class StoreServerSection(Strict):
    """A Valkey or Redis that every node of the gateway reaches: `address`, `sentinel` or `cluster`."""

    address: Maybe[ServerAddress] = None
    """Name or IP address, and port. The certificate must be for this name."""
    sentinel: Maybe[StoreSentinelsSection] = None
    """Sentinels, which promote a replica if the primary fails. With `tls`, connections to Sentinels use TLS too, and
    the servers' certificates must be for the names that the Sentinels report."""
    cluster: list[ServerAddress] = Field(default=[], max_length=64)
    """Some nodes of a cluster, from which the gateway learns the others. With `tls`, the certificates must be for the
    names that the nodes report."""
    replicas: Annotated[Count, Field(le=16)] = 0
    """How many replicas must confirm a sign-in, a sign-out or the use of a one-time code. If fewer confirm in time, the
    operation is refused."""
    prefix: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9:._-]+$")] = "ecluse:"
    """The prefix of every key and channel. Gateways with the same prefix share their sessions."""
    username: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[!-~]+$")] = "default"
    """The ACL user."""
    password: Maybe[Secret] = None
    tls: Maybe[StoreTlsSection] = None
    """`tls: {}` for TLS with the system's authorities. Default: no encryption."""
    connections: Annotated[Count, Field(ge=4, le=1024)] = 16
    """The most connections of each worker. One of them listens for ended sessions."""
    timeout: Annotated[Seconds, Field(ge=0.1, le=10)] = 1.0
    """The longest wait for each answer. After it the store counts as unreachable."""
    lacks: Literal["warn", "refuse"] = "warn"
    """What happens at the start if the server's settings could lose sessions (`maxmemory-policy`, `appendonly`,
    `min-replicas-to-write`): a warning in the log, or no start."""

    @property
    def places(self) -> tuple[tuple[str, int], ...]:
        """The addresses of the server, the Sentinels or the cluster's nodes in the file."""
        if self.sentinel is not None:
            return tuple(self.sentinel.addresses)
        return tuple(self.cluster) if self.address is None else (self.address,)


class StoreSection(Strict):
    type: Literal["sqlite", "redis", "memory"]
    """`sqlite`: a file in the state folder. `redis`: a Valkey or Redis, for gateways on several machines. `memory`:
    lost when the process ends, and with one worker only."""
    server: Maybe[StoreServerSection] = None
    """The server of `type: redis`."""
    grace: Grace = 10.0
    """How long people whose session is in a worker's memory keep access while the store is unreachable. Meanwhile
    nobody can sign in or out, and a session that was ended elsewhere may last this long. `0s`: access ends after a
    second."""
    keys: list[StoreKeySection] = Field(default=[], max_length=16)
    """The first key encrypts; all keys decrypt. List a new key second until every gateway has loaded the file, then
    first."""
    keyring: Maybe[PublicReference] = None
    """Instead of `keys`: a file made by `ecluse key new store`, whose keys rotate by their dates."""

    @model_validator(mode="after")
    def _has_keys(self) -> "StoreSection":
        if bool(self.keys) == (self.keyring is not None):
            raise wrong("what seals sessions stands in keys or in keyring", "keyring: {file: ../certs/store.keyring}")
        return self
