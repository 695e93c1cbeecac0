"""Which header lines of a message go on: decided once per name as it is spelled, then looked up.

A client's header reaches the application only if no reading of its name, however the application's server folds
it (CGI, WSGI and PHP turn every other character into `_`), is a name that we write or that is reserved.
"""

import re
from collections.abc import Mapping
from typing import Final

from gateway.model.names import fold
from gateway.wire.hop_by_hop import HOP_BY_HOP
from gateway.wire.identity_headers import tells_identity
from gateway.wire.method_override import FOLDS, HEADERS

# What a table says of a name: bytes, the ready b"\r\nName: " to which the value is joined; None, dropped; or one of
# these small integers, for what is ours to read. Of these, only FORWARDED_AS_READ goes on as it came, and
# METHOD_OVERRIDE under its own name.
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

FORWARDED_AS_READ: Final[Mapping[int, bytes]] = {
    AUTHORIZATION: b"\r\nAuthorization: ",
    SET_COOKIE: b"\r\nSet-Cookie: ",
    AUTHENTICATE: b"\r\nWWW-Authenticate: ",
    CLEAR_SITE_DATA: b"\r\nClear-Site-Data: ",
    TRANSPORT_SECURITY: b"\r\nStrict-Transport-Security: ",
}

Verdict = bytes | int | None

# A name that is not remembered is judged anew each time. The table is per application and filled by strangers,
# so it is small: browsers and programs together spell some 150 names. When it is full it starts again, so that
# a flood of made-up names costs memory once and speed only while it lasts.
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
}
_REQUEST_SPECIAL_FOLDS: Final = {fold(name): name for name in _REQUEST_SPECIAL}

# The reserved set: names by which some front, framework or sign-in module tells an application who is calling, from
# where, or which page is meant; and what is written anew. Dropped for every application, whatever it injects. The names
# of single products are in identity_headers.py.
RESERVED: Final = frozenset(
    {
        b"alicdnrealip",
        b"aspfiltersessionid",  # ASP.NET: what it is to take out of the path
        b"authuser",
        b"cfconnectingip",
        b"cfconnectingipv6",
        b"clientip",
        b"cookie2",  # RFC 2965: how the Cookie line is to be read
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
        b"xforwardfor",
        b"xhost",
        b"xhttphostoverride",
        b"xoriginatingip",
        b"xproxyuserip",
        b"xrealip",
        b"xrequestid",
        b"xrewriteurl",
        b"xscheme",
        b"xscriptname",  # Flask, Radicale, pgAdmin: what they take off the path before they map it
        b"xsendfile",
        b"xsendfiletype",  # Rack: that a path of its disk is told in the answer
        b"xsucuriclientip",
        b"xtrueclientip",
        b"xurlscheme",
        b"xvhmhost",
        b"xvhmroot",  # Pyramid, repoze.vhm: what they put before the path
        *map(fold, HOP_BY_HOP),
    }
)
RESERVED_PREFIXES: Final = (
    b"ecluse",
    b"mellon",
    b"oidc",
    b"remote",
    b"shib",
    b"sslclient",
    b"xaccel",
    b"xauth",
    b"xclientcert",
    b"xecluse",
    b"xenvoy",
    b"xforwarded",
    b"xoriginal",
    b"xremote",
    b"xssl",
    b"xwebauth",
)


def _judge_request(name: bytes, injected_folds: frozenset[bytes]) -> Verdict:
    folded = fold(name)
    if folded in FOLDS:
        # Never dropped: the application would do another thing than was asked.
        return METHOD_OVERRIDE if name.lower() in HEADERS else METHOD_OVERRIDE_ODD
    # An underscore is what the others are folded to; no browser sends one.
    if b"_" in name or not folded or folded in injected_folds:
        return None
    if folded in _REQUEST_SPECIAL_FOLDS:
        # None where it is a special name in a disguise, such as `Content.Length`.
        return _REQUEST_SPECIAL.get(name.lower())
    if folded in RESERVED or folded.startswith(RESERVED_PREFIXES) or tells_identity(name):
        return None
    return b"\r\n%b: " % name


def goes_on(name: bytes) -> bool:
    """Whether a client's header of this name reaches an application that injects nothing, as the client sent it."""
    return isinstance(_judge_request(name, frozenset()), bytes)


class HeaderPolicy:
    """What happens to a client's headers on their way to one application.

    On the hot path: `table.get(name, UNSEEN)`, and `learn(name)` for what is not there.
    """

    __slots__ = ("_injected", "table")

    def __init__(self, injected_folds: frozenset[bytes]) -> None:
        self._injected = injected_folds
        self.table: dict[bytes, Verdict] = {}

    @classmethod
    def compile(cls, injected_folds: frozenset[bytes]) -> "HeaderPolicy":
        """`injected_folds`: fold() of every header name that the application's file injects."""
        return cls(injected_folds)

    def learn(self, name: bytes) -> Verdict:
        """Judges a name and remembers it."""
        verdict = _judge_request(name, self._injected)
        _remember(self.table, name, verdict)
        return verdict

    def passes_on(self, name: bytes) -> bool:
        """Whether the application gets such a header as the client sent it."""
        verdict = self.table.get(name, UNSEEN) or self.learn(name)
        return isinstance(verdict, bytes) or verdict == METHOD_OVERRIDE or verdict in FORWARDED_AS_READ


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
    """What happens to an upstream's headers on their way to the browser; one for all applications. Used likewise."""

    __slots__ = ("table",)

    def __init__(self) -> None:
        self.table: dict[bytes, Verdict] = {}

    def learn(self, name: bytes) -> Verdict:
        lower = name.lower()
        verdict: Verdict = _RESPONSE_SPECIAL.get(lower)
        if verdict is None and lower not in HOP_BY_HOP:
            verdict = b"\r\n%b: " % name
        _remember(self.table, name, verdict)
        return verdict


def _remember(table: dict[bytes, Verdict], name: bytes, verdict: Verdict) -> None:
    if len(name) > _REMEMBERED_LENGTH:
        return
    if len(table) >= _REMEMBERED:
        table.clear()
    table[name] = verdict


# RFC 4559, MS-NTHT: the first of these on a connection signs in the connection, not the request.
_CONNECTION_BOUND: Final = re.compile(rb"[ \t]*(?:ntlm|negotiate|kerberos)(?![^ \t,])", re.IGNORECASE)


def binds_connection(value: bytes) -> bool:
    """Whether this Authorization or WWW-Authenticate value makes the upstream connection its person's own."""
    return any(_CONNECTION_BOUND.match(part) is not None for part in value.split(b","))
