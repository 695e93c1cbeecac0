"""Decides which header lines of a message are forwarded: once for each spelling of a name, then by look-up.

A client's header reaches the application only if its name cannot be read as a header that we write, or as a reserved
one, however the application's server folds names (CGI, WSGI and PHP turn every other character into `_`).
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.names import fold
from gateway.wire.hop_by_hop import HOP_BY_HOP
from gateway.wire.identity_headers import beginnings, tells_identity
from gateway.wire.method_override import FOLDS, HEADERS
from gateway.wire.response_guard import orders_a_front

# The entry of a name in a table. Bytes: the line is forwarded with this ready b"\r\nName: ". None: the line is dropped.
# A small integer: the gateway reads the line itself. FORWARDED_AS_READ is also forwarded unchanged; READ_AND_SENT,
# FRONT_ORDER and EDITED are forwarded under their own names.
UNSEEN: Final = 0
HOST: Final = 1
CONNECTION: Final = 2
COOKIE: Final = 3
CONTENT_LENGTH: Final = 4
TRANSFER_ENCODING: Final = 5
UPGRADE: Final = 6
EXPECT: Final = 7
AUTHORIZATION: Final = 8
TRACEPARENT: Final = 9
TRACESTATE: Final = 10
FORWARDED_FOR: Final = 11
FORWARDED_PROTO: Final = 12
SET_COOKIE: Final = 13
AUTHENTICATE: Final = 14
METHOD_OVERRIDE: Final = 15
METHOD_OVERRIDE_ODD: Final = 16
CLEAR_SITE_DATA: Final = 17
TRANSPORT_SECURITY: Final = 18
FRONT_ORDER: Final = 19
EDITED: Final = 20
DEPTH: Final = 21
DESTINATION: Final = 22
IF: Final = 23

FORWARDED_AS_READ: Final[Mapping[int, bytes]] = {
    AUTHORIZATION: b"\r\nAuthorization: ",
    SET_COOKIE: b"\r\nSet-Cookie: ",
    AUTHENTICATE: b"\r\nWWW-Authenticate: ",
    CLEAR_SITE_DATA: b"\r\nClear-Site-Data: ",
    TRANSPORT_SECURITY: b"\r\nStrict-Transport-Security: ",
}

# Of a request.
READ_AND_SENT: Final = frozenset({METHOD_OVERRIDE, DEPTH, DESTINATION, IF})

Verdict = bytes | int | None

# A name outside the table is judged at each request. Strangers can fill an application's table, so the table is small:
# browsers and programs together send some 150 names. A full table starts again, so a flood of invented names costs
# memory once, and speed only during the flood.
_REMEMBERED: Final = 1024
_REMEMBERED_LENGTH: Final = 64

_REQUEST_SPECIAL: Final[Mapping[bytes, int]] = {
    b"host": HOST,
    b"connection": CONNECTION,
    b"cookie": COOKIE,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"upgrade": UPGRADE,
    b"expect": EXPECT,
    b"authorization": AUTHORIZATION,
    b"traceparent": TRACEPARENT,
    b"tracestate": TRACESTATE,
    b"x-forwarded-for": FORWARDED_FOR,
    b"x-forwarded-proto": FORWARDED_PROTO,
    b"depth": DEPTH,
    b"destination": DESTINATION,
    b"if": IF,
}
_REQUEST_SPECIAL_FOLDS: Final = {fold(name): name for name in _REQUEST_SPECIAL}

# The reserved names: headers in which a front end, framework or sign-in module tells an application the caller, the
# origin or the page of a request, and headers of the gateway. They are dropped for every application. Names of single
# products are in identity_headers.py.
RESERVED: Final = frozenset(
    {
        b"alicdnrealip",
        b"aspfiltersessionid",  # ASP.NET: the session from the path
        b"authuser",
        b"cfconnectingip",
        b"cfconnectingipv6",
        b"cfpseudoipv4",
        b"cfvisitor",
        b"clientip",
        b"cookie2",  # RFC 2965: the version of the Cookie line
        b"doconnectingip",
        b"fastlyclientip",
        b"forwarded",
        b"forwardedfor",
        b"frontendhttps",
        b"incapclientip",
        b"proxy",  # HTTP_PROXY of CGI ("httpoxy")
        b"trueclientip",
        b"xazureclientip",
        b"xazuresocketip",
        b"xclientip",
        b"xclusterclientip",
        b"xcomingfrom",
        b"xforwarded",  # PHP's usual list of where a client's address stands, request-ip of Node
        b"xforwardfor",
        b"xhost",
        b"xhttphostoverride",
        b"xingresspath",  # Home Assistant's add-ons: their path prefix
        b"xnfclientconnectionip",
        b"xoriginatingip",
        b"xproxyuserip",
        b"xrealip",
        b"xrequestid",
        b"xreplacedpath",  # Traefik: the path before a replacement
        b"xrewriteurl",
        b"xscheme",
        b"xscriptname",  # Flask, Radicale, pgAdmin: a prefix to remove from the path
        b"xsendfile",
        b"xsendfiletype",  # Rack: asks for a path of the disk in the response
        b"xssl",
        b"xsucuriclientip",
        b"xtrueclientip",
        b"xurlscheme",
        b"xvercelforwardedfor",
        b"xvhmhost",
        b"xvhmroot",  # Pyramid, repoze.vhm: a prefix to put before the path
        b"xwawsunencodedurl",  # Azure App Service: the original address
        *map(fold, HOP_BY_HOP),
    }
)
# Families: a beginning, and its known names. The beginning counts if a separator follows in the received name, so
# `Remoteness` is no member. The known names count in every spelling. `SSL-CLIENT*` and `X-Client-Cert*` need no
# separator: F5 writes `SSLClientCertStatus`, other products `X-Client-Certificate`, and no ordinary word has this
# beginning.
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Remote-*": ("User", "Groups", "Email", "Name", "Addr", "Host", "Ident", "IP", "Port"),
    "X-Remote-*": ("User", "Group", "Groups", "Email", "Name", "Addr", "Host", "IP"),
    "X-Auth-*": ("User", "UserID", "Username", "Email", "Group", "Groups", "Name", "Role", "Roles"),
    "X-Authenticated-*": ("User", "UserID", "Username", "Email", "Groups", "Name", "Roles", "Scope"),
    "X-WEBAUTH-*": ("User", "Name", "FullName", "Email", "Groups", "Role"),
    "Shib-*": (
        "Session-ID", "Session-Index", "Identity-Provider", "Application-ID", "Authentication-Instant",
        "Authentication-Method", "AuthnContext-Class", "AuthnContext-Decl", "Assertion-Count", "Handler",
    ),
    "OIDC-*": ("CLAIM-sub", "CLAIM-email", "access-token", "id-token"),
    "MELLON-*": ("NAME-ID",),
    "SSL-CLIENT*": (),
    "X-SSL-*": ("Cert", "Client-Cert", "Client-CN", "Client-DN", "Client-S-DN", "Client-SHA1", "Client-Verify"),
    "X-Client-Cert*": (),
    "X-Forwarded-*": (
        "For", "Host", "Proto", "Protocol", "Port", "Prefix", "Path", "Server", "Scheme", "Ssl", "By", "Uri", "Method",
        "User", "Username", "Preferred-Username", "Login", "Name", "Email", "Groups", "Roles", "Access-Token",
        "Client-Cert", "Tls-Client-Cert",
    ),
    "X-Original-*": ("URL", "URI", "Host", "Method", "Proto", "Args", "Forwarded-For", "Remote-Addr"),
    "X-Envoy-*": ("External-Address", "Internal", "Original-Path", "Original-Host"),
    "X-Accel-*": ("Redirect", "Internal", "Mapping"),
    "Ecluse-*": (),
    "X-Ecluse-*": (),
}  # fmt: skip
_MEMBERS: Final = frozenset(
    fold(family.replace("*", member).encode()) for family, members in FAMILIES.items() for member in members
)
_BEGINNINGS: Final = beginnings(tuple(FAMILIES))
_READ_FOR_WEBDAV: Final = READ_AND_SENT - {METHOD_OVERRIDE}


# Headers that programs of some applications send beside a secret of the application. Other applications could take the
# same names for headers of a front.
_OF_APPLICATIONS: Final = frozenset(
    {
        b"x-auth-token",
        b"x-auth-key",
        b"x-access-token",
        b"x-user-id",  # Rocket.Chat, with X-Auth-Token
        b"x-user-email",  # Rails, with X-User-Token
        b"x-hasura-role",
        b"x-scope-orgid",  # agents of Loki and Mimir
    }
)


def may_be_listed(name: bytes) -> bool:
    """Whether an application's file may let a client's header `name` pass: a name with `_` that no server can read as a
    header of a front, the gateway or HTTP, or a known name of an application's programs.
    """
    if name.lower() in _OF_APPLICATIONS:
        return True
    folded, written = fold(name), name.replace(b"_", b"-")
    reserved = folded in FOLDS or folded in _REQUEST_SPECIAL_FOLDS or folded in RESERVED or folded in _MEMBERS
    return b"_" in name and not (reserved or _BEGINNINGS(written) or tells_identity(written) or tells_identity(name))


def _judge_request(name: bytes, injected_folds: frozenset[bytes]) -> Verdict:
    folded = fold(name)
    if folded in FOLDS:
        # Never dropped: the application would then act by the wrong method.
        return METHOD_OVERRIDE if name.lower() in HEADERS else METHOD_OVERRIDE_ODD
    # Servers fold further characters to an underscore, which no browser sends.
    if b"_" in name or not folded or folded in injected_folds:
        return None
    if folded in _REQUEST_SPECIAL_FOLDS:
        # None for a different spelling of a special name, such as `Content.Length`.
        return _REQUEST_SPECIAL.get(name.lower())
    if folded in RESERVED or folded in _MEMBERS or _BEGINNINGS(name) or tells_identity(name):
        return None
    return b"\r\n%b: " % name


def goes_on(name: bytes) -> bool:
    """Whether a client's header `name` passes unchanged to an application without injected headers."""
    verdict = _judge_request(name, frozenset())
    return isinstance(verdict, bytes) or verdict in _READ_FOR_WEBDAV


