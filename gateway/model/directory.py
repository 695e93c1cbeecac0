"""Shared directories: the question about a person, the attributes that a directory may add, and its finding."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from gateway.model.mandate import TermColumns, TermOfOffice
from gateway.model.provider import ClientCertificate

KeyTransform = Literal["lower", "upper", "siren", "mail_domain"]
ValueType = Literal["text", "number", "boolean", "date", "siret", "siren", "insee", "mandates"]
Winner = Literal["directory", "provider"]

SUBJECT, ISSUER, TENANT = "subject", "issuer", "tenant"
_SECRET = "secret:"


def secret_attribute(name: str) -> str:
    """The name of the attribute with the secret `name`. Files cannot write this form, so the secret never reaches
    rules, headers, claims or tests."""
    return _SECRET + name


def written_name(attribute: str) -> str:
    """The secret's name in the directory's file."""
    return attribute.removeprefix(_SECRET)


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A part of the key.

    `column`: the column of the source.
    `attribute`: the attribute of the person, or "subject", "issuer", "tenant".
    `providers`: the providers whose value counts; empty if the key contains the issuer, which tells providers apart.
    """

    column: str
    attribute: str
    transforms: tuple[KeyTransform, ...] = ()
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActsFor:
    """The organisations for which a directory may let people act.

    `numbers`: SIRETs, and SIRENs with all establishments; None: every organisation."""

    numbers: tuple[str, ...] | None

    def holds(self, siret: str) -> bool:
        return self.numbers is None or siret in self.numbers or siret[:9] in self.numbers


@dataclass(frozen=True, slots=True)
class GivenAttribute:
    """An attribute that a directory may add, or a secret of the person (`is_secret`).

    `split`: the separator of several values in a cell; empty: a cell has one value.
    `wins`: the source that decides if a provider has an attribute of the same name; None: no provider has.
    `terms`: for the type "mandates", which has several columns instead of `column`.
    `acts_for`: people may act for the organisations in the values, or of their mandates. None: the attribute names no
    organisations.
    """

    name: str
    column: str
    type: ValueType = "text"
    many: bool = False
    split: str = ""
    wins: Winner | None = None
    terms: TermColumns | None = None
    acts_for: ActsFor | None = None

    @property
    def is_secret(self) -> bool:
        return self.name.startswith(_SECRET)

    @property
    def written(self) -> str:
        return written_name(self.name)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,) if self.terms is None else self.terms.columns


@dataclass(frozen=True, slots=True)
class FileSource:
    """`path`: absolute. `delimiter`, `encoding`: of CSV."""

    path: str
    form: Literal["csv", "json"]
    delimiter: str = ","
    encoding: Literal["utf-8", "cp1252"] = "utf-8"


@dataclass(frozen=True, slots=True)
class LdapSource:
    """An LDAP directory. Binds by simple bind with `bind_dn` and `password`, by SASL EXTERNAL with `certificate`, or
    not at all. Secrets are no part of a fingerprint.

    `servers`: ldap:// and ldaps:// addresses, tried in this order.
    `filter`: a further condition on a person's entry, beside the key (RFC 4515).
    `connections`: the most connections of each worker.
    `ca`: PEM; None: the system's authorities."""

    servers: tuple[str, ...]
    start_tls: bool
    base: str
    scope: Literal["base", "one", "subtree"]
    filter: str
    bind_dn: str
    connections: int
    password: bytes = field(repr=False)
    certificate: ClientCertificate | None = field(repr=False)
    ca: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The OAuth client with which the gateway fetches tokens for a source.

    `url`: the token endpoint, at an address that the source lists.
    `scope`: the requested scope; may be empty.
    `in_body`: sends the secret in the body instead of HTTP Basic."""

    url: str
    client_id: str
    scope: str
    in_body: bool
    client_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpSource:
    """An HTTP API.

    `url`: with `{column}` in place of a part of the key, percent-encoded. With POST, the body has the key as a JSON
    object.
    `rows`: the steps of a JSON Pointer (RFC 6901) to the object of the person, or to a list of objects.
    `addresses`: the IP networks where the server may be.
    `token`: a fixed Bearer token; may be empty.
    `oauth`: the client that fetches Bearer tokens."""

    url: str
    method: Literal["GET", "POST"]
    rows: tuple[str, ...]
    addresses: tuple[IPv4Network | IPv6Network, ...]
    connections: int
    token: bytes = field(repr=False)
    certificate: ClientCertificate | None = field(repr=False)
    ca: bytes | None = field(repr=False)
    oauth: ClientCredentials | None = None


@dataclass(frozen=True, slots=True)
class SqliteSource:
    """`path`: an absolute path.
    `select`: a SELECT in pieces: text, column of the key, text, column of the key, text."""

    path: str
    select: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PostgresqlSource:
    """A PostgreSQL database.

    `host`: a name, an address, or the folder of a socket of this machine.
    `select`: as in SqliteSource.
    `tls`: requires TLS. Without TLS, the gateway cannot verify the server.
    `connections`: the most connections of each worker.
    `ca`: PEM; None: the system's authorities.
    """

    host: str
    port: int
    database: str
    user: str
    select: tuple[str, ...]
    tls: bool
    connections: int
    password: bytes = field(repr=False)
    certificate: ClientCertificate | None = field(repr=False)
    ca: bytes | None = field(repr=False)


def pointer_steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON Pointer (RFC 6901 3). A text without a leading `/` is the name of a member."""
    if not pointer.startswith("/"):
        return (pointer,) if pointer else ()
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer[1:].split("/"))


