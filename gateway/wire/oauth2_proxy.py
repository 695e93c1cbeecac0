"""The served paths of oauth2-proxy, for a front that was set up for oauth2-proxy: the question, sign-in and sign-out.
An application whose file says `front: oauth2-proxy` cannot have its own pages at these paths.

https://oauth2-proxy.github.io/oauth2-proxy/features/endpoints
"""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.model.errors import GatewayError
from gateway.wire.fronts import OAUTH2_PROXY, Front
from gateway.wire.target import STRICT, PathLeniency, canonical_target, safe_target

FIRST: Final = "oauth2"
"""The first segment of the paths."""
QUESTION: Final = b"/oauth2/auth"
SIGN_IN: Final = frozenset({b"/oauth2/sign_in", b"/oauth2/start"})
REDIRECT: Final = b"x-auth-request-redirect"
"""The header with the requested page, for a front that does not put the page into the address."""
TO_SIGN_IN: Final = Front(name=OAUTH2_PROXY, method=b"", target=b"", host=b"host", passes=True, leads=True)
"""A browser at the sign-in address counts as a question about the requested page. An allowance redirects to the page; a
refusal is answered as for the page itself."""

_ABSOLUTE: Final = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_PORT: Final = re.compile(rb":[0-9]*\Z")


def way_back(query: bytes, said: bytes, host: str, home: str, leniency: PathLeniency = STRICT) -> str:
    """The page of `host` to which the browser continues, as a path.

    `query`: the query of the sign-in address, with `rd`.
    `said`: the value of the header REDIRECT.
    `home`: the result without a page, or for a page of another host."""
    found = _rd(query) or said
    absolute = _ABSOLUTE.fullmatch(found)
    if absolute is not None:
        if _PORT.sub(b"", absolute[1]).lower() != host.encode("ascii"):
            return home
        found = absolute[2] if absolute[2].startswith(b"/") else b"/" + absolute[2]
    target = safe_target(found.decode("latin-1"), leniency) if found.startswith(b"/") else None
    if target is None:
        return home
    try:
        first = canonical_target(target.encode("ascii"), leniency).segments[0]
    except GatewayError:
        return home
    # A sign-in must not lead to the next sign-in.
    return home if first.lower() == FIRST else target


def _rd(query: bytes) -> bytes:
    """The address before it was put into the query. The configuration in oauth2-proxy's documentation does not encode
    the address, so the parameters after an address with a query belong to the address.
    """
    if query.startswith((b"rd=/", b"rd=http://", b"rd=https://")):
        whole = query[len(b"rd=") :]
        address, ampersand, _ = whole.partition(b"&")
        return whole if ampersand and b"?" in address else address
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        if name == b"rd":
            return unquote_to_bytes(value)
    return b""
