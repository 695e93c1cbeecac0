"""A request as a person writes it: `GET https://permis.example.org/admin/`."""

from dataclasses import dataclass
from urllib.parse import quote

from gateway.config.scalars import Wrong
from gateway.model.errors import GatewayError
from gateway.wire.target import absolute_form

# What browsers send as they are; blanks and what is not ASCII they escape as UTF-8.
_AS_THEY_ARE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True, slots=True)
class Request:
    """`text` as it was written; `authority` and `target` as they come over the wire."""

    text: str
    method: str
    authority: bytes
    target: bytes


def parse_request(text: str) -> Request:
    """Raises Wrong."""
    method, _, url = text.strip().partition(" ")
    try:
        _, authority, target = absolute_form(quote(url.strip(), safe=_AS_THEY_ARE).partition("#")[0].encode("ascii"))
    except GatewayError:
        raise Wrong("a request is a method and a whole address", "GET https://permis.example.org/admin/") from None
    return Request(text, method, authority, target)
