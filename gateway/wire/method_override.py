"""Method override: a header or a query parameter names another method than the request line does.

Frameworks act by the overriding method. So the rules decide on the overriding method, or the request is refused. It
would be wrong to drop the header: the application would act by the wrong method, and respond with 200.
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.model.codes import wire_codes
from gateway.model.errors import GatewayError
from gateway.model.names import LenientName, fold

# WordPress, Rack, Symfony, Laravel, ASP.NET, OData. ASP.NET reads them in the query as well.
HEADERS: Final = frozenset({b"x-http-method", b"x-http-method-override", b"x-method-override"})
FOLDS: Final = frozenset(map(fold, HEADERS))
_PARAMETER: Final = LenientName("_method")

# The method that every framework allows to override. They differ on further methods.
_CARRIER: Final = b"POST"
_NAMED: Final = frozenset({b"PUT", b"PATCH", b"DELETE"})

# RFC 9110 9.3, RFC 5789, WebDAV and its relatives. In a query, a different word is a parameter of the application.
_METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE OPTIONS PATCH"
    b" POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH TRACE UNBIND UNLINK UNLOCK UPDATE".split()
)

# Catalyst's parameter, in a query or form. Catalyst's header is listed above.
_TUNNELED: Final = fold(b"x-tunneled-method")

# No encoder escapes a letter or `_`: an escape is an attempt to hide the name. ASP and ASP.NET decode `%u006d` as well.
_ESCAPED: Final = re.compile(rb"%(?:[4-7]|[uU]00)")
_WIDE: Final = re.compile(rb"%[uU]00([0-9A-Fa-f]{2})")


def may_name(query: bytes) -> bool:
    """Whether the query may name a method, which is rare: a quick check before `judged_method`."""
    return b"method" in query.lower() or _ESCAPED.search(query) is not None


def judged_method(method: bytes, query: bytes, header: bytes = b"", other: bytes = b"", *, taken: bool) -> bytes:
    """The method for the rules. Raises GatewayError(wire_codes.METHOD_OVERRIDE).

    `header`: the joined values of the headers above.
    `other`: the joined values of headers that only some servers read as an override header. Never forwarded.
    `taken`: the application's file allows overrides.
    """
    named = {header.strip().upper(), other.strip().upper()} | (_in_query(query) if may_name(query) else set())
    named -= {b"", method, b"GET" if method == b"HEAD" else b""}
    if not named:
        return method
    wanted = named.pop()
    told = f"a {method.decode('ascii')} that names another method ({wanted[:20]!r})"
    if not taken:
        raise GatewayError(
            wire_codes.METHOD_OVERRIDE, f"{told}: method_override: true in the application's file accepts it"
        )
    if named or other.strip() or method != _CARRIER or wanted not in _NAMED:
        raise GatewayError(
            wire_codes.METHOD_OVERRIDE, f"{told}: only PUT, PATCH or DELETE is accepted, named once, in a POST"
        )
    return wanted


def _in_query(query: bytes) -> set[bytes]:
    found = set()
    for part in re.split(rb"[&;]", query):
        name, _, value = part.partition(b"=")
        if _is_ours(_decoded(name)):
            found.add(_decoded(value).strip().upper())
    return found & _METHODS


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(_WIDE.sub(rb"%\1", text).replace(b"+", b" "))


def _is_ours(name: bytes) -> bool:
    """Whether some server reads the parameter's name as an override. PHP ends a name at a NUL."""
    plain = name.partition(b"\0")[0].lstrip()
    folded = fold(plain.partition(b"[")[0])
    return _PARAMETER.may_be(plain.decode("latin-1")) or folded in FOLDS or folded == _TUNNELED
