"""Limits on an application's response. The response may not let caches keep a person's pages, make browsers forget our
cookies or https, or order a server in front of the gateway to send a different page."""

import re
from dataclasses import dataclass
from typing import Final

HSTS: Final = "Strict-Transport-Security"

# RFC 9111 5.2: the header with which an application says who may store the response. Expires only says for how long,
# and Pragma has no meaning in a response (5.3, 5.4): a shared cache keeps a response with only these.
CACHE_DIRECTIVES: Final = frozenset({b"cache-control"})
# 5.2.2: directives that say who may store a response, or for how long. Further directives are about stored responses.
# So are `private` and `no-cache` with field names, which WebLogic and WebSphere send with each cookie.
_OF_STORES: Final = re.compile(
    rb"(?:\A|,)[ \t]*+(?:(?:private|no-cache)[ \t]*+(?:,|\Z)|(?:public|no-store|max-age|s-maxage)[ \t]*+(?:[,=]|\Z))",
    re.IGNORECASE,
)
# A quoted text is no directive, and neither is the text after an unclosed quote. A quote always matches, closed or not:
# otherwise each quote would be searched to the end again.
_IN_QUOTES: Final = re.compile(rb'"(?:[^"\\]|\\.?)*"?', re.DOTALL)

# Clear Site Data 3.1, without "cookies", which affects every host of the domain, and without "*", which includes
# "cookies". Unknown words are dropped, because browsers may give them a meaning later.
_CLEARED: Final = frozenset(
    {b'"cache"', b'"storage"', b'"executionContexts"', b'"clientHints"', b'"prefetchCache"', b'"prerenderCache"'}
)
# RFC 6797 6.1.1: names in upper or lower case, values with or without quotes. A short max-age would replace a max-age
# of months, so a second ends HSTS as well as 0. Possessive: an application may send any number of blanks.
_ENDS: Final = re.compile(
    rb'(?:^|[;,])[ \t]*+max-age[ \t]*+=[ \t]*+"?+[ \t]*+0*+[0-9]{0,3}+[ \t]*+"?+[ \t]*+(?:[;,]|$)', re.IGNORECASE
)


# With these headers an application orders the nginx, Apache, lighttpd, LiteSpeed or Perlbal in front of it to send a
# file of the disk, another location or another server's page, or to store the response. Envoy counts the whole server
# as failing. A server in front of the gateway would obey too.
_FRONT_ORDERS: Final = (
    b"x-accel-", b"x-sendfile", b"x-lighttpd-", b"x-litespeed-", b"x-reproxy-", b"surrogate-", b"edge-control",
    b"x-envoy-immediate-health-check-fail", b"x-envoy-degraded",
)  # fmt: skip
# RFC 9213: for a kind of cache, which then ignores Cache-Control.
_TARGETED: Final = b"-cache-control"
# Allowed: it only says how the response is passed on, and streams need it.
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
    """Whether a Cache-Control value says who may store the response, or for how long."""
    return _OF_STORES.search(_IN_QUOTES.sub(b"_", value)) is not None


def cleared(value: bytes) -> bytes:
    """A Clear-Site-Data value without words that would clear our cookies; b"" if no word is left."""
    return b", ".join(word for word in (part.strip(b" \t") for part in value.split(b",")) if word in _CLEARED)


def ends_hsts(value: bytes) -> bool:
    """Whether a Strict-Transport-Security value would have browsers use http again (RFC 6797 6.1.1)."""
    return _ENDS.search(value) is not None


def includes_subdomains(value: str) -> bool:
    """Whether a Strict-Transport-Security value holds for the hosts below as well (RFC 6797 6.1.2)."""
    return any(part.strip(" \t").lower() == "includesubdomains" for part in value.split(";"))


def orders_a_front(name: bytes) -> bool:
    """Whether the response header `name`, in lower case, orders a server in front what to send."""
    return (name.startswith(_FRONT_ORDERS) and name != _BUFFERING) or name.endswith(_TARGETED)
