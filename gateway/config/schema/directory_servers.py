"""The servers of policies/directories/*.yaml: the address, the gateway's credentials and the query."""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.schema import scalars
from gateway.config.schema.scalars import Wrong
from gateway.config.schema.sql_select import has_names_in_double_quotes, pieces
from gateway.config.schema.types import (
    ClientCertificateSection,
    Count,
    Maybe,
    NetworkText,
    PublicReference,
    Secret,
    Strict,
    Text,
    wrong,
)

# RFC 4512 2.5: a name with options, or a number.
ATTRIBUTE_DESCRIPTION: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9-]+)*")

_LDAP_ADDRESS: Final = re.compile(r"ldaps?://(?P<server>\[[0-9A-Fa-f:.]+\]|[^/?#@:\s\[\]]+)(?P<port>:[0-9]{1,5})?")

_HTTP_ADDRESS: Final = re.compile(
    r"https?://(?P<server>\[[0-9A-Fa-f:.]+\]|[^/?#@:\s\[\]{}]+)(?P<port>:[0-9]{1,5})?/[!-~]*(?<!#)"
)


def _ldap_address(text: str) -> str:
    match = _LDAP_ADDRESS.fullmatch(text)
    if match is None:
        raise wrong("a server is written ldaps://name, or with a port behind it", "ldaps://ldap.example.org")
    try:
        scalars.server_address(match["server"] + (match["port"] or ":636"))
    except Wrong as error:
        raise wrong(error.message, error.hint) from None
    return text


def _filter(text: str) -> str:
    """Checks the parentheses (RFC 4515): the gateway combines the filter with a filter of its own."""
    depth = 0
    for at, letter in enumerate(text):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 1 and at < len(text) - 1:
            break
    else:
        if depth == 0 and text.startswith("(") and "()" not in text and text.isprintable():
            return text
    raise wrong("this is no filter in parentheses", "(objectClass=inetOrgPerson)")


class LdapBindSection(Strict):
    """How the gateway authenticates to the server."""

    dn: Maybe[Annotated[str, Field(min_length=3, max_length=1000)]] = None
    """Simple bind: the DN of the gateway's own entry. It should be able to read what is queried and nothing more."""
    password: Maybe[Secret] = None
    """The password of this entry."""
    certificate: Maybe[ClientCertificateSection] = None
    """SASL EXTERNAL: the client certificate of the TLS handshake identifies the gateway."""

    @model_validator(mode="after")
    def _one_way(self) -> "LdapBindSection":
        if (self.dn is None) is not (self.password is None) or (self.dn is None) == (self.certificate is None):
            raise wrong("one way to bind is written here", "{dn: ..., password: {file: ...}}, or {certificate: {...}}")
        return self


class LdapSection(Strict):
    servers: list[Annotated[str, AfterValidator(_ldap_address)]] = Field(min_length=1, max_length=8)
    """The address, `ldaps://ldap.example.org`. If a server cannot be reached, the next in the list is queried. The
    certificate must be for the name in the address."""
    start_tls: bool = False
    """Whether to start TLS after connecting, with `ldap://`. Outside development, connections without TLS are
    refused."""
    ca: Maybe[PublicReference] = None
    """PEM: the authorities that are trusted for the server's certificate. Default: the system's."""
    bind: Maybe[LdapBindSection] = None
    """How the gateway authenticates to the server. Default: an anonymous bind."""
    base: Text
    """The base of the search, `ou=people,dc=example,dc=org`."""
    scope: Literal["base", "one", "subtree"] = "subtree"
    """The scope of the search."""
    filter: Maybe[Annotated[str, Field(max_length=2000), AfterValidator(_filter)]] = None
    """A filter for entries in addition to the key, `(objectClass=inetOrgPerson)` (RFC 4515)."""
    connections: Annotated[Count, Field(ge=1, le=32)] = 4
    """The number of connections of each worker: as many people are looked up at once."""

    @model_validator(mode="after")
    def _one_security(self) -> "LdapSection":
        if self.start_tls and any(server.startswith("ldaps:") for server in self.servers):
            raise wrong("ldaps:// is TLS from the beginning", "leave start_tls out, or write ldap://")
        return self


def _pointer(text: str) -> str:
    if (text and not text.startswith("/")) or re.search(r"~(?![01])", text):
        raise wrong("a JSON Pointer begins with / (RFC 6901)", "/results, or /results/0")
    return text


def _http_address(text: str) -> str:
    match = _HTTP_ADDRESS.fullmatch(text)
    if match is None:
        example = "https://api.example.org/people/{uid}, https://api.example.org/people?uid={uid}"
        raise wrong("this is no address with the key in its path or query", example)
    try:
        scalars.server_address(match["server"] + (match["port"] or ":443"))
    except Wrong as error:
        raise wrong(error.message, error.hint) from None
    return text


