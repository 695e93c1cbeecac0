"""What an application's answer does not say over our heads: caches that keep what is one person's, browsers that forget
our cookies or our https."""

import re
from dataclasses import dataclass
from typing import Final

# RFC 9111 5.2, 5.3, 5.4: an application that sends one of these has said how its answer may be kept.
CACHE_DIRECTIVES: Final = frozenset({b"cache-control", b"expires", b"pragma"})

# Clear Site Data 3.1, but for "cookies", which reaches every host of the domain, and "*", which is all of them. What
# browsers will yet make of other words, nobody knows.
_CLEARED: Final = frozenset(
    {b'"cache"', b'"storage"', b'"executionContexts"', b'"clientHints"', b'"prefetchCache"', b'"prerenderCache"'}
)
# RFC 6797 6.1.1: names in any case, a value that may be quoted. What lasts for some minutes takes the place of what was
# to last for months: 1 s is as good as 0.
_ENDS: Final = re.compile(
    rb'(?:^|[;,])[ \t]*max-age[ \t]*=[ \t]*"?[ \t]*0*[0-9]{0,3}[ \t]*"?[ \t]*(?:[;,]|$)', re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ResponseLeniency:
    """What an application's file opens, each by its name. `cache`: the ready line for answers to a person that say
    nothing of caches, b"" for none."""

    cache: bytes = b"\r\nCache-Control: private"
    clear_site_data: bool = False
    end_hsts: bool = False


STRICT: Final = ResponseLeniency()


def cleared(value: bytes) -> bytes:
    """A Clear-Site-Data value without what would take our cookies; b"" where nothing is left."""
    return b", ".join(word for word in (part.strip(b" \t") for part in value.split(b",")) if word in _CLEARED)


def ends_hsts(value: bytes) -> bool:
    """Whether a Strict-Transport-Security value has browsers use http again (RFC 6797 6.1.1)."""
    return _ENDS.search(value) is not None