class HeaderPolicy:
    """The treatment of a client's header lines for one application.

    On the hot path, call `table.get(name, UNSEEN)`, and `learn(name)` for an unknown name.
    """

    __slots__ = ("_injected", "_listed", "table")

    def __init__(self, injected_folds: frozenset[bytes], listed: frozenset[bytes]) -> None:
        self._injected = injected_folds
        self._listed = listed
        self.table: dict[bytes, Verdict] = {}

    @classmethod
    def compile(cls, injected_folds: frozenset[bytes], listed: frozenset[bytes] = frozenset()) -> "HeaderPolicy":
        """`injected_folds`: fold() of the header names that the application's file injects.
        `listed`: lower-case names that pass although similar names are dropped.
        """
        return cls(injected_folds, listed)

    def learn(self, name: bytes) -> Verdict:
        """Judge a name, and remember the verdict."""
        verdict = _judge_request(name, self._injected)
        if verdict is None and name.lower() in self._listed and fold(name) not in self._injected:
            verdict = b"\r\n%b: " % name
        _remember(self.table, name, verdict)
        return verdict

    def passes_on(self, name: bytes) -> bool:
        """Whether the application receives a header with this name as sent by the client."""
        verdict = self.table.get(name, UNSEEN) or self.learn(name)
        return isinstance(verdict, bytes) or verdict in READ_AND_SENT or verdict in FORWARDED_AS_READ


