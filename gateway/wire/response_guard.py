"""Limits on an application's response: it may not have caches keep one person's pages, nor browsers forget our cookies
or https, nor a server in front of the gateway give another page."""

import re
from dataclasses import dataclass
from typing import Final

HSTS: Final = "Strict-Transport-Security"

# RFC 9111 5.2: an application that sends this has said who may store its response. Expires says for how long alone,
# and Pragma says nothing in a response (5.3, 5.4): a shared cache keeps what has no more than these.
CACHE_DIRECTIVES: Final = frozenset({b"cache-control"})
# 5.2.2: these say who, or for how long. The others say what is done with what is stored, or nothing of it; so do
# `private` and `no-cache` with names of fields, which WebLogic and WebSphere send with each cookie.
_OF_STORES: Final = re.compile(
    rb"(?:\A|,)[ \t]*+(?:(?:private|no-cache)[ \t]*+(?:,|\Z)|(?:public|no-store|max-age|s-maxage)[ \t]*+(?:[,=]|\Z))",
    re.IGNORECASE,
)
# What stands in quotes is no directive, nor behind one that does not end. Each quote matches something: where one did
# not, the next would be read to the end again.
_IN_QUOTES: Final = re.compile(rb'"(?:[^"\\]|\\.?)*"?', re.DOTALL)

# Clear Site Data 3.1, without "cookies", which reaches every host of the domain, and "*", which includes it. Others
# are dropped, because browsers may come to give them a meaning.
_CLEARED: Final = frozenset(
    {b'"cache"', b'"storage"', b'"executionContexts"', b'"clientHints"', b'"prefetchCache"', b'"prerenderCache"'}
)
# RFC 6797 6.1.1: names in any case, a value that may be quoted. A max-age of minutes would replace one of months, so a
# second ends it as well as 0. Each run is taken once, whole: an application chooses how many blanks it sends.
_ENDS: Final = re.compile(
    rb'(?:^|[;,])[ \t]*+max-age[ \t]*+=[ \t]*+"?+[ \t]*+0*+[0-9]{0,3}+[ \t]*+"?+[ \t]*+(?:[;,]|$)', re.IGNORECASE
)


# By these an application has the nginx, Apache, lighttpd, LiteSpeed or Perlbal in front of it send a file of its disk,
# a location of its own or another server's page, or store the response; an Envoy takes the whole server for failing.
# One in front of the gateway would do so, too.
_FRONT_ORDERS: Final = (
    b"x-accel-", b"x-sendfile", b"x-lighttpd-", b"x-litespeed-", b"x-reproxy-", b"surrogate-", b"edge-control",
    b"x-envoy-immediate-health-check-fail", b"x-envoy-degraded",
)  # fmt: skip
# RFC 9213: to one kind of cache, which then heeds no Cache-Control.
_TARGETED: Final = b"-cache-control"
# It says how this response is handed on, and nothing else: streams need it.
_BUFFERING: Final = b"x-accel-buffering"


@dataclass(frozen=True, slots=True)
class ResponseLeniency:
    """The leniencies that an application's file names.

    `cache`: the ready cache line for responses to a person without cache directives; b"": none.
    """

    cache: bytes = b"\r\nCache-Control: private"
    clear_site_data: bool = False
    end_hsts: bool = False
    front_orders: bool = False


STRICT: Final = ResponseLeniency()


def directs_caches(value: bytes) -> bool:
    """Whether a Cache-Control value says anything of who may store the response, or for how long."""
    return _OF_STORES.search(_IN_QUOTES.sub(b"_", value)) is not None


def cleared(value: bytes) -> bytes:
    """A Clear-Site-Data value without words that would clear our cookies; b"" if nothing is left."""
    return b", ".join(word for word in (part.strip(b" \t") for part in value.split(b",")) if word in _CLEARED)


def ends_hsts(value: bytes) -> bool:
    """Whether a Strict-Transport-Security value would have browsers use http again (RFC 6797 6.1.1)."""
    return _ENDS.search(value) is not None


def includes_subdomains(value: str) -> bool:
    """Whether a Strict-Transport-Security value holds for the hosts below as well (RFC 6797 6.1.2)."""
    return any(part.strip(" \t").lower() == "includesubdomains" for part in value.split(";"))


def orders_a_front(name: bytes) -> bool:
    """Whether a response header of this name, in lower case, tells a server in front what to send."""
    return (name.startswith(_FRONT_ORDERS) and name != _BUFFERING) or name.endswith(_TARGETED)
