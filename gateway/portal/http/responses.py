"""Ready responses, with the headers common to our responses."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final
from urllib.parse import quote

from gateway.model.ports import Page

Headers = tuple[tuple[bytes, bytes], ...]

# Printable ASCII without characters that end a header or start a fragment.
_LOCATION_SAFE = "!#$%&'()*+,-./:;=?@[]_~"

_CSP: Final = b"Content-Security-Policy"
_LOCATION: Final = b"Location"
# RFC 9110 5.5
_ENDS = re.compile(rb"[\r\n\0]")


def security_headers(policy: str, *, framed: bool = False) -> Headers:
    """`policy`: Content-Security-Policy. `framed`: a small page for frames, whose only link leaves the frame."""
    common: Headers = (
        (b"Cache-Control", b"no-store"),
        (b"Referrer-Policy", b"no-referrer"),
        (b"X-Content-Type-Options", b"nosniff"),
        (_CSP, policy.encode()),
    )
    return common if framed else (*common, (b"X-Frame-Options", b"DENY"))


# Without a page: nothing may be loaded, framed or sent.
BARE = security_headers("default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'")


# Every browser asks a site for /favicon.ico, and we have none. Refused, each would be a line of the log.
NO_ICON = Page(204, (*BARE[1:], (b"Cache-Control", b"public, max-age=86400")), b"")


def encoded(location: str) -> str:
    """An absolute URL in the form for a header, or for a page that leads there."""
    return quote(location, safe=_LOCATION_SAFE)


def redirect(location: str) -> Page:
    """A 303 response: the browser follows with GET. `location`: an absolute URL of ours or from a provider's metadata.
    After a form, the portal replaces a redirect to another origin by a page that goes on by itself (`form_answers`)."""
    return Page(303, (*BARE, (_LOCATION, encoded(location).encode())), b"")


def location_of(page: Page) -> str:
    """The address of a redirect; empty for other pages."""
    return next((value.decode("ascii") for name, value in page.headers if name == _LOCATION), "")


def framed(page: Page, origins: Iterable[str]) -> Page:
    """Allows frames in pages of these origins only (Content Security Policy 3, 6.4.2)."""
    ancestors = f"frame-ancestors {' '.join(origins)}".encode()
    policies = [value for name, value in page.headers if name == _CSP]
    kept = [each for policy in policies for each in policy.split(b"; ") if not each.startswith(b"frame-ancestors ")]
    others = [header for header in page.headers if header[0] not in (_CSP, b"X-Frame-Options")]
    return Page(page.status, (*others, (_CSP, b"; ".join((*kept, ancestors)))), page.body)


def with_headers(page: Page, headers: Mapping[bytes, bytes]) -> Page:
    return Page(page.status, (*page.headers, *headers.items()), page.body)


def with_cookies(page: Page, cookies: Sequence[str]) -> Page:
    """`cookies`: Set-Cookie values. Raises ValueError for a value with a line break."""
    headers = (*page.headers, *[(b"Set-Cookie", cookie.encode("ascii")) for cookie in cookies])
    if any(map(_ENDS.search, chain.from_iterable(headers))):
        raise ValueError("a line break in a header")
    return Page(page.status, headers, page.body)
