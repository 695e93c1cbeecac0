"""The ids of SAML in the portal: of messages that we send, and what a session of a SAML provider is found by."""

import json
from collections.abc import Callable

from gateway.portal.http.request import SECRET_BYTES


def message_id(token_urlsafe: Callable[[int], str]) -> str:
    # Core 1.3.4: an NCName, which does not begin with a digit or a dash; 256 bits
    return f"_{token_urlsafe(SECRET_BYTES)}"


def sid_of(subject: str, index: str) -> str:
    """`index`: the SessionIndex. An index alone need not be unique among people (Core 2.7.2)."""
    return json.dumps([index, subject])


def index_of(sid: str) -> str:
    """The SessionIndex, as the provider gave it."""
    index: str = json.loads(sid)[0]
    return index