def _token_address(text: str) -> str:
    if "{" in text or _HTTP_ADDRESS.fullmatch(text) is None:
        raise wrong("this is no address of a token endpoint", "https://login.example.org/oauth2/token")
    return _http_address(text)


class OAuthSection(Strict):
    """OAuth 2.0 client credentials (RFC 6749 4.4)."""

    token_url: Annotated[str, AfterValidator(_token_address)]
    """The token endpoint. Its IP addresses must be in `addresses` too."""
    client_id: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[ -~]+$")]
    client_secret: Secret
    scope: Maybe[Annotated[str, Field(max_length=1000, pattern=r"^[!-~]+( [!-~]+)*$")]] = None
    """The scopes of the token request, separated by blanks."""
    send: Literal["basic", "body"] = "basic"
    """Where the client secret is sent: in `Authorization`, or in the body for servers that accept it only there."""


class HttpSection(Strict):
    url: Annotated[str, AfterValidator(_http_address)]
    """The URL of the query. `{uid}` is the part of the key with this name, percent-encoded; with POST the key is a JSON
    object in the body. Redirects are not followed. 404 means that no person has this key."""
    method: Literal["GET", "POST"] = "GET"
    rows: Annotated[str, Field(max_length=500), AfterValidator(_pointer)] = ""
    """JSON Pointer (RFC 6901) to the object of the person, or to a list of such objects. Default: the whole response.
    The columns of `gives` are names or pointers in this object."""
    addresses: list[NetworkText] = Field(min_length=1, max_length=100)
    """The IP addresses and networks to which the name may resolve. The gateway does not connect to other addresses."""
    token: Maybe[Secret] = None
    """The token that is sent as `Authorization: Bearer`."""
    oauth: Maybe[OAuthSection] = None
    """How to fetch the token, instead of `token`. A token is kept until it expires."""
    certificate: Maybe[ClientCertificateSection] = None
    """The client certificate of the TLS handshake."""
    ca: Maybe[PublicReference] = None
    """PEM: the authorities that are trusted for the server's certificate. Default: the system's."""
    connections: Annotated[Count, Field(ge=1, le=64)] = 8
    """The number of connections of each worker: as many people are looked up at once."""

    @model_validator(mode="after")
    def _one_token(self) -> "HttpSection":
        if self.token is not None and self.oauth is not None:
            raise wrong("a token is written here, and fetched too", "leave token or oauth out")
        return self


def _select(text: str) -> str:
    try:
        pieces(text)
    except Wrong as error:
        raise wrong(error.message, error.hint) from None
    return text


def _host(text: str) -> str:
    if text.startswith("/"):
        if text.isprintable() and "," not in text:
            return text
    elif re.fullmatch(r"[A-Za-z0-9._:-]+", text) is not None:
        return text
    raise wrong("this is one name or address, or the folder of a socket", "db.example.org, or /run/postgresql")


Select = Annotated[str, Field(max_length=8000), AfterValidator(_select)]


def _brackets(select: str) -> str:
    if has_names_in_double_quotes(select):
        raise wrong('SQLite reads "name" as a text where there is no such column', "[name]")
    return select


class SqliteSection(Strict):
    path: Text
    """The file, opened read-only; a relative path starts from the policy folder."""
    select: Annotated[Select, AfterValidator(_brackets)]
    """One SELECT, with `:column` for a part of the key. Its result has the columns of `key` and of `gives`. A name with
    signs other than letters, digits and `_` is written `[name]`."""


class PostgresqlSection(Strict):
    host: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_host)]
    """The server's name, which its certificate must be for; or the folder of its socket on this machine."""
    port: Annotated[Count, Field(ge=1, le=65535)] = 5432
    database: Text
    user: Text
    """A role of the gateway's own. It should be able to read what is queried and nothing more."""
    password: Maybe[Secret] = None
    certificate: Maybe[ClientCertificateSection] = None
    """The client certificate of the TLS handshake, by which the server recognises the role."""
    ca: Maybe[PublicReference] = None
    """PEM: the authorities that are trusted for the server's certificate. Default: the system's."""
    tls: bool = True
    """`false` is for development, and for a socket of this machine."""
    select: Select
    """One SELECT, with `:column` for a part of the key. Its result has the columns of `key` and of `gives`."""
    connections: Annotated[Count, Field(ge=1, le=32)] = 4
    """The number of connections of each worker: as many people are looked up at once."""