_RESPONSE_SPECIAL: Final[Mapping[bytes, int]] = {
    b"connection": CONNECTION,
    b"content-length": CONTENT_LENGTH,
    b"transfer-encoding": TRANSFER_ENCODING,
    b"upgrade": UPGRADE,
    b"set-cookie": SET_COOKIE,
    b"www-authenticate": AUTHENTICATE,
    b"clear-site-data": CLEAR_SITE_DATA,
    b"strict-transport-security": TRANSPORT_SECURITY,
}


class ResponsePolicy:
    """The fate of an upstream's header lines on the way to the browser. Used like HeaderPolicy.

    `edited`: the lower-case names of headers that the application's file edits (wire/response_edits.py).
    """

    __slots__ = ("_edited", "table")

    def __init__(self, edited: frozenset[bytes] = frozenset()) -> None:
        self._edited = edited
        self.table: dict[bytes, Verdict] = {}

    def learn(self, name: bytes) -> Verdict:
        lower = name.lower()
        verdict: Verdict = _RESPONSE_SPECIAL.get(lower)
        if verdict is None and lower not in HOP_BY_HOP:
            if orders_a_front(lower):
                verdict = FRONT_ORDER
            else:
                verdict = EDITED if lower in self._edited else b"\r\n%b: " % name
        _remember(self.table, name, verdict)
        return verdict


def _remember(table: dict[bytes, Verdict], name: bytes, verdict: Verdict) -> None:
    if len(name) > _REMEMBERED_LENGTH:
        return
    if len(table) >= _REMEMBERED:
        table.clear()
    table[name] = verdict


# RFC 4559, MS-NTHT: these schemes sign in the connection, not the request.
_CONNECTION_BOUND: Final = re.compile(rb"[ \t]*(?:ntlm|negotiate|kerberos)(?![^ \t,])", re.IGNORECASE)


def binds_connection(value: bytes) -> bool:
    """Whether an Authorization or WWW-Authenticate value ties the upstream connection to a person."""
    return any(_CONNECTION_BOUND.match(part) is not None for part in value.split(b","))
