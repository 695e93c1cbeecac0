"""Whether a response may be a sign-in page: only a top-level navigation of a browser can show and finish one."""

import re
from collections.abc import Iterable
from typing import Final, Literal

Kind = Literal["navigation", "frame", "other"]

_FRAMES: Final = frozenset({b"iframe", b"frame", b"embed", b"object"})
# Fetch Metadata 2.4
_OWN_SITE: Final = ([b"same-origin"], [b"same-site"])
# Headers of a prefetch, for a page that is not yet shown: today's name, and older names (Chrome and Safari, Firefox,
# Safari's previews).
_AHEAD: Final = frozenset({b"sec-purpose", b"purpose", b"x-moz", b"x-purpose"})
_READ: Final = frozenset({b"accept", b"sec-fetch-dest", b"upgrade", b"x-requested-with", *_AHEAD})
_HTML: Final = re.compile(rb"(?:^|,)[ \t]*text/html[ \t]*(?:[;,]|$)", re.IGNORECASE)


def kind_of(method: bytes, headers: Iterable[tuple[bytes, bytes]]) -> Kind:
    """The kind of a request. `headers`: names in any case, and values; must include Upgrade if sent."""
    said: dict[bytes, bytes] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _READ:
            said[lower] = said[lower] + b"," + value if lower in said else value
    if method not in {b"GET", b"POST"} or b"upgrade" in said or not _AHEAD.isdisjoint(said):
        return "other"
    destination = said.get(b"sec-fetch-dest")
    if destination is not None:
        # Fetch Metadata 2.1: the browser sets it, and no script of a page can.
        return _by_destination(destination.strip(b" \t"))
    html = _HTML.search(said.get(b"accept", b"")) is not None
    return "navigation" if html and b"x-requested-with" not in said else "other"


def is_same_site_frame(method: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the request loads a page into an `iframe`, without participation of a foreign site. Browsers state the
    participation after redirects too. `headers`: as in `kind_of`, with Sec-Fetch-Site.
    """
    lines = list(headers)
    destination, site = (
        [value.strip(b" \t") for key, value in lines if key.lower() == name]
        for name in (b"sec-fetch-dest", b"sec-fetch-site")
    )
    is_own = destination == [b"iframe"] and site in _OWN_SITE
    return is_own and method == b"GET" and kind_of(method, lines) == "frame"


def is_page_of(referer: bytes, origins: Iterable[str]) -> bool:
    """Whether the requesting page belongs to one of the origins. False if the request does not state its origin."""
    scheme, _, rest = referer.partition(b"://")
    return b"%b://%b" % (scheme, rest.partition(b"/")[0]) in {origin.encode("ascii") for origin in origins}


def is_same_origin(origin: bytes | None, site: bytes | None, ours: bytes) -> bool:
    """Whether the headers show that a page of the origin `ours` made the request: by Fetch Metadata, else by Origin
    (RFC 6454 7). A page's script cannot set these headers. A page with `Referrer-Policy: no-referrer` sends `null`."""
    if site is None:
        return origin == ours
    return site == b"same-origin" and origin in {None, b"null", ours}


def _by_destination(destination: bytes) -> Kind:
    if destination == b"document":
        return "navigation"
    return "frame" if destination in _FRAMES else "other"