SqlSource = SqliteSource | PostgresqlSource
DirectorySourceSettings = FileSource | LdapSource | HttpSource | SqlSource


@dataclass(frozen=True, slots=True)
class Directory:
    """A file of directories/.

    `fingerprint`: the hash of the question and the attributes. Findings with another fingerprint no longer count.
    `rows`: the most rows of one person.
    `away`: the consequence if the directory cannot answer; with "last", the last finding counts for `last` seconds.
    `timeout`: seconds that a sign-in waits for the directory.
    `lifetime`: seconds for which a finding counts in a session.
    `gone`: whether the session of a person who left the directory continues or ends.
    """

    name: str
    fingerprint: str
    source: DirectorySourceSettings
    key: tuple[KeyPart, ...]
    gives: tuple[GivenAttribute, ...]
    rows: Literal["one", "many"]
    away: Literal["refuse", "without", "last"]
    last: int
    timeout: float
    lifetime: int = 3600
    gone: Literal["keep", "end"] = "keep"

    def takes(self, provider: str) -> bool:
        """Whether values of `provider` count for every part of the key."""
        return all(not part.providers or provider in part.providers for part in self.key)

    @property
    def names_organisations(self) -> bool:
        """Whether the directory may let people act for an organisation."""
        return any(given.acts_for is not None for given in self.gives)

    @property
    def file(self) -> FileSource:
        """The source, if it is a file."""
        assert isinstance(self.source, FileSource)
        return self.source

    @property
    def shown(self) -> str:
        """A short description of the source for the operator."""
        source = self.source
        match source:
            case FileSource():
                return source.path.rpartition("/")[2]
            case LdapSource():
                return source.servers[0]
            case HttpSource():
                return source.url
            case SqliteSource():
                return source.path.rpartition("/")[2]
            case PostgresqlSource():
                return f"{source.database} at {source.host}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The given values, without repetition."""
        return tuple(dict.fromkeys(column for one in self.gives for column in one.columns))


DirectoryRow = Mapping[str, tuple[str, ...]]
"""The cells of a row, by column. A cell has no value, one value or several values."""

FindingState = Literal["found", "none", "away"]


@dataclass(frozen=True, slots=True)
class DirectoryFinding:
    """The finding of one directory about one person.

    `state`: "none": the directory has no row of the person; "away": the directory could not answer.
    `values`: by attribute.
    `unknown`: attributes without a known value, which differs from having no value.
    `terms`: the person's mandates, past, present and future.
    `at`: Unix seconds of the source's present state; not compared between two findings.
    `was_found`: for "away": whether the directory had the person at its last answer in this session.
    """

    directory: str
    fingerprint: str
    state: FindingState
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    at: int = field(default=0, compare=False)
    terms: tuple[TermOfOffice, ...] = ()
    was_found: bool = False

    @property
    def had_person(self) -> bool:
        """Whether the directory has the person, as far as it has said."""
        return self.state == "found" or self.was_found

    @property
    def shown_values(self) -> Mapping[str, tuple[str, ...]]:
        """What operators are shown: values by the names of the directory's file. A secret is shown as a mark alone."""
        return {
            written_name(name): ("(a secret)",) if name.startswith(_SECRET) else values
            for name, values in self.values.items()
        }

    @property
    def shown_unknown(self) -> list[str]:
        return sorted(map(written_name, self.unknown))
